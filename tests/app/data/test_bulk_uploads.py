import json
import os
import threading
from collections import deque
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple, cast

import grpc
import pytest
from servers import FakeService, answering

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import AmbiguousResultError, InvalidArgumentError, PermissionDeniedError
from viam_sync.messages.file_id import FileID
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.dial import Channel
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.upload.batch import UploadResult
from viam_sync.transfer.upload.journal import JOURNAL_NAME, FileVersion, Journal
from viam_sync.utils import create_filter

CHUNK = 256 * 1024
FILES = {"a.txt": b"a", "b.tar.gz": b"bb", "day-1/a.txt": b"another a", "day-1/deep/é.jpg": b"", "z": bytes(2 * CHUNK)}


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


@pytest.fixture
def part(sandbox: Sandbox) -> str:
    return sandbox.robot_part_id


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    write(path, FILES)
    return path


def write(folder: Path, files: Dict[str, bytes]) -> None:
    for name, contents in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents)


def stored(data: DataClient, part: str) -> Dict[str, bytes]:
    """Return the contents of the files of a part by their names, of which none may be there twice."""
    with data.iter_binary_data(create_filter(part_id=part)) as files:
        found = [(file.metadata.file_name + file.metadata.file_ext, file.binary) for file in files]
    assert len(dict(found)) == len(found)
    return dict(found)


def names(results: List[UploadResult], folder: Path) -> List[str]:
    return [result.path.relative_to(folder).as_posix() for result in results]


def failed(results: List[UploadResult]) -> List[Tuple[str, str]]:
    return [(result.path.name, str(result.error)) for result in results if result.error is not None]


def test_all_files_of_a_folder_arrive_under_their_paths(data: DataClient, part: str, folder: Path) -> None:
    results = data.upload_files(folder, part)
    assert names(results, folder) == sorted(FILES)
    assert stored(data, part) == FILES
    files = data.binary_data_by_ids([result.id for result in results if result.id])
    assert [file.metadata.file_name + file.metadata.file_ext for file in files] == sorted(FILES)
    assert not any(result.error or result.already_sent for result in results)


@pytest.mark.skipif(os.name == "nt", reason="Windows lets few users make links")
def test_a_journal_that_is_a_link_in_a_circle_is_an_error_of_the_system(
    data: DataClient, part: str, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "journal").symlink_to("journal")
    with pytest.raises(OSError, match=r"\[Errno \d+\] .*/journal'"):
        data.upload_files(folder, part, journal=tmp_path / "journal")
    assert stored(data, part) == {}


def test_a_second_call_sends_what_is_missing_and_says_so(data: DataClient, part: str, folder: Path) -> None:
    first = data.upload_files(str(folder), part)
    write(folder, {"new.txt": b"new"})
    second = data.upload_files(folder, part)
    assert [result.path.name for result in second if not result.already_sent] == ["new.txt"]
    assert [result.id for result in second if result.already_sent] == [result.id for result in first]
    assert stored(data, part) == {**FILES, "new.txt": b"new"}


def test_a_file_that_has_changed_is_sent_again(data: DataClient, part: str, folder: Path) -> None:
    data.upload_files(folder, part)
    (folder / "z").write_bytes(b"less")
    os.utime(folder / "a.txt", ns=(0, 1_700_000_000_000_000_001))
    results = data.upload_files(folder, part)
    assert [result.path for result in results if not result.already_sent] == [folder / "a.txt", folder / "z"]
    assert all(result.already_sent for result in data.upload_files(folder, part))


def test_hidden_files_links_and_the_journal_are_left_out(data: DataClient, part: str, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write(tmp_path, {"outside/a.txt": b"outside"})
    write(folder, {"b.txt": b"b", ".hidden": b"", ".git/config": b"", "day-1/.DS_Store": b"", "log.jsonl": b""})
    (folder / "log.jsonl").unlink()
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "a.txt").symlink_to(tmp_path / "outside" / "a.txt")
    if os.name == "posix":
        os.mkfifo(folder / "pipe")
    for _ in range(2):
        results = data.upload_files(folder, part, journal=folder / "log.jsonl")
        assert names(results, folder) == ["b.txt"]
    assert not (folder / JOURNAL_NAME).exists()


