"""Exports to a bucket: into the memory of fsspec, and to a real S3 server on loopback."""

import gzip
import json
import os
import random
import signal
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import pytest
from child_transfers import ChildTransfers
from exported_files import MINE
from file_service import FileService
from object_store import SECRET, ObjectStore

from viam_sync.app.data_client import DataClient
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.export.remote_folder import RemoteFolder
from viam_sync.transfer.export.results import ExportResult
from viam_sync.transfer.output.remote import Location

fsspec = pytest.importorskip("fsspec")


def objects_in(url: str) -> Dict[str, bytes]:
    """Return the objects of a folder by their paths in it."""
    fs, root = fsspec.core.url_to_fs(url)
    fs.invalidate_cache()
    return {path[len(root) + 1 :]: fs.cat_file(path) for path in fs.find(root)}


def contents_in(url: str) -> Dict[str, bytes]:
    """Return the contents of the files of an export; the manifest and the metadata must agree with them."""
    objects = objects_in(url)
    lines = [json.loads(line) for line in objects.pop("manifest.jsonl").decode().splitlines()]
    found = {line["id"]: objects.pop(line["path"]) for line in lines}
    assert [len(contents) for contents in found.values()] == [line["size"] for line in lines]
    for line in lines:
        assert json.loads(objects.pop(line["metadata"]))["binaryDataId"] == line["id"]
    assert objects == {}
    assert len(found) == len(lines)
    return found


def counts(result: ExportResult) -> List[int]:
    return [len(each) for each in (result.exported, result.already_there, result.updated, result.gone)]


