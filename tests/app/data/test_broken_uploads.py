"""Uploads that break off, against the sandbox: nothing of them is stored."""

import contextlib
import datetime as dt
import io
import os
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, Optional, cast

import grpc
import pytest
from servers import FakeService

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import DeadlineExceededError, InvalidArgumentError
from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.dial import Channel
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

CHUNK = 256 * 1024


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


@pytest.fixture
def part(sandbox: Sandbox) -> str:
    return sandbox.robot_part_id


def stored(data: DataClient, part: str) -> List[data_pb.BinaryData]:
    with data.iter_binary_data(create_filter(part_id=part)) as files:
        return list(files)


def growing(path: Path) -> Callable[..., None]:
    def told(done: int, total: Any, unit: str) -> None:
        if done == CHUNK:
            with path.open("ab") as file:
                file.write(b"more")

    return told


def shrinking(path: Path) -> Callable[..., None]:
    return lambda done, total, unit: os.truncate(path, CHUNK) if done == CHUNK else None


UPLOADS: Dict[str, Callable[[ViamClient, str, Any, Any], str]] = {
    "file_upload": lambda client, part, contents, progress: client.data_client.file_upload(
        part, contents, progress=progress
    ),
    "file_upload_from_path": lambda client, part, contents, progress: client.data_client.file_upload_from_path(
        contents if isinstance(contents, Path) else contents.name, part, progress=progress
    ),
    "streaming_data_capture_upload": lambda client, part, contents, progress: (
        client.data_client.streaming_data_capture_upload(contents, part, ".bin", progress=progress)
    ),
    "binary_data_capture_upload": lambda client, part, contents, progress: (
        client.data_client.binary_data_capture_upload(
            contents, part, "camera", "eye", "GetImages", ".bin", progress=progress
        )
    ),
    "upload_module_file": lambda client, part, contents, progress: client.app_client.upload_module_file(
        app_pb.ModuleFileInfo(module_id=part, version="9.0.0", platform="any"), contents, progress=progress
    ),
}


@pytest.fixture
def module_id(client: ViamClient, sandbox: Sandbox) -> str:
    return client.app_client.create_module(sandbox.organization_id, "broken")[0]


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize(("change", "text"), [(growing, "has grown"), (shrinking, "has shrunk")])
@pytest.mark.parametrize("method", UPLOADS)
def test_nothing_is_stored_of_a_file_that_changes_its_size(
    client: ViamClient,
    part: str,
    module_id: str,
    tmp_path: Path,
    method: str,
    change: Callable[[Path], Callable[..., None]],
    text: str,
    is_open: bool,
) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(20 * CHUNK))
    given: Any = path.open("rb") if is_open else path
    target = module_id if method == "upload_module_file" else part
    with pytest.raises(OSError, match=f"large.bin {text} while it was uploaded: it had 5,242,880 bytes"):
        UPLOADS[method](client, target, given, change(path))
    if is_open:
        given.close()
    assert stored(client.data_client, part) == []
    assert list(client.app_client.get_module(module_id).versions) == []


def rewriting(path: Path) -> Callable[..., None]:
    def told(done: int, total: Any, unit: str) -> None:
        if done == CHUNK:
            with path.open("r+b") as file:
                file.write(b"x" * 20 * CHUNK)

    return told


def rewriting_in_secret(path: Path) -> Callable[..., None]:
    def told(done: int, total: Any, unit: str) -> None:
        status = path.stat()
        rewriting(path)(done, total, unit)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    return told


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("change", [rewriting, rewriting_in_secret])
@pytest.mark.parametrize("method", UPLOADS)
def test_nothing_is_stored_of_a_file_that_is_rewritten_at_the_same_size(
    client: ViamClient,
    part: str,
    module_id: str,
    tmp_path: Path,
    method: str,
    change: Callable[[Path], Callable[..., None]],
    is_open: bool,
) -> None:
    path = tmp_path / "latest.jpg"
    path.write_bytes(bytes(20 * CHUNK))
    target = module_id if method == "upload_module_file" else part
    with path.open("rb") as file, pytest.raises(OSError, match=r"latest\.jpg was changed while it was uploaded"):
        UPLOADS[method](client, target, file if is_open else path, change(path))
    assert stored(client.data_client, part) == []
    assert list(client.app_client.get_module(module_id).versions) == []


