"""Forked processes: each child has a connection of its own, and disturbs nobody's."""

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path
from typing import List, Set

import grpc
import pytest
from servers import KEY_ID, FakeService

from viam_sync.proto import app as pb
from viam_sync.sandbox import Sandbox

from .processes import LONG, environment, run

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
    token.refresh(token["authorization"])
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
from waiting import until
calls = app._channel.connection._calls.alive()
tail.close()
until(lambda: not any(call.is_active() for call in calls))
print(len(calls), len(forks(1)))
"""
    assert run(script, env=environment(sandbox)) == ["1 0"]


WORK = """
import multiprocessing, sys
from viam_sync import ViamClient

def name(client):
    return client.app_client.list_organizations()[0].name

def organizations(number):
    return name(CLIENT)

def keep(client):
    global CLIENT
    CLIENT = client

if __name__ == "__main__":
    client = ViamClient.create_from_env_vars()
    print(name(client))
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2, keep, (client,)) as pool:
        print(*pool.map(organizations, range(6)), sep="\\n")
        print(*pool.map(name, [client] * 2), sep="\\n")
        pool.close()
        pool.join()
    process = context.Process(target=name, args=(client,))
    process.start()
    process.join()
    print(process.exitcode, name(client))
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_works_with_every_start_method(sandbox: Sandbox, tmp_path: Path, method: str) -> None:
    program = tmp_path / "work.py"
    program.write_text(WORK)
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", str(program), method],
        env=environment(sandbox),
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )
    assert done.stdout.splitlines() == ["Lesson Robotics"] * 9 + ["0 Lesson Robotics"], done.stderr


WEB = """
import os
from viam_sync import ViamClient

client = ViamClient.create_from_env_vars()
app_client = client.app_client
app_client.list_organizations()
parent = os.getpid()

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{app_client.list_organizations()[0].name} {os.getpid()} {parent}".encode()]
"""


def test_gunicorn_with_preload_serves_from_all_its_workers(sandbox: Sandbox, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    (tmp_path / "web.py").write_text(WEB)
    # Workers are replaced after some requests, so that there are forks at all times.
    options = ["--preload", "--workers=3", "--bind=127.0.0.1:0", "--max-requests=4", "--worker-tmp-dir", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *options, "web:app"],
        cwd=tmp_path,
        env=environment(sandbox),
        stderr=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stderr is not None
        log: List[str] = []
        try:
            for line in server.stderr:
                log.append(line)
                found = re.search(r"Listening at: (http://\S+)", line)
                if found:
                    break
            assert found, "".join(log)
            answers = [urllib.request.urlopen(found[1], timeout=LONG).read().decode() for _ in range(30)]
        finally:
            server.send_signal(signal.SIGTERM)
            log.append(server.communicate(timeout=LONG)[1])
    names, workers, parents = map(set, zip(*(answer.rsplit(None, 2) for answer in answers)))
    assert names == {"Lesson Robotics"}, "".join(log)
    assert len(workers) > 3
    assert len(parents) == 1
    assert not workers & parents
    assert server.returncode == 0


TASKS = """
import os, sys
from celery import Celery
from viam_sync import ViamClient

app = Celery("tasks", broker="filesystem://", backend="file://" + os.path.abspath("results"))
app.conf.broker_transport_options = {
    "data_folder_in": "queue", "data_folder_out": "queue", "control_folder": "control",
}
client = ViamClient.create_from_env_vars()
app_client = client.app_client
app_client.list_organizations()

@app.task
def organization():
    return f"{app_client.list_organizations()[0].name} {os.getpid()}"

if __name__ == "__main__":
    app.set_current()
    sent = [app.send_task("tasks.organization") for _ in range(12)]
    for each in sent:
        print(each.get(timeout=60, interval=0.05))
"""


def test_a_celery_worker_with_prefork_makes_calls(sandbox: Sandbox, tmp_path: Path) -> None:
    pytest.importorskip("celery")
    (tmp_path / "tasks.py").write_text(TASKS)
    for folder in ("queue", "control", "results"):
        (tmp_path / folder).mkdir()
    worker_options = ["--pool=prefork", "--concurrency=2", "--max-tasks-per-child=3", "--loglevel=INFO"]
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    with (tmp_path / "log").open("w+") as log, subprocess.Popen(
        [sys.executable, "-m", "celery", "-A", "tasks", "worker", *worker_options, *quiet],
        cwd=tmp_path,
        env=environment(sandbox),
        stdout=log,
        stderr=log,
    ) as worker:
        try:
            asked = subprocess.run(
                [sys.executable, "tasks.py"],
                cwd=tmp_path,
                env=environment(sandbox),
                capture_output=True,
                text=True,
                timeout=2 * LONG,
                check=False,
            )
        finally:
            worker.send_signal(signal.SIGTERM)
            worker.wait(LONG)
        log.seek(0)
        answers = [line.rsplit(None, 1) for line in asked.stdout.splitlines()]
        assert [name for name, _ in answers] == ["Lesson Robotics"] * 12, asked.stderr + log.read()
        assert len({process for _, process in answers}) >= 4