def test_all_files_that_match_are_there_and_a_second_run_asks_for_no_contents(
    sandbox: Sandbox, data: DataClient, put: Any, remote_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    log = b"a line of a log\n" * 1000
    large = os.urandom(1 << 20) * 17
    contents = {
        put(b"1", "cat", ".png"): b"1",
        put(b"", "pets/../../dog.txt", ".txt"): b"",
        put(gzip.compress(log), "logs/a.log.gz", ".gz"): log,
        put(large, "d/large"): large,
    }
    result = data.export_binary_data(MINE, remote_folder)
    assert (result.complete, counts(result), result.folder) == (True, [4, 0, 0, 0], remote_folder)
    assert contents_in(remote_folder) == contents
    assert list(tmp_path.iterdir()) == []
    for file in result.files:
        assert str(file.path).startswith(f"{remote_folder}/data/")
        with fsspec.open(file.path) as opened:
            assert opened.read() == contents[file.id]
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    again = data.export_binary_data(MINE, f"{remote_folder}/")
    assert (fault.met, again.complete, counts(again)) == (0, True, [0, 4, 0, 0])
    assert [file.path for file in again.files] == [file.path for file in result.files]


def test_a_run_without_news_lists_once_and_asks_for_no_single_object(
    data: DataClient, put: Any, bucket: str, object_store: ObjectStore
) -> None:
    for number in range(20):
        put(b"x", f"d/{number}")
    assert data.export_binary_data(MINE, bucket).complete
    object_store.requests.clear()
    assert counts(data.export_binary_data(MINE, bucket)) == [0, 20, 0, 0]
    asked = [(method, path.partition("/")[2].partition("/")[2]) for method, path, _ in object_store.requests]
    assert {method for method, _ in asked} <= {"GET", "HEAD"}
    assert {path for _, path in asked} == {"", "manifest.jsonl"}


def test_labels_that_changed_and_files_that_are_gone_are_seen_to(
    data: DataClient, put: Any, remote_folder: str
) -> None:
    ids = [put(b"x", f"d/{number}") for number in range(3)]
    assert data.export_binary_data(MINE, remote_folder).complete
    before = objects_in(remote_folder)
    data.add_tags_to_binary_data_by_ids(["new"], ids[:1])
    data.remove_tags_from_binary_data_by_ids(["mine"], ids[2:])
    assert counts(data.export_binary_data(MINE, remote_folder)) == [0, 2, 1, 1]
    after = objects_in(remote_folder)
    assert {path for path in after if after[path] != before[path]} == {"metadata/d/0.json", "manifest.jsonl"}
    assert "new" in json.loads(after["metadata/d/0.json"])["captureMetadata"]["tags"]
    (gone,) = data.export_binary_data(MINE, remote_folder, remove_gone=True).gone
    assert (gone.id, gone.path, gone.removed) == (ids[2], f"{remote_folder}/data/d/2", True)
    assert contents_in(remote_folder) == dict.fromkeys(ids[:2], b"x")
    assert counts(data.export_binary_data(MINE, remote_folder)) == [0, 2, 0, 0]


def test_an_object_that_somebody_has_changed_is_not_removed(data: DataClient, put: Any, remote_folder: str) -> None:
    ids = [put(b"x", f"d/{number}") for number in range(2)]
    assert data.export_binary_data(MINE, remote_folder).complete
    fs, root = fsspec.core.url_to_fs(remote_folder)
    fs.pipe_file(f"{root}/data/d/0", b"my own")
    fs.pipe_file(f"{root}/metadata/d/1.json", b'{"id": "mine"}')
    data.remove_tags_from_binary_data_by_ids(["mine"], ids)
    result = data.export_binary_data(MINE, remote_folder, remove_gone=True)
    assert [type(file.error) for file in result.gone] == [FileExistsError] * 2
    assert len(objects_in(remote_folder)) == 5


def test_a_lost_manifest_loses_no_file(sandbox: Sandbox, data: DataClient, put: Any, remote_folder: str) -> None:
    contents = {put(f"{number}".encode(), "d/cat"): f"{number}".encode() for number in range(30)}
    first = data.export_binary_data(MINE, remote_folder)
    fs, root = fsspec.core.url_to_fs(remote_folder)
    fs.rm_file(f"{root}/manifest.jsonl")
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    result = data.export_binary_data(MINE, remote_folder)
    assert (fault.met, counts(result)) == (0, [0, 30, 0, 0])
    assert [file.path for file in result.files] == [file.path for file in first.files]
    assert contents_in(remote_folder) == contents


def test_an_object_that_was_written_in_part_is_fetched_again(data: DataClient, put: Any, remote_folder: str) -> None:
    ids = [put(b"contents", f"d/{number}") for number in range(2)]
    assert data.export_binary_data(MINE, remote_folder).complete
    fs, root = fsspec.core.url_to_fs(remote_folder)
    fs.rm_file(f"{root}/manifest.jsonl")
    fs.pipe_file(f"{root}/data/d/0", b"cont")
    assert counts(data.export_binary_data(MINE, remote_folder)) == [1, 1, 0, 0]
    assert contents_in(remote_folder) == dict.fromkeys(ids, b"contents")


def test_a_run_that_ends_midway_keeps_what_it_has(service: FileService, other: DataClient, remote_folder: str) -> None:
    for number in range(80):
        service.add(b"x", binary_data_id=f"o/l/f{number}", file_name=f"d/{number}", file_size_bytes=1)

    def enough(done: int, total: Optional[int], unit: str) -> None:
        if done == 70:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as raised:
        other.export_binary_data(None, remote_folder, workers=1, progress=enough)
    assert raised.value.result.gone == []  # type: ignore[attr-defined]
    lines = objects_in(remote_folder)["manifest.jsonl"].splitlines()
    asked = sum(len(request.binary_data_ids) for request in service.asked)
    assert 70 <= len(lines) <= asked
    service.asked.clear()
    assert other.export_binary_data(None, remote_folder).complete
    assert len(contents_in(remote_folder)) == 80
    assert sum(len(request.binary_data_ids) for request in service.asked) == 80 - len(lines)


@pytest.mark.parametrize("first", ["labels", "back"])
def test_a_run_that_is_killed_while_labels_are_written_leaves_the_next_one_right(
    service: FileService, other: DataClient, remote_folder: str, first: str
) -> None:
    for number in range(3):
        service.add(b"x", binary_data_id=f"o/l/f{number}", file_name=f"d/{number}", file_size_bytes=1)
    assert other.export_binary_data(None, remote_folder).complete
    service.listed[0].capture_metadata.tags.append("new")
    fs, root = fsspec.core.url_to_fs(remote_folder)
    before = fs.cat_file(f"{root}/manifest.jsonl")
    assert counts(other.export_binary_data(None, remote_folder)) == [0, 3, 1, 0]
    # The manifest as it is when the metadata is being written.
    fs.pipe_file(f"{root}/manifest.jsonl", b'{"digests": "in doubt"}\n' + before)
    if first == "back":
        del service.listed[0].capture_metadata.tags[:]
    assert counts(other.export_binary_data(None, remote_folder)) == [0, 3, 1 if first == "back" else 0, 0]
    written = json.loads(fs.cat_file(f"{root}/metadata/d/0.json"))
    assert written["captureMetadata"].get("tags", []) == ([] if first == "back" else ["new"])
    assert b"doubt" not in fs.cat_file(f"{root}/manifest.jsonl")


@pytest.fixture
def children(object_store: ObjectStore) -> Iterator[ChildTransfers]:
    with ChildTransfers() as running:
        yield running


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_an_export_to_a_bucket_that_is_killed_at_any_moment_loses_and_doubles_nothing(
    sandbox: Sandbox, data: DataClient, put: Any, children: ChildTransfers, bucket: str, object_store: ObjectStore
) -> None:
    data.delete_binary_data_by_filter(None)
    files = {put(bytes([number]) * 5000, f"d/{number // 2}"): bytes([number]) * 5000 for number in range(30)}
    source = random.Random()
    killed = 0
    for turn in range(int(os.environ.get("VIAM_SYNC_KILLS", "10")) // 5):
        folder = f"{bucket}/{turn}"
        object_store.requests.clear()
        arguments = {"filter": None, "folder": folder}
        child = children.start(sandbox.url, sandbox.api_key, sandbox.api_key_id, "export_binary_data", arguments)
        puts = source.randint(1, len(files) * 2)
        while [method for method, _, _ in object_store.requests].count("PUT") < puts:
            assert not children.ends_within(0.001)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        killed += children.line() == signal.SIGKILL
        before = fsspec.core.url_to_fs(folder)[0].find(f"{folder}/data")
        result = data.export_binary_data(None, folder)
        assert result.complete
        # The store may end a request of the killed process that had come already.
        assert len(result.already_there) >= len(before)
        assert contents_in(folder) == files
    assert killed


def test_another_export_into_the_folder_is_noticed(service: FileService, other: DataClient, remote_folder: str) -> None:
    for number in range(5):
        service.add(b"x", binary_data_id=f"o/l/f{number}", file_name=f"d/{number}", file_size_bytes=1)
    inner: List[ExportResult] = []

    def again(done: int, total: Optional[int], unit: str) -> None:
        if done and not inner:
            inner.append(other.export_binary_data(None, remote_folder))

    with pytest.raises(BlockingIOError, match=r"folder is '.*another export into this folder is running") as raised:
        other.export_binary_data(None, remote_folder, progress=again)
    assert len(raised.value.result.files) == 5  # type: ignore[attr-defined]
    assert inner[0].complete
    assert other.export_binary_data(None, remote_folder).complete
    assert len(contents_in(remote_folder)) == 5


HOSTILE = [
    "../outside",
    "/etc/passwd",
    "a/../../b",
    "\\..\\up",
    "a\nb",
    "é" * 300,
    "deep/" * 200 + "x",
    "cat",
    "Cat",
    "d",
]


def test_hostile_names_all_land_inside_and_stay_the_same(data: DataClient, put: Any, remote_folder: str) -> None:
    names = [
        *HOSTILE,
        "d/e",
        "D/E",
        ".viam-export-0123456789abcdef.part",
        "manifest.jsonl",
        "a::b",
        "a*b",
        "[a]",
        "a?b#c",
    ]
    contents = {put(f"{number}".encode(), f"x/{name}"): f"{number}".encode() for number, name in enumerate(names)}
    folder = f"{remote_folder}/deep"
    first = data.export_binary_data(MINE, folder)
    assert first.failed == []
    assert contents_in(folder) == contents
    assert {path.partition("/")[0] for path in objects_in(remote_folder)} == {"deep"}
    assert len({str(file.path).casefold() for file in first.files}) == len(names)
    second = data.export_binary_data(MINE, folder)
    assert [file.path for file in second.already_there] == [file.path for file in first.files]


def test_a_bucket_that_is_not_there_is_said_before_anything_is_asked(
    service: FileService, other: DataClient, object_store: ObjectStore
) -> None:
    with pytest.raises(FileNotFoundError, match="folder is 's3://no-such-bucket/x'"):
        other.export_binary_data(None, "s3://no-such-bucket/x")


def test_a_store_that_refuses_to_be_written_ends_the_export_with_the_results_so_far(
    data: DataClient, put: Any, bucket: str, object_store: ObjectStore
) -> None:
    ids = [put(b"x", f"d/{number}") for number in range(3)]
    assert data.export_binary_data(MINE, f"{bucket}/f").complete
    ids.append(put(b"y", "d/new"))
    object_store.refuse(lambda method, path, query: method == "PUT")
    with pytest.raises(PermissionError, match=f"folder is '{bucket}/f', where 'metadata/d/new.json' cannot") as raised:
        data.export_binary_data(MINE, f"{bucket}/f")
    assert len(raised.value.result.already_there) == 3  # type: ignore[attr-defined]
    assert SECRET not in str(raised.value)
    object_store.reset()
    assert counts(data.export_binary_data(MINE, f"{bucket}/f")) == [1, 3, 0, 0]
    assert set(contents_in(f"{bucket}/f")) == set(ids)


def test_a_store_that_refuses_to_remove_keeps_the_manifest_right(
    data: DataClient, put: Any, bucket: str, object_store: ObjectStore
) -> None:
    ids = [put(b"x", f"d/{number}") for number in range(2)]
    assert data.export_binary_data(MINE, bucket).complete
    data.remove_tags_from_binary_data_by_ids(["mine"], ids[:1])
    object_store.refuse(lambda method, path, query: method == "DELETE")
    with pytest.raises(PermissionError, match="folder is ") as raised:
        data.export_binary_data(MINE, bucket, remove_gone=True)
    assert [file.removed for file in raised.value.result.gone] == [False]  # type: ignore[attr-defined]
    object_store.reset()
    assert len(contents_in(bucket)) == 2
    assert data.export_binary_data(MINE, bucket, remove_gone=True).gone[0].removed
    assert contents_in(bucket) == {ids[1]: b"x"}


def test_a_store_that_is_down_is_an_error_of_the_system(
    data: DataClient, object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"endpoint_url": "http://127.0.0.1:1", "config_kwargs": {"retries": {"total_max_attempts": 1}}}
    with pytest.raises(OSError, match="folder is 's3://cats'"):
        data.export_binary_data(MINE, "s3://cats", storage_options=options)


def test_without_fsspec_nothing_is_asked(
    service: FileService, other: DataClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ImportError, match="folder is 's3://cats/x', which takes fsspec; pip install fsspec s3fs"):
        other.export_binary_data(None, "s3://cats/x")
    assert list(tmp_path.iterdir()) == []


WRONG: List[Tuple[Any, str]] = [
    ("nosuch://cats", "folder is 'nosuch://cats'"),
    ("https://example.com/cats", "folder is 'https://example.com/cats'"),
    ("memory://cats?x=1", "the URL of a folder has no query"),
    (Path("s3://cats"), "lost a slash"),
]


@pytest.mark.parametrize(("folder", "text"), WRONG)
def test_a_url_that_no_export_can_write_to_is_refused(
    other: DataClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Any, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=text):
        other.export_binary_data(None, folder)
    assert list(tmp_path.iterdir()) == []


def test_the_top_of_a_store_gives_urls_that_can_be_opened() -> None:
    objects = RemoteFolder(Location("folder", "memory:///"))
    unfinished = objects.unfinished_file("data/cat.png")
    unfinished.file.write(b"PNG")
    unfinished.sync()
    objects.commit(unfinished)
    with fsspec.open(objects.place("data/cat.png")) as file:
        assert file.read() == b"PNG"
    objects.remove("data/cat.png")
    objects.close()


def test_no_password_is_shown(service: FileService, other: DataClient) -> None:
    service.add(b"x", binary_data_id="o/l/f1", file_name="d/cat", file_size_bytes=1)
    folder = "memory://me:h1dden-w0rd@host/cats"
    result = other.export_binary_data(None, folder)
    del service.listed[0]
    gone = other.export_binary_data(None, folder).gone
    for shown in (repr(result), str(result), repr(result.files), repr(gone)):
        assert "memory://me:***@host/cats" in shown
        assert "h1dden" not in shown
    assert result.files[0].path == f"{folder}/data/d/cat"
    with fsspec.open(result.files[0].path) as opened:
        assert opened.read() == b"x"


def variables_of(error: BaseException) -> Iterator[str]:
    """Yield what tools show of the variables of this package beside a traceback."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if "viam_sync" in frame.f_code.co_filename:
            yield from map(repr, frame.f_locals.values())


@pytest.mark.parametrize("done_until_then", [0, 1])
def test_no_password_is_among_the_variables_of_a_traceback(
    service: FileService, other: DataClient, done_until_then: int
) -> None:
    service.add(b"x", binary_data_id="o/l/f1", file_name="d/cat", file_size_bytes=1)

    def fail(done: int, total: Optional[int], unit: str) -> None:
        if done == done_until_then:
            raise RuntimeError("enough")

    folder, options = f"memory://me:h1dden-w0rd@host/{done_until_then}", {"password": "h1dden-t00"}
    with pytest.raises(RuntimeError, match="enough") as raised:
        other.export_binary_data(None, folder, storage_options=options, progress=fail)
    shown = "".join(variables_of(raised.value))
    assert "***" in shown
    assert "h1dden" not in shown


def test_temporary_files_are_gone(
    data: DataClient, put: Any, remote_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    put(gzip.compress(b"a log"), "a.log.gz", ".gz")
    assert data.export_binary_data(MINE, remote_folder).complete
    assert list(tmp_path.iterdir()) == []
