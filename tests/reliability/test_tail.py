"""Following a log whose connection is lost again and again: no entry is missing, none comes twice, all in order."""

import contextlib
import itertools
import os
import random
import threading
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, ContextManager, Iterator, List, Optional

import grpc
import grpc_testing
import pytest
from servers import FakeService, options, refuse
from waiting import LONG, until

from viam_sync.app.app_client import AppClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import GRPCError, NotFoundError, PermissionDeniedError, UnauthenticatedError, UnavailableError
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.proto import google as google_pb
from viam_sync.rpc.dial import Channel, Credentials, DialOptions, dial
from viam_sync.sandbox import Sandbox

ENTRIES = int(os.environ.get("VIAM_SYNC_ENTRIES", "2000"))
DISCONNECTS = int(os.environ.get("VIAM_SYNC_DISCONNECTS", "20"))


@contextlib.contextmanager
def connected(url: str, settings: DialOptions) -> Iterator[AppClient]:
    """Connect with a clock on which waits take no time."""
    channel, token = dial(url, settings)
    channel.time = grpc_testing.strict_fake_time(0)
    with channel:
        yield AppClient(channel, token)


def following(server: FakeService, **settings: Any) -> ContextManager[AppClient]:
    return connected(server.url, options(**settings))


class Writer:
    """Writes entries into the log of a sandbox, until a tail has met all of the faults.

    Attributes:
        written: The texts of the entries.
        failure: The error that ended the writing early.
    """

    def __init__(self, sandbox: Sandbox, draw: random.Random, faults: List[Any]) -> None:
        self.written: List[str] = []
        self.failure: Optional[BaseException] = None
        self._sandbox = sandbox
        self._draw = draw
        self._faults = faults
        self.thread = threading.Thread(target=self._write)

    def _log(self, count: int) -> None:
        for _ in range(count):
            self.written.append(f"entry {len(self.written)}")
            level = self._draw.choice(["info", "error"])
            self._sandbox.log(self._sandbox.robot_part_id, self.written[-1], level=level)

    def _write(self) -> None:
        try:
            for fault in self._faults:
                self._log(ENTRIES // DISCONNECTS)
                # A few more, until the fault's number of messages has been sent.
                until(lambda fault=fault: fault.met or self._log(1))
        except BaseException as error:
            self.failure = error
        self._sandbox.log(self._sandbox.robot_part_id, "the end")


def test_no_entry_is_lost_or_repeated_and_all_come_in_order() -> None:
    draw = random.Random(1)
    with Sandbox() as sandbox:
        # The first tail lasts until the test has seen it.
        counts = [1, *(draw.randrange(3) for _ in range(DISCONNECTS - 1))]
        faults = [sandbox.faults.drop("TailRobotPartLogs", after_messages=count) for count in counts]
        writer = Writer(sandbox, draw, faults)
        credentials = Credentials("api-key", sandbox.api_key)
        settings = options(auth_entity=sandbox.api_key_id, credentials=credentials, max_reconnect_attempts=50)
        with connected(sandbox.url, settings) as app, app.tail_robot_part_logs(
            sandbox.robot_part_id, errors_only=False
        ) as stream:
            sandbox.wait_for_tail(sandbox.robot_part_id)
            writer.thread.start()
            seen: List[str] = []
            while seen[-1:] != ["the end"]:
                seen += [entry.message for entry in stream.next()]
            writer.thread.join(LONG)
        assert writer.failure is None
        assert seen == [*writer.written, "the end"]
        assert [fault.met for fault in faults] == [1] * DISCONNECTS


START = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)


def entry(number: int, level: str = "error", seconds: float = 0) -> common_pb.LogEntry:
    time = google_pb.Timestamp()
    time.FromDatetime((START + timedelta(seconds=number + seconds)).replace(tzinfo=None))
    return common_pb.LogEntry(message=f"entry {number}", level=level, time=time)


