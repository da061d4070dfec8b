"""The model of training jobs, whose status depends on the clock."""

from __future__ import annotations

import sqlite3
from typing import List, Optional

import grpc

from viam_sync.proto.app import mltraining as pb
from viam_sync.sandbox.core.call_errors import CallError
from viam_sync.sandbox.core.world import World, microseconds_of, timestamp
from viam_sync.sandbox.registry.models import add_model_version

_SECOND = 1_000_000
_LOGS_KEPT = 7 * 24 * 60 * 60 * _SECOND

PENDING = pb.TrainingStatus.TRAINING_STATUS_PENDING
IN_PROGRESS = pb.TrainingStatus.TRAINING_STATUS_IN_PROGRESS
COMPLETED = pb.TrainingStatus.TRAINING_STATUS_COMPLETED
FAILED = pb.TrainingStatus.TRAINING_STATUS_FAILED
CANCELED = pb.TrainingStatus.TRAINING_STATUS_CANCELED
CANCELING = pb.TrainingStatus.TRAINING_STATUS_CANCELING

#: The duration of each status that is not final, in microseconds.
DURATIONS = {PENDING: 10 * _SECOND, IN_PROGRESS: 60 * _SECOND, CANCELING: 5 * _SECOND}


def add_job(world: World, job: pb.TrainingJobMetadata, failure: str) -> None:
    """Queue a job; if ``failure`` is not empty, the job will fail for that reason."""
    job.id = world.ids.object()
    now = world.microseconds()
    job.created_on.CopyFrom(timestamp(now))
    world.store.insert(
        "training_jobs",
        id=job.id,
        organization_id=job.organization_id,
        model_name=job.model_name,
        model_version=job.model_version,
        status=PENDING,
        created=now,
        failure=failure,
        body=b"",
    )
    set_status(world, job, PENDING, now)


def set_status(world: World, job: pb.TrainingJobMetadata, status: pb.TrainingStatus.ValueType, at: int) -> None:
    """Set the status of a job, at a time in microseconds since the epoch."""
    job.status = status
    job.last_modified.CopyFrom(timestamp(at))
    if status == IN_PROGRESS:
        job.training_started.CopyFrom(timestamp(at))
    if status not in DURATIONS:
        job.training_ended.CopyFrom(timestamp(at))
    due = at + DURATIONS[status] if status in DURATIONS else None
    world.store.update("training_jobs", job.id, status=status, due=due, body=job.SerializeToString())


def advance_jobs(world: World) -> None:
    """Perform all changes of status that are due, in the order of their times."""
    sql = "SELECT * FROM training_jobs WHERE due <= ? ORDER BY due, rowid LIMIT 1"
    now = world.microseconds()
    row = world.store.row(sql, now)
    while row is not None:
        _enter_next_status(world, row)
        row = world.store.row(sql, now)


def seconds_to_change(world: World) -> Optional[float]:
    """Return the number of seconds until a job enters its next status; None if all have ended."""
    row = world.store.row("SELECT min(due) AS due FROM training_jobs WHERE due IS NOT NULL")
    return None if row is None or row["due"] is None else (row["due"] - world.microseconds()) / _SECOND


def _enter_next_status(world: World, row: sqlite3.Row) -> None:
    job = pb.TrainingJobMetadata.FromString(row["body"])
    if job.status == PENDING:
        status = IN_PROGRESS
    elif job.status == CANCELING:
        status = CANCELED
    else:
        failure = row["failure"] or _publish(world, job)
        status = FAILED if failure else COMPLETED
        if failure:
            job.error_status.code = grpc.StatusCode.FAILED_PRECONDITION.value[0]
            job.error_status.message = failure
    set_status(world, job, status, row["due"])


def _publish(world: World, job: pb.TrainingJobMetadata) -> str:
    """Add the model to the registry; return the reason if that fails, or ""."""
    try:
        job.synced_model_id = add_model_version(
            world, job.organization_id, job.model_name, job.model_version, job.model_type, job.model_framework
        )
    except CallError as error:
        return error.text
    return ""


def job_logs(world: World, job: pb.TrainingJobMetadata) -> List[pb.TrainingJobLogEntry]:
    """Return the log of a job, oldest entry first; it is empty a week after the end of the job."""
    ended = microseconds_of(job.training_ended) if job.HasField("training_ended") else None
    if ended is not None and world.microseconds() - ended > _LOGS_KEPT:
        return []
    model = f"version {job.model_version!r} of the model {job.model_name!r}"
    entries = [("info", job.created_on, f"Queued: {model}, from the dataset {job.dataset_id!r}.")]
    if job.HasField("training_started"):
        entries.append(("info", job.training_started, f"Started training {model}."))
    if job.status == COMPLETED:
        entries.append(("info", job.training_ended, f"Completed; the model is in the registry: {job.synced_model_id}"))
    if job.status == FAILED:
        entries.append(("error", job.training_ended, f"Failed: {job.error_status.message}"))
    if job.status == CANCELED:
        entries.append(("warn", job.training_ended, "Canceled."))
    return [pb.TrainingJobLogEntry(level=level, time=time, message=message) for level, time, message in entries]
