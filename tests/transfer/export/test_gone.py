"""Exports into a folder that has files which do not match the filter any more."""

import json
import os
from pathlib import Path
from typing import Any, List

import pytest
from exported_files import MINE, contents_in
from file_service import FileService

from viam_sync.app.data_client import DataClient
from viam_sync.errors import NotFoundError, PermissionDeniedError
from viam_sync.proto.app import data as pb
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter


@pytest.fixture
def folder(service: FileService, other: DataClient, tmp_path: Path) -> Path:
    """A folder that two files were exported to, of which the service has only the first now."""
    service.add(b"cat", binary_data_id="o/l/cat", file_name="d/cat", file_size_bytes=3)
    service.add(b"ox", binary_data_id="o/l/ox", file_name="d/farm/ox", file_size_bytes=2)
    assert other.export_binary_data(None, tmp_path / "files").complete
    del service.listed[1]
    return tmp_path / "files"


def names_in(folder: Path) -> List[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


ALL = ["cat", "cat.json", "manifest.jsonl", "ox", "ox.json"]


def test_a_file_that_left_the_dataset_is_named_and_removed_where_asked(
    sandbox: Sandbox, data: DataClient, put: Any, tmp_path: Path
) -> None:
    ids = [put(b"1", "pets/cat"), put(b"2", "farm/cow")]
    dataset = data.create_dataset("animals", sandbox.organization_id)
    data.add_binary_data_to_dataset_by_ids(ids, dataset)
    mine = create_filter(dataset_id=dataset)
    assert data.export_binary_data(mine, tmp_path).complete
    data.remove_binary_data_from_dataset_by_ids(ids[1:], dataset)
    for _ in range(2):
        result = data.export_binary_data(mine, tmp_path)
        assert result.complete
        assert [(file.id, file.path, file.removed, file.error) for file in result.gone] == [
            (ids[1], tmp_path / "data" / "farm" / "cow", False, None)
        ]
        assert contents_in(tmp_path) == {ids[0]: b"1", ids[1]: b"2"}
    (gone,) = data.export_binary_data(mine, tmp_path, remove_gone=True).gone
    assert (gone.id, gone.removed, gone.error) == (ids[1], True, None)
    assert contents_in(tmp_path) == {ids[0]: b"1"}
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_dir()) == ["data", "metadata", "pets", "pets"]
    assert data.export_binary_data(mine, tmp_path, remove_gone=True).gone == []
    # It comes back under the name that it had.
    data.add_binary_data_to_dataset_by_ids(ids[1:], dataset)
    result = data.export_binary_data(mine, tmp_path)
    assert [file.path for file in result.exported] == [tmp_path / "data" / "farm" / "cow"]
    assert contents_in(tmp_path) == {ids[0]: b"1", ids[1]: b"2"}


def test_a_file_that_comes_back_before_it_was_removed_is_there(
    service: FileService, other: DataClient, folder: Path
) -> None:
    assert len(other.export_binary_data(None, folder).gone) == 1
    service.listed.append(service.contents["o/l/ox"].metadata)
    result = other.export_binary_data(None, folder, remove_gone=True)
    assert (len(result.already_there), result.gone) == (2, [])
    assert names_in(folder) == ALL


