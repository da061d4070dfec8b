"""Exports that leave the flushing to the system, and the power failures after which the next run finds what is torn."""

import json
import os
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from exported_files import MINE, contents_in

from viam_sync.app.data_client import DataClient
from viam_sync.sandbox import Sandbox

_COUNT = 40


@pytest.fixture
def files(put: Any) -> Dict[str, bytes]:
    contents = [f"contents {number:02}".encode() for number in range(_COUNT)]
    return {put(each, f"d/file-{number:02}"): each for number, each in enumerate(contents)}


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> List[int]:
    """Return a list that gets a number for each flush."""
    calls: List[int] = []
    flush = os.fsync

    def counting(file: int) -> None:
        calls.append(file)
        flush(file)

    monkeypatch.setattr(os, "fsync", counting)
    return calls


def lines_of(folder: Path) -> List[bytes]:
    return (folder / "manifest.jsonl").read_bytes().splitlines(keepends=True)


def test_two_files_and_no_more_are_flushed_for_each(
    data: DataClient, files: Dict[str, bytes], flushed: List[int], tmp_path: Path
) -> None:
    assert data.export_binary_data(MINE, tmp_path, workers=1).complete
    # The manifest is flushed once for each of the batches, of which there is one, and not for each file.
    assert len(flushed) == 2 * len(files) + 1


def test_without_durable_no_file_is_flushed(
    data: DataClient, files: Dict[str, bytes], flushed: List[int], tmp_path: Path
) -> None:
    result = data.export_binary_data(MINE, tmp_path, durable=False)
    assert (result.complete, contents_in(tmp_path)) == (True, files)
    # One flush is that of the line which tells later runs, and one that of the name of the manifest.
    assert len(flushed) == 2
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize("durable", [True, False])
def test_the_next_run_flushes_what_is_whole_once(
    sandbox: Sandbox, data: DataClient, files: Dict[str, bytes], flushed: List[int], tmp_path: Path, durable: bool
) -> None:
    data.export_binary_data(MINE, tmp_path, durable=False)
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    del flushed[:]
    assert len(data.export_binary_data(MINE, tmp_path, durable=durable).already_there) == len(files)
    assert len(flushed) >= 2 * len(files)
    assert not any("checksums" in json.loads(line) for line in lines_of(tmp_path))
    del flushed[:]
    assert len(data.export_binary_data(MINE, tmp_path, durable=durable).already_there) == len(files)
    assert (flushed, fault.met) == ([], 0)


