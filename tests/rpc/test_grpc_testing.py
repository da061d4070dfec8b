"""Clients on the channel of grpc_testing, where a test plays the service and moves the clock."""

import threading
from concurrent.futures import Future
from typing import Any, Callable, Tuple, Type

import grpc
import grpc_testing
import pytest

from viam_sync.app.app_client import AppClient
from viam_sync.app.billing_client import BillingClient
from viam_sync.app.data_client import DataClient
from viam_sync.app.ml_training_client import MLTrainingClient
from viam_sync.app.provisioning_client import ProvisioningClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import (
    AmbiguousResultError,
    ClosedError,
    NotFoundError,
    UnavailableError,
)
from viam_sync.messages.pool import message
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as sync_pb
from viam_sync.rpc.channel import service_channel
from viam_sync.rpc.method import Method
from viam_sync.rpc.service import Service
from viam_sync.services import methods

#: For each client, a call and the RPC that it makes.
CALLS = [
    (AppClient, lambda app: app.list_organizations(), methods.LIST_ORGANIZATIONS),
    (BillingClient, lambda billing: billing.get_current_month_usage("o-1"), methods.GET_CURRENT_MONTH_USAGE),
    (DataClient, lambda data: data.tabular_data_by_filter(), methods.TABULAR_DATA_BY_FILTER),
    (DataClient, lambda data: data.rename_dataset("d-1", "cats"), methods.RENAME_DATASET),
    (MLTrainingClient, lambda training: training.get_training_job("j-1"), methods.GET_TRAINING_JOB),
    (ProvisioningClient, lambda provisioning: provisioning.get_network_list(), methods.GET_NETWORK_LIST),
]


#: Seconds after which a call that does not come will never come.
PATIENCE = 30


def in_thread(act: Callable[[], Any]) -> "Future[Any]":
    """Do something in a thread that dies with the process, should it wait for ever."""
    future: Future[Any] = Future()

    def run() -> None:
        try:
            future.set_result(act())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


class Stage:
    """A client on a channel of grpc_testing, called from a thread of its own."""

    def __init__(self, client: Type[Service]) -> None:
        self.clock = grpc_testing.strict_fake_time(1_000_000)
        self.channel = grpc_testing.channel(client.service_descriptors(), self.clock)
        self.client: Any = client(service_channel(self.channel, self.clock), {"Authorization": "Bearer token"})

    def call(self, act: Callable[[Any], object]) -> "Future[Any]":
        return in_thread(lambda: act(self.client))

    def take(self, kind: str, method: Method) -> Any:
        """Wait for a call of an RPC, and return it as grpc_testing hands it over."""
        take = getattr(self.channel, f"take_{kind}")
        return in_thread(lambda: take(self.descriptor(method))).result(PATIENCE)

    def descriptor(self, method: Method) -> Any:
        return self.client._described(method)

    def answer(self, method: Method, response: Any = None, code: grpc.StatusCode = grpc.StatusCode.OK) -> Any:
        """Wait for a unary call, and answer it; return its request."""
        return self.fail(method, code, response=response)

    def fail(
        self, method: Method, code: grpc.StatusCode, trailing: Tuple[Tuple[str, str], ...] = (), response: Any = None
    ) -> Any:
        _, request, rpc = self.take("unary_unary", method)
        response = message(self.descriptor(method).output_type)() if response is None else response
        rpc.send_initial_metadata(())
        rpc.terminate(response, trailing, code, "as the test says")
        return request


@pytest.fixture
def stage(request: pytest.FixtureRequest) -> Stage:
    return Stage(getattr(request, "param", AppClient))


@pytest.mark.parametrize(("stage", "call", "method"), CALLS, indirect=["stage"])
def test_every_client_calls_through_it(stage: Stage, call: Callable[[Any], object], method: Method) -> None:
    result = stage.call(call)
    stage.answer(method)
    result.result(PATIENCE)


@pytest.mark.parametrize(("stage", "call", "method"), CALLS, indirect=["stage"])
def test_every_client_raises_the_error_of_the_service(
    stage: Stage, call: Callable[[Any], object], method: Method
) -> None:
    result = stage.call(call)
    stage.answer(method, code=grpc.StatusCode.NOT_FOUND)
    with pytest.raises(NotFoundError, match="as the test says"):
        result.result(PATIENCE)


