"""examples/celery_tasks/tasks.py with a real worker on a real Redis, and its tasks without."""

import importlib
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Iterator

import pytest
from reliability.processes import environment
from waiting import LONG, until
from worker_processes import running

from viam_sync import AmbiguousResultError, InvalidArgumentError, ResourceExhaustedError
from viam_sync.sandbox import Sandbox

pytest.importorskip("celery", reason="tox -e workers has it")

FOLDER = Path(__file__).parents[2] / "examples" / "celery_tasks"
WORKER = ["-m", "celery", "-A", "tasks", "worker", "--concurrency=2", "-l", "INFO"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def tasks(sandbox: Sandbox, redis: str) -> Iterator[Any]:
    """The module of the example, which Celery takes only once in a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        for name, value in {"CELERY_BROKER_URL": redis, **sandbox.env_vars()}.items():
            patch.setenv(name, value)
        module = importlib.import_module("tasks")
        yield module
        module.client.close()
        module.app.close()


def test_a_worker_exports_each_part_and_brings_the_mirror_up_to_date(
    tasks: Any, sandbox: Sandbox, redis: str, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow", reason="tox -e workers has it")
    environ = environment(sandbox, CELERY_BROKER_URL=redis)
    environ["PYTHONPATH"] += f":{FOLDER}"
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    with running(WORKER, r"\bready\.", tmp_path, environ) as worker:
        count = tasks.export_yesterday.delay().get(timeout=LONG)
        assert count > 1
        files = tmp_path / "readings" / yesterday.isoformat()
        until(lambda: len(list(files.glob("*.csv"))) == count)
        assert "rows: " in tasks.mirror.delay().get(timeout=LONG)
        # What failed for good is the same error here as there.
        with pytest.raises(InvalidArgumentError, match="INVALID_ARGUMENT: ") as raised:
            tasks.add_location.delay("no-such-organization", "Shelf").get(timeout=LONG)
        assert raised.value.method == "viam.app.v1.AppService/CreateLocation"
    assert worker.process.returncode == 0, worker.log


def test_each_entry_of_beat_is_a_task(tasks: Any) -> None:
    assert {entry["task"] for entry in tasks.app.conf.beat_schedule.values()} <= set(tasks.app.tasks)


def test_a_task_is_tried_again_where_the_error_passes(tasks: Any, sandbox: Sandbox) -> None:
    assert ResourceExhaustedError in tasks.PASSING
    fault = sandbox.faults.fail("CreateLocation", "RESOURCE_EXHAUSTED", times=2)
    # Without a worker, Celery does not wait before it tries again.
    result = tasks.add_location.apply((sandbox.organization_id, "Shelf"))
    assert result.get() in {each.id for each in tasks.client.app_client.list_locations(sandbox.organization_id)}
    assert fault.met == 2


def test_a_task_is_not_tried_again_where_nobody_knows_whether_it_was_done(tasks: Any, sandbox: Sandbox) -> None:
    fault = sandbox.faults.fail("CreateLocation", "UNAVAILABLE", after=True)
    with pytest.raises(AmbiguousResultError):
        tasks.add_location.apply((sandbox.organization_id, "Bench")).get()
    assert fault.met == 1
    names = [each.name for each in tasks.client.app_client.list_locations(sandbox.organization_id)]
    assert names.count("Bench") == 1