class LogService:
    """A service with a stored log, and tails that do as they are told, one after the other."""

    def __init__(self, server: FakeService) -> None:
        self.log: List[common_pb.LogEntry] = []
        self.tails: List[Callable[[grpc.ServicerContext], Iterator[List[common_pb.LogEntry]]]] = []
        self.asked: List[pb.GetRobotPartLogsRequest] = []
        server.stream["TailRobotPartLogs"] = self._tail
        server.unary["GetRobotPartLogs"] = self._stored

    def _tail(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        for entries in self.tails.pop(0)(context):
            yield pb.TailRobotPartLogsResponse(logs=entries).SerializeToString()

    def _stored(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        asked = pb.GetRobotPartLogsRequest.FromString(request)
        self.asked.append(asked)
        start = asked.start.ToNanoseconds()
        found = [each for each in self.log if each.time.ToNanoseconds() >= start]
        begin = int(asked.page_token or 0)
        token = str(begin + 2) if begin + 2 < len(found) else ""
        return pb.GetRobotPartLogsResponse(logs=found[begin : begin + 2], next_page_token=token).SerializeToString()


def sends(
    *batches: List[common_pb.LogEntry], then: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE
) -> Callable[[grpc.ServicerContext], Iterator[List[common_pb.LogEntry]]]:
    def tail(context: grpc.ServicerContext) -> Iterator[List[common_pb.LogEntry]]:
        yield from batches
        context.abort(then, "recvmsg:Connection reset by peer")

    return tail


@pytest.fixture
def service(server: FakeService) -> LogService:
    return LogService(server)


def followed(app: AppClient, count: int, **options: Any) -> List[str]:
    with app.tail_robot_part_logs("p-1", **options) as stream:
        return [each.message for each in itertools.islice(itertools.chain.from_iterable(stream), count)]


def names(*numbers: int) -> List[str]:
    return [f"entry {number}" for number in numbers]


def test_a_gap_is_filled_from_the_stored_log_page_by_page(server: FakeService, service: LogService) -> None:
    service.log = [entry(number) for number in range(9)]
    service.tails = [sends([entry(2)]), sends([entry(8)])]
    with following(server) as app:
        assert followed(app, 7) == names(2, 3, 4, 5, 6, 7, 8)
    assert all(request.order == pb.LogOrder.LOG_ORDER_ASCENDING for request in service.asked)


def test_entries_from_before_the_tail_are_left_out(server: FakeService, service: LogService) -> None:
    service.log = [entry(number) for number in range(6)]
    service.tails = [sends([entry(3)]), sends([entry(5)])]
    with following(server) as app:
        assert followed(app, 3) == names(3, 4, 5)


def test_entries_that_are_alike_are_counted(server: FakeService, service: LogService) -> None:
    same = [entry(1), entry(1), entry(1)]
    service.log = [*same, entry(2)]
    service.tails = [sends([entry(1)]), sends([entry(1), entry(2)])]
    with following(server) as app:
        assert followed(app, 4) == names(1, 1, 1, 2)


def test_entries_that_the_tail_repeats_from_the_stored_log_come_once(server: FakeService, service: LogService) -> None:
    service.log = [entry(number) for number in range(1, 5)]
    service.tails = [sends([entry(1)]), sends([entry(3)], [entry(4)], [entry(5)])]
    with following(server) as app:
        assert followed(app, 5) == names(1, 2, 3, 4, 5)


def test_an_entry_that_is_stored_late_is_not_lost(server: FakeService, service: LogService) -> None:
    service.log = [entry(1), entry(2, seconds=0.5), entry(3)]
    service.tails = [sends([entry(1), entry(3)]), sends([entry(4)])]
    with following(server) as app:
        assert followed(app, 4) == names(1, 3, 2, 4)


def test_a_tail_of_errors_is_filled_with_errors(server: FakeService, service: LogService) -> None:
    service.log = [entry(1), entry(2, "info"), entry(3, "fatal"), entry(4, "warn"), entry(5)]
    service.tails = [sends([entry(1)]), sends([entry(6)])]
    with following(server) as app:
        assert followed(app, 4, filter="entry") == names(1, 3, 5, 6)
    assert {(request.errors_only, request.filter) for request in service.asked} == {(True, "entry")}


def test_an_entry_without_a_time_does_not_bring_back_the_past(server: FakeService, service: LogService) -> None:
    service.log = [entry(1), entry(2)]
    service.tails = [sends([common_pb.LogEntry(message="timeless")]), sends([entry(3)])]
    with following(server) as app:
        assert followed(app, 2) == ["timeless", "entry 3"]


@pytest.mark.parametrize("seconds", [-62_135_596_800, 253_402_300_799])
def test_the_first_and_the_last_moment_are_no_obstacle(server: FakeService, service: LogService, seconds: int) -> None:
    odd = common_pb.LogEntry(message="odd", time=google_pb.Timestamp(seconds=seconds))
    service.tails = [sends([odd]), sends([entry(3)])]
    with following(server) as app:
        assert followed(app, 2) == ["odd", "entry 3"]


def test_the_count_of_lost_connections_starts_afresh_with_each_entry(server: FakeService, service: LogService) -> None:
    service.tails = [sends(), sends(), sends([entry(1)]), sends(), sends([entry(2)]), sends(), sends()]
    with following(server, max_reconnect_attempts=2) as app, app.tail_robot_part_logs("p-1") as stream:
        assert [next(stream)[0].message for _ in range(2)] == names(1, 2)
        with pytest.raises(UnavailableError, match="TailRobotPartLogs"):
            next(stream)
    assert service.tails == []


@pytest.mark.parametrize("retry", [False, None])
def test_no_reconnection_is_made_where_none_is_wanted(server: FakeService, service: LogService, retry: Any) -> None:
    service.tails = [sends([entry(1)]), sends([entry(2)])]
    with following(server, max_reconnect_attempts=0 if retry is None else 3) as app:
        stream = app.options(retry=retry).tail_robot_part_logs("p-1")
        assert next(stream)[0].message == "entry 1"
        with pytest.raises(UnavailableError):
            next(stream)
    assert len(service.tails) == 1


@pytest.mark.parametrize("status", ["UNAVAILABLE", "INTERNAL", "UNKNOWN", "CANCELLED", "ABORTED", "RESOURCE_EXHAUSTED"])
def test_it_is_taken_up_again_whatever_ends_it(server: FakeService, service: LogService, status: str) -> None:
    service.log = [entry(1), entry(2)]
    service.tails = [sends([entry(1)], then=grpc.StatusCode[status]), sends([entry(3)])]
    with following(server) as app:
        assert followed(app, 3) == names(1, 2, 3)


@pytest.mark.parametrize("status", ["INVALID_ARGUMENT", "NOT_FOUND", "PERMISSION_DENIED", "UNIMPLEMENTED"])
def test_a_rejection_ends_it(server: FakeService, service: LogService, status: str) -> None:
    service.tails = [sends([entry(1)], then=grpc.StatusCode[status]), sends([entry(3)])]
    with following(server) as app, app.tail_robot_part_logs("p-1") as stream:
        next(stream)
        with pytest.raises(GRPCError) as raised:
            next(stream)
    assert (raised.value.status, len(service.tails)) == (grpc.StatusCode[status], 1)


def test_a_part_that_is_deleted_meanwhile_ends_it(server: FakeService, service: LogService) -> None:
    service.tails = [sends([entry(1)]), sends([entry(3)])]
    server.unary["GetRobotPartLogs"] = refuse(grpc.StatusCode.NOT_FOUND, "no such part")
    with following(server) as app, app.tail_robot_part_logs("p-1") as stream:
        next(stream)
        with pytest.raises(NotFoundError, match="no such part"):
            next(stream)


def test_an_empty_batch_neither_ends_it_nor_counts(server: FakeService, service: LogService) -> None:
    service.tails = [sends([], [entry(1)], []), sends([], [entry(2)])]
    with following(server) as app:
        assert followed(app, 2) == names(1, 2)


class StandingClock:
    """A clock that stands still; its waits last until ``released`` is set."""

    def __init__(self) -> None:
        self.waiting, self.released = threading.Event(), threading.Event()

    def time(self) -> float:
        return 0

    def sleep_for(self, duration: float) -> None:
        self.waiting.set()
        assert self.released.wait(LONG)


def test_closing_ends_a_wait_for_a_connection(server: FakeService, channel: Channel, service: LogService) -> None:
    service.tails = [sends([entry(1)])]
    channel.time = clock = StandingClock()
    stream = AppClient(channel, {}).tail_robot_part_logs("p-1")
    next(stream)
    rest: List[Any] = []
    reader = threading.Thread(target=lambda: rest.extend(stream))
    reader.start()
    assert clock.waiting.wait(LONG)
    stream.close()
    clock.released.set()
    reader.join(LONG)
    assert not reader.is_alive()
    assert rest == []


def test_a_token_that_expires_during_a_tail_is_replaced_and_nothing_is_lost() -> None:
    with Sandbox() as sandbox, connected(sandbox.url, sandbox.dial_options()) as app:
        fault = sandbox.faults.drop("TailRobotPartLogs", after_messages=1, times=None)
        with app.tail_robot_part_logs(sandbox.robot_part_id, errors_only=False) as stream:
            sandbox.wait_for_tail(sandbox.robot_part_id)
            for number in range(20):
                sandbox.faults.expire_tokens()
                sandbox.log(sandbox.robot_part_id, f"entry {number}")
                assert [each.message for each in stream.next()] == [f"entry {number}"]
        assert fault.met


def test_a_key_that_was_revoked_ends_a_tail_with_one_error() -> None:
    with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as owner:
        api_key, api_key_id = owner.app_client.create_key_from_existing_key_authorizations(sandbox.api_key_id)
        with connected(sandbox.url, DialOptions.with_api_key(api_key, api_key_id)) as app:
            sandbox.faults.drop("TailRobotPartLogs", after_messages=1)
            with app.tail_robot_part_logs(sandbox.robot_part_id, errors_only=False) as stream:
                sandbox.wait_for_tail(sandbox.robot_part_id)
                sandbox.log(sandbox.robot_part_id, "last words")
                assert stream.next()[0].message == "last words"
                owner.app_client.delete_key(api_key_id)
                with pytest.raises((UnauthenticatedError, PermissionDeniedError)):
                    stream.next()
