"""Calls over a line that is cut, goes silent, or forgets connections, and over a connection that is full."""

import logging
import threading
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import grpc
import pytest
from servers import FakeService, connect
from waiting import ended, start, until

from viam_sync.app.app_client import AppClient
from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.clock import now
from viam_sync.errors import DeadlineExceededError, UnavailableError
from viam_sync.proto import app as pb
from viam_sync.rpc.auth import Token
from viam_sync.rpc.channel import ServiceChannel
from viam_sync.rpc.connection import Place
from viam_sync.rpc.dial import Channel, ConnectionTimes, Credentials, dial, parse_address
from viam_sync.rpc.policies import Lane
from viam_sync.sandbox import Sandbox

from .forwarder import Forwarder

#: Seconds that the service is away; longer than any single wait of grpc or of ours.
AWAY = 4
#: Times that are short, so that a test need not wait for those that hold in practice.
SHORT = ConnectionTimes(keepalive=1, ping_timeout=0.5, idle=1, connecting=2, backoff=0.5)
NOW = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
ROBOT = pb.GetRobotResponse(robot=pb.Robot(name="rover")).SerializeToString()


@pytest.fixture
def line(sandbox: Sandbox) -> Iterator[Forwarder]:
    """A line to the sandbox."""
    with Forwarder(int(sandbox.address.rpartition(":")[2])) as forwarder:
        yield forwarder


@contextmanager
def through(line: Forwarder, sandbox: Sandbox) -> Iterator[ViamClient]:
    """Connect to a sandbox over a line."""
    options = sandbox.dial_options()
    with ViamClient.create_from_dial_options(options, f"http://{line.address}") as client:
        client.app_client.list_organizations()
        yield client


@contextmanager
def with_short_times(line: Forwarder, sandbox: Sandbox, times: ConnectionTimes = SHORT) -> Iterator[AppClient]:
    """Connect to a sandbox over a line, with short times."""
    with Channel(parse_address(f"http://{line.address}"), max_reconnect_attempts=3, times=times) as channel:
        token = Token(channel, sandbox.api_key_id, Credentials("api-key", sandbox.api_key))
        token.refresh()
        yield AppClient(channel, token)


def calls_of(client: ViamClient, sandbox: Sandbox, folder: Path) -> Dict[str, Callable[[], Any]]:
    """Return a call of each kind, by its kind."""
    data, app = client.data_client, client.app_client
    picture = folder / "picture.jpg"
    picture.write_bytes(b"picture")
    readings = {"component_type": "sensor", "component_name": "s", "method_name": "Readings"}
    part = sandbox.robot_part_id
    return {
        "read": app.list_organizations,
        "create": lambda: app.create_location(sandbox.organization_id, "Orchard"),
        "upload of bytes": lambda: data.file_upload(part, b"data", file_name="a", component_name="upload"),
        "upload of a file": lambda: data.file_upload_from_path(str(picture), part),
        "upload of readings": lambda: data.tabular_data_capture_upload(
            part_id=part, **readings, tabular_data=[{"t": 1}], data_request_times=[(NOW, NOW)]
        ),
        "stream": lambda: data.export_tabular_data(part, "greenhouse", "rdk:component:sensor", "Readings"),
        "query": lambda: data.tabular_data_by_sql(sandbox.organization_id, "select * from readings limit 1"),
        "export": lambda: data.export_binary_data(None, folder / "out"),
    }


