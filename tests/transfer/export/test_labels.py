"""Exports into a folder that has the files, whose labels have changed meanwhile."""

import gzip
import json
from pathlib import Path
from typing import Any, Dict, List

import pytest
from exported_files import MINE, contents_in
from file_service import FileService

from viam_sync.app.data_client import DataClient
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.export.results import ExportResult


def metadata_of(folder: Path, id: str) -> Path:
    """Return the path of the metadata of an exported file."""
    lines = map(json.loads, (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    return next(folder / line["metadata"] for line in lines if line["id"] == id)


def written(folder: Path) -> Dict[str, int]:
    """Return the inodes of all files, which are others after a file was written anew."""
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in folder.rglob("*") if path.is_file()}


def counts(result: ExportResult) -> List[int]:
    return [len(each) for each in (result.exported, result.already_there, result.updated, result.gone)]


@pytest.mark.parametrize("label", ["tag", "fewer tags", "box", "dataset"])
def test_labels_that_have_changed_are_written_anew_without_the_contents(
    sandbox: Sandbox, data: DataClient, put: Any, tmp_path: Path, label: str
) -> None:
    ids = [put(b"contents", name, ".png") for name in ("cat", "dog", "cow")]
    data.add_tags_to_binary_data_by_ids(["old"], ids)
    assert data.export_binary_data(MINE, tmp_path).complete
    before = written(tmp_path)
    if label == "tag":
        data.add_tags_to_binary_data_by_ids(["new"], ids[:1])
    elif label == "fewer tags":
        data.remove_tags_from_binary_data_by_ids(["old"], ids[:1])
    elif label == "box":
        data.add_bounding_box_to_image_by_id(ids[0], "cat", 0.1, 0.2, 0.3, 0.4)
    else:
        dataset = data.create_dataset("pets", sandbox.organization_id)
        data.add_binary_data_to_dataset_by_ids(ids[:1], dataset)
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    result = data.export_binary_data(MINE, tmp_path)
    assert (fault.met, result.complete, counts(result)) == (0, True, [0, 3, 1, 0])
    (updated,) = result.updated
    assert (updated.id, updated.already_there, updated.size) == (ids[0], True, 8)
    path = metadata_of(tmp_path, ids[0])
    known = json.loads(path.read_text(encoding="utf-8"))
    if label == "box":
        assert known["annotations"]["bboxes"][0]["label"] == "cat"
    elif label == "dataset":
        assert known["datasetIds"] == [dataset]
    else:
        assert set(known["captureMetadata"]["tags"]) == ({"mine", "old", "new"} if label == "tag" else {"mine"})
    after = written(tmp_path)
    changed = {path for path, inode in after.items() if before[path] != inode} - {"manifest.jsonl"}
    assert changed == {path.relative_to(tmp_path).as_posix()}
    assert contents_in(tmp_path) == dict.fromkeys(ids, b"contents")
    # The next run has nothing to do.
    assert counts(data.export_binary_data(MINE, tmp_path)) == [0, 3, 0, 0]
    assert written(tmp_path) == after


def test_an_address_or_an_order_that_is_another_in_each_list_is_no_change(
    service: FileService, other: DataClient, tmp_path: Path
) -> None:
    for number in range(3):
        service.add(
            b"x",
            binary_data_id=f"o/l/f{number}",
            file_size_bytes=1,
            uri="https://example.com/?signature=1",
            dataset_ids=["a", "b"],
            capture_metadata={"tags": ["x", "y"]},
        )
    assert other.export_binary_data(None, tmp_path).complete
    before = written(tmp_path)
    for digests in (True, False):
        if not digests:
            without_digests(tmp_path)
        for metadata in service.listed:
            metadata.uri += "2"
            metadata.dataset_ids[:] = reversed(metadata.dataset_ids)
            metadata.capture_metadata.tags[:] = reversed(metadata.capture_metadata.tags)
        assert counts(other.export_binary_data(None, tmp_path)) == [0, 3, 0, 0]
    before.pop("manifest.jsonl")
    assert before.items() <= written(tmp_path).items()


def without_digests(folder: Path) -> None:
    """Let a manifest be as older versions have written it."""
    manifest = folder / "manifest.jsonl"
    lines = map(json.loads, manifest.read_text(encoding="utf-8").splitlines())
    kept = [{name: line[name] for name in ("id", "path", "metadata", "size")} for line in lines]
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in kept), encoding="utf-8")