@pytest.mark.parametrize("failure", ["list", "unknown", "access", "disk", "interrupt"])
def test_nothing_is_removed_by_a_run_that_fails(
    sandbox: Sandbox, data: DataClient, put: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    ids = [put(b"x", f"d/{number}") for number in range(2)]
    dataset = data.create_dataset("animals", sandbox.organization_id)
    data.add_binary_data_to_dataset_by_ids(ids, dataset)
    mine = create_filter(dataset_id=dataset)
    assert data.export_binary_data(mine, tmp_path).complete
    data.remove_binary_data_from_dataset_by_ids(ids, dataset)
    expected: Any = OSError

    def progress(done: int, total: Any, unit: str) -> None:
        if failure == "list" and not done:
            sandbox.faults.fail("BinaryDataByFilter", "PERMISSION_DENIED", times=None)
        if failure == "interrupt" and done:
            raise KeyboardInterrupt

    if failure == "list":
        expected = PermissionDeniedError
    elif failure == "unknown":
        data.delete_dataset(dataset)
        expected = NotFoundError
    elif failure == "access":
        # So it is for a caller who may not see the data any more: nothing matches, and nobody says why.
        sandbox.faults.fail("ListDatasetsByIDs", "PERMISSION_DENIED", times=None)
        expected = PermissionDeniedError
    elif failure == "interrupt":
        data.add_binary_data_to_dataset_by_ids(ids[:1], dataset)
        expected = KeyboardInterrupt
    else:
        data.add_binary_data_to_dataset_by_ids([put(b"new", "new")], dataset)
        monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(expected) as raised:
        data.export_binary_data(mine, tmp_path, remove_gone=True, progress=progress)
    monkeypatch.undo()
    assert raised.value.result.gone == []
    assert contents_in(tmp_path) == dict.fromkeys(ids, b"x")


def full_disk(file: int) -> None:
    raise OSError(28, os.strerror(28))


def test_a_file_that_cannot_be_fetched_does_not_keep_those_that_are_gone(
    service: FileService, other: DataClient, folder: Path
) -> None:
    service.add(b"", binary_data_id="o/l/new", file_size_bytes=5)
    result = other.export_binary_data(None, folder, remove_gone=True)
    assert [file.id for file in result.failed] == ["o/l/new"]
    assert [(file.id, file.removed) for file in result.gone] == [("o/l/ox", True)]


@pytest.mark.parametrize("changed", ["longer", "other metadata", "no metadata", "link", "linked folder"])
def test_a_file_that_may_be_somebody_elses_is_kept(
    other: DataClient, folder: Path, tmp_path: Path, changed: str
) -> None:
    ox, metadata = folder / "data" / "d" / "farm" / "ox", folder / "metadata" / "d" / "farm" / "ox.json"
    if changed == "longer":
        ox.write_bytes(b"my own ox")
    elif changed == "other metadata":
        metadata.write_text(json.dumps({"binaryDataId": "o/l/cow"}), encoding="utf-8")
    elif changed == "no metadata":
        metadata.unlink()
    elif changed == "link":
        ox.rename(tmp_path / "ox")
        ox.symlink_to(tmp_path / "ox")
    else:
        ox.parent.rename(tmp_path / "farm")
        ox.parent.symlink_to(tmp_path / "farm", target_is_directory=True)
    kept = ox.read_bytes()
    (gone,) = other.export_binary_data(None, folder, remove_gone=True).gone
    assert ox.read_bytes() == kept
    if changed == "link":
        assert (gone.removed, metadata.exists()) == (True, False)
    else:
        assert (gone.removed, type(gone.error)) == (False, OSError if "linked" in changed else FileExistsError)
        assert "ox" in (folder / "manifest.jsonl").read_text(encoding="utf-8")
    if changed == "longer":
        assert "it was exported with 2 bytes and has 9, so somebody has changed it; it is not removed" in str(
            gone.error
        )


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes in folders")
@pytest.mark.parametrize("is_known", [True, False])
def test_a_pipe_in_the_place_of_metadata_is_not_waited_for(
    service: FileService, other: DataClient, folder: Path, is_known: bool
) -> None:
    metadata = folder / "metadata" / "d" / "farm" / "ox.json"
    metadata.unlink()
    os.mkfifo(metadata)
    if not is_known:
        (folder / "manifest.jsonl").unlink()
        service.listed.append(service.contents["o/l/ox"].metadata)
    result = other.export_binary_data(None, folder, remove_gone=True)
    if is_known:
        assert isinstance(result.gone[0].error, FileExistsError)
    else:
        assert [file.path and file.path.name for file in result.files] == ["cat", "ox-2"]
    assert (folder / "data" / "d" / "farm" / "ox").read_bytes() == b"ox"
    assert metadata.is_fifo()


def test_files_that_no_export_has_made_are_never_removed(other: DataClient, folder: Path) -> None:
    for mine in ("data/d/farm/mine", "metadata/mine.json", "data/mine", "mine"):
        (folder / mine).write_bytes(b"mine")
    other.export_binary_data(None, folder, remove_gone=True)
    assert names_in(folder) == ["cat", "cat.json", "manifest.jsonl", "mine", "mine", "mine", "mine.json"]


def test_what_somebody_has_removed_already_is_not_named(other: DataClient, folder: Path) -> None:
    for path in [*folder.rglob("ox"), *folder.rglob("ox.json")]:
        path.unlink()
    assert other.export_binary_data(None, folder).gone == []
    assert other.export_binary_data(None, folder, remove_gone=True).gone == []
    assert set(contents_in(folder)) == {"o/l/cat"}


def test_a_removal_that_was_broken_off_is_finished_by_the_next(other: DataClient, folder: Path) -> None:
    (folder / "data" / "d" / "farm" / "ox").unlink()
    (gone,) = other.export_binary_data(None, folder, remove_gone=True).gone
    assert gone.removed
    assert names_in(folder) == ["cat", "cat.json", "manifest.jsonl"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may remove anything")
def test_a_file_that_may_not_be_removed_has_its_error(other: DataClient, folder: Path) -> None:
    farm = folder / "data" / "d" / "farm"
    farm.chmod(0o500)
    (gone,) = other.export_binary_data(None, folder, remove_gone=True).gone
    farm.chmod(0o700)
    assert isinstance(gone.error, PermissionError)
    assert other.export_binary_data(None, folder, remove_gone=True).gone[0].removed


def test_disputed_files_are_not_removed(service: FileService, other: DataClient, folder: Path) -> None:
    manifest = folder / "manifest.jsonl"
    line = json.loads(manifest.read_text(encoding="utf-8").splitlines()[1])
    with manifest.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({**line, "id": "o/l/cow"}) + "\n")
    for _ in range(2):
        assert other.export_binary_data(None, folder, remove_gone=True).gone == []
        assert names_in(folder) == ALL


@pytest.mark.usefixtures("no_thread_is_left")
def test_many_files_are_removed_by_several_workers(service: FileService, other: DataClient, tmp_path: Path) -> None:
    for number in range(250):
        service.add(b"x", binary_data_id=f"o/l/f{number}", file_name=f"d/{number % 5}/{number}", file_size_bytes=1)
    assert other.export_binary_data(None, tmp_path).complete
    del service.listed[10:]
    result = other.export_binary_data(None, tmp_path, remove_gone=True)
    assert [file.removed for file in result.gone] == [True] * 240
    assert len(contents_in(tmp_path)) == 10


@pytest.mark.parametrize("value", [1, "yes", None])
def test_an_argument_that_is_no_bool_removes_nothing(other: DataClient, folder: Path, value: Any) -> None:
    with pytest.raises(TypeError, match="remove_gone takes"):
        other.export_binary_data(pb.Filter(), folder, remove_gone=value)
    assert names_in(folder) == ALL


def test_a_run_with_another_filter_names_all_others(data: DataClient, put: Any, tmp_path: Path) -> None:
    id = put(b"x", "d/cat")
    assert data.export_binary_data(MINE, tmp_path).complete
    result = data.export_binary_data(create_filter(tags=["none has this"]), tmp_path)
    assert ([file.id for file in result.gone], result.complete) == ([id], True)