def test_calls_of_all_kinds_survive_an_outage_and_each_is_made_once(
    sandbox: Sandbox, line: Forwarder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    failures: List[Any] = []
    with through(line, sandbox) as client, caplog.at_level(logging.WARNING, logger="viam_sync"):
        calls = calls_of(client, sandbox, tmp_path)

        def survive(kind: str) -> None:
            try:
                calls[kind]()
            except Exception as error:
                failures.append((kind, error))

        line.shut()
        threads = [thread for kind in calls for thread in start(lambda kind=kind: survive(kind))]
        threading.Timer(AWAY, line.open).start()
        assert ended(threads)
        assert failures == []
        names = [location.name for location in client.app_client.list_locations(sandbox.organization_id)]
        assert names.count("Orchard") == 1
    # A call whose last wait began after less than 3 seconds says nothing.
    assert [text for text in caplog.messages if "the service has been away for" in text]


def test_a_tail_survives_an_outage_without_missing_an_entry(sandbox: Sandbox, line: Forwarder) -> None:
    part = sandbox.robot_part_id
    with through(line, sandbox) as client, client.app_client.tail_robot_part_logs(part, errors_only=False) as stream:
        sandbox.wait_for_tail(part)
        sandbox.log(part, "before")
        assert [entry.message for entry in next(stream)] == ["before"]
        line.shut()
        sandbox.log(part, "meanwhile")
        threading.Timer(AWAY, line.open).start()
        assert [entry.message for entry in next(stream)] == ["meanwhile"]


def test_a_tail_ends_after_its_timeout_in_an_outage_too(sandbox: Sandbox, line: Forwarder) -> None:
    with through(line, sandbox) as client:
        seconds = 1.5
        stream = client.app_client.tail_robot_part_logs(sandbox.robot_part_id, timeout=seconds)
        line.shut()
        began = now()
        with pytest.raises((UnavailableError, DeadlineExceededError)):
            next(stream)
        assert now() < began + 10 * seconds


def test_a_client_that_connects_for_the_first_time_fails_at_once(sandbox: Sandbox, line: Forwarder) -> None:
    line.shut()
    with pytest.raises(UnavailableError, match=r"Nothing|refused|reach") as raised:
        dial(f"http://{line.address}", sandbox.dial_options())
    assert raised.value.attempts == 3


def test_a_service_that_comes_back_is_found_within_seconds(sandbox: Sandbox, line: Forwarder) -> None:
    with through(line, sandbox) as client:
        line.shut()
        threading.Timer(3 * AWAY, line.open).start()
        with pytest.raises(UnavailableError):
            client.options(timeout=3 * AWAY - 1).app_client.list_organizations()
        until(lambda: line.is_open)
        # The longest pause of grpc between two attempts is 2 seconds.
        assert client.options(timeout=4).app_client.list_organizations()


def test_a_read_on_a_connection_that_went_silent_is_made_again_on_another(sandbox: Sandbox, line: Forwarder) -> None:
    with with_short_times(line, sandbox) as app:
        line.forget()
        assert app.list_organizations(timeout=15)
        assert line.accepted == 2


def test_a_tail_whose_connection_went_silent_goes_on_with_another(sandbox: Sandbox, line: Forwarder) -> None:
    part = sandbox.robot_part_id
    with with_short_times(line, sandbox) as app, app.tail_robot_part_logs(part, errors_only=False) as stream:
        sandbox.wait_for_tail(part)
        sandbox.log(part, "before")
        assert [entry.message for entry in next(stream)] == ["before"]
        accepted = line.accepted
        line.forget()
        sandbox.log(part, "meanwhile")
        assert [entry.message for entry in next(stream)] == ["meanwhile"]
        assert line.accepted > accepted


def test_a_connection_that_was_idle_is_not_used_after_a_nat_may_have_forgotten_it(
    sandbox: Sandbox, line: Forwarder
) -> None:
    with with_short_times(line, sandbox) as app:
        channel, data = app._channel, DataClient(app._channel, app._metadata)

        def upload() -> str:
            return data.file_upload(sandbox.robot_part_id, b"data", component_name="camera", timeout=15)

        upload()
        for connection, call in (
            (channel.connection, lambda: app.create_location(sandbox.organization_id, "Orchard", timeout=15)),
            (channel.lanes[Lane.UPLOADS], upload),
        ):
            states: List[grpc.ChannelConnectivity] = []
            connection.channel().subscribe(states.append)
            until(lambda states=states: states and states[-1] is grpc.ChannelConnectivity.IDLE)
            line.forget()
            accepted = line.accepted
            assert call()
            assert line.accepted == accepted + 1


def test_a_connection_is_closed_in_the_time_that_it_may_be_idle(sandbox: Sandbox, line: Forwarder) -> None:
    idle = 3.0
    with with_short_times(line, sandbox, SHORT._replace(idle=idle)) as app:
        states: List[grpc.ChannelConnectivity] = []
        app._channel.subscribe(states.append)
        # grpc counts from the first of two calls, and then once more, as there was a second one.
        for _ in range(2):
            app.list_organizations()
        end = now() + 1.5 * idle
        until(lambda: (states and states[-1] is grpc.ChannelConnectivity.IDLE) or now() > end)
        assert states[-1:] == [grpc.ChannelConnectivity.IDLE]


def test_an_upload_over_a_slow_line_is_not_given_up_for_a_ping_that_waits_behind_it(sandbox: Sandbox) -> None:
    with Forwarder(int(sandbox.address.rpartition(":")[2]), rate=1_000_000) as line, with_short_times(
        line, sandbox
    ) as app:
        data = DataClient(app._channel, app._metadata)
        assert data.file_upload(sandbox.robot_part_id, bytes(5_000_000), component_name="camera")
        readings = [{"text": "x" * 2_000_000}] * 2
        assert data.tabular_data_capture_upload(readings, sandbox.robot_part_id, "sensor", "s", "Readings")
        assert line.accepted == 2


def test_a_read_does_not_wait_for_a_download_over_a_slow_line(sandbox: Sandbox, client: ViamClient) -> None:
    size = 4_000_000
    id = client.data_client.file_upload(sandbox.robot_part_id, bytes(size), component_name="camera")
    port = int(sandbox.address.rpartition(":")[2])
    with Forwarder(port, rate=1_000_000) as line, through(line, sandbox) as far:
        contents: List[bytes] = []
        threads = start(lambda: contents.extend(each.binary for each in far.data_client.binary_data_by_ids([id])))
        until(lambda: line.carried > size // 4)
        for _ in range(5):
            far.app_client.list_organizations()
        assert contents == []
        assert ended(threads)
        assert len(contents[0]) == size


def test_a_server_that_wants_fewer_pings_is_survived() -> None:
    # grpc's own servers take more than two pings in five minutes for an attack, and end the connection.
    with FakeService() as server, Channel(parse_address(server.url), 3, ConnectionTimes(keepalive=0.1)) as channel:
        ends = threading.Event()

        def slowly(request: bytes, context: grpc.ServicerContext) -> bytes:
            if len(server.named("GetRobot")) == 1:
                context.add_callback(ends.set)
                assert ends.wait(30)
            return ROBOT

        server.unary["GetRobot"] = slowly
        assert AppClient(channel, {}).get_robot("r-1").name == "rover"
        assert len(server.named("GetRobot")) == 2


def test_calls_beyond_the_streams_of_a_connection_are_made_on_another() -> None:
    allowed = 5
    options = [("grpc.use_local_subchannel_pool", 1)]
    with FakeService(max_concurrent_streams=allowed) as server, Forwarder(server.port) as line:
        over = tails_of(server)
        with ServiceChannel(lambda: grpc.insecure_channel(line.address, options), most_calls=allowed) as channel:
            app = AppClient(channel, {})
            tails = [app.tail_robot_part_logs("p-1") for _ in range(2 * allowed)]
            until(lambda: len(server.named("TailRobotPartLogs")) == 2 * allowed)
            assert app.get_robot("r-1", timeout=20).name == "rover"
            assert line.accepted == 3
            over.set()
            for each in tails:
                each.close()


def test_tails_leave_all_other_calls_alone_however_few_streams_a_server_allows() -> None:
    with FakeService(max_concurrent_streams=2) as server, Channel(parse_address(server.url), 3) as channel:
        over = tails_of(server)
        app = AppClient(channel, {})
        tails = [app.tail_robot_part_logs("p-1") for _ in range(4)]
        until(lambda: len(server.named("TailRobotPartLogs")) == 2)
        assert app.get_robot("r-1", timeout=20).name == "rover"
        over.set()
        for each in tails:
            each.close()


def tails_of(server: FakeService) -> threading.Event:
    """Let a server have robots, and tails that last until the event."""
    over = threading.Event()

    def tail(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        assert over.wait(30)
        yield b""

    server.stream["TailRobotPartLogs"] = tail
    server.unary["GetRobot"] = lambda request, context: ROBOT
    return over


def test_the_first_connection_carries_calls_again_when_it_has_room() -> None:
    with FakeService() as server, Forwarder(server.port) as line, connect(server) as client:
        server.unary["GetRobot"] = lambda request, context: ROBOT
        connection = client.app_client._channel.connection
        places = [connection.with_room() for _ in range(100)]
        assert {place.connection for place in places} == {connection}
        assert connection.with_room().connection is not connection
        places[0].leave()
        assert connection.with_room().connection is connection
        assert line.accepted == 0


def test_threads_that_come_at_the_same_time_never_get_more_places_than_there_are() -> None:
    everyone = threading.Barrier(150)
    with FakeService() as server, connect(server) as client:
        connection = client.app_client._channel.connection
        places: List[Place] = []

        def take() -> None:
            everyone.wait()
            places.append(connection.with_room())

        assert ended(start(take, 150))
        assert len(places) == 150
        assert max(Counter(place.connection for place in places).values()) <= 100
