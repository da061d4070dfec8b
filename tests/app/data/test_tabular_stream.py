"""The readings of a resource as they come: one stream, which is closed, fails or is interrupted."""

import gc
import itertools
import os
import signal
import threading
import tracemalloc
from datetime import datetime
from typing import Any, Iterator, List

import grpc
import pytest
from servers import FakeService, refuse
from waiting import until

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import ClosedError, NotFoundError, UnavailableError
from viam_sync.proto.app import data as pb
from viam_sync.rpc.dial import Channel, parse_address
from viam_sync.rpc.policies import STREAM
from viam_sync.rpc.streams import StreamItems
from viam_sync.services import methods

ARGUMENTS = ("p-1", "arm", "rdk:component:arm", "Readings")
LONG = 60


@pytest.fixture
def data(channel: Channel) -> DataClient:
    return DataClient(channel, {})


def point(number: int, text: str = "") -> bytes:
    return pb.ExportTabularDataResponse(resource_name="arm", payload={"n": number, "text": text}).SerializeToString()


def numbers(points: Any) -> List[int]:
    return [int(point.payload["n"]) for point in points]


class Unfinished:
    """A stream of some readings that goes on until the client ends it.

    Attributes:
        gone: Set when it has.
    """

    def __init__(self, count: int) -> None:
        self.gone = threading.Event()
        self._count = count

    def __call__(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(self.gone.set)
        yield from map(point, range(self._count))
        self.gone.wait(LONG)


def test_a_reading_is_there_before_the_next_one_is_sent(server: FakeService, data: DataClient) -> None:
    taken = threading.Semaphore(0)

    def send(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        for number in range(5):
            yield point(number)
            assert taken.acquire(timeout=LONG)

    server.stream["ExportTabularData"] = send
    seen = []
    for each in data.iter_export_tabular_data(*ARGUMENTS):
        assert isinstance(each, DataClient.TabularDataPoint)
        seen.append(each.payload["n"])
        taken.release()
    assert seen == [0, 1, 2, 3, 4]


def test_all_arguments_are_sent_with_the_first_reading_that_is_asked_for(server: FakeService, data: DataClient) -> None:
    server.stream["ExportTabularData"] = lambda request, context: iter([point(1)])
    start, end = datetime(2024, 5, 6), datetime(2024, 5, 7)
    points = data.iter_export_tabular_data(*ARGUMENTS, start, end, {"fast": True}, timeout=500)
    assert server.calls == []
    assert numbers(points) == [1]
    (call,) = server.calls
    assert call.seconds is not None
    assert 400 < call.seconds < 501
    assert pb.ExportTabularDataRequest.FromString(call.requests[0]) == pb.ExportTabularDataRequest(
        part_id="p-1",
        resource_name="arm",
        resource_subtype="rdk:component:arm",
        method_name="Readings",
        interval=pb.CaptureInterval(start=start, end=end),
        additional_parameters={"fast": True},
    )


def test_a_list_of_the_readings_is_the_same(client: ViamClient) -> None:
    data = client.data_client
    (row,), _, _ = data.tabular_data_by_filter(limit=1)
    air = (row.metadata.part_id, "air", "rdk:component:sensor", "Readings")
    with data.iter_export_tabular_data(*air) as points:
        listed = list(points)
    assert len(listed) == 1008
    assert listed == data.export_tabular_data(*air)


def test_closing_ends_the_call(server: FakeService, data: DataClient) -> None:
    server.stream["ExportTabularData"] = unfinished = Unfinished(3)
    with data.iter_export_tabular_data(*ARGUMENTS) as points:
        assert next(points).payload["n"] == 0
    assert unfinished.gone.wait(LONG)
    assert list(points) == []
    points.close()


def test_closing_before_the_first_reading_sends_nothing(server: FakeService, data: DataClient) -> None:
    points = data.iter_export_tabular_data(*ARGUMENTS)
    points.close()
    assert list(points) == []
    assert server.calls == []


def test_closing_in_another_thread_ends_the_wait_for_a_reading(server: FakeService, data: DataClient) -> None:
    server.stream["ExportTabularData"] = unfinished = Unfinished(1)
    points = data.iter_export_tabular_data(*ARGUMENTS)
    seen: List[Any] = []
    came = threading.Event()

    def read() -> None:
        for each in points:
            seen.append(each)
            came.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert came.wait(LONG)
    points.close()
    reader.join(LONG)
    assert numbers(seen) == [0]
    assert unfinished.gone.wait(LONG)


def test_an_iterator_that_is_dropped_ends_the_call(server: FakeService, data: DataClient) -> None:
    server.stream["ExportTabularData"] = unfinished = Unfinished(1)
    # Its watchdog ends by itself after the idle limit.
    method = methods.EXPORT_TABULAR_DATA._replace(policy=STREAM._replace(idle_timeout=1))
    points = StreamItems(lambda: data._unary_stream(method, pb.ExportTabularDataRequest(), None), str, str)
    next(points)
    del points
    gc.collect()
    assert unfinished.gone.wait(LONG)
    until(lambda: not any(thread.name == "viam-sync watchdog" for thread in threading.enumerate()))


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal")
def test_ctrl_c_ends_the_call(server: FakeService, data: DataClient) -> None:
    unfinished = Unfinished(0)

    def send(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield point(0)
        os.kill(os.getpid(), signal.SIGINT)
        yield from unfinished(request, context)

    server.stream["ExportTabularData"] = send
    points = data.iter_export_tabular_data(*ARGUMENTS)
    with pytest.raises(KeyboardInterrupt):
        list(points)
    assert unfinished.gone.wait(LONG)
    assert list(points) == []


def test_a_stream_that_fails_before_the_first_reading_is_asked_for_again(server: FakeService, data: DataClient) -> None:
    attempts = itertools.count()

    def send(request: bytes, context: grpc.ServicerContext) -> Any:
        busy = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
        return busy(request, context) if next(attempts) < 2 else iter(map(point, range(3)))

    server.stream["ExportTabularData"] = send
    assert numbers(data.iter_export_tabular_data(*ARGUMENTS)) == [0, 1, 2]
    assert len(server.calls) == 3


def test_a_stream_that_fails_later_is_an_error_after_its_readings_and_none_comes_twice(
    server: FakeService, data: DataClient
) -> None:
    def send(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield from map(point, range(3))
        context.abort(grpc.StatusCode.UNAVAILABLE, "busy")

    server.stream["ExportTabularData"] = send
    points = data.iter_export_tabular_data(*ARGUMENTS)
    assert numbers(next(points) for _ in range(3)) == [0, 1, 2]
    with pytest.raises(UnavailableError, match="busy"):
        next(points)
    assert list(points) == []
    assert len(server.calls) == 1


def test_a_part_that_is_not_there_is_an_error_at_the_first_reading(client: ViamClient) -> None:
    points = client.data_client.iter_export_tabular_data("00000000-0000-4000-8000-000000000000", *ARGUMENTS[1:])
    with pytest.raises(NotFoundError):
        next(points)


def test_a_closed_client_says_so(server: FakeService) -> None:
    with Channel(parse_address(server.url), max_reconnect_attempts=0) as opened:
        points = DataClient(opened, {}).iter_export_tabular_data(*ARGUMENTS)
    with pytest.raises(ClosedError):
        next(points)


@pytest.mark.parametrize("name", ["part_id", "resource_name", "start_time", "end_time", "additional_params", "timeout"])
def test_an_argument_that_does_not_fit_is_named_and_nothing_is_sent(
    server: FakeService, data: DataClient, name: str
) -> None:
    arguments: Any = dict(zip(("part_id", "resource_name", "resource_api", "method_name"), ARGUMENTS))
    with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
        data.iter_export_tabular_data(**{**arguments, name: object()})
    assert server.calls == []


def test_memory_does_not_grow_with_the_readings(server: FakeService, data: DataClient) -> None:
    def peak(count: int) -> int:
        server.stream["ExportTabularData"] = lambda request, context: (point(n, "x" * 5000) for n in range(count))
        tracemalloc.start()
        assert sum(1 for _ in data.iter_export_tabular_data(*ARGUMENTS)) == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(3000) < peak(300) * 2
