"""gunicorn and uWSGI with a lazy client in a module of the application: each worker connects by itself."""

import importlib.util
import re
import signal
import sys
from pathlib import Path
from typing import Set

import pytest
from reliability.processes import environment
from servers import FakeService
from waiting import until
from worker_processes import Worker, only_together, running, variables

from viam_sync.sandbox import Sandbox

WEB = """
import os
from viam_sync import ViamClient

app_client = ViamClient.lazy().app_client

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{app_client.list_organizations()[0].name} {os.getpid()}".encode()]
"""

GUNICORN = ["-m", "gunicorn", "--bind=127.0.0.1:0", "--worker-tmp-dir=.", "web:app"]
#: That of the environment: Debian's is one for Debian's Python.
UWSGI_PROGRAM = Path(sys.executable).with_name("uwsgi")
UWSGI = [str(UWSGI_PROGRAM), "--http-socket=127.0.0.1:0", "--master", "--die-on-term", "--module=web:app"]
#: At its end, a worker of uWSGI waits for gRPC's greenlets, which are no more; after these seconds it is killed.
GEVENT_OF_UWSGI = ["--gevent-early-monkey-patch", "--worker-reload-mercy=1"]
#: What each of them writes about its address when it is ready, and about the start of a worker.
IS_READY = r"(?:Listening at: http://|bound to TCP address )(?P<address>[\d.]+:\d+)"
STARTED = r"(?:Booting worker with pid: |spawned uWSGI worker \d+ \(pid: )(\d+)"

#: The options of each way to run it, and how many calls it makes at the same time.
WAYS = {
    "gunicorn": ([*GUNICORN, "--workers=2"], 2),
    "gunicorn --preload": ([*GUNICORN, "--workers=2", "--preload"], 2),
    "gunicorn -k gthread": ([*GUNICORN, "--workers=2", "--worker-class=gthread", "--threads=4"], 4),
    "gunicorn -k gevent": ([*GUNICORN, "--workers=1", "--worker-class=gevent"], 12),
    "uwsgi": ([*UWSGI, "--processes=2"], 2),
    "uwsgi --lazy-apps": ([*UWSGI, "--processes=2", "--lazy-apps"], 2),
    "uwsgi --threads": ([*UWSGI, "--processes=2", "--threads=4"], 8),
    "uwsgi --gevent": ([*UWSGI, "--processes=1", "--gevent=20", *GEVENT_OF_UWSGI], 12),
}


def require(way: str) -> None:
    """Skip a test where what it runs is not installed."""
    name, _, options = way.partition(" ")
    there = UWSGI_PROGRAM.exists() if name == "uwsgi" else importlib.util.find_spec(name)
    if not there or ("gevent" in options and importlib.util.find_spec("gevent") is None):
        pytest.skip(f"{way} is missing; tox -e workers has it")


def workers(server: Worker) -> Set[str]:
    """Return the processes of all workers that were ever started."""
    return set(re.findall(STARTED, server.log))


@pytest.fixture
def web(tmp_path: Path) -> Path:
    (tmp_path / "web.py").write_text(WEB, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize("way", WAYS)
def test_the_workers_of_a_web_server_make_calls_at_the_same_time(server: FakeService, web: Path, way: str) -> None:
    require(way)
    command, together = WAYS[way]
    server.unary["ListOrganizations"] = only_together(together)
    with running(command, IS_READY, web, environment(**variables(server))) as running_server:
        answers = running_server.get_together(together)
        assert {answer.rsplit(None, 1)[0] for answer in answers} == {"Lesson Robotics"}
        assert {answer.rsplit(None, 1)[1] for answer in answers} <= workers(running_server)
    assert running_server.process.returncode == 0, running_server.log


@pytest.mark.parametrize("way", ["gunicorn -k gthread", "gunicorn --preload"])
def test_a_reload_replaces_the_workers_and_no_request_fails(sandbox: Sandbox, web: Path, way: str) -> None:
    require(way)
    with running(WAYS[way][0], IS_READY, web, environment(sandbox)) as server:
        until(lambda: len(workers(server)) == 2)
        before, answers = workers(server), server.get_together(8)
        server.process.send_signal(signal.SIGHUP)

        def is_replaced() -> bool:
            answers.append(server.get())
            return answers[-1].rsplit(None, 1)[1] not in before

        until(is_replaced)
        assert {answer.rsplit(None, 1)[0] for answer in answers} == {"Lesson Robotics"}
    assert server.process.returncode == 0, server.log