@pytest.mark.parametrize("change", [rewriting, rewriting_in_secret])
def test_nothing_is_stored_of_a_file_among_many_that_is_rewritten(
    data: DataClient, part: str, tmp_path: Path, change: Callable[[Path], Callable[..., None]]
) -> None:
    path = tmp_path / "latest.jpg"
    path.write_bytes(bytes(20 * CHUNK))
    (result,) = data.upload_files(tmp_path, part, progress=change(path))
    assert "latest.jpg was changed while it was uploaded. Nothing was uploaded" in str(result.error)
    assert stored(data, part) == []
    assert data.upload_files(tmp_path, part)[0].id
    assert [file.binary for file in stored(data, part)] == [path.read_bytes()]


def test_a_file_that_another_replaces_meanwhile_arrives_as_it_was(data: DataClient, part: str, tmp_path: Path) -> None:
    path = tmp_path / "latest.jpg"
    path.write_bytes(bytes(20 * CHUNK))
    (tmp_path / "next.jpg").write_bytes(b"x" * 20 * CHUNK)

    def told(done: int, total: Any, unit: str) -> None:
        if done == CHUNK:
            (tmp_path / "next.jpg").replace(path)

    data.file_upload(part, path, progress=told)
    assert [file.binary for file in stored(data, part)] == [bytes(20 * CHUNK)]


@pytest.mark.skipif(sys.platform != "linux", reason="such files are Linux's")
@pytest.mark.parametrize("name", ["/proc/version", "/proc/self/limits", "/sys/class/net/lo/mtu"])
@pytest.mark.parametrize("method", sorted(set(UPLOADS) - {"upload_module_file"}))
def test_files_that_the_system_makes_are_read_to_their_end(
    client: ViamClient, part: str, method: str, name: str
) -> None:
    told: List[Any] = []
    with Path(name).open("rb") as file:
        for given in (Path(name), file):
            UPLOADS[method](client, part, given, lambda *each: told.append(each))
    expected = Path(name).read_bytes()
    assert [file.binary for file in stored(client.data_client, part)] == [expected] * 2
    assert told[-1] == (len(expected), None, "bytes")


@pytest.mark.skipif(sys.platform != "linux", reason="such files are Linux's")
def test_files_that_the_system_makes_are_uploaded_among_others(data: DataClient, part: str, tmp_path: Path) -> None:
    results = data.upload_files([Path("/proc/version"), Path("/sys/class/net/lo/mtu")], part, journal=tmp_path / "j")
    assert [result.error for result in results] == [None, None]
    assert {file.binary for file in stored(data, part)} == {
        Path("/proc/version").read_bytes(),
        Path("/sys/class/net/lo/mtu").read_bytes(),
    }


