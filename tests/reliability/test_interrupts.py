"""Ctrl-C: it ends whatever call is under way, at once, and the client goes on working."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any, List

import grpc
import pytest
from servers import FakeService, SilentServer, connect, options, refuse
from waiting import LONG, start

from viam_sync.app.viam_client import ViamClient
from viam_sync.proto import app as pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.transfer.upload.reader import CHUNK

from .interrupts import Retried, Stuck, interrupted

INTERRUPTS = int(os.environ.get("VIAM_SYNC_INTERRUPTS", "25"))
PART = "4a3b2c1d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
ROBOT = pb.GetRobotResponse(robot=pb.Robot(id="r-1", name="rover")).SerializeToString()


@pytest.fixture
def server(server: FakeService) -> FakeService:
    server.unary["GetRobot"] = lambda request, context: ROBOT
    return server


def usable(client: ViamClient) -> bool:
    return client.app_client.get_robot("r-1").name == "rover"


@pytest.mark.parametrize("timeout", [None, LONG])
def test_it_ends_a_call(server: FakeService, timeout: Any) -> None:
    stuck = Stuck()
    server.unary["CreateLocation"] = stuck.unary
    with connect(server, timeout=LONG) as client:
        interrupted(lambda: client.app_client.create_location("o-1", "Barn", timeout=timeout), stuck.reached)
        assert usable(client)
    # Some versions of grpc tell the service only then, if the call has not reached its deadline before.
    assert stuck.left.wait(LONG)


def test_it_ends_the_wait_before_another_attempt(server: FakeService) -> None:
    waiting = Retried()
    server.unary["GetLocation"] = refuse(grpc.StatusCode.UNAVAILABLE, "busy", pushback_ms=30_000)
    with connect(server, timeout=LONG) as client, waiting:
        interrupted(lambda: client.app_client.get_location("l-1"), waiting.reached)
        assert usable(client)


@pytest.mark.parametrize("first", [(), (data_pb.ExportTabularDataResponse(part_id="a").SerializeToString(),)])
def test_it_ends_a_stream(server: FakeService, first: Any) -> None:
    stuck = Stuck(*first)
    server.stream["ExportTabularData"] = stuck.stream
    with connect(server, timeout=LONG) as client:
        data = client.data_client
        interrupted(lambda: data.export_tabular_data(PART, "air", "rdk:component:sensor", "Readings"), stuck.reached)
        assert stuck.left.wait(LONG)
        assert usable(client)


def test_it_ends_an_upload_of_which_nothing_is_stored(server: FakeService, tmp_path: Path) -> None:
    stuck = Stuck()
    server.upload["FileUpload"] = stuck.upload
    path = tmp_path / "map.pcd"
    path.write_bytes(bytes(64 * CHUNK))
    with connect(server, timeout=LONG) as client:
        interrupted(lambda: client.data_client.file_upload_from_path(path, PART), stuck.reached)
        assert stuck.left.wait(LONG)
        assert usable(client)
    messages = [datasync_pb.FileUploadRequest.FromString(each) for each in server.named("FileUpload")[0].requests]
    assert len(messages) < 1 + 64


def test_it_ends_the_wait_for_an_entry_of_a_log(server: FakeService) -> None:
    stuck = Stuck()
    server.stream["TailRobotPartLogs"] = stuck.stream
    with connect(server, timeout=LONG) as client:
        with client.app_client.tail_robot_part_logs(PART) as stream:
            interrupted(stream.next, stuck.reached)
        assert stuck.left.wait(LONG)
        assert usable(client)


def test_it_ends_connecting() -> None:
    with SilentServer() as silent:
        address = f"http://{silent.address}"
        interrupted(lambda: ViamClient.create_from_dial_options(options(timeout=LONG), address), silent.reached)


@pytest.mark.parametrize("call", ["upload", "stream"])
def test_it_leaves_nothing_stuck_whenever_it_comes(call: str) -> None:
    command = [sys.executable, str(Path(__file__).with_name("interrupted.py")), call, str(INTERRUPTS)]
    path = os.pathsep.join(["tests", *sys.path])
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False, timeout=10 * LONG
    )
    assert (done.returncode, done.stdout) == (0, f"{INTERRUPTS}\n"), done.stderr


def test_amid_a_step_of_grpc_it_leaves_no_connection_whose_lock_is_taken(server: FakeService) -> None:
    raised: List[str] = []

    def interrupt(frame: FrameType, event: str, arg: Any) -> None:
        # Here grpc gives back the lock of its channel, after it has begun a call.
        if frame.f_code is threading.Condition.__exit__.__code__ and not raised:
            raised.append(event)
            raise KeyboardInterrupt

    with connect(server) as client:
        assert usable(client)
        sys.settrace(interrupt)
        try:
            with pytest.raises(KeyboardInterrupt):
                usable(client)
        finally:
            sys.settrace(None)
        found: List[bool] = []
        [thread] = start(lambda: found.append(usable(client)))
        thread.join(LONG)
        assert found == [True]
