import errno
import gzip
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import pytest
from exported_files import MINE, contents_in
from file_service import FileService

from viam_sync.app.data_client import DataClient
from viam_sync.errors import (
    DataLossError,
    GRPCError,
    InternalError,
    NotFoundError,
    PermissionDeniedError,
    UnauthenticatedError,
    UnavailableError,
)
from viam_sync.proto.app import data as pb
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.http import downloads
from viam_sync.services import methods
from viam_sync.transfer.export.contents import ContentsFetcher, concurrency_for
from viam_sync.transfer.export.exporter import Export
from viam_sync.transfer.export.http_download import Downloader
from viam_sync.transfer.export.limits import ExportLimits
from viam_sync.transfer.export.results import ExportResult
from viam_sync.transfer.output.names import UNFINISHED
from viam_sync.transfer.output.progress import Progress
from viam_sync.utils import create_filter


def export_within(data: DataClient, folder: Path, limits: ExportLimits, workers: int = 8) -> ExportResult:
    """Export the files of a test as ``export_binary_data`` does, within other limits."""
    concurrency = concurrency_for(workers, limits, None, data._channel.time.time)
    downloads = Downloader(data._metadata, concurrency, data._channel, data._run)
    contents = ContentsFetcher(data._unary_unary, methods.BINARY_DATA_BY_IDS, concurrency, limits, None)
    listed = data.iter_binary_data(MINE, include_binary_data=False)
    with listed, Export(folder, contents, downloads, Progress(None), limits) as export:
        try:
            export.run(listed, workers)
        except BaseException as error:
            error.result = export.result  # type: ignore[attr-defined]
            raise
    return export.result


def test_all_files_that_match_are_there_under_the_names_of_the_official_command_line(
    data: DataClient, put: Any, tmp_path: Path
) -> None:
    ids = [put(b"1", "cat", ".png"), put(b"22", "pets/dog.txt", ".txt"), put(b"", "", ".bin")]
    result = data.export_binary_data(MINE, tmp_path / "new" / "folder")
    assert contents_in(tmp_path / "new" / "folder") == dict(zip(ids, [b"1", b"22", b""]))
    by_id = {file.id: file for file in result.files}
    names = ["2024-05-01T12_00_00Z_cat.png", "pets/dog.txt", f"2024-05-01T12_00_00Z_{ids[2].rpartition('/')[2]}.bin"]
    assert [by_id[id].path for id in ids] == [tmp_path / "new" / "folder" / "data" / name for name in names]
    assert [by_id[id].size for id in ids] == [1, 2, 0]
    assert result.complete
    assert len(result.exported) == 3
    assert (result.failed, result.missing, result.already_there) == ([], [], [])


