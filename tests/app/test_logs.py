import json
import os
import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Iterator, List, Optional, Type

import grpc
import pytest
from servers import FakeService, refuse

from viam_sync.app.app_client import AppClient, LogEntry, LogsStream
from viam_sync.errors import (
    ClosedError,
    DeadlineExceededError,
    GRPCError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
)
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.rpc.dial import Channel, parse_address

NOON = datetime(2024, 5, 6, 12, 0, 0, 123456)


@pytest.fixture
def max_reconnect_attempts() -> int:
    return 0


@pytest.fixture
def cloud(channel: Channel) -> AppClient:
    return AppClient(channel, {})


def entry(message: str) -> common_pb.LogEntry:
    return common_pb.LogEntry(
        host="rover",
        level="error",
        time=NOON,
        logger_name="robot.arm",
        message=message,
        caller={"File": "arm.go", "Line": 12, "Defined": None},
        stack="arm.go:12",
        fields=[{"joint": "elbow", "limit": None}],
    )


def logs_page(messages: List[str], token: str = "") -> bytes:
    logs = [entry(message) for message in messages]
    return pb.GetRobotPartLogsResponse(logs=logs, next_page_token=token).SerializeToString()


def serve_pages(server: FakeService, pages: List[bytes]) -> None:
    left = iter(pages)
    server.unary["GetRobotPartLogs"] = lambda request, context: next(left)


def sent(server: FakeService) -> List[pb.GetRobotPartLogsRequest]:
    return [pb.GetRobotPartLogsRequest.FromString(call.requests[0]) for call in server.calls]


def test_an_entry_becomes_a_record_of_plain_values(server: FakeService, cloud: AppClient) -> None:
    serve_pages(server, [logs_page(["hot"])])
    (log,) = cloud.get_robot_part_logs("p-1")
    assert log == LogEntry(
        host="rover",
        level="error",
        time=NOON,
        logger_name="robot.arm",
        message="hot",
        caller={"File": "arm.go", "Line": 12.0, "Defined": None},
        stack="arm.go:12",
        fields=[{"joint": "elbow", "limit": None}],
    )
    assert log.proto == entry("hot")


def test_an_empty_entry_becomes_a_record_of_nothing() -> None:
    log = LogEntry.from_proto(common_pb.LogEntry())
    assert (log.message, log.time, log.caller, log.fields) == ("", None, None, [])
    assert log.proto == common_pb.LogEntry()


def test_without_arguments_the_request_names_only_the_part(server: FakeService, cloud: AppClient) -> None:
    serve_pages(server, [logs_page([])])
    assert cloud.get_robot_part_logs("p-1") == []
    assert sent(server) == [pb.GetRobotPartLogsRequest(id="p-1", filter="", page_token="")]
    assert server.calls[0].method == "/viam.app.v1.AppService/GetRobotPartLogs"


def test_every_argument_is_in_the_request_of_every_page(server: FakeService, cloud: AppClient) -> None:
    serve_pages(server, [logs_page(["one"], "t-1"), logs_page(["two"])])
    cloud.get_robot_part_logs(
        "p-1",
        "hot",
        None,
        ["warn", "error"],
        5,
        start=NOON,
        end=NOON.replace(hour=14, tzinfo=timezone(timedelta(hours=2))),
        order=pb.LogOrder.LOG_ORDER_ASCENDING,
        range="10m",
        source="module",
        user_facing_only=False,
    )
    wanted = pb.GetRobotPartLogsRequest(
        id="p-1",
        filter="hot",
        page_token="",
        levels=["warn", "error"],
        start=NOON,
        end=NOON,
        order=pb.LogOrder.LOG_ORDER_ASCENDING,
        range="10m",
        source="module",
        user_facing_only=False,
    )
    first, second = sent(server)
    assert first == wanted
    wanted.page_token = "t-1"
    assert second == wanted


@pytest.mark.parametrize(("count", "got", "asked"), [(1, 1, 1), (2, 2, 1), (3, 3, 2), (5, 5, 3), (9, 5, 3), (0, 5, 3)])
def test_pages_are_asked_for_until_there_are_enough_entries(
    server: FakeService, cloud: AppClient, count: int, got: int, asked: int
) -> None:
    serve_pages(server, [logs_page(["a", "b"], "t-1"), logs_page(["c", "d"], "t-2"), logs_page(["e"])])
    logs = cloud.get_robot_part_logs("p-1", num_log_entries=count)
    assert [log.message for log in logs] == list("abcde")[:got]
    assert [request.page_token for request in sent(server)] == ["", "t-1", "t-2"][:asked]


