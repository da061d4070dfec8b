"""Streams and uploads that meet failures: what is sent again, what is not, and what ends when nothing moves."""

import itertools
import os
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import grpc
import pytest
from servers import FakeService, refuse

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import (
    AmbiguousResultError,
    DeadlineExceededError,
    NotFoundError,
    ResourceExhaustedError,
    UnauthenticatedError,
    UnavailableError,
)
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.rpc.dial import Channel, Credentials, DialOptions
from viam_sync.rpc.policies import STREAM, UPLOAD, Retry
from viam_sync.rpc.streams import Stream
from viam_sync.services import methods

PART = "4a3b2c1d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
LONG = 30
ANSWERS = [data_pb.ExportTabularDataResponse(part_id=name).SerializeToString() for name in "ab"]


def connect(server: FakeService) -> ViamClient:
    key_id = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
    options = DialOptions(auth_entity=key_id, credentials=Credentials("api-key", "secret"))
    return ViamClient.create_from_dial_options(options, server.url)


def export(data: DataClient, **changes: Any) -> Stream[data_pb.ExportTabularDataResponse]:
    request = data_pb.ExportTabularDataRequest()
    return data._unary_stream(methods.EXPORT_TABULAR_DATA._replace(policy=STREAM._replace(**changes)), request, None)