#: Uploads of a path with a limit in seconds; None for that of the client.
LIMITED: Dict[str, Callable[[DataClient, str, Path, Optional[float]], str]] = {
    "file_upload": lambda data, part, path, timeout: data.file_upload(part, path, timeout=timeout),
    "file_upload_from_path": lambda data, part, path, timeout: data.file_upload_from_path(path, part, timeout=timeout),
    "streaming_data_capture_upload": lambda data, part, path, timeout: data.streaming_data_capture_upload(
        path, part, ".bin", timeout=timeout
    ),
    "binary_data_capture_upload": lambda data, part, path, timeout: data.binary_data_capture_upload(
        path, part, "camera", "eye", "GetImages", ".bin", timeout=timeout
    ),
}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
@pytest.mark.parametrize("method", LIMITED)
def test_a_pipe_that_nobody_writes_is_waited_for_no_longer_than_the_upload_may_take(
    data: DataClient, part: str, tmp_path: Path, method: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    text = "The contents did not come, or not leave, in the time that the call may take, so nothing was uploaded"
    with pytest.raises(DeadlineExceededError, match=text):
        LIMITED[method](data, part, tmp_path / "pipe", 0.2)
    with pytest.raises(DeadlineExceededError, match=text):
        LIMITED[method](data.options(timeout=0.2), part, tmp_path / "pipe", None)
    assert stored(data, part) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
@pytest.mark.parametrize("method", sorted(set(UPLOADS) - {"upload_module_file"}))
def test_a_pipe_that_is_written_late_arrives(client: ViamClient, part: str, tmp_path: Path, method: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(bytes(3 * CHUNK)))

    def told(done: int, total: Any, unit: str) -> None:
        if not done:
            writer.start()

    UPLOADS[method](client, part, tmp_path / "pipe", told)
    writer.join(30)
    assert [file.binary for file in stored(client.data_client, part)] == [bytes(3 * CHUNK)]


class Breaking(io.RawIOBase):
    """A file on a disk that fails after some pieces."""

    name = "/mnt/old/film.mp4"

    def __init__(self) -> None:
        self.left = 5

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        self.left -= 1
        if not self.left:
            raise OSError(5, "Input/output error")
        return bytes(CHUNK)


@pytest.mark.parametrize("method", sorted(set(UPLOADS) - {"file_upload_from_path"}))
def test_nothing_is_stored_of_a_file_that_cannot_be_read_on(
    client: ViamClient, part: str, module_id: str, method: str
) -> None:
    target = module_id if method == "upload_module_file" else part
    text = r"Input/output error, after 1,048,576 bytes; nothing was uploaded: '/mnt/old/film\.mp4'"
    with pytest.raises(OSError, match=text):
        UPLOADS[method](client, target, Breaking(), None)
    assert stored(client.data_client, part) == []
    assert list(client.app_client.get_module(module_id).versions) == []


def test_a_function_for_progress_that_fails_ends_the_upload(data: DataClient, part: str) -> None:
    def fail(done: int, total: Any, unit: str) -> None:
        if done > CHUNK:
            raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        data.file_upload(part, bytes(8 * CHUNK), progress=fail)
    assert stored(data, part) == []


def test_a_text_file_is_refused_before_anything_is_sent(
    client: ViamClient, data: DataClient, part: str, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("notes")
    with (tmp_path / "notes.txt").open() as text:
        for method in sorted(set(UPLOADS) - {"file_upload_from_path"}):
            with pytest.raises(TypeError, match="got one opened as text; open it with mode 'rb'"):
                UPLOADS[method](client, part, text, None)
    assert stored(data, part) == []


@pytest.mark.parametrize("method", sorted(set(UPLOADS) - {"file_upload_from_path", "upload_module_file"}))
def test_all_kinds_of_contents_arrive(client: ViamClient, part: str, tmp_path: Path, method: str) -> None:
    contents = os.urandom(5 * CHUNK)
    path = tmp_path / "large.bin"
    path.write_bytes(contents)
    with path.open("rb") as file:
        for given in (contents, bytearray(contents), memoryview(contents), path, file, io.BytesIO(contents)):
            UPLOADS[method](client, part, given, None)
    assert [each.binary for each in stored(client.data_client, part)] == [contents] * 6


def test_a_small_capture_from_a_file_is_one_message(sandbox: Sandbox, data: DataClient, part: str) -> None:
    streams = sandbox.faults.fail("StreamingDataCaptureUpload", "INTERNAL", times=None)
    for size in (0, 1_000_000):
        data.binary_data_capture_upload(io.BytesIO(bytes(size)), part, "camera", "eye", "GetImages", ".bin")
    assert [len(each.binary) for each in stored(data, part)] == [1_000_000, 0]
    assert streams.met == 0


def test_labels_of_an_image_are_stored_with_it(data: DataClient, part: str) -> None:
    box = data_pb.BoundingBox(label="cat", x_max_normalized=0.5, y_max_normalized=0.5)
    annotations = data_pb.Annotations(bboxes=[box])
    data.binary_data_capture_upload(b"x", part, "camera", "eye", "GetImages", ".jpg", annotations=annotations)
    data.streaming_data_capture_upload(b"x", part, ".jpg", annotations=annotations)
    for each in stored(data, part):
        assert [box.label for box in each.metadata.annotations.bboxes] == ["cat"]


@pytest.mark.parametrize("large", [False, True])
def test_readings_that_would_pass_the_limit_of_a_message_go_in_several(
    sandbox: Sandbox, data: DataClient, part: str, large: bool
) -> None:
    sizes = [3_900_000] * 9 if large else [10]
    rows = ({"size": size, "text": "x" * size} for size in sizes)
    id = data.tabular_data_capture_upload(rows, part, "sensor", "gps", "Readings")
    assert id
    found, count, _ = data.tabular_data_by_filter(create_filter(part_id=part, component_name="gps"), count_only=True)
    assert (found, count) == ([], len(sizes))


def test_readings_that_were_stored_before_an_error_are_counted(sandbox: Sandbox, data: DataClient, part: str) -> None:
    def rows() -> Iterator[Dict[str, Any]]:
        yield from ({"text": "x" * 3_000_000} for _ in range(3))
        sandbox.faults.fail("DataCaptureUpload", "INVALID_ARGUMENT")
        yield {"text": "y" * 3_000_000}

    with pytest.raises(InvalidArgumentError) as caught:
        data.tabular_data_capture_upload(rows(), part, "sensor", "gps", "Readings")
    assert caught.value.readings_sent == 2  # type: ignore[attr-defined]
    _, count, _ = data.tabular_data_by_filter(create_filter(part_id=part, component_name="gps"), count_only=True)
    assert count == 2


def test_an_upload_that_is_interrupted_is_cancelled(server: FakeService, channel: Channel) -> None:
    """Ctrl-C comes while the service has all of the contents and has not answered yet, or has not taken them."""
    ended = threading.Event()

    def take(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        context.add_callback(ended.set)
        next(requests)
        interrupted.set()
        # The service takes all messages: flow control would keep grpc from reading on.
        with contextlib.suppress(grpc.RpcError):
            deque(requests, maxlen=0)
        ended.wait(30)
        return b""

    interrupted = threading.Event()

    class Interrupting(io.RawIOBase):
        """Raises in the thread of the caller as Ctrl-C does, while grpc reads in its own."""

        def read(self, size: int = -1) -> bytes:
            if interrupted.wait(0):
                raise KeyboardInterrupt
            return bytes(CHUNK)

    server.upload["FileUpload"] = take
    with pytest.raises(KeyboardInterrupt):
        DataClient(channel, {}).file_upload("p", cast(BinaryIO, Interrupting()))
    assert ended.wait(30)


def test_a_message_has_at_most_a_chunk_of_a_file(server: FakeService, channel: Channel, tmp_path: Path) -> None:
    sizes: List[int] = []

    def take(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        sizes.extend(len(pb.FileUploadRequest.FromString(request).file_contents.data) for request in requests)
        return pb.FileUploadResponse(file_id="f").SerializeToString()

    (tmp_path / "file.bin").write_bytes(bytes(CHUNK + 1))
    server.upload["FileUpload"] = take
    DataClient(channel, {}).file_upload("p", tmp_path / "file.bin")
    assert sizes == [0, CHUNK, 1]


def test_the_times_of_a_file_are_sent(client: ViamClient, part: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x")
    created, changed = dt.datetime(2024, 5, 1, 12), dt.datetime(2024, 5, 1, 13)
    times: Any = {"file_create_time": created, "file_modify_time": changed}
    client.data_client.file_upload(part, b"x", **times)
    client.data_client.file_upload_from_path(tmp_path / "a.txt", part, **times)
    for each in stored(client.data_client, part):
        assert each.metadata.time_requested.ToDatetime() == created
        assert each.metadata.time_received.ToDatetime() == changed


def test_an_upload_that_breaks_off_writes_nothing_to_the_log(
    data: DataClient, part: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"), pytest.raises(OSError, match="Input/output error"):
        data.file_upload(part, cast(BinaryIO, Breaking()))
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
