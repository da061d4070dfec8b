"""One client, many threads: calls, the end of the client, and the token."""

import os
import signal
import threading
import time
from typing import Any, Callable, Iterator, List, Optional

import grpc
import pytest
from servers import FakeService, SilentServer, connect, refuse
from waiting import LONG, ended, start

from viam_sync.app.app_client import AppClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import ClosedError, DeadlineExceededError, UnauthenticatedError, UnavailableError
from viam_sync.proto import app as pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.rpc.dial import Channel, DialOptions, dial, parse_address
from viam_sync.rpc.metadata import Header, Metadata
from viam_sync.sandbox import Sandbox
from viam_sync.services import methods

from .processes import sandbox_process

ROBOT = pb.GetRobotResponse(robot=pb.Robot(id="r-1", name="rover")).SerializeToString()

#: How many calls each of 64 threads makes while tokens expire; the environment `reliability` of tox says 1000.
CALLS = int(os.environ.get("VIAM_SYNC_CALLS", "20"))


@pytest.fixture
def held() -> Iterator[threading.Event]:
    """An event that methods of the server wait for; it is set at the end, so that the server can stop."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def server(server: FakeService, held: threading.Event) -> Iterator[FakeService]:
    server.unary["GetRobot"] = lambda request, context: ROBOT
    yield server
    held.set()


def hold(server: FakeService, held: threading.Event) -> threading.Event:
    """Let the methods of the server wait; return what is set when the first call has come."""
    came = threading.Event()

    def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
        came.set()
        held.wait(LONG)
        return ROBOT

    def stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield pb.TailRobotPartLogsResponse(logs=[{"message": "first"}]).SerializeToString()
        wait(request, context)

    def upload(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return wait(next(requests), context)

    server.unary["GetRobot"] = wait
    server.stream["TailRobotPartLogs"] = stream
    server.upload["FileUpload"] = upload
    return came


def test_one_client_serves_many_threads(sandbox: Sandbox, client: ViamClient) -> None:
    names: List[str] = []

    def use() -> None:
        for _ in range(20):
            names.append(client.app_client.get_location(sandbox.location_id).name)
            names.append(client.app_client.list_organizations()[0].name)

    assert ended(start(use, 16))
    assert sorted(names) == ["Lesson Robotics"] * 320 + ["Workshop"] * 320


def unary(client: ViamClient) -> Any:
    return client.app_client.get_robot("r-1")


def tail(client: ViamClient) -> Any:
    return list(client.app_client.tail_robot_part_logs("p-1"))


def upload(client: ViamClient) -> Any:
    def requests() -> Iterator[datasync_pb.FileUploadRequest]:
        yield datasync_pb.FileUploadRequest(file_contents={"data": b"x"})
        threading.Event().wait(LONG)

    return client.data_client._stream_unary(methods.FILE_UPLOAD, requests(), None)


@pytest.mark.parametrize("call", [unary, upload, tail], ids=["unary", "upload", "tail"])
def test_closing_ends_the_calls_of_other_threads_with_one_clear_error(
    server: FakeService, held: threading.Event, call: Callable[[ViamClient], Any]
) -> None:
    came = hold(server, held)
    client = connect(server)
    errors: List[BaseException] = []

    def use() -> None:
        with pytest.raises(ClosedError, match=r"^The client is closed; make a new one to call again.$") as caught:
            call(client)
        errors.append(caught.value)

    threads = start(use, 4)
    assert came.wait(LONG)
    client.close()
    assert ended(threads)
    assert len(errors) == 4
    assert {error.__context__ for error in errors} == {None}


def test_closing_ends_a_thread_that_waits_between_two_attempts(server: FakeService, held: threading.Event) -> None:
    waiting = threading.Event()
    failing = refuse(grpc.StatusCode.UNAVAILABLE, "busy")

    def fail(request: bytes, context: grpc.ServicerContext) -> bytes:
        waiting.set()
        return failing(request, context)

    server.unary["GetRobot"] = fail
    client = connect(server, max_reconnect_attempts=50)
    errors: List[BaseException] = []

    def use() -> None:
        # A call may end with its last failure, too, where that came at just this moment.
        with pytest.raises((ClosedError, UnavailableError)) as caught:
            client.app_client.get_robot("r-1")
        errors.append(caught.value)

    threads = start(use)
    assert waiting.wait(LONG)
    client.close()
    assert ended(threads)
    assert len(errors) == 1


def test_a_wait_between_two_attempts_ends_when_the_channel_is_closed() -> None:
    channel = Channel(parse_address("http://127.0.0.1:1"), 3)
    threads = start(lambda: channel.sleep(10 * LONG))
    channel.close()
    assert ended(threads)


def test_closing_again_and_from_many_threads_does_nothing_more(server: FakeService, held: threading.Event) -> None:
    came = hold(server, held)
    client = connect(server)

    def use() -> None:
        with pytest.raises(ClosedError):
            unary(client)

    threads = start(use, 4)
    assert came.wait(LONG)
    threads += start(client.close, 8)
    client.close()
    assert ended(threads)
    client.close()
    for call in (unary, tail, upload):
        with pytest.raises(ClosedError, match="The client is closed; make a new one to call again"):
            call(client)


def test_closing_from_within_an_upload_ends_it(server: FakeService, held: threading.Event) -> None:
    hold(server, held)
    client = connect(server)

    def requests() -> Iterator[datasync_pb.FileUploadRequest]:
        yield datasync_pb.FileUploadRequest(file_contents={"data": b"x"})
        client.close()

    with pytest.raises(ClosedError):
        client.data_client._stream_unary(methods.FILE_UPLOAD, requests(), None)


def test_closing_a_channel_that_is_still_connecting_does_not_hang() -> None:
    with SilentServer() as silent:
        channel = Channel(parse_address(f"https://{silent.address}"), 3)

        def use() -> None:
            with pytest.raises(ClosedError):
                AppClient(channel, {}).get_robot("r-1")

        threads = start(use)
        assert silent.reached.wait(LONG)
        threads += start(channel.close)
        assert ended(threads)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no timers here")
def test_a_signal_handler_may_close_the_client_amid_a_call(server: FakeService, held: threading.Event) -> None:
    came = hold(server, held)
    client = connect(server)
    before = signal.signal(signal.SIGALRM, lambda *_: client.close())
    start(lambda: came.wait(LONG) and signal.setitimer(signal.ITIMER_REAL, 0.01))
    try:
        with pytest.raises(ClosedError):
            client.app_client.get_robot("r-1")
    finally:
        signal.signal(signal.SIGALRM, before)


class CountedToken(Metadata):
    """The metadata of a caller, which counts how often the token was replaced."""

    def __init__(self, token: Any) -> None:
        super().__init__(token)
        self.replaced = 0
        self._token = token

    def refresh(self, refused: Optional[Header], timeout: Optional[float]) -> bool:
        asked: bool = self._token.refresh(refused, timeout)
        self.replaced += asked  # only one thread at a time asks for a token
        return asked

    @property
    def was_accepted(self) -> bool:
        return bool(self._token.was_accepted)


def calls_of_64_threads(app: AppClient, times: int) -> List[BaseException]:
    errors: List[BaseException] = []
    everyone = threading.Barrier(64)

    def use() -> None:
        everyone.wait(LONG)
        try:
            for _ in range(times):
                app.list_organizations()
        except BaseException as error:
            errors.append(error)

    app.list_organizations()  # a token has been good before they all begin
    assert ended(start(use, 64))
    return errors


def test_tokens_that_expire_all_the_time_are_replaced_once_each(sandbox: Sandbox) -> None:
    over = threading.Event()
    expiries = []

    def expire() -> None:
        while not over.wait(0.1):
            expiries.append(1)
            sandbox.faults.expire_tokens()

    channel, metadata = dial(sandbox.url, sandbox.dial_options())
    token = CountedToken(metadata)
    with channel:
        (ticking,) = start(expire)
        errors = calls_of_64_threads(AppClient(channel, token), 8)
        over.set()
        ticking.join(LONG)
    assert errors == []
    assert len(expiries) >= 2
    assert token.replaced <= len(expiries)


def test_tokens_that_live_for_100_ms_do_not_trouble_the_callers() -> None:
    with sandbox_process("--token-lifetime", "0.1") as variables:
        options = DialOptions.with_api_key(variables["VIAM_API_KEY"], variables["VIAM_API_KEY_ID"])
        before = time.monotonic()
        channel, metadata = dial(variables["VIAM_APP_URL"], options)
        token = CountedToken(metadata)
        with channel:
            assert calls_of_64_threads(AppClient(channel, token), CALLS) == []
        expiries = (time.monotonic() - before) / 0.1
    assert 1 <= token.replaced <= expiries


def test_a_token_that_was_never_accepted_is_replaced_but_once(server: FakeService) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "no")
    with connect(server) as client, pytest.raises(UnauthenticatedError):
        client.app_client.get_robot("r-1")
    assert (len(server.named("GetRobot")), server.tokens) == (2, 2)


def test_tokens_that_expire_faster_than_a_call_is_made_end_it_some_time(server: FakeService) -> None:
    accepted = pb.ListOrganizationsResponse().SerializeToString()
    client = connect(server)

    def outrun(request: bytes, context: grpc.ServicerContext) -> bytes:
        client.app_client.list_organizations()  # the token is good elsewhere
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
        raise AssertionError("abort raises")

    server.unary["ListOrganizations"] = lambda request, context: accepted
    server.unary["GetRobot"] = outrun
    with client, pytest.raises(UnauthenticatedError, match="expired"):
        client.app_client.get_robot("r-1")
    assert len(server.named("GetRobot")) == 6


def test_a_service_that_gives_the_same_token_again_is_not_asked_for_ever(server: FakeService) -> None:
    server.tokens = -1
    token = server.authenticate(b"", None)  # type: ignore[arg-type]
    server.unary["Authenticate"] = lambda request, context: token
    server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "no")
    with connect(server) as client, pytest.raises(UnauthenticatedError):
        client.app_client.get_robot("r-1")
    assert len(server.named("Authenticate")) == 2


def test_a_call_with_a_limit_does_not_wait_longer_for_the_token_of_another(
    server: FakeService, held: threading.Event
) -> None:
    client = connect(server)
    came = threading.Event()

    def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
        came.set()
        held.wait(LONG)
        return server.authenticate(request, context)

    server.unary["Authenticate"] = wait
    server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "expired")

    def use() -> None:
        with pytest.raises(ClosedError):
            client.app_client.get_robot("r-1")

    first = start(use)
    assert came.wait(LONG)
    with pytest.raises(DeadlineExceededError):
        client.app_client.get_robot("r-1", timeout=0.2)
    client.close()
    assert ended(first)