def test_a_client_wraps_the_channel_itself() -> None:
    channel = grpc_testing.channel(AppClient.service_descriptors(), grpc_testing.strict_real_time())
    result = in_thread(lambda: AppClient(channel, {}).get_organization("o-1"))
    described = AppClient.service_descriptors()[0].methods_by_name["GetOrganization"]
    _, request, rpc = in_thread(lambda: channel.take_unary_unary(described)).result(PATIENCE)
    rpc.send_initial_metadata(())
    organization = pb.Organization(id="o-1", name="Lessons")
    rpc.terminate(pb.GetOrganizationResponse(organization=organization), (), grpc.StatusCode.OK, "")
    assert (request.organization_id, result.result(PATIENCE).name) == ("o-1", "Lessons")


def test_the_clients_of_a_viam_client_share_one_wrapped_channel() -> None:
    clock = grpc_testing.strict_fake_time(0)
    descriptors = [*AppClient.service_descriptors(), *DataClient.service_descriptors()]
    client = ViamClient(service_channel(grpc_testing.channel(descriptors, clock), clock), {})
    assert client.app_client._channel is client.data_client._channel


def test_a_closed_client_calls_nothing_more_also_not_what_it_has_called_before(stage: Stage) -> None:
    first = stage.call(lambda app: app.list_organizations())
    stage.answer(methods.LIST_ORGANIZATIONS)
    first.result(PATIENCE)
    stage.client._channel.close()
    with pytest.raises(ClosedError):
        stage.call(lambda app: app.list_organizations()).result(PATIENCE)


def test_a_wait_ends_on_a_clock_that_stands_still() -> None:
    class Frozen:
        slept = 0.0

        def time(self) -> float:
            return 0.0

        def sleep_for(self, duration: float) -> None:
            self.slept += duration

    clock = Frozen()
    service_channel(grpc.insecure_channel("127.0.0.1:1"), clock).sleep(1.25)
    assert clock.slept == pytest.approx(1.25)


def test_a_retry_waits_on_the_clock_of_the_channel(stage: Stage) -> None:
    started = stage.clock.time()
    result = stage.call(lambda app: app.get_robot("r-1"))
    for pushback in ("2000", "3500"):
        stage.fail(methods.GET_ROBOT, grpc.StatusCode.UNAVAILABLE, (("grpc-retry-pushback-ms", pushback),))
    stage.answer(methods.GET_ROBOT, pb.GetRobotResponse(robot=pb.Robot(name="rover")))
    assert result.result(PATIENCE).name == "rover"
    assert stage.clock.time() - started == pytest.approx(5.5)


def test_a_call_ends_where_its_time_is_over_on_that_clock(stage: Stage) -> None:
    result = stage.call(lambda app: app.get_robot("r-1", timeout=10))
    stage.fail(methods.GET_ROBOT, grpc.StatusCode.UNAVAILABLE, (("grpc-retry-pushback-ms", "9000"),))
    stage.fail(methods.GET_ROBOT, grpc.StatusCode.UNAVAILABLE, (("grpc-retry-pushback-ms", "2000"),))
    with pytest.raises(UnavailableError) as raised:
        result.result(PATIENCE)
    assert (raised.value.attempts, raised.value.retry_after) == (2, 2.0)


def test_a_create_that_may_have_happened_is_ambiguous_there_too(stage: Stage) -> None:
    result = stage.call(lambda app: app.create_location("o-1", "attic"))
    stage.fail(methods.CREATE_LOCATION, grpc.StatusCode.UNAVAILABLE)
    with pytest.raises(AmbiguousResultError, match="with list_locations for example"):
        result.result(PATIENCE)


@pytest.mark.parametrize("stage", [DataClient], indirect=True)
def test_an_upload_goes_through_it(stage: Stage) -> None:
    result = stage.call(lambda data: data.file_upload("p-1", b"contents", file_name="a.txt"))
    _, rpc = stage.take("stream_unary", methods.FILE_UPLOAD)
    rpc.send_initial_metadata(())
    taken = [rpc.take_request(), rpc.take_request()]
    rpc.requests_closed()
    rpc.terminate(sync_pb.FileUploadResponse(file_id="f-1"), (), grpc.StatusCode.OK, "")
    assert result.result(PATIENCE) == "f-1"
    assert (taken[0].metadata.file_name, taken[1].file_contents.data) == ("a.txt", b"contents")