@pytest.mark.parametrize(
    ("pattern", "chosen"),
    [("*.txt", ["a.txt", "day-1/a.txt"]), ("day-1/*", ["day-1/a.txt"]), ("*.jpg", ["day-1/deep/é.jpg"]), ("x", [])],
)
def test_a_pattern_chooses_files(data: DataClient, part: str, folder: Path, pattern: str, chosen: List[str]) -> None:
    assert names(data.upload_files(folder, part, pattern=pattern), folder) == chosen


def test_an_empty_folder_has_no_results_and_gets_no_journal(data: DataClient, part: str, tmp_path: Path) -> None:
    assert data.upload_files(tmp_path, part) == []
    assert list(tmp_path.iterdir()) == []


def test_named_files_keep_their_order_and_have_no_journal(data: DataClient, part: str, folder: Path) -> None:
    paths = [folder / "z", str(folder / "b.tar.gz"), folder / "day-1" / ".." / "z"]
    results = data.upload_files((path for path in paths), part)
    assert [str(result.path) for result in results] == [str(folder / "z"), str(folder / "b.tar.gz")]
    assert stored(data, part) == {"z": FILES["z"], "b.tar.gz": FILES["b.tar.gz"]}
    assert not (folder / JOURNAL_NAME).exists()


def test_named_files_may_have_a_journal(data: DataClient, part: str, folder: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    assert not data.upload_files([folder / "z"], part, journal=journal)[0].already_sent
    results = data.upload_files([folder / "a.txt", folder / "z"], part, journal=str(journal))
    assert [result.already_sent for result in results] == [False, True]


def test_a_folder_may_have_no_journal(data: DataClient, part: str, folder: Path) -> None:
    for _ in range(2):
        assert not any(result.already_sent for result in data.upload_files(folder, part, journal=False))
    assert not (folder / JOURNAL_NAME).exists()
    assert "viam_sync" not in str(data.binary_data_by_filter(create_filter(part_id=part))[0])


def test_a_file_that_fails_does_not_stop_the_others(
    sandbox: Sandbox, data: DataClient, part: str, folder: Path
) -> None:
    sandbox.faults.fail("FileUpload", "INVALID_ARGUMENT")
    results = data.upload_files(folder, part, workers=1)
    assert isinstance(results[0].error, InvalidArgumentError)
    assert (results[0].id, results[0].already_sent) == (None, False)
    assert all(result.id for result in results[1:])
    assert [result.already_sent for result in data.upload_files(folder, part)] == [False, True, True, True, True]
    assert stored(data, part) == FILES


def test_what_cannot_be_read_has_an_error_of_its_own(data: DataClient, part: str, folder: Path) -> None:
    paths = [folder / "absent", folder / "day-1", folder / "a.txt"]
    if os.name == "posix":
        os.mkfifo(folder / "pipe")
        paths.append(folder / "pipe")
    results = data.upload_files(paths, part)
    errors = failed(results)
    assert "No such file" in errors[0][1]
    assert "is a folder; give it alone, as paths, to upload what is in it" in errors[1][1]
    assert [name for name, _ in errors] == ["absent", "day-1"] + (["pipe"] if os.name == "posix" else [])
    assert stored(data, part) == {"a.txt": b"a"}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may look into any folder")
def test_a_folder_that_cannot_be_looked_into_is_told(data: DataClient, part: str, folder: Path) -> None:
    (folder / "day-1").chmod(0)
    try:
        results = data.upload_files(folder, part)
    finally:
        (folder / "day-1").chmod(0o700)
    assert [name for name, _ in failed(results)] == ["day-1"]


def test_a_folder_that_cannot_be_listed_is_told(
    data: DataClient, part: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.scandir

    def scandir(path: Any) -> Any:
        if str(path).endswith("day-1"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    results = data.upload_files(folder, part)
    assert [name for name, _ in failed(results)] == ["day-1"]
    assert len(results) == 4


def test_a_file_that_vanishes_or_changes_meanwhile_is_told(data: DataClient, part: str, folder: Path) -> None:
    def told(done: int, total: Optional[int], unit: str) -> None:
        if done == 0:
            (folder / "a.txt").unlink()
        if done >= CHUNK:
            os.truncate(folder / "z", 5)

    errors = dict(failed(data.upload_files(folder, part, workers=1, progress=told)))
    assert "No such file or directory" in errors["a.txt"]
    assert "z has shrunk while it was uploaded: it had 524,288 bytes at first" in errors["z"]
    assert set(stored(data, part)) == set(FILES) - {"a.txt", "z"}
    results = data.upload_files(folder, part)
    assert [result.path.name for result in results if not result.already_sent] == ["z"]
    assert stored(data, part)["z"] == bytes(5)


def test_all_that_is_known_of_the_files_is_sent(sandbox: Sandbox, data: DataClient, part: str, folder: Path) -> None:
    parameters = {"fast": True}
    data.upload_files(
        [folder / "a.txt"],
        part,
        component_type="camera",
        component_name="eye",
        method_name="GetImages",
        method_parameters=parameters,
        tags=["red"],
        dataset_ids=[sandbox.dataset_id],
        mime_type="text/x-lesson",
    )
    (file,), _, _ = data.binary_data_by_filter(create_filter(part_id=part))
    capture = file.metadata.capture_metadata
    assert (capture.component_type, capture.component_name, capture.method_name) == ("camera", "eye", "GetImages")
    assert (list(capture.method_parameters), capture.mime_type) == (["fast"], "text/x-lesson")
    assert "red" in capture.tags
    assert list(file.metadata.dataset_ids) == [sandbox.dataset_id]


def test_an_upload_in_doubt_is_not_sent_again_if_the_service_has_it(
    sandbox: Sandbox, data: DataClient, part: str, folder: Path
) -> None:
    lost = sandbox.faults.fail("FileUpload", "UNAVAILABLE", after=True, times=2)
    refused = sandbox.faults.fail("FileUpload", "UNAVAILABLE")
    first = data.upload_files(folder, part, workers=1)
    assert (lost.met, refused.met, len(failed(first))) == (2, 1, 3)
    second = data.upload_files(folder, part)
    assert [result.already_sent for result in second] == [True, True, False, True, True]
    assert stored(data, part) == FILES
    assert all(result.already_sent for result in data.upload_files(folder, part))
    by_id = data.binary_data_by_ids([result.id for result in second if result.id])
    assert [file.metadata.file_name + file.metadata.file_ext for file in by_id] == sorted(FILES)


@pytest.mark.parametrize("days", [-10_000, 3, 10_000])
@pytest.mark.parametrize("others", [0, 1])
def test_an_upload_in_doubt_is_found_whatever_the_clock_said(
    sandbox: Sandbox, data: DataClient, part: str, tmp_path: Path, days: int, others: int
) -> None:
    write(tmp_path, {f"{number}.txt": b"" for number in range(others)})
    data.upload_files(tmp_path, part, journal=tmp_path / ".journal")
    write(tmp_path, {"z.txt": b"z"})
    sandbox.faults.fail("FileUpload", "UNAVAILABLE", after=True)
    data.upload_files(tmp_path, part, journal=tmp_path / ".journal")
    lines = [json.loads(line) for line in (tmp_path / ".journal").read_text().splitlines()]
    for line in lines:
        if "time" in line:
            line["time"] += days * 86400
    (tmp_path / ".journal").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert all(result.already_sent for result in data.upload_files(tmp_path, part, journal=tmp_path / ".journal"))
    assert len(stored(data, part)) == others + 1


@pytest.mark.parametrize(
    ("known", "start"),
    [([1_700_000_000], 1_700_000_000 - 86400), ([], None), (grpc.StatusCode.INVALID_ARGUMENT, None)],
)
def test_the_search_for_an_upload_in_doubt_begins_where_the_service_had_acknowledged_another(
    server: FakeService, channel: Channel, tmp_path: Path, known: Any, start: Optional[int]
) -> None:
    def give(request: bytes, context: grpc.ServicerContext) -> bytes:
        if isinstance(known, grpc.StatusCode):
            context.abort(known, "no such form of an ID")
        files = [data_pb.BinaryData(metadata={"time_requested": {"seconds": each}}) for each in known]
        return data_pb.BinaryDataByIDsResponse(data=files).SerializeToString()

    def take(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        deque(requests, maxlen=0)
        return pb.FileUploadResponse(file_id="f").SerializeToString()

    server.unary["BinaryDataByIDs"] = give
    server.unary["BinaryDataByFilter"] = answering(data_pb.BinaryDataByFilterResponse())
    server.upload["FileUpload"] = take
    write(tmp_path, {"a": b"a"})
    status = (tmp_path / "a").stat()
    with Journal(tmp_path / ".journal", "p") as journal:
        journal.acknowledge(journal.begin(FileVersion("b", 0, 0)), FileID("f1", "o/l/f1"))
        journal.begin(FileVersion("a", status.st_size, status.st_mtime_ns))
    (result,) = DataClient(channel, {}).upload_files(tmp_path, "p", journal=tmp_path / ".journal")
    assert (result.id, result.already_sent) == ("f", False)
    (asked,) = server.named("BinaryDataByIDs")
    assert data_pb.BinaryDataByIDsRequest.FromString(asked.requests[0]).binary_data_ids == ["o/l/f1"]
    (call,) = server.named("BinaryDataByFilter")
    interval = data_pb.BinaryDataByFilterRequest.FromString(call.requests[0]).data_request.filter.interval
    assert (interval.start.seconds if interval.HasField("start") else None) == start


def test_an_upload_in_doubt_is_found_among_many_others(
    sandbox: Sandbox, data: DataClient, part: str, tmp_path: Path
) -> None:
    write(tmp_path, {"a.txt": b"a"})
    sandbox.faults.fail("FileUpload", "UNAVAILABLE", after=True)
    data.upload_files(tmp_path, part)
    write(tmp_path / ".others", {f"{number}.txt": b"a" for number in range(120)})
    data.upload_files(tmp_path / ".others", part, workers=32)
    assert data.upload_files(tmp_path, part)[0].already_sent


def test_a_file_that_only_looks_the_same_is_no_answer_to_a_doubt(
    sandbox: Sandbox, data: DataClient, part: str, tmp_path: Path
) -> None:
    write(tmp_path, {"a.txt": b"a"})
    sandbox.faults.fail("FileUpload", "UNAVAILABLE")
    data.upload_files(tmp_path, part)
    data.file_upload(part, b"b", file_name="a", file_extension=".txt")
    assert not data.upload_files(tmp_path, part)[0].already_sent


def test_a_file_in_doubt_is_left_alone_if_the_service_cannot_be_asked(
    sandbox: Sandbox, data: DataClient, part: str, folder: Path
) -> None:
    lost = sandbox.faults.fail("FileUpload", "UNAVAILABLE", after=True)
    data.upload_files(folder, part, workers=1)
    write(folder, {"new.txt": b"new"})
    sandbox.faults.fail("BinaryDataByFilter", "PERMISSION_DENIED")
    results = data.upload_files(folder, part)
    assert lost.met == 1
    assert isinstance(results[0].error, PermissionDeniedError)
    assert [result.already_sent for result in results] == [False, True, True, True, False, True]
    assert results[4].id
    assert data.upload_files(folder, part)[0].already_sent
    assert stored(data, part) == {**FILES, "new.txt": b"new"}


def test_a_lost_connection_leaves_what_a_second_call_completes(
    sandbox: Sandbox, data: DataClient, part: str, folder: Path
) -> None:
    sandbox.faults.drop("FileUpload", after_messages=2)
    sandbox.faults.drop("FileUpload", after=True)
    results = data.upload_files(folder, part, workers=1)
    assert {type(result.error) for result in results} == {AmbiguousResultError, type(None)}
    data.upload_files(folder, part)
    assert all(result.already_sent for result in data.upload_files(folder, part))
    assert stored(data, part) == FILES


def test_a_journal_of_another_part_stops_before_anything_is_sent(
    client: ViamClient, data: DataClient, part: str, folder: Path, sandbox: Sandbox
) -> None:
    data.upload_files(folder, part)
    other = client.app_client.new_robot_part(sandbox.robot_id, "other")
    with pytest.raises(ValueError, match="is that of an upload to the part"):
        data.upload_files(folder, other)
    results = data.upload_files(folder, other, journal=folder / ".other.jsonl")
    assert not any(result.already_sent for result in results)


def test_a_journal_that_cannot_be_written_stops_the_upload_with_its_results(
    data: DataClient, part: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    left = [6]  # the header, two files, and the beginning of the third

    def full(file: int, line: bytes) -> int:
        left[0] -= 1
        if not left[0]:
            raise OSError(28, "No space left on device")
        return write(file, line)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left on device, in writing the journal") as caught:
        data.upload_files(folder, part, workers=1)
    results = cast(Any, caught.value).result
    assert [(result.path.name, bool(result.id)) for result in results] == [("a.txt", True), ("b.tar.gz", True)]
    monkeypatch.undo()
    data.upload_files(folder, part)
    assert stored(data, part) == FILES


def test_progress_counts_the_bytes_that_are_to_be_sent(
    sandbox: Sandbox, data: DataClient, part: str, folder: Path
) -> None:
    told: List[Tuple[int, Optional[int], str]] = []
    total = sum(map(len, FILES.values()))
    sandbox.faults.fail("FileUpload", "INVALID_ARGUMENT")
    data.upload_files(folder, part, progress=lambda *each: told.append(each))
    assert (told[0], told[-1]) == ((0, total, "bytes"), (total, total, "bytes"))
    assert [done for done, _, _ in told] == sorted(done for done, _, _ in told)
    told.clear()
    data.upload_files(folder, part, progress=lambda *each: told.append(each))
    assert told[-1][0] == told[-1][1]
    assert told[-1][1] < total


@pytest.mark.parametrize("kind", [LookupError, OSError, ValueError])
def test_a_function_for_progress_that_fails_stops_all(
    data: DataClient, part: str, folder: Path, kind: "type[Exception]"
) -> None:
    def fail(done: int, total: Optional[int], unit: str) -> None:
        if done:
            raise kind("enough")

    with pytest.raises(kind, match="enough"):
        data.upload_files(folder, part, progress=fail)
    data.upload_files(folder, part)
    assert stored(data, part) == FILES


@pytest.mark.skipif(os.name != "posix", reason="only there are names in no encoding")
def test_a_name_in_no_encoding_is_sent_as_far_as_it_can_be(data: DataClient, part: str, tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system takes no such name")
    data.upload_files(tmp_path, part)
    assert data.upload_files(tmp_path, part)[0].already_sent
    assert stored(data, part) == {"caf\ufffd.txt": b"x"}


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"workers": 0}, ValueError, "workers takes an int from 1 to 64, got 0"),
        ({"workers": 65}, ValueError, "workers takes an int from 1 to 64, got 65"),
        ({"workers": True}, TypeError, "workers takes an int from 1 to 64, got True"),
        ({"part_id": 5}, TypeError, "part_id takes a str"),
        ({"tags": "red"}, TypeError, "tags takes a list"),
        ({"pattern": ""}, ValueError, "pattern is an empty string; leave it out for all files"),
        ({"pattern": 5}, TypeError, "pattern takes a str, got 5"),
        ({"paths": ["a.txt"], "pattern": "*"}, ValueError, "it chooses files of a folder, and paths names files"),
        ({"paths": 5}, TypeError, "paths takes a folder or an iterable of paths, got 5"),
        ({"paths": b"folder"}, TypeError, "paths takes a folder or an iterable of paths, got bytes"),
        ({"paths": [5]}, TypeError, r"paths\[0\] takes a path, got 5"),
        ({"paths": "absent"}, FileNotFoundError, "paths is 'absent', which is no folder; of single files it takes a"),
        ({"paths": __file__}, NotADirectoryError, "test_bulk_uploads.py', which is no folder"),
        ({"journal": 5}, TypeError, "journal takes a path, got 5"),
        ({"journal": "absent/journal"}, FileNotFoundError, "absent/journal"),
        ({"progress": 5}, TypeError, "progress takes True, a callable or None"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(
    data: DataClient, part: str, folder: Path, arguments: Any, kind: "type[Exception]", text: str
) -> None:
    with pytest.raises(kind, match=text):
        data.upload_files(**{"paths": folder, "part_id": part, **arguments})
    assert stored(data, part) == {}


def test_a_service_that_gives_no_parameters_back_is_sent_what_is_in_doubt(
    sandbox: Sandbox, data: DataClient, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a.txt": b"a"})
    sandbox.faults.fail("FileUpload", "UNAVAILABLE", after=True)
    data.upload_files(tmp_path, part)
    lines = [json.loads(line) for line in (tmp_path / JOURNAL_NAME).read_text().splitlines()]
    lines[1]["mark"] = "of another time"
    (tmp_path / JOURNAL_NAME).write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert not data.upload_files(tmp_path, part)[0].already_sent
    files: List[data_pb.BinaryData] = data.binary_data_by_filter(create_filter(part_id=part))[0]
    assert len(files) == 2


def test_an_upload_is_not_watched_by_a_thread_of_its_own(
    data: DataClient, part: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: List[str] = []
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        started.append(thread.name)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counted)
    data.upload_files(folder, part, workers=2)
    assert [name for name in started if name.startswith("viam-sync")] == ["viam-sync-worker"] * 2
