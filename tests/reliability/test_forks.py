"""Forked processes: each child has a connection of its own, and disturbs nobody's."""

import os
import re
import threading
from typing import List, Set

import grpc
import pytest
from servers import KEY_ID, FakeService
from waiting import LONG

from viam_sync.proto import app as pb
from viam_sync.sandbox import Sandbox

from .processes import environment, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")

ROBOT = pb.GetRobotResponse(robot=pb.Robot(id="r-1", name="rover")).SerializeToString()

HEAD = """
import os, sys, threading, warnings
from reliability.processes import in_child
from viam_sync import ViamClient

client = ViamClient.create_from_env_vars()
app = client.app_client

def name():
    return app.list_organizations()[0].name
"""

BY_THREADS = """
threads = [threading.Thread(target=lambda: [name() for _ in range(10)]) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_of_200_idle_forks_none_fails(sandbox: Sandbox) -> None:
    script = f"{HEAD}{BY_THREADS}print([in_child(name) for _ in range(200)])"
    assert run(script, env=environment(sandbox)) == [str(["Lesson Robotics"] * 200)]


@pytest.mark.parametrize("before", ["", "name()", BY_THREADS], ids=["not at all", "by one thread", "by many threads"])
@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
def test_a_child_makes_calls_however_the_parent_used_the_client(sandbox: Sandbox, before: str, leave: str) -> None:
    script = f"{HEAD}{before}\nprint(*[in_child(name, {leave}) for _ in range(5)], name(), sep='\\n')"
    assert run(script, env=environment(sandbox)) == ["Lesson Robotics"] * 6


def test_grpcs_own_support_for_forks_does_no_harm(sandbox: Sandbox) -> None:
    script = f"{HEAD}{BY_THREADS}print(*[in_child(name) for _ in range(10)], name(), sep='\\n')"
    assert run(script, env=environment(sandbox, GRPC_ENABLE_FORK_SUPPORT="1")) == ["Lesson Robotics"] * 11


def test_many_threads_of_a_child_share_its_connection(sandbox: Sandbox) -> None:
    script = f"{HEAD}\ndef many():\n    {BY_THREADS.strip().replace(chr(10), chr(10) + '    ')}\n    return name()\n"
    assert run(f"{script}\nprint(in_child(many))", env=environment(sandbox)) == ["Lesson Robotics"]


def test_a_grandchild_makes_calls_too(sandbox: Sandbox) -> None:
    script = f"{HEAD}print(in_child(lambda: [name(), in_child(name), name()]))"
    assert run(script, env=environment(sandbox)) == [str(["Lesson Robotics"] * 3)]


def test_other_clients_that_were_taken_before_the_fork_work_too(sandbox: Sandbox) -> None:
    script = f"""{HEAD}
data, billing = client.data_client, client.billing_client
organization = app.list_organizations()[0].id

def use():
    datasets = data.list_datasets_by_organization_id(organization)
    return len(datasets), client.data_client is data, client.ml_training_client.list_training_jobs(organization)

print(in_child(use))
"""
    assert run(script, env=environment(sandbox)) == ["(1, True, [])"]


def peers(server: FakeService) -> List[str]:
    """Return a list that gets the connection of each call as it comes."""
    found: List[str] = []

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        found.append(context.peer())
        return ROBOT

    server.unary["GetRobot"] = answer
    return found


def keys(server: FakeService) -> "dict[str, str]":
    return environment(VIAM_API_KEY="key", VIAM_API_KEY_ID=KEY_ID, VIAM_APP_URL=server.url)


ROVER = HEAD + "\ndef rover():\n    return app.get_robot('r-1').name\n"


@pytest.mark.parametrize("leave", ["os._exit", "sys.exit"])
@pytest.mark.parametrize("end", ["pass", "client.close()"])
def test_a_child_leaves_the_connection_of_its_parent_alone(server: FakeService, leave: str, end: str) -> None:
    found = peers(server)
    script = f"""{ROVER}
def use():
    said = rover()
    {end}
    return said