def test_a_hundred_entries_are_returned_unless_another_number_is_named(server: FakeService, cloud: AppClient) -> None:
    serve_pages(server, [logs_page(["a"] * 60, "t-1"), logs_page(["b"] * 60, "t-2")])
    assert len(cloud.get_robot_part_logs("p-1")) == 100


def test_an_empty_page_in_between_is_not_the_end(server: FakeService, cloud: AppClient) -> None:
    serve_pages(server, [logs_page([], "t-1"), logs_page(["a"], "t-2"), logs_page([], "t-3"), logs_page(["b"])])
    assert [log.message for log in cloud.get_robot_part_logs("p-1", num_log_entries=0)] == ["a", "b"]


def test_a_page_token_that_comes_again_is_an_error_and_no_loop(server: FakeService, cloud: AppClient) -> None:
    tokens = iter(["t-1", "t-2", "t-1"])
    server.unary["GetRobotPartLogs"] = lambda request, context: logs_page(["a"], next(tokens))
    with pytest.raises(InternalError, match="gave the page token 't-1' a second time") as caught:
        cloud.get_robot_part_logs("p-1", num_log_entries=0)
    assert caught.value.method == "viam.app.v1.AppService/GetRobotPartLogs"
    assert len(server.calls) == 3


def test_empty_pages_without_end_are_an_error(server: FakeService, cloud: AppClient) -> None:
    server.unary["GetRobotPartLogs"] = lambda request, context: logs_page([], f"t-{len(server.calls)}")
    with pytest.raises(InternalError, match="sent 100 empty pages in a row"):
        cloud.get_robot_part_logs("p-1")
    assert len(server.calls) == 100


def test_a_page_that_fails_is_the_error_of_the_call(server: FakeService, cloud: AppClient) -> None:
    fail = refuse(grpc.StatusCode.INVALID_ARGUMENT, "no such page")
    server.unary["GetRobotPartLogs"] = lambda request, context: (
        fail(request, context) if len(server.calls) == 2 else logs_page(["a"], "t-1")
    )
    with pytest.raises(InvalidArgumentError, match="no such page"):
        cloud.get_robot_part_logs("p-1")


def test_a_read_of_logs_is_tried_again(server: FakeService) -> None:
    failures = [refuse(grpc.StatusCode.UNAVAILABLE, "busy")]
    server.unary["GetRobotPartLogs"] = lambda request, context: (
        failures.pop()(request, context) if failures else logs_page(["a"])
    )
    with Channel(parse_address(server.url), max_reconnect_attempts=3) as channel:
        assert len(AppClient(channel, {}).get_robot_part_logs("p-1")) == 1


def test_the_timeout_is_for_all_pages_together(server: FakeService, cloud: AppClient) -> None:
    serve_pages(server, [logs_page(["a"], "t-1"), logs_page(["b"])])
    cloud.get_robot_part_logs("p-1", timeout=90)
    first, second = (call.seconds for call in server.calls)
    assert first is not None
    assert second is not None
    assert 20 < second < first + 1 < 92


def test_pages_stop_when_the_time_is_over(server: FakeService, cloud: AppClient) -> None:
    server.unary["GetRobotPartLogs"] = lambda request, context: logs_page(["a"], f"t-{len(server.calls)}")
    with pytest.raises(DeadlineExceededError):
        cloud.get_robot_part_logs("p-1", num_log_entries=0, timeout=0.2)