def test_a_second_run_asks_for_no_contents(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    first = data.export_binary_data(None, tmp_path)
    before = contents_in(tmp_path)
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    second = data.export_binary_data(None, tmp_path)
    assert fault.met == 0
    assert (len(second.already_there), second.exported, second.complete) == (24, [], True)
    assert [file.path for file in second.files] == [file.path for file in first.files]
    assert contents_in(tmp_path) == before


@pytest.mark.parametrize("manifest", [True, False])
def test_a_second_run_exports_the_files_that_are_missing(
    data: DataClient, put: Any, tmp_path: Path, manifest: bool
) -> None:
    ids = [put(b"contents", name) for name in ("kept", "gone", "cut", "longer", "bare", "Kept", "a folder")]
    paths: Dict[str, Any] = {file.id: file.path for file in data.export_binary_data(MINE, tmp_path).files}
    _, gone, cut, longer, bare, _, folder = [paths[id] for id in ids]
    gone.unlink()
    cut.write_bytes(b"cont")
    longer.write_bytes(b"contents and more")
    (tmp_path / "metadata" / f"{bare.name}.json").unlink()
    folder.unlink()
    folder.mkdir()
    if not manifest:
        (tmp_path / "manifest.jsonl").unlink()
    result = data.export_binary_data(MINE, tmp_path)
    if manifest:
        # A folder is where a file was: it is left alone, and is that file's error.
        assert [file.id for file in result.failed] == [ids[6]]
        folder.rmdir()
        assert len(result.exported) == 4
        result = data.export_binary_data(MINE, tmp_path)
        assert {file.id: file.path for file in result.files} == paths
        assert contents_in(tmp_path) == dict.fromkeys(ids, b"contents")
    else:
        # The contents without metadata could be anybody's, so they are left alone.
        assert result.complete
        places = {file.id: file.path for file in result.files}
        assert {id for id in ids if places[id] != paths[id]} == {ids[4], ids[6]}


def test_lines_of_a_manifest_that_name_one_place_lose_no_file(data: DataClient, put: Any, tmp_path: Path) -> None:
    ids = [put(f"{number}".encode(), f"d/{name}") for number, name in enumerate(["cat", "dog", "cow"])]
    data.export_binary_data(MINE, tmp_path)
    manifest = tmp_path / "manifest.jsonl"
    lines = {line["id"]: line for line in map(json.loads, manifest.read_text(encoding="utf-8").splitlines())}
    lines[ids[1]].update(path="data/d/cat", metadata="metadata/d/cat.json")
    (tmp_path / "data" / "d" / "cat").write_bytes(b"1")  # the file of the second line, as after a merge
    manifest.write_text("".join(f"{json.dumps(line)}\n" for line in lines.values()), encoding="utf-8")
    for already_there in (1, 3):
        result = data.export_binary_data(MINE, tmp_path)
        assert (result.complete, len(result.already_there)) == (True, already_there)
        assert {file.id: file.path and file.path.read_bytes() for file in result.files} == {
            id: f"{number}".encode() for number, id in enumerate(ids)
        }


@pytest.mark.parametrize("large_file", [1, 2**30])
def test_gzipped_files_are_exported_unzipped(data: DataClient, put: Any, tmp_path: Path, large_file: int) -> None:
    log = b"a line of a log\n" * 1000
    gzipped = gzip.compress(log)
    contents = {
        put(gzipped, "logs/a.log.gz", ".gz"): log,
        put(gzipped[:-9], "logs/cut.log", ".gz"): gzipped[:-9],
        put(b"a photograph", "logs/no.gz"): b"a photograph",
        put(b"", "logs/empty.gz"): b"",
    }
    limits = ExportLimits(large_file=large_file)
    assert export_within(data, tmp_path, limits).complete
    assert contents_in(tmp_path) == contents
    assert sorted(path.name for path in (tmp_path / "data" / "logs").iterdir()) == ["a.log", "cut.log", "empty", "no"]
    assert len(export_within(data, tmp_path, limits).already_there) == 4
    (tmp_path / "manifest.jsonl").unlink()
    assert export_within(data, tmp_path, limits).complete
    assert contents_in(tmp_path) == contents


def test_a_full_disk_names_the_file_that_is_unzipped(
    data: DataClient, put: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    put(gzip.compress(os.urandom(10_000)), "logs/a.log.gz", ".gz")
    request.getfixturevalue("small_disk")
    (failed,) = export_within(data, tmp_path, ExportLimits()).failed
    assert isinstance(failed.error, OSError)
    assert (failed.error.errno, failed.error.filename) == (errno.EFBIG, str(tmp_path / "data" / "logs" / "a.log"))


HOSTILE = [
    *(
        "../outside",
        "../../../outside",
        "/etc/passwd",
        "/",
        "..",
        ".",
        "...",
        "a/../../b",
        "\\..\\up",
        "C:\\Windows\\x",
    ),
    *("a\x00b", "\x00", "a\nb", "x" * 300, "é" * 300, "deep/" * 200 + "x", "con", "NUL", "aux.txt", "dir/com1"),
    *(
        "cat",
        "Cat",
        "CAT",
        "cat",
        "caf\u00e9",
        "cafe\u0301",
        "straße",
        "STRASSE",
        "d",
        "d/e",
        "d/e/f",
        "D/E",
        "a:b",
        "a*b",
    ),
    *(" ", "a ", "a.", "-rf", "~", "$HOME", "\u202egnp.exe", "\U0001f600", ".viam-export-0123456789abcdef.part", ".."),
    *("data", "metadata", "manifest.jsonl", "../manifest.jsonl", "x/.viam/capture/y", "x.json", "x"),
]


@pytest.mark.parametrize("prefix", ["", "sub/"])
def test_hostile_names_all_land_inside_all_of_them_and_stay_the_same(
    data: DataClient, put: Any, tmp_path: Path, prefix: str
) -> None:
    contents = {put(f"{number}".encode(), prefix + name): f"{number}".encode() for number, name in enumerate(HOSTILE)}
    folder = tmp_path / "deep" / "down" / "here"
    first = data.export_binary_data(MINE, folder)
    assert first.failed == []
    assert contents_in(folder) == contents
    assert [path.name for path in tmp_path.iterdir()] == ["deep"]
    assert [path.name for path in folder.parent.iterdir()] == ["here"]
    paths = [str(file.path).casefold() for file in first.files]
    assert len(set(paths)) == len(HOSTILE)
    # New ones come first in the list, and take no name that is given.
    put(b"new", f"{prefix}cat")
    second = data.export_binary_data(MINE, folder)
    assert [file.path for file in second.files if file.already_there] == [file.path for file in first.files]
    (folder / "manifest.jsonl").unlink()
    third = data.export_binary_data(MINE, folder)
    assert [file.path for file in third.files] == [file.path for file in second.files]
    assert len(third.already_there) == len(HOSTILE) + 1


def test_a_file_that_cannot_be_fetched_does_not_keep_the_others(
    sandbox: Sandbox, data: DataClient, put: Any, tmp_path: Path
) -> None:
    ids = [put(b"contents", f"file-{number}") for number in range(40)]
    blobs = sandbox._world.store.blobs  # type: ignore[union-attr]
    blobs.path(ids[7].rpartition("/")[2]).unlink()
    blobs.path(ids[13].rpartition("/")[2]).write_bytes(b"cont")
    result = data.export_binary_data(MINE, tmp_path)
    failed = {file.id: file.error for file in result.failed}
    assert list(failed) == [ids[13], ids[7]]
    assert isinstance(failed[ids[7]], GRPCError)
    assert isinstance(failed[ids[13]], DataLossError)
    assert "should have 8 bytes, and came with 4" in str(failed[ids[13]])
    assert set(contents_in(tmp_path)) == {*ids} - {*failed}
    assert (result.complete, result.listed, len(result.exported)) == (False, True, 38)
    for id in failed:
        blobs.put(id.rpartition("/")[2], b"contents")
    assert data.export_binary_data(MINE, tmp_path).complete
    assert contents_in(tmp_path) == dict.fromkeys(ids, b"contents")


def test_a_service_that_has_enough_is_asked_again(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    fault = sandbox.faults.fail("BinaryDataByIDs", "RESOURCE_EXHAUSTED", times=5)
    assert data.export_binary_data(None, tmp_path, workers=4).complete
    assert fault.met == 5


def test_a_service_that_is_down_is_the_error_of_each_file(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    fault = sandbox.faults.fail("BinaryDataByIDs", "UNAVAILABLE", times=None)
    result = data.export_binary_data(None, tmp_path)
    assert fault.met == 8 + 3 * 2  # three of the files are tried alone
    assert len(result.failed) == 24
    assert all(isinstance(file.error, UnavailableError) for file in result.failed)
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").iterdir())


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="connections cannot be dropped")
def test_lost_connections_lose_nothing(sandbox: Sandbox, data: DataClient, put: Any, tmp_path: Path) -> None:
    ids = [put(b"contents" * 20_000, f"file-{number}") for number in range(60)]
    sandbox.faults.drop("BinaryDataByIDs", times=3)
    sandbox.faults.drop("BinaryDataByIDs", after=True, times=2)
    assert data.export_binary_data(MINE, tmp_path, workers=4).complete
    assert contents_in(tmp_path) == dict.fromkeys(ids, b"contents" * 20_000)


def test_batches_that_are_too_large_are_split(data: DataClient, put: Any, tmp_path: Path) -> None:
    ids = [put(bytes(9 * 2**20), f"file-{number}") for number in range(5)]
    result = export_within(data, tmp_path, ExportLimits(batch_bytes=2**30, first_bytes=2**30))
    assert result.complete
    assert sorted(contents_in(tmp_path)) == sorted(ids)


def test_large_files_come_by_http(sandbox: Sandbox, data: DataClient, put: Any, tmp_path: Path) -> None:
    contents = os.urandom(2**20) * 33
    id = put(contents, "large")
    fault = sandbox.faults.fail("BinaryDataByIDs", "INTERNAL", times=None)
    sandbox.faults.expire_tokens()
    assert data.export_binary_data(MINE, tmp_path).complete
    assert contents_in(tmp_path) == {id: contents}
    assert fault.met == 0


def test_a_file_too_large_for_a_message_comes_by_http_whatever_its_size_was_said_to_be(
    data: DataClient, put: Any, tmp_path: Path
) -> None:
    id = put(bytes(33 * 2**20), "large")
    assert export_within(data, tmp_path, ExportLimits(large_file=2**40)).complete
    assert contents_in(tmp_path) == {id: bytes(33 * 2**20)}


def full_after(count: int) -> Any:
    """Return an fsync that finds no room from so many files on."""
    sync, left = os.fsync, [count]

    def fsync(file: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(file)

    return fsync


def test_a_full_disk_ends_the_export_with_the_results_so_far(
    data: DataClient, put: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [put(b"contents", f"file-{number}") for number in range(30)]
    monkeypatch.setattr(os, "fsync", full_after(25))
    with pytest.raises(OSError, match="No space left on device") as raised:
        export_within(data, tmp_path, ExportLimits(batch_files=3), workers=2)
    monkeypatch.undo()
    result: ExportResult = raised.value.result  # type: ignore[attr-defined]
    assert 0 < len(result.exported) < 30
    assert result.missing
    assert not result.complete
    assert all(file.path and file.path.read_bytes() == b"contents" for file in result.exported)
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in left if path.name.startswith(UNFINISHED)]
    again = data.export_binary_data(MINE, tmp_path)
    assert len(again.already_there) >= len(result.exported)
    assert contents_in(tmp_path) == dict.fromkeys(ids, b"contents")


def test_a_file_of_the_user_in_the_way_of_a_folder_is_left_alone(data: DataClient, put: Any, tmp_path: Path) -> None:
    ids = [put(b"1", "d/cat"), put(b"2", "dog")]
    (tmp_path / "data").mkdir()
    (tmp_path / "metadata").mkdir()
    (tmp_path / "metadata" / "d").write_bytes(b"mine")
    result = data.export_binary_data(MINE, tmp_path)
    assert result.complete  # without the folder that cannot be made
    assert contents_of(result) == {ids[0]: b"1", ids[1]: b"2"}
    assert (tmp_path / "metadata" / "d").read_bytes() == b"mine"


def contents_of(result: ExportResult) -> Dict[str, bytes]:
    return {file.id: file.path.read_bytes() for file in result.files if file.path}


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_said_at_once(data: DataClient, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        data.export_binary_data(None, tmp_path)


def test_a_file_is_no_folder(data: DataClient, tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    with pytest.raises(FileExistsError, match=r"^folder is .*, a file; name a folder"):
        data.export_binary_data(None, tmp_path / "x")


@pytest.mark.parametrize("waiting_for", ["BinaryDataByIDs", "BinaryDataByFilter", "HTTP", "pushback"])
def test_ctrl_c_ends_an_export_and_leaves_whole_files_alone(
    sandbox: Sandbox, data: DataClient, put: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waiting_for: str
) -> None:
    limits = ExportLimits(batch_files=2, large_file=1 if waiting_for == "HTTP" else 2**40)
    over = threading.Event()
    ids = [put(b"contents", f"file-{number}") for number in range(20)]
    if waiting_for == "HTTP":
        entered = stalled_downloads(monkeypatch, over)
    elif waiting_for == "pushback":
        fault = sandbox.faults.fail("BinaryDataByIDs", "RESOURCE_EXHAUSTED", times=None, pushback_ms=200_000)
        entered = lambda: fault.met >= 3  # noqa: E731
    else:
        delay = sandbox.faults.delay(waiting_for, 1000)
        entered = lambda: delay.met > 0  # noqa: E731
    with Interrupter(entered), pytest.raises(KeyboardInterrupt) as raised:
        export_within(data, tmp_path, limits, workers=4)
    assert isinstance(raised.value.result, ExportResult)  # type: ignore[attr-defined]
    left = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in left if path.name.startswith(UNFINISHED)]
    whole = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {path.read_bytes() for path in whole} <= {b"contents"}
    assert len(raised.value.result.exported) <= len(whole) < len(ids)  # type: ignore[attr-defined]
    over.set()
    sandbox.faults.clear()
    monkeypatch.undo()
    assert data.export_binary_data(MINE, tmp_path).complete
    assert contents_in(tmp_path) == dict.fromkeys(ids, b"contents")


def stalled_downloads(monkeypatch: pytest.MonkeyPatch, over: threading.Event) -> Any:
    """Let downloads begin and not go on; return a function that tells whether some are under way."""
    waiting = []

    class Stalled(downloads.FileBody):
        def __iter__(self) -> Iterator[bytes]:
            yield b"c"
            waiting.append(self)
            over.wait(60)

    monkeypatch.setattr(downloads, "FileBody", Stalled)
    return lambda: len(waiting) >= 4


class Interrupter:
    """Presses Ctrl-C as soon as a condition holds."""

    def __init__(self, entered: Any) -> None:
        self._entered = entered
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._entered():
            if self._over.wait(0.005):
                return
        os.kill(os.getpid(), signal.SIGINT)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()


def test_two_exports_into_one_folder_are_refused(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    refused: List[BaseException] = []

    def again(done: int, total: Optional[int], unit: str) -> None:
        if not done:
            with pytest.raises(BlockingIOError, match="another export into this folder is running") as raised:
                data.export_binary_data(None, tmp_path)
            refused.append(raised.value)

    assert data.export_binary_data(None, tmp_path, progress=again).complete
    assert len(refused) == 1


UNKNOWN = {
    "dataset_id": "0123456789abcdef01234567",
    "part_id": "5ca1ab1e-0000-4000-8000-000000000000",
    "robot_id": "5ca1ab1e-0000-4000-8000-000000000000",
    "location_ids": ["0123456789"],
    "organization_ids": ["5ca1ab1e-0000-4000-8000-000000000000"],
}


@pytest.mark.parametrize("field", UNKNOWN)
def test_an_id_that_nobody_knows_is_no_complete_export_of_nothing(data: DataClient, tmp_path: Path, field: str) -> None:
    with pytest.raises(
        NotFoundError, match=rf"filter has the {field} '[\w-]+', which the service does not know"
    ) as raised:
        data.export_binary_data(pb.Filter(**{field: UNKNOWN[field]}), tmp_path)  # type: ignore[arg-type]
    assert raised.value.result.files == []  # type: ignore[attr-defined]


def test_an_id_that_nobody_knows_is_found_in_a_filter_that_is_a_dict(data: DataClient, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="filter has the part_id"):
        data.export_binary_data({"part_id": UNKNOWN["part_id"]}, tmp_path)  # type: ignore[arg-type]


def test_an_id_that_is_malformed_is_unknown(data: DataClient, tmp_path: Path) -> None:
    with pytest.raises(GRPCError, match="dataset"):
        data.export_binary_data(create_filter(dataset_id="no ID"), tmp_path)


def test_a_filter_that_matches_nothing_gives_a_complete_export_of_nothing(
    sandbox: Sandbox, data: DataClient, tmp_path: Path
) -> None:
    known = {
        "dataset_id": data.create_dataset("empty", sandbox.organization_id),
        "part_id": sandbox.robot_part_id,
        "robot_id": sandbox.robot_id,
        "location_ids": [sandbox.location_id],
        "organization_ids": [sandbox.organization_id],
    }
    assert data.export_binary_data(create_filter(tags=["none has this"], **known), tmp_path).complete


def test_a_caller_who_may_not_look_an_id_up_gets_the_empty_export(
    sandbox: Sandbox, data: DataClient, tmp_path: Path
) -> None:
    fault = sandbox.faults.fail("ListDatasetsByIDs", "PERMISSION_DENIED", times=None)
    assert data.export_binary_data(create_filter(dataset_id=UNKNOWN["dataset_id"]), tmp_path).complete
    assert fault.met == 1


def test_progress_counts_the_files_that_are_done(data: DataClient, tmp_path: Path) -> None:
    told: List[Tuple[int, Optional[int], str]] = []
    data.export_binary_data(None, tmp_path, progress=lambda *given: told.append(given))
    assert told == [(number, 24, "files") for number in range(25)]
    told.clear()
    data.export_binary_data(None, tmp_path, progress=lambda *given: told.append(given))
    assert told[-1] == (24, 24, "files")


def test_an_error_of_the_progress_function_ends_the_export(data: DataClient, tmp_path: Path) -> None:
    def enough(done: int, total: Optional[int], unit: str) -> None:
        if done == 3:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough") as raised:
        data.export_binary_data(None, tmp_path, progress=enough)
    assert not raised.value.result.complete  # type: ignore[attr-defined]
    assert data.export_binary_data(None, tmp_path).complete


def test_pages_that_cannot_be_fetched_end_the_export_with_the_results_so_far(
    sandbox: Sandbox, data: DataClient, tmp_path: Path
) -> None:
    def told(done: int, total: Optional[int], unit: str) -> None:
        if not done:
            sandbox.faults.fail("BinaryDataByFilter", "PERMISSION_DENIED", times=None)

    with pytest.raises(PermissionDeniedError) as raised:
        data.export_binary_data(None, tmp_path, progress=told)
    assert not raised.value.result.listed  # type: ignore[attr-defined]


def test_a_caller_who_is_no_longer_known_does_not_go_on(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    fault = sandbox.faults.fail("BinaryDataByIDs", "UNAUTHENTICATED", times=None)
    with pytest.raises(UnauthenticatedError) as raised:
        data.export_binary_data(None, tmp_path)
    assert fault.met == 2  # once more with a new token
    assert len(raised.value.result.missing) == 24  # type: ignore[attr-defined]


@pytest.mark.parametrize(("workers", "error"), [(0, ValueError), (65, ValueError), (True, TypeError), (1.5, TypeError)])
def test_a_number_of_workers_that_makes_no_sense_is_refused(
    data: DataClient, tmp_path: Path, workers: Any, error: "type[Exception]"
) -> None:
    with pytest.raises(error, match="workers takes"):
        data.export_binary_data(None, tmp_path, workers=workers)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("no_thread_is_left")
def test_an_export_leaves_no_thread(data: DataClient, tmp_path: Path) -> None:
    assert data.export_binary_data(None, tmp_path).complete


def test_an_older_service_gives_other_ids_and_no_sizes(service: FileService, other: DataClient, tmp_path: Path) -> None:
    service.add(b"contents", id="f1", file_ext=".png", capture_metadata={"organization_id": "o", "location_id": "l"})
    result = other.export_binary_data(None, tmp_path)
    assert [(file.id, file.size) for file in result.exported] == [("f1", 8)]
    assert service.asked[0].binary_ids[0] == pb.BinaryID(file_id="f1", organization_id="o", location_id="l")
    assert len(other.export_binary_data(None, tmp_path).already_there) == 1
    (tmp_path / "manifest.jsonl").unlink()
    # Without a size or a manifest, nothing tells whether it is whole.
    assert [file.path for file in other.export_binary_data(None, tmp_path).exported] == [result.files[0].path]


def test_a_file_that_is_listed_twice_is_exported_once(service: FileService, other: DataClient, tmp_path: Path) -> None:
    for number in range(150):
        service.add(b"x", binary_data_id=f"o/l/f{number}", file_name=f"file-{number}", file_size_bytes=1)
    service.listed.insert(120, service.listed[99])
    result = other.export_binary_data(None, tmp_path)
    assert len(result.files) == len(result.exported) == 150
    assert sorted(id for asked in service.asked for id in asked.binary_data_ids) == sorted(service.contents)


def test_a_file_that_is_gone_meanwhile_is_said_to_be(service: FileService, other: DataClient, tmp_path: Path) -> None:
    service.add(b"1", binary_data_id="o/l/f1", file_name="d/cat")
    service.add(b"2", binary_data_id="o/l/f2", file_name="dog")
    del service.contents["o/l/f1"]
    result = other.export_binary_data(None, tmp_path)
    assert [(file.id, type(file.error)) for file in result.failed] == [("o/l/f1", NotFoundError)]
    assert "may have been deleted meanwhile" in str(result.failed[0].error)
    assert len(contents_of(result)) == 1
    assert [path.name for path in (tmp_path / "metadata").rglob("*.json")] == ["2024-05-01T12_00_00Z_dog.json"]


def test_metadata_that_makes_no_sense_is_the_error_of_its_file(
    service: FileService, other: DataClient, tmp_path: Path
) -> None:
    service.add(b"good", binary_data_id="o/l/good", file_size_bytes=4)
    service.add(b"no ID")
    service.add(b"odd time", binary_data_id="o/l/time")
    service.listed[-1].time_requested.seconds = 2**60
    service.add(b"size", binary_data_id="o/l/size", file_size_bytes=5)
    service.add(b"", binary_data_id="o/l/large", file_size_bytes=2**50, uri="http://example.com/x?token=secret")
    service.add(b"", binary_data_id="o/l/no-uri", file_size_bytes=2**50, uri="\x00")
    service.add(b"", binary_data_id="o/l/endless", file_size_bytes=2**64 - 1)
    result = other.export_binary_data(None, tmp_path)
    errors = {file.id: f"{type(file.error).__name__}: {file.error}" for file in result.failed}
    assert {id: error.partition(":")[0] for id, error in errors.items()} == {
        "": "InternalError",
        "o/l/time": "InternalError",
        "o/l/size": "DataLossError",
        "o/l/large": "InsecureConnectionError",
        "o/l/no-uri": "InternalError",
        "o/l/endless": "DataLossError",
    }
    assert "secret" not in "".join(errors.values())
    assert [file.id for file in result.exported] == ["o/l/good"]
    assert isinstance(result.failed[0].error, InternalError)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 3


def test_contents_come_in_batches_of_bounded_size(service: FileService, other: DataClient, tmp_path: Path) -> None:
    sizes = [3 << 20, 700_000, 300_000, 600_000, 5 << 20, *[10] * 250]
    for number, size in enumerate(sizes):
        service.add(bytes(size), binary_data_id=f"o/l/f{number}", file_size_bytes=size)
    assert other.export_binary_data(None, tmp_path, workers=1).complete
    assert [len(asked.binary_data_ids) for asked in service.asked] == [1, 2, 1, 1, 100, 100, 50]