def zeros(path: Path, _: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def zeros_in_metadata(_: Path, metadata: Path) -> None:
    metadata.write_bytes(bytes(metadata.stat().st_size))


def nothing(path: Path, metadata: Path) -> None:
    path.write_bytes(b"")


def no_file(path: Path, metadata: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("tear", [zeros, zeros_in_metadata, nothing, no_file])
@pytest.mark.parametrize("durable", [True, False])
def test_what_a_power_failure_has_torn_is_fetched_again(
    data: DataClient, files: Dict[str, bytes], tmp_path: Path, tear: Callable[[Path, Path], None], durable: bool
) -> None:
    first = data.export_binary_data(MINE, tmp_path, durable=False)
    torn = [Path(str(file.path)) for file in first.files[::4]]
    for path in torn:
        tear(path, tmp_path / "metadata" / "d" / f"{path.name}.json")
    second = data.export_binary_data(MINE, tmp_path, durable=durable)
    assert second.complete
    assert {file.path for file in second.exported} == set(torn)
    assert contents_in(tmp_path) == files


@pytest.mark.parametrize("durable", [True, False])
def test_files_whose_lines_are_lost_are_not_trusted(
    data: DataClient, files: Dict[str, bytes], tmp_path: Path, durable: bool
) -> None:
    first = data.export_binary_data(MINE, tmp_path, durable=False)
    # The line that says so was flushed before the first file was written; of the rest, the disk has some.
    manifest = tmp_path / "manifest.jsonl"
    lines = lines_of(tmp_path)
    manifest.write_bytes(b"".join([*lines[:10], bytes(500), b"\n", *lines[10:12], lines[12][:30]]))
    zeros(Path(str(first.files[0].path)), tmp_path)
    zeros(Path(str(first.files[-1].path)), tmp_path)
    second = data.export_binary_data(MINE, tmp_path, durable=durable)
    assert (second.complete, len(second.already_there) in (10, 11)) == (True, True)
    assert [file.path for file in second.files] == [file.path for file in first.files]
    assert contents_in(tmp_path) == files


def test_a_durable_file_that_is_written_anew_is_not_taken_for_the_old_one(
    sandbox: Sandbox, data: DataClient, files: Dict[str, bytes], tmp_path: Path
) -> None:
    path = Path(str(data.export_binary_data(MINE, tmp_path).files[3].path))
    path.unlink()
    sandbox.faults.fail("BinaryDataByIDs", "PERMISSION_DENIED", times=None)
    assert len(data.export_binary_data(MINE, tmp_path, durable=False).failed) == 1
    sandbox.faults.clear()
    # The power fails when the contents were written, and neither they nor their line are on the disk.
    path.write_bytes(bytes(len("contents 00")))
    assert [file.path for file in data.export_binary_data(MINE, tmp_path).exported] == [path]
    assert contents_in(tmp_path) == files


def test_metadata_that_is_written_anew_without_a_flush_is_read_by_the_next_run(
    data: DataClient, files: Dict[str, bytes], tmp_path: Path
) -> None:
    first = data.export_binary_data(MINE, tmp_path)
    data.add_tags_to_binary_data_by_ids(["new"], [file.id for file in first.files])
    assert len(data.export_binary_data(MINE, tmp_path, durable=False).updated) == len(files)
    paths = sorted((tmp_path / "metadata" / "d").iterdir())
    for path in paths[::2]:
        zeros(path, path)
    third = data.export_binary_data(MINE, tmp_path)
    assert (len(third.updated), third.exported) == (_COUNT // 2, [])
    assert all("new" in json.loads(path.read_text())["captureMetadata"]["tags"] for path in paths)
    assert data.export_binary_data(MINE, tmp_path).updated == []


def test_a_value_of_durable_that_is_no_boolean_is_refused(data: DataClient, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"^durable takes"):
        data.export_binary_data(MINE, tmp_path, durable="no")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("tear_metadata", [zeros, nothing])
@pytest.mark.parametrize("durable", [True, False])
def test_files_that_are_torn_with_their_metadata_and_whose_lines_are_lost_do_not_stay_beside_the_new_ones(
    data: DataClient,
    files: Dict[str, bytes],
    tmp_path: Path,
    tear_metadata: Callable[[Path, Path], None],
    durable: bool,
) -> None:
    first = data.export_binary_data(MINE, tmp_path, durable=False)
    (tmp_path / "manifest.jsonl").write_bytes(lines_of(tmp_path)[0])
    for file in first.files:
        path = Path(str(file.path))
        path.write_bytes(b"")
        tear_metadata(tmp_path / "metadata" / "d" / f"{path.name}.json", path)
    second = data.export_binary_data(MINE, tmp_path, durable=durable)
    assert [file.path for file in second.files] == [file.path for file in first.files]
    assert contents_in(tmp_path) == files


def test_where_all_was_flushed_files_beside_empty_metadata_are_somebody_elses(
    data: DataClient, files: Dict[str, bytes], tmp_path: Path
) -> None:
    first = data.export_binary_data(MINE, tmp_path)
    (tmp_path / "manifest.jsonl").write_bytes(b"")
    path = Path(str(first.files[0].path))
    (tmp_path / "metadata" / "d" / f"{path.name}.json").write_bytes(b"")
    assert data.export_binary_data(MINE, tmp_path).files[0].path == path.with_name(f"{path.name}-2")
    assert path.read_bytes() == files[first.files[0].id]


@pytest.mark.parametrize("durable", [True, False])
def test_metadata_that_was_written_anew_without_a_flush_is_flushed_once_by_the_next_run(
    data: DataClient, files: Dict[str, bytes], flushed: List[int], tmp_path: Path, durable: bool
) -> None:
    first = data.export_binary_data(MINE, tmp_path)
    data.add_tags_to_binary_data_by_ids(["new"], [file.id for file in first.files])
    assert len(data.export_binary_data(MINE, tmp_path, durable=False).updated) == len(files)
    del flushed[:]
    assert len(data.export_binary_data(MINE, tmp_path, durable=durable).already_there) == len(files)
    assert len(flushed) >= len(files)
    del flushed[:]
    assert len(data.export_binary_data(MINE, tmp_path, durable=durable).already_there) == len(files)
    assert flushed == []
