import threading
from typing import List

import grpc
import pytest
from servers import FakeService, refuse

from viam_sync.errors import CancelledError, ClosedError, GRPCError, NotFoundError
from viam_sync.proto import app as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.dial import Channel, parse_address
from viam_sync.services import methods
from viam_sync.services.app_service import AppService

REQUEST = pb.GetRobotRequest(id="r-1")


@pytest.fixture
def service(channel: Channel) -> AppService:
    return AppService(channel, {"authorization": "Bearer token"})


def test_a_call_that_can_be_ended_is_like_any_other(server: FakeService, service: AppService) -> None:
    answer = pb.GetRobotResponse(robot=pb.Robot(name="rover"))
    server.unary["GetRobot"] = lambda request, context: answer.SerializeToString()
    cancellation = Cancellation()
    for _ in range(2):
        assert service._unary_unary(methods.GET_ROBOT, REQUEST, 60, cancellation) == answer
    assert server.calls[0].metadata["authorization"] == "Bearer token"
    seconds = server.calls[0].seconds
    assert seconds is not None
    assert 20 < seconds < 61


def test_a_call_under_way_is_ended_from_another_thread(server: FakeService, service: AppService) -> None:
    begun, gone = threading.Event(), threading.Event()

    def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(gone.set)
        begun.set()
        gone.wait(60)
        return b""

    server.unary["GetRobot"] = wait
    cancellation = Cancellation()
    caught: List[BaseException] = []

    def call() -> None:
        try:
            service._unary_unary(methods.GET_ROBOT, REQUEST, 60, cancellation)
        except CancelledError as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    assert begun.wait(60)
    cancellation.cancel()
    thread.join(60)
    assert [str(error) for error in caught] == ["CANCELLED: The call was ended from within the program."]
    assert gone.wait(60)


def test_a_call_that_comes_after_is_ended_too(server: FakeService, service: AppService) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    for _ in range(2):
        with pytest.raises(CancelledError):
            service._unary_unary(methods.GET_ROBOT, REQUEST, 60, cancellation)


def test_a_wait_before_another_try_is_ended_too(server: FakeService, service: AppService) -> None:
    cancellation = Cancellation()

    def fail(request: bytes, context: grpc.ServicerContext) -> bytes:
        cancellation.cancel()
        return refuse(grpc.StatusCode.UNAVAILABLE, "busy")(request, context)

    server.unary["GetRobot"] = fail
    with pytest.raises(CancelledError):
        service._unary_unary(methods.GET_ROBOT, REQUEST, 60, cancellation)
    for _ in range(3):
        cancellation.sleep(600)


@pytest.mark.parametrize(
    ("status", "kind"), [(grpc.StatusCode.NOT_FOUND, NotFoundError), (grpc.StatusCode.CANCELLED, CancelledError)]
)
def test_a_rejection_is_our_exception(
    server: FakeService, service: AppService, status: grpc.StatusCode, kind: type
) -> None:
    server.unary["GetRobot"] = refuse(status, "no")
    with pytest.raises(GRPCError, match=f"AppService/GetRobot: {status.name}: no") as caught:
        service._unary_unary(methods.GET_ROBOT, REQUEST, 60, Cancellation())
    assert type(caught.value) is kind


def test_a_lost_connection_is_tried_again(server: FakeService, service: AppService) -> None:
    failures = [refuse(grpc.StatusCode.UNAVAILABLE, "busy")]
    server.unary["GetRobot"] = lambda request, context: failures.pop()(request, context) if failures else b""
    service._unary_unary(methods.GET_ROBOT, REQUEST, 60, Cancellation())
    assert len(server.calls) == 2


def test_a_closed_client_says_so(server: FakeService) -> None:
    with Channel(parse_address(server.url), max_reconnect_attempts=0) as channel:
        service = AppService(channel, {})
    with pytest.raises(ClosedError):
        service._unary_unary(methods.GET_ROBOT, REQUEST, 60, Cancellation())


def test_the_shortest_wait_ends_too() -> None:
    for nanoseconds in range(2000):
        Cancellation().sleep(nanoseconds / 1e9)