def failing(times: int, then: Callable[..., Any], status: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> Any:
    """Return a method that fails some times, and is another from then on."""
    count = itertools.count()

    def method(request: Any, context: grpc.ServicerContext) -> Any:
        return (refuse(status, "busy") if next(count) < times else then)(request, context)

    return method


def answers(request: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
    return iter(ANSWERS)


def test_a_stream_is_asked_for_again_until_its_first_message(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = failing(4, answers)
    with export(DataClient(channel, {})) as stream:
        assert [answer.part_id for answer in stream] == ["a", "b"]
    assert len(server.calls) == 5


def test_a_stream_that_stays_broken_fails_with_its_attempts(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = failing(9, answers)
    with pytest.raises(UnavailableError) as raised:
        next(export(DataClient(channel, {})))
    assert (raised.value.attempts, len(server.calls)) == (5, 5)


def test_an_upload_whose_end_was_not_sent_in_time_is_not_in_doubt(server: FakeService, channel: Channel) -> None:
    over = threading.Event()

    def stuck(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        over.wait(LONG)
        return b""

    server.upload["FileUpload"] = stuck
    pieces = [datasync_pb.FileUploadRequest(file_contents=datasync_pb.FileData(data=bytes(256 << 10)))] * 100
    with pytest.raises(DeadlineExceededError, match="so nothing was uploaded"):
        DataClient(channel, {})._stream_unary(methods.FILE_UPLOAD, lambda: pieces, 1)
    over.set()


def test_an_empty_message_before_an_error_does_not_begin_a_stream(server: FakeService, channel: Channel) -> None:
    def phantom(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        server.stream["ExportTabularData"] = answers
        yield b""
        context.abort(grpc.StatusCode.UNAVAILABLE, "busy")

    server.stream["ExportTabularData"] = phantom
    with export(DataClient(channel, {})) as stream:
        assert [answer.part_id for answer in stream] == ["a", "b"]
    assert len(server.calls) == 2


@pytest.mark.parametrize("sent", [[b""], [b"", b""], [b"", ANSWERS[0], b""]], ids=len)
def test_empty_messages_are_messages_of_a_stream_that_does_not_fail(
    server: FakeService, channel: Channel, sent: List[bytes]
) -> None:
    server.stream["ExportTabularData"] = lambda request, context: iter(sent)
    with export(DataClient(channel, {})) as stream:
        assert [answer.SerializeToString() for answer in stream] == sent


def test_a_stream_that_breaks_after_its_first_message_is_not_asked_for_again(
    server: FakeService, channel: Channel
) -> None:
    def breaking(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield ANSWERS[0]
        context.abort(grpc.StatusCode.UNAVAILABLE, "busy")

    server.stream["ExportTabularData"] = breaking
    stream = export(DataClient(channel, {}))
    assert next(stream).part_id == "a"
    with pytest.raises(UnavailableError):
        next(stream)
    assert len(server.calls) == 1


def test_a_stream_that_has_failed_fails_again_and_sends_nothing(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = refuse(grpc.StatusCode.NOT_FOUND, "no such part")
    stream = export(DataClient(channel, {}))
    for _ in range(2):
        with pytest.raises(NotFoundError, match="no such part"):
            next(stream)
    assert len(server.named("ExportTabularData")) == 1


def test_a_stream_that_is_interrupted_while_it_is_opened_can_be_read_all_the_same(
    server: FakeService, channel: Channel
) -> None:
    failing = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    row = data_pb.ExportTabularDataResponse(resource_name="air").SerializeToString()
    answers = [failing, lambda request, context: iter([row])]
    server.stream["ExportTabularData"] = lambda request, context: answers.pop(0)(request, context)

    def interrupted(seconds: float, cancellation: Any = None) -> None:
        raise KeyboardInterrupt

    sleep, channel.sleep = channel.sleep, interrupted  # type: ignore[method-assign]
    stream = export(DataClient(channel, {}))
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    channel.sleep = sleep  # type: ignore[method-assign]
    assert [message.resource_name for message in stream] == ["air"]


def test_an_empty_stream_is_no_failure(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = lambda request, context: iter(())
    with export(DataClient(channel, {})) as stream:
        assert list(stream) == []


def test_closing_a_stream_ends_a_wait_between_two_attempts(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = refuse(grpc.StatusCode.UNAVAILABLE, "", (("grpc-retry-pushback-ms", "50000"),))
    waiting = threading.Event()
    sleep = channel.sleep

    def wait(seconds: float, cancellation: Any = None) -> None:
        waiting.set()
        sleep(seconds if seconds < 1 else LONG * 10, cancellation)

    channel.sleep = wait  # type: ignore[method-assign]
    stream = export(DataClient(channel, {}))
    got: List[Any] = []
    reader = threading.Thread(target=lambda: got.extend(stream))
    reader.start()
    assert waiting.wait(LONG)
    stream.close()
    reader.join(LONG)
    assert not reader.is_alive()
    assert got == []


def silent(first: List[bytes]) -> Callable[..., Iterator[bytes]]:
    """Return a stream that says something, and no more until its call is over."""

    def method(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        over = threading.Event()
        context.add_callback(over.set)
        yield from first
        over.wait(LONG)

    return method


def test_a_stream_in_which_nothing_moves_ends(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = silent(ANSWERS)
    stream = export(DataClient(channel, {}), idle_timeout=1)
    assert [next(stream).part_id, next(stream).part_id] == ["a", "b"]
    with pytest.raises(DeadlineExceededError, match=r"ExportTabularData: .*Nothing moved for 1 s") as raised:
        next(stream)
    assert raised.value.attempts == 1


def test_a_stream_that_never_begins_is_asked_for_again(server: FakeService, channel: Channel) -> None:
    calls = itertools.count()
    server.stream["ExportTabularData"] = lambda request, context: (
        silent([])(request, context) if next(calls) == 0 else iter(ANSWERS)
    )
    with export(DataClient(channel, {}), idle_timeout=1) as stream:
        assert [answer.part_id for answer in stream] == ["a", "b"]
    assert len(server.calls) == 2


def test_a_slow_reader_is_no_stall(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = answers
    with export(DataClient(channel, {}), idle_timeout=0.5) as stream:
        assert next(stream).part_id == "a"
        threading.Event().wait(1.2)
        assert next(stream).part_id == "b"


def only(token: str, then: Callable[..., Any]) -> Callable[..., Any]:
    def method(request: Any, context: grpc.ServicerContext) -> Any:
        known = dict(context.invocation_metadata())["authorization"] == f"Bearer {token}"
        return (then if known else refuse(grpc.StatusCode.UNAUTHENTICATED, "expired"))(request, context)

    return method


def test_a_stream_whose_token_has_expired_gets_a_new_one(server: FakeService) -> None:
    server.stream["ExportTabularData"] = only("token-2", answers)
    with connect(server) as client, export(client.data_client) as stream:
        assert len(list(stream)) == 2
    assert len(server.named("Authenticate")) == 2


def stored(server: FakeService) -> Dict[str, List[bytes]]:
    """Let uploads be taken, and return the contents of those that were, by call."""
    taken: Dict[str, List[bytes]] = {}

    def take(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        messages = [datasync_pb.FileUploadRequest.FromString(request) for request in requests]
        name = f"file-{len(taken)}"
        taken[name] = [message.file_contents.data for message in messages if message.HasField("file_contents")]
        return datasync_pb.FileUploadResponse(file_id=name).SerializeToString()

    server.upload["FileUpload"] = take
    return taken


def given_as_bytes(path: Path) -> Any:
    return path.read_bytes()


def given_as_a_path(path: Path) -> Any:
    return path


@pytest.mark.parametrize("given", [given_as_bytes, given_as_a_path])
def test_a_source_that_can_be_read_again_is_sent_again_from_the_start(
    server: FakeService, channel: Channel, tmp_path: Path, given: Callable[[Path], Any]
) -> None:
    taken = stored(server)
    server.upload["FileUpload"] = failing(2, server.upload["FileUpload"], grpc.StatusCode.RESOURCE_EXHAUSTED)
    contents = bytes(range(256)) * 4096
    path = tmp_path / "map.pcd"
    path.write_bytes(contents)
    told: List[int] = []
    id = DataClient(channel, {}).file_upload(PART, given(path), progress=lambda done, total, unit: told.append(done))
    assert b"".join(taken[id]) == contents
    assert len(server.calls) == 3
    assert told[-1] == len(contents)


def test_an_open_file_is_sent_once(server: FakeService, channel: Channel, tmp_path: Path) -> None:
    taken = stored(server)
    server.upload["FileUpload"] = failing(1, server.upload["FileUpload"], grpc.StatusCode.RESOURCE_EXHAUSTED)
    path = tmp_path / "map.pcd"
    path.write_bytes(b"contents")
    with path.open("rb") as file, pytest.raises(ResourceExhaustedError):
        DataClient(channel, {}).options(retry=Retry(attempts=5)).file_upload(PART, file)
    assert (len(server.calls), taken) == (1, {})


def test_a_file_that_was_changed_meanwhile_is_not_sent_again(
    server: FakeService, channel: Channel, tmp_path: Path
) -> None:
    taken = stored(server)
    path = tmp_path / "map.pcd"
    path.write_bytes(b"contents")

    def change(requests: Any, context: grpc.ServicerContext) -> bytes:
        list(requests)
        path.write_bytes(b"CONTENTS")
        os.utime(path, (1, 1))
        refused: bytes = refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")(b"", context)
        return refused

    server.upload["FileUpload"] = change
    with pytest.raises(OSError, match="was changed while it was uploaded"):
        DataClient(channel, {}).file_upload_from_path(path, PART)
    assert taken == {}


def test_an_upload_whose_token_has_expired_gets_a_new_one_if_it_can_be_read_again(
    server: FakeService, tmp_path: Path
) -> None:
    taken = stored(server)
    server.upload["FileUpload"] = only("token-2", server.upload["FileUpload"])
    path = tmp_path / "notes.txt"
    path.write_bytes(b"It works.")
    with connect(server) as client:
        with path.open("rb") as file, pytest.raises(UnauthenticatedError):
            client.data_client.file_upload(PART, file)
        assert taken == {}
        assert client.data_client.file_upload(PART, b"It works.") == "file-0"
    assert taken == {"file-0": [b"It works."]}
    assert len(server.named("Authenticate")) == 2


def upload(data: DataClient, requests: Any, **changes: Any) -> Any:
    return data._stream_unary(methods.FILE_UPLOAD._replace(policy=UPLOAD._replace(**changes)), requests, None)


def test_an_upload_that_the_service_does_not_take_ends_in_doubt(server: FakeService, channel: Channel) -> None:
    over = threading.Event()

    def stuck(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        over.wait(LONG)
        return b""

    server.upload["FileUpload"] = stuck
    message = datasync_pb.FileUploadRequest(file_contents={"data": bytes(1 << 20)})
    with pytest.raises(AmbiguousResultError, match=r"Nothing moved for 0.2 s") as raised:
        upload(DataClient(channel, {}), lambda: itertools.repeat(message), idle_timeout=0.2)
    over.set()
    assert isinstance(raised.value.__cause__, DeadlineExceededError)


def test_a_source_that_is_slow_is_no_stall(server: FakeService, channel: Channel) -> None:
    taken = stored(server)

    def slow() -> Iterator[datasync_pb.FileUploadRequest]:
        for _ in range(2):
            threading.Event().wait(0.3)
            yield datasync_pb.FileUploadRequest(file_contents={"data": b"x"})

    assert upload(DataClient(channel, {}), slow(), idle_timeout=0.1).file_id == "file-0"
    assert taken == {"file-0": [b"x", b"x"]}


def test_a_stream_that_is_left_alone_leaves_no_thread(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = answers
    before = set(threading.enumerate())
    stream = export(DataClient(channel, {}), idle_timeout=1)
    next(stream)
    (watchdog,) = (each for each in threading.enumerate() if each.name == "viam-sync watchdog" and each not in before)
    del stream
    watchdog.join(LONG)
    left = set(threading.enumerate()).difference(before)
    assert [each.name for each in left if each.name.startswith("viam-sync")] == []