def test_a_folder_of_an_older_version_is_compared_once(service: FileService, other: DataClient, tmp_path: Path) -> None:
    for number in range(150):
        service.add(b"x", binary_data_id=f"o/l/f{number}", file_name=f"d/f{number}", file_size_bytes=1)
    assert other.export_binary_data(None, tmp_path).complete
    without_digests(tmp_path)
    service.listed[7].capture_metadata.tags.append("new")
    assert counts(other.export_binary_data(None, tmp_path)) == [0, 150, 1, 0]
    lines = [json.loads(line) for line in (tmp_path / "manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(lines) == len({line["digest"] for line in lines}) == 150


@pytest.mark.parametrize("edited", ["", "no JSON", "[]", '{"datasetIds": 7, "captureMetadata": {"tags": [7]}}'])
def test_metadata_that_somebody_has_edited_is_written_anew_where_labels_change(
    service: FileService, other: DataClient, tmp_path: Path, edited: str
) -> None:
    service.add(b"x", binary_data_id="o/l/f1", file_name="d/cat", file_size_bytes=1)
    assert other.export_binary_data(None, tmp_path).complete
    (tmp_path / "metadata" / "d" / "cat.json").write_text(edited, encoding="utf-8")
    service.listed[0].capture_metadata.tags.append("new")
    assert counts(other.export_binary_data(None, tmp_path)) == [0, 1, 1, 0]
    assert set(contents_in(tmp_path)) == {"o/l/f1"}


@pytest.mark.parametrize("name", ["d/cat", "d/cat.gz"])
@pytest.mark.parametrize("digests", [True, False])
def test_a_file_of_the_same_id_and_another_size_is_fetched_again(
    service: FileService, other: DataClient, tmp_path: Path, name: str, digests: bool
) -> None:
    def contents(text: bytes) -> bytes:
        return gzip.compress(text, mtime=0) if name.endswith(".gz") else text

    service.add(contents(b"old"), binary_data_id="o/l/f1", file_name=name, file_size_bytes=len(contents(b"old")))
    assert other.export_binary_data(None, tmp_path).complete
    if not digests:
        without_digests(tmp_path)
    service.contents["o/l/f1"].binary = contents(b"newer")
    service.listed[0].file_size_bytes = len(contents(b"newer"))
    assert counts(other.export_binary_data(None, tmp_path)) == [1, 0, 0, 0]
    assert contents_in(tmp_path) == {"o/l/f1": b"newer"}
    assert counts(other.export_binary_data(None, tmp_path)) == [0, 1, 0, 0]


def test_metadata_that_cannot_be_written_is_the_error_of_its_file(
    service: FileService, other: DataClient, tmp_path: Path
) -> None:
    for number in range(2):
        service.add(b"x", binary_data_id=f"o/l/f{number}", file_name=f"d/f{number}", file_size_bytes=1)
    assert other.export_binary_data(None, tmp_path).complete
    for metadata in service.listed:
        metadata.capture_metadata.tags.append("new")
    service.listed[0].time_requested.seconds = 2**60
    result = other.export_binary_data(None, tmp_path)
    assert (result.complete, [file.id for file in result.failed]) == (False, ["o/l/f0"])
    assert [file.id for file in result.updated] == ["o/l/f1"]


@pytest.mark.parametrize("moment", ["before the metadata", "before its line"])
def test_a_run_that_is_killed_while_labels_are_written_leaves_the_next_one_right(
    service: FileService, other: DataClient, tmp_path: Path, moment: str
) -> None:
    service.add(b"x", binary_data_id="o/l/f1", file_name="d/cat", file_size_bytes=1)
    assert other.export_binary_data(None, tmp_path).complete
    manifest, metadata = tmp_path / "manifest.jsonl", tmp_path / "metadata" / "d" / "cat.json"
    first = manifest.read_bytes()
    service.listed[0].capture_metadata.tags.append("new")
    old = metadata.read_bytes()
    assert counts(other.export_binary_data(None, tmp_path)) == [0, 1, 1, 0]
    new = metadata.read_bytes()
    # The manifest as it is when the metadata is being written.
    doubt = {**json.loads(first), "digest": ""}
    manifest.write_bytes(first + json.dumps(doubt).encode() + b"\n")
    metadata.write_bytes(old if moment == "before the metadata" else new)
    expected = 1 if moment == "before the metadata" else 0
    assert counts(other.export_binary_data(None, tmp_path)) == [0, 1, expected, 0]
    assert metadata.read_bytes() == new
    # Labels that are as they were before that run are written, too.
    manifest.write_bytes(first + json.dumps(doubt).encode() + b"\n")
    del service.listed[0].capture_metadata.tags[:]
    assert counts(other.export_binary_data(None, tmp_path)) == [0, 1, 1, 0]
    assert "tags" not in metadata.read_text(encoding="utf-8")


@pytest.mark.parametrize("top", ["data", "metadata"])
@pytest.mark.parametrize("changed", [{"dataset_ids": ["d"]}, {"file_size_bytes": 4}], ids=["label", "contents"])
def test_nothing_is_written_through_a_link_to_a_folder(
    service: FileService, other: DataClient, tmp_path: Path, top: str, changed: Dict[str, Any]
) -> None:
    known = {"binary_data_id": "o/l/ox", "file_name": "d/farm/ox", "file_size_bytes": 2}
    service.add(b"ox", **known)
    assert other.export_binary_data(None, tmp_path / "files").complete
    farm, mine = tmp_path / "files" / top / "d" / "farm", tmp_path / "mine"
    farm.rename(mine)
    farm.symlink_to(mine, target_is_directory=True)
    before = [path.read_bytes() for path in mine.iterdir()]
    service.listed.clear()
    service.add(b"oxen" if "file_size_bytes" in changed else b"ox", **{**known, **changed})
    (file,) = other.export_binary_data(None, tmp_path / "files").files
    assert [path.read_bytes() for path in mine.iterdir()] == before
    # New labels do not touch contents, which may be behind a link.
    if (top, "dataset_ids" in changed) != ("data", True):
        assert "its path goes through a link" in str(file.error)
