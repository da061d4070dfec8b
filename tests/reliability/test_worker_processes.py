"""Worker processes of multiprocessing, gunicorn and Celery: a client that was made before them serves in each."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import List

import pytest
from waiting import LONG

from viam_sync.sandbox import Sandbox

from .processes import environment

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")

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