@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"num_log_entries": -1}, ValueError, "num_log_entries takes 0 for all entries, or how many at most, got -1"),
        ({"num_log_entries": "5"}, TypeError, "num_log_entries takes an int, got '5'"),
        ({"num_log_entries": None}, TypeError, "num_log_entries takes an int, got None"),
        ({"log_levels": "error"}, TypeError, r"log_levels takes a list such as \['error'\], got 'error'"),
        ({"dest": "logs.csv"}, ValueError, "cannot be written as .csv; use .json"),
        ({"dest": "absent/logs.json"}, FileNotFoundError, "there is no folder"),
    ],
)
def test_a_wrong_argument_is_found_before_anything_is_asked(
    server: FakeService, cloud: AppClient, arguments: Any, kind: Type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        cloud.get_robot_part_logs("p-1", **arguments)
    assert server.calls == []


@pytest.mark.parametrize("name", ["logs.json", "logs.txt", "logs"])
def test_entries_are_written_to_a_file_as_json(
    server: FakeService, cloud: AppClient, tmp_path: Path, name: str
) -> None:
    serve_pages(server, [logs_page(["hot"], "t-1"), logs_page(["cold", "left out"])])
    logs = cloud.get_robot_part_logs("p-1", dest=str(tmp_path / name), num_log_entries=2)
    rows = json.loads((tmp_path / name).read_text(encoding="utf-8"))
    assert [row["message"] for row in rows] == [log.message for log in logs] == ["hot", "cold"]
    assert rows[0] == {
        "host": "rover",
        "level": "error",
        "time": "2024-05-06T12:00:00.123456Z",
        "loggerName": "robot.arm",
        "message": "hot",
        "caller": {"File": "arm.go", "Line": 12.0, "Defined": None},
        "stack": "arm.go:12",
        "fields": [{"joint": "elbow", "limit": None}],
    }


def test_entries_are_written_as_lines_of_json_where_the_ending_says_so(
    server: FakeService, cloud: AppClient, tmp_path: Path
) -> None:
    serve_pages(server, [logs_page(["hot", "cold"])])
    cloud.get_robot_part_logs("p-1", dest=str(tmp_path / "logs.jsonl"))
    lines = (tmp_path / "logs.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["message"] for line in lines] == ["hot", "cold"]


def test_nanoseconds_reach_the_file(server: FakeService, cloud: AppClient, tmp_path: Path) -> None:
    log = entry("hot")
    log.time.nanos = 123456789
    serve_pages(server, [pb.GetRobotPartLogsResponse(logs=[log]).SerializeToString()])
    cloud.get_robot_part_logs("p-1", dest=str(tmp_path / "logs.json"))
    assert json.loads((tmp_path / "logs.json").read_text())[0]["time"] == "2024-05-06T12:00:00.123456789Z"


def test_entries_are_not_lost_when_their_file_cannot_be_written(
    server: FakeService, cloud: AppClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    serve_pages(server, [logs_page(["hot"])])
    with pytest.raises(OSError, match="No space left") as caught:
        cloud.get_robot_part_logs("p-1", dest=str(tmp_path / "logs.json"))
    assert [log.message for log in caught.value.result] == ["hot"]  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_no_file_is_written_when_the_call_fails(server: FakeService, cloud: AppClient, tmp_path: Path) -> None:
    server.unary["GetRobotPartLogs"] = refuse(grpc.StatusCode.NOT_FOUND, "no such part")
    with pytest.raises(NotFoundError):
        cloud.get_robot_part_logs("p-1", dest=str(tmp_path / "logs.json"))
    assert list(tmp_path.iterdir()) == []


class Tail:
    """A tail that sends batches, then tells that it waits, and goes on waiting until the client has gone."""

    def __init__(self, batches: List[List[str]]) -> None:
        self.batches = batches
        self.asked = threading.Event()
        self.gone = threading.Event()

    def __call__(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(self.gone.set)
        self.asked.set()
        for batch in self.batches:
            logs = [entry(message) for message in batch]
            yield pb.TailRobotPartLogsResponse(logs=logs).SerializeToString()
        self.gone.wait(60)


def ends_with(status: grpc.StatusCode) -> Callable[[bytes, grpc.ServicerContext], Iterator[bytes]]:
    def stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield pb.TailRobotPartLogsResponse(logs=[entry("last words")]).SerializeToString()
        context.abort(status, "over")

    return stream


def test_a_tail_gives_lists_of_entries_as_they_come(server: FakeService, cloud: AppClient) -> None:
    server.stream["TailRobotPartLogs"] = Tail([["one", "two"], ["three"]])
    with cloud.tail_robot_part_logs("p-1") as stream:
        first, second = stream.next(), next(stream)
    assert [log.message for log in first] == ["one", "two"]
    assert second == [LogEntry.from_proto(entry("three"))]


@pytest.mark.parametrize(
    ("arguments", "errors_only", "text"), [((), True, ""), ((False, "hot"), False, "hot"), ((True, None), True, "")]
)
def test_a_tail_says_what_it_wants(
    server: FakeService, cloud: AppClient, arguments: Any, errors_only: bool, text: str
) -> None:
    tail = server.stream["TailRobotPartLogs"] = Tail([])
    with cloud.tail_robot_part_logs("p-1", *arguments):
        assert tail.asked.wait(60)
    (call,) = server.calls
    request = pb.TailRobotPartLogsRequest.FromString(call.requests[0])
    assert request == pb.TailRobotPartLogsRequest(id="p-1", errors_only=errors_only, filter=text)
    assert call.method == "/viam.app.v1.AppService/TailRobotPartLogs"


def test_a_tail_is_asked_for_at_once_and_not_at_its_first_entry(server: FakeService, cloud: AppClient) -> None:
    tail = server.stream["TailRobotPartLogs"] = Tail([])
    stream = cloud.tail_robot_part_logs("p-1")
    assert tail.asked.wait(60)
    stream.close()


def test_a_tail_has_no_deadline_of_its_own(server: FakeService, cloud: AppClient) -> None:
    tail = server.stream["TailRobotPartLogs"] = Tail([])
    with cloud.tail_robot_part_logs("p-1"):
        assert tail.asked.wait(60)
    seconds: Optional[float] = server.calls[0].seconds
    # grpc says None, or a time of many years.
    assert seconds is None or seconds > 10**6


def test_a_tail_ends_when_the_callers_time_is_over(server: FakeService, cloud: AppClient) -> None:
    server.stream["TailRobotPartLogs"] = Tail([])
    with cloud.tail_robot_part_logs("p-1", timeout=0.2) as stream, pytest.raises(DeadlineExceededError):
        stream.next()


def test_an_empty_batch_does_not_end_a_tail(server: FakeService, cloud: AppClient) -> None:
    server.stream["TailRobotPartLogs"] = Tail([[], ["one"], [], [], ["two"]])
    with cloud.tail_robot_part_logs("p-1") as stream:
        assert [stream.next()[0].message, stream.next()[0].message] == ["one", "two"]


def test_closing_a_tail_from_another_thread_ends_a_waiting_next(server: FakeService, cloud: AppClient) -> None:
    tail = server.stream["TailRobotPartLogs"] = Tail([["one"]])
    stream = cloud.tail_robot_part_logs("p-1")
    seen: List[List[LogEntry]] = []
    first = threading.Event()

    def follow() -> None:
        for batch in stream:
            seen.append(batch)
            first.set()

    follower = threading.Thread(target=follow)
    follower.start()
    assert first.wait(60)
    stream.close()
    follower.join(60)
    assert not follower.is_alive()
    assert [log.message for log in seen[0]] == ["one"]
    assert tail.gone.wait(60)


def test_a_closed_tail_has_ended(server: FakeService, cloud: AppClient) -> None:
    server.stream["TailRobotPartLogs"] = Tail([["one"], ["two"]])
    stream = cloud.tail_robot_part_logs("p-1")
    stream.close()
    stream.close()
    assert list(stream) == []
    with pytest.raises(StopIteration):
        stream.next()


def test_leaving_a_with_statement_closes_the_tail(server: FakeService, cloud: AppClient) -> None:
    tail = server.stream["TailRobotPartLogs"] = Tail([["one"]])
    with cloud.tail_robot_part_logs("p-1") as stream:
        assert isinstance(stream, LogsStream)
        stream.next()
    assert tail.gone.wait(60)


def test_a_tail_ends_when_the_service_ends_it(server: FakeService, cloud: AppClient) -> None:
    one = pb.TailRobotPartLogsResponse(logs=[entry("one")]).SerializeToString()
    server.stream["TailRobotPartLogs"] = lambda request, context: iter([one])
    batches = [[log.message for log in batch] for batch in cloud.tail_robot_part_logs("p-1")]
    assert batches == [["one"]]


@pytest.mark.parametrize("status", [grpc.StatusCode.NOT_FOUND, grpc.StatusCode.UNAVAILABLE])
def test_what_goes_wrong_during_a_tail_is_our_exception(
    server: FakeService, cloud: AppClient, status: grpc.StatusCode
) -> None:
    server.stream["TailRobotPartLogs"] = ends_with(status)
    with cloud.tail_robot_part_logs("p-1") as stream:
        assert stream.next()[0].message == "last words"
        with pytest.raises(GRPCError, match="TailRobotPartLogs") as caught:
            stream.next()
    assert caught.value.status is status


def test_a_closed_client_starts_no_tail(server: FakeService) -> None:
    with Channel(parse_address(server.url), max_reconnect_attempts=0) as channel:
        cloud = AppClient(channel, {})
    with pytest.raises(ClosedError):
        cloud.tail_robot_part_logs("p-1")
