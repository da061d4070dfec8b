"""A program whose clock is stopped, as the tests of its users do: calls work, and their limits of time hold."""

import importlib.util
import os
import threading
from pathlib import Path
from typing import Dict, Iterator

import grpc
import pytest
from servers import KEY_ID, FakeService, refuse
from waiting import LONG

from .kinds import RESULTS
from .processes import environment, run, sandbox_process

#: Seconds after which a program that does not end is killed.
HANGS = 60.0

#: A context in which the clock stands; the arguments of a program say how, and where.
STOPPED = """
import contextlib, sys
from viam_sync import ViamClient, Retry

def stopped(tool, moment):
    if tool == "freezegun":
        import freezegun
        return freezegun.freeze_time(moment)
    if tool == "freezegun, grpc ignored":
        import freezegun
        return freezegun.freeze_time(moment, ignore=["grpc"])
    if tool == "freezegun, ticking":
        import freezegun
        return freezegun.freeze_time(moment, tick=True)
    import time_machine
    return time_machine.travel(moment, tick=False)

frozen = stopped(sys.argv[1], sys.argv[2])
"""

TOOLS = ["freezegun", "freezegun, grpc ignored", "freezegun, ticking", "time_machine"]
PAST, FUTURE = "2020-02-02", "2039-09-09"

with_each_tool = pytest.mark.parametrize(
    "tool",
    [
        pytest.param(
            tool, marks=pytest.mark.skipif(importlib.util.find_spec(name) is None, reason=f"{name} is missing")
        )
        for tool in TOOLS
        for name in [tool.partition(",")[0]]
    ],
)
at_each_moment = pytest.mark.parametrize("moment", [PAST, FUTURE])


@pytest.fixture(scope="module")
def environ() -> Iterator[Dict[str, str]]:
    with sandbox_process() as variables:
        yield {**environment(), **variables}


@pytest.fixture
def held() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


CALLS = """
from reliability.kinds import calls
with frozen:
    with ViamClient.create_from_env_vars() as client:
        for name, call in calls(client).items():
            print(name, call(), sep=": ")
"""


@with_each_tool
@at_each_moment
def test_every_kind_of_call_works_while_the_clock_stands(environ: Dict[str, str], tool: str, moment: str) -> None:
    found = run(STOPPED + CALLS, tool, moment, env=environ, seconds=HANGS)
    assert found == [f"{name}: {result}" for name, result in RESULTS.items()]


LIMITS = """
from viam_sync import GRPCError

def act(client, call):
    try:
        print(call(client))
    except GRPCError as error:
        print(type(error).__name__)

with frozen:
    with ViamClient.create_from_env_vars() as client:
        app = client.app_client
        act(client, lambda client: app.get_robot("r-1", timeout=0.2))
        act(client, lambda client: app.options(timeout=0.2).get_robot("r-1"))
        act(client, lambda client: next(app.tail_robot_part_logs("p-1", timeout=0.2)))
        act(client, lambda client: client.data_client.file_upload("p-1", b"contents", timeout=0.2))
        act(client, lambda client: next(client.data_client.iter_tabular_data(timeout=0.2)))
        act(client, lambda client: next(client.data_client.iter_tabular_data(timeout=0.2, prefetch=False)))
        busy = app.options(retry=Retry(attempts=9, total_timeout=1))
        act(client, lambda client: busy.list_organizations())
"""


@with_each_tool
@at_each_moment
def test_every_limit_of_time_holds_while_the_clock_stands(
    server: FakeService, held: threading.Event, tool: str, moment: str
) -> None:
    def hold(request: object, context: grpc.ServicerContext) -> bytes:
        held.wait(LONG)
        return b""

    def stream(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield hold(request, context)

    server.unary.update(
        GetRobot=hold,
        TabularDataByFilter=hold,
        ListOrganizations=refuse(grpc.StatusCode.UNAVAILABLE, "busy", pushback_ms=400),
    )
    server.stream["TailRobotPartLogs"] = stream
    server.upload["FileUpload"] = hold
    keys = {"VIAM_APP_URL": server.url, "VIAM_API_KEY": "secret", "VIAM_API_KEY_ID": KEY_ID}
    found = run(STOPPED + LIMITS, tool, moment, env=environment(**keys), seconds=HANGS)
    held.set()
    late = "DeadlineExceededError"
    assert found == [late, late, late, "AmbiguousResultError", late, late, "UnavailableError"]


SANDBOX = """
from reliability.kinds import calls
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.core.call_errors import CallError
from viam_sync.sandbox.queries.engine import Engine
from viam_sync.sandbox.queries.protocol import Readings

with Sandbox() as sandbox:
    with frozen:
        with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
            for name, call in calls(client).items():
                print(name, call(), sep=": ")
with frozen:
    try:
        Engine("sql", "duckdb", timeout=0.01).run("select 1", lambda known: ((), Readings([], [])))
    except CallError as error:
        print(error)
    try:
        with Sandbox():
            print("A sandbox runs.")
    except RuntimeError as error:
        print(error)
"""


@with_each_tool
@at_each_moment
def test_a_sandbox_goes_on_when_the_clock_of_its_program_is_stopped(tool: str, moment: str) -> None:
    *found, query, start = run(STOPPED + SANDBOX, tool, moment, env=environment(), seconds=HANGS)
    assert found == [f"{name}: {result}" for name, result in RESULTS.items()]
    assert "The query took longer than 0.01 seconds" in query
    future = "The clock of this program was set to the future, so the server of gRPC would take years to start."
    starts_late = moment == FUTURE and tool != "freezegun, grpc ignored"
    assert start.startswith(future if starts_late else "A sandbox runs.")


UNTOLD = """
import io, mmap, pathlib
from viam_sync.transfer.upload.snapshot import Snapshot
path = pathlib.Path(sys.argv[3])
path.write_bytes(b"old contents")
with frozen, path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
    memory[:3] = b"odd"  # from here on, the system takes note of no time
    with io.FileIO(path) as opened:
        snapshot = Snapshot.of(opened)
        snapshot.add(opened.readall())
        memory[:3] = b"new"
        print(snapshot.is_current())
"""


@pytest.mark.skipif(not hasattr(os, "pread"), reason="Windows cannot read a second time")
@with_each_tool
@at_each_moment
def test_a_change_of_a_file_is_found_while_the_clock_stands(tmp_path: Path, tool: str, moment: str) -> None:
    script = STOPPED + UNTOLD
    assert run(script, tool, moment, str(tmp_path / "file"), env=environment(), seconds=HANGS) == ["False"]