@pytest.mark.parametrize("stage", [DataClient], indirect=True)
def test_a_stream_comes_through_it(stage: Stage) -> None:
    result = stage.call(lambda data: data.export_tabular_data("p-1", "air", "sensor", "Readings"))
    _, _, rpc = stage.take("unary_stream", methods.EXPORT_TABULAR_DATA)
    rpc.send_initial_metadata(())
    for name in ("air", "soil"):
        rpc.send_response(data_pb.ExportTabularDataResponse(resource_name=name))
    rpc.terminate((), grpc.StatusCode.OK, "")
    assert [point.resource_name for point in result.result(PATIENCE)] == ["air", "soil"]


class Tail:
    """The tail of a log, as the service sees it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.rpc: Any = None

    def begin(self) -> None:
        _, _, self.rpc = self.stage.take("unary_stream", methods.TAIL_ROBOT_PART_LOGS)
        self.rpc.send_initial_metadata(())

    def send(self, text: str) -> None:
        self.rpc.send_response(pb.TailRobotPartLogsResponse(logs=[common_pb.LogEntry(message=text, level="error")]))

    def lose(self, status: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE, *trailing: Tuple[str, str]) -> None:
        self.rpc.terminate(trailing, status, "recvmsg:Connection reset by peer")


def stored(stage: Stage) -> None:
    """Answer the question for what was logged meanwhile: nothing was."""
    stage.answer(methods.GET_ROBOT_PART_LOGS)


def messages(entries: Any) -> Any:
    return [entry.message for entry in entries]


def test_a_tail_that_is_lost_is_resumed_after_the_pushback_of_the_service(stage: Stage) -> None:
    tail = Tail(stage)
    stream = stage.call(lambda app: app.tail_robot_part_logs("p-1")).result(PATIENCE)
    tail.begin()
    tail.send("first")
    assert messages(stage.call(lambda app: next(stream)).result(PATIENCE)) == ["first"]
    lost_at = stage.clock.time()
    second = stage.call(lambda app: next(stream))
    tail.lose(grpc.StatusCode.RESOURCE_EXHAUSTED, ("grpc-retry-pushback-ms", "7000"))
    tail.begin()
    assert stage.clock.time() - lost_at == pytest.approx(7.0)
    stored(stage)
    tail.send("second")
    stored(stage)
    assert messages(second.result(PATIENCE)) == ["second"]
    stream.close()


def test_a_tail_gives_up_after_as_many_connections_in_a_row_as_the_channel_says(stage: Stage) -> None:
    stage.client._channel.max_reconnect_attempts = 2
    tail = Tail(stage)
    stream = stage.call(lambda app: app.tail_robot_part_logs("p-1")).result(PATIENCE)
    result = stage.call(lambda app: next(stream))
    for number in range(3):
        tail.begin()
        if number:
            stored(stage)
        tail.lose()
    with pytest.raises(UnavailableError):
        result.result(PATIENCE)
    # A tail that has failed for good fails again, and sends nothing.
    with pytest.raises(UnavailableError):
        stage.call(lambda app: next(stream)).result(PATIENCE)


def test_a_tail_is_resumed_however_often_it_is_lost_if_entries_come_in_between(stage: Stage) -> None:
    tail = Tail(stage)
    stream = stage.call(lambda app: app.tail_robot_part_logs("p-1")).result(PATIENCE)
    for number in range(120):
        entries = stage.call(lambda app: next(stream))
        tail.begin()
        if number:
            stored(stage)
        tail.send(f"entry {number}")
        if number:
            stored(stage)
        assert messages(entries.result(PATIENCE)) == [f"entry {number}"]
        tail.lose()
    stream.close()


def test_a_connection_that_lasted_is_not_counted_among_the_lost_ones(stage: Stage) -> None:
    stage.client._channel.max_reconnect_attempts = 1
    tail = Tail(stage)
    stream = stage.call(lambda app: app.tail_robot_part_logs("p-1")).result(PATIENCE)
    result = stage.call(lambda app: next(stream))
    for number in range(4):
        tail.begin()
        if number:
            stored(stage)
        stage.clock.sleep_for(31)
        tail.lose()
    tail.begin()
    stored(stage)
    tail.send("at last")
    stored(stage)
    assert messages(result.result(PATIENCE)) == ["at last"]
    stream.close()
