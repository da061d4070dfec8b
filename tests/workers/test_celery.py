"""Celery on Redis with a lazy client in the module of the tasks."""

from pathlib import Path
from typing import Any, Iterator

import pytest
from reliability.processes import environment
from servers import FakeService
from waiting import LONG
from worker_processes import only_together, running, variables

celery = pytest.importorskip("celery", reason="tox -e workers has it")

TASKS = """
import os
from celery import Celery
from viam_sync import ViamClient

app = Celery("tasks", broker=os.environ["REDIS"], backend=os.environ["REDIS"])
app_client = ViamClient.lazy().app_client

@app.task
def organization():
    return app_client.list_organizations()[0].name
"""


@pytest.fixture
def queue(redis: str) -> Iterator[Any]:
    """The side of Celery that asks for tasks."""
    with celery.Celery("tests", broker=redis, backend=redis) as app:
        yield app


@pytest.mark.parametrize(("pool", "together"), [("prefork", 3), ("threads", 12), ("gevent", 12)])
def test_the_tasks_of_a_worker_make_calls_at_the_same_time(
    server: FakeService, queue: Any, redis: str, tmp_path: Path, pool: str, together: int
) -> None:
    if pool == "gevent":
        pytest.importorskip("gevent", reason="tox -e workers has it")
    (tmp_path / "tasks.py").write_text(TASKS, encoding="utf-8")
    server.unary["ListOrganizations"] = only_together(together)
    command = ["-m", "celery", "-A", "tasks", "worker", f"--pool={pool}", f"--concurrency={together}", "-l", "INFO"]
    with running(command, r"\bready\.", tmp_path, environment(REDIS=redis, **variables(server))) as worker:
        sent = [queue.send_task("tasks.organization") for _ in range(together)]
        assert [each.get(timeout=LONG) for each in sent] == ["Lesson Robotics"] * together, worker.log
    assert worker.process.returncode == 0, worker.log