print(rover(), in_child(use, {leave}), rover())
"""
    assert run(script, env=keys(server)) == ["rover rover rover"]
    parent, child, parent_again = found
    assert parent == parent_again
    assert child != parent


def test_a_child_that_never_uses_the_client_leaves_its_parent_alone(server: FakeService) -> None:
    found = peers(server)
    assert run(f"{ROVER}print(rover(), in_child(int, sys.exit), rover())", env=keys(server)) == ["rover 0 rover"]
    assert found[0] == found[1]


def test_a_child_keeps_the_token_and_gets_a_new_one_when_it_is_refused(server: FakeService) -> None:
    refused: Set[str] = set()

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        if dict(context.invocation_metadata())["authorization"] in refused:
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
        return ROBOT

    def expire(request: bytes, context: grpc.ServicerContext) -> bytes:
        refused.add(dict(context.invocation_metadata())["authorization"])
        return b""

    server.unary["GetRobot"] = answer
    server.unary["DeleteRobot"] = expire
    script = f"{ROVER}print(in_child(rover), in_child(lambda: (app.delete_robot('x'), rover())), rover())"
    assert run(script, env=keys(server)) == ["rover (None, 'rover') rover"]
    # One of the parent at its start, one of the child that it expired for, and one of the parent after that.
    assert server.tokens == 3


def test_a_lock_that_another_thread_held_does_not_stop_a_child(sandbox: Sandbox) -> None:
    script = f"""{HEAD}
from viam_sync.messages import pool
from viam_sync.rpc.metadata import headers_of

held, release = threading.Event(), threading.Event()
token, channel, link = app._metadata, app._channel, client._link

def hold(seconds):
    with token._together._lock, channel.connection._lock, link._together._lock:
        held.set()
        release.wait()

def build():
    while not release.is_set():
        with pool._lock:
            release.wait(0.001)

threads = [threading.Thread(target=token._together.do, args=(hold, None)), threading.Thread(target=build)]
for thread in threads:
    thread.start()
held.wait()

def use():
    token.refresh(headers_of(token)[0])
    return name()

print(*[in_child(use) for _ in range(5)], sep="\\n")
release.set()
for thread in threads:
    thread.join()
"""
    assert run(script, env=environment(sandbox)) == ["Lesson Robotics"] * 5


def test_a_client_that_was_closed_before_the_fork_stays_so(sandbox: Sandbox) -> None:
    lines = run(f"{HEAD}client.close()\nprint(in_child(name))", env=environment(sandbox))
    assert lines == ["ClosedError('The client is closed; make a new one to call again.')"]


def test_a_fork_right_after_closing_does_no_harm(sandbox: Sandbox) -> None:
    script = f"""{HEAD}
for _ in range(20):
    client.close()
    print(in_child(int, sys.exit), flush=True)
    client = ViamClient.create_from_env_vars()
    app = client.app_client
print(name())
"""
    assert run(script, env=environment(sandbox)) == ["0"] * 20 + ["Lesson Robotics"]


CAUGHT = """
def forks(times):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(times):
            in_child(int)
    return [f"{each.category.__name__}: {each.message}" for each in caught if each.category is RuntimeWarning]
"""


def test_a_fork_amid_a_call_warns_once(server: FakeService) -> None:
    came, enough = threading.Event(), threading.Event()

    def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
        came.set()
        enough.wait(LONG)
        return ROBOT

    def answer_when_it_came(request: bytes, context: grpc.ServicerContext) -> bytes:
        assert came.wait(LONG)
        return b""

    def end(request: bytes, context: grpc.ServicerContext) -> bytes:
        enough.set()
        return b""

    server.unary["GetRobot"] = wait
    server.unary["GetLocation"] = answer_when_it_came
    server.unary["DeleteRobot"] = end
    script = f"""{ROVER}{CAUGHT}
print(forks(1))
thread = threading.Thread(target=rover)
thread.start()
app.get_location("l-1")
print(*forks(3))
app.delete_robot("x")
thread.join()
print(forks(1))
"""
    idle, amid, again = run(script, env=keys(server))
    assert (idle, again) == ("[]", "[]")
    expected = r"RuntimeWarning: this process forks with 1 call of viam_sync under way: .*Fork when none .*spawn"
    assert re.match(expected, amid)
    assert amid.count("RuntimeWarning") == 1


OPEN = """
robot = app.list_robots(app.list_locations(app.list_organizations()[0].id)[0].id)[0]
part = app.get_robot_parts(robot.id)[0]
tail = app.tail_robot_part_logs(part.id)
"""


def test_a_fork_while_a_stream_is_open_warns_once(sandbox: Sandbox) -> None:
    assert run(f"{HEAD}{CAUGHT}{OPEN}print(len(forks(2)))\ntail.close()", env=environment(sandbox)) == ["1"]


def test_a_fork_after_a_stream_was_closed_does_not_warn(sandbox: Sandbox) -> None:
    # The call is over a moment after it was cancelled.
    script = f"""{HEAD}{CAUGHT}{OPEN}
from viam_sync.rpc.policies import Lane
from waiting import until
calls = app._channel.lanes[Lane.TAILS]._calls.alive()
tail.close()
until(lambda: not any(call.is_active() for call in calls))
print(len(calls), len(forks(1)))
"""
    assert run(script, env=environment(sandbox)) == ["1 0"]
