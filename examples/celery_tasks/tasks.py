"""Readings that Celery fetches at night: an export for each part of a machine, and a mirror of all.

It takes pip install "celery[redis]" duckdb pyarrow, and a Redis, such as Debian's redis-server; CELERY_BROKER_URL says
where it is. With VIAM_API_KEY and VIAM_API_KEY_ID set (and VIAM_APP_URL, if it is not app.viam.com), in this folder:

    celery -A tasks worker --beat

Without an account, a sandbox sets the variables: viam-sync sandbox -- celery -A tasks worker --beat
"""

# What is imported from Celery has no types.
# mypy: allow-untyped-decorators
# pyright: basic, reportMissingImports=false

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

from celery import Celery, group
from celery.schedules import crontab

from viam_sync import DeadlineExceededError, ResourceExhaustedError, UnavailableError, ViamClient
from viam_sync.utils import create_filter

REDIS = os.environ.get("CELERY_BROKER_URL", "redis://localhost:6379/0")
FOLDER = Path("readings")

app = Celery("tasks", broker=REDIS, backend=REDIS)
app.conf.timezone = "UTC"
app.conf.beat_schedule = {
    "readings of yesterday": {"task": "tasks.export_yesterday", "schedule": crontab(hour=0, minute=15)},
    "the nightly mirror": {"task": "tasks.mirror", "schedule": crontab(hour=0, minute=45)},
}
# Redis gives a task to another worker when it was not acknowledged in so many seconds: longer than any task takes.
app.conf.broker_transport_options = {"visibility_timeout": 12 * 3600}

# It needs no key and no network before a task makes a call, and works in every process that Celery forks.
client = ViamClient.lazy()

#: Errors that time mends, beyond what the client has waited for by itself. AmbiguousResultError is none of them: the
#: call may have been carried out, and only a look at the cloud can tell.
PASSING = (UnavailableError, DeadlineExceededError, ResourceExhaustedError)
AGAIN = {"autoretry_for": PASSING, "retry_backoff": 30, "retry_backoff_max": 900, "max_retries": 8}
#: For tasks that do no harm when they are done twice: if their worker dies, another one does them anew.
SAFE_TWICE = {"acks_late": True, "reject_on_worker_lost": True}


@app.task(**AGAIN, **SAFE_TWICE)
def export_part(part_id: str, day: str) -> int:
    """Write the readings of one part and day to a file, which appears whole; return how many there are."""
    start = datetime.fromisoformat(day).replace(tzinfo=timezone.utc)
    readings = create_filter(part_id=part_id, start_time=start, end_time=start + timedelta(days=1))
    file = FOLDER / day / f"{part_id}.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    return client.data_client.export_tabular_data_to(readings, file)


@app.task(**AGAIN, **SAFE_TWICE)
def export_yesterday() -> int:
    """Ask for the export of each part of each machine; return how many parts there are."""
    day = (datetime.now(timezone.utc).date() - timedelta(days=1)).isoformat()
    fleet = client.app_client
    parts = [
        part.id
        for organization in fleet.list_organizations()
        for location in fleet.list_locations(organization.id)
        for robot in fleet.list_robots(location.id)
        for part in fleet.get_robot_parts(robot.id)
    ]
    group(export_part.s(part_id, day) for part_id in parts).delay()
    return len(parts)


@app.task(**AGAIN, **SAFE_TWICE)
def mirror() -> str:
    """Bring the copy of all readings up to date; return what was done."""
    FOLDER.mkdir(exist_ok=True)
    return str(client.data_client.mirror_tabular_data(None, FOLDER / "readings.duckdb"))


@app.task(**AGAIN)
def add_location(organization_id: str, name: str) -> str:
    """Create a location, and return its ID; an AmbiguousResultError is for a person, or a task that looks first."""
    return client.app_client.create_location(organization_id, name).id
