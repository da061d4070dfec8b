"""The RPCs about training jobs: submitting, watching, canceling and deleting them."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import Any, Union

from viam_sync.proto.app import mltraining as pb
from viam_sync.proto.app.packages import PackageType
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import already_exists, failed_precondition, invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import HINTS, checked_id, checked_item_name
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.registry.items import ML_MODEL, get_item, require_visible
from viam_sync.sandbox.training.dataset_minima import dataset_size, require_minima
from viam_sync.sandbox.training.jobs import (
    CANCELING,
    DURATIONS,
    IN_PROGRESS,
    PENDING,
    add_job,
    advance_jobs,
    job_logs,
    set_status,
)

_Submission = Union[pb.SubmitTrainingJobRequest, pb.SubmitCustomTrainingJobRequest]


class TrainingServicer:
    """The RPCs of MLTrainingService."""

    def __init__(self, world: World) -> None:
        self._world = world

    def SubmitTrainingJob(self, request: pb.SubmitTrainingJobRequest, caller: Caller) -> pb.SubmitTrainingJobResponse:
        """Submit a job that trains a model with a built-in script.

        Without the option ``dataset_minima`` any dataset is accepted; the job fails if it is empty.
        """
        job = self._job_metadata(request)
        job.model_type = _checked_enum(pb.ModelType, request.model_type, "model_type")
        if not job.model_type:
            raise invalid_argument("model_type is not given; choose one, such as MODEL_TYPE_OBJECT_DETECTION.")
        job.model_framework = _checked_enum(pb.ModelFramework, request.model_framework, "model_framework")
        job.tags.extend(request.tags)
        self._require_may_submit(job, caller)
        if self._world.store.setting("dataset_minima"):
            require_minima(self._world, job.dataset_id, job.model_type, job.tags)
        return pb.SubmitTrainingJobResponse(id=self._submit(job))

    def SubmitCustomTrainingJob(
        self, request: pb.SubmitCustomTrainingJobRequest, caller: Caller
    ) -> pb.SubmitCustomTrainingJobResponse:
        """Submit a job that trains a model with a script of the registry, in the given version or the latest one."""
        job = self._job_metadata(request)
        job.is_custom_job = True
        job.container_version, job.container_id = request.container_version, request.container_id
        job.arguments.update(request.arguments)
        script = get_item(self._world, request.registry_item_id, caller)
        if script["type"] != PackageType.PACKAGE_TYPE_ML_TRAINING:
            raise invalid_argument(
                f"{script['item_id']!r} is no training script; list_registry_items shows those that there are."
            )
        job.registry_item_id = script["item_id"]
        job.registry_item_version = self._version(script, request.registry_item_version)
        self._require_may_submit(job, caller)
        require_visible(script, caller)
        return pb.SubmitCustomTrainingJobResponse(id=self._submit(job))

    def GetTrainingJob(self, request: pb.GetTrainingJobRequest, caller: Caller) -> pb.GetTrainingJobResponse:
        """Return a job with its current status."""
        return pb.GetTrainingJobResponse(metadata=self._job(request.id, caller))

    def ListTrainingJobs(self, request: pb.ListTrainingJobsRequest, caller: Caller) -> pb.ListTrainingJobsResponse:
        """List the jobs of an organization, or those with one status, newest first."""
        status = _checked_enum(pb.TrainingStatus, request.status, "status")
        organization = self._world.organization(request.organization_id)
        _require_may_train(caller, organization.id)
        advance_jobs(self._world)
        sql = (
            "SELECT body FROM training_jobs WHERE organization_id = ? AND ? IN (0, status)"
            " ORDER BY created DESC, rowid DESC"
        )
        rows = self._world.store.rows(sql, organization.id, status)
        return pb.ListTrainingJobsResponse(jobs=[pb.TrainingJobMetadata.FromString(row["body"]) for row in rows])

    def CancelTrainingJob(self, request: pb.CancelTrainingJobRequest, caller: Caller) -> pb.CancelTrainingJobResponse:
        """Cancel a job that has not ended; canceling it again changes nothing."""
        job = self._job(request.id, caller)
        if job.status not in DURATIONS:
            raise failed_precondition(
                f"The training job {job.id!r} is over: {_status_name(job)}. "
                "Only one that waits or runs can be canceled."
            )
        if job.status != CANCELING:
            set_status(self._world, job, CANCELING, self._world.microseconds())
        return pb.CancelTrainingJobResponse()

    def DeleteCompletedTrainingJob(
        self, request: pb.DeleteCompletedTrainingJobRequest, caller: Caller
    ) -> pb.DeleteCompletedTrainingJobResponse:
        """Delete a job that has ended; its model stays."""
        job = self._job(request.id, caller)
        if job.status in DURATIONS:
            raise failed_precondition(
                f"The training job {job.id!r} is not over: {_status_name(job)}. "
                "Wait until it is, or cancel it (cancel_training_job)."
            )
        self._world.store.run("DELETE FROM training_jobs WHERE id = ?", job.id)
        return pb.DeleteCompletedTrainingJobResponse()

    def GetTrainingJobLogs(
        self, request: pb.GetTrainingJobLogsRequest, caller: Caller
    ) -> pb.GetTrainingJobLogsResponse:
        """Return the log of a job, on one page."""
        if request.page_token:
            raise invalid_argument("The page token is none that this call returned; leave it out, there is one page.")
        return pb.GetTrainingJobLogsResponse(logs=job_logs(self._world, self._job(request.id, caller)))

    def _job(self, id: str, caller: Caller) -> pb.TrainingJobMetadata:
        advance_jobs(self._world)
        row = self._world.get("training_job", id)
        _require_may_train(caller, row["organization_id"])
        return pb.TrainingJobMetadata.FromString(row["body"])

    def _job_metadata(self, request: _Submission) -> pb.TrainingJobMetadata:
        """Return the metadata of a job from the fields that both kinds of requests have."""
        now = dt.datetime.fromtimestamp(self._world.microseconds() // 1_000_000, dt.timezone.utc)
        return pb.TrainingJobMetadata(
            dataset_id=checked_id("dataset", request.dataset_id),
            organization_id=checked_id("organization", request.organization_id),
            model_name=checked_item_name(request.model_name, "model"),
            model_version=request.model_version or now.strftime("%Y-%m-%dT%H-%M-%S"),
        )

    def _require_may_submit(self, job: pb.TrainingJobMetadata, caller: Caller) -> None:
        organization = self._world.organization(job.organization_id)
        if self._world.get("dataset", job.dataset_id)["organization_id"] != organization.id:
            raise not_found(
                f"The organization {organization.name!r} has no dataset with the ID {job.dataset_id!r}; "
                f"{HINTS['dataset']}."
            )
        _require_may_train(caller, organization.id)

    def _version(self, script: sqlite3.Row, wanted: str) -> str:
        """Return the wanted version of a script, or its latest one; "" if it has none."""
        sql = "SELECT version FROM item_versions WHERE item = ? ORDER BY created DESC, rowid DESC"
        versions = [row["version"] for row in self._world.store.rows(sql, script["id"])]
        if wanted and versions and wanted not in versions:
            raise not_found(
                f"The training script {script['item_id']!r} has no version {wanted[:64]!r}; "
                f"its latest is {versions[0]!r}."
            )
        return wanted or next(iter(versions), "")

    def _submit(self, job: pb.TrainingJobMetadata) -> str:
        advance_jobs(self._world)
        self._require_new(job)
        empty = (
            ""
            if dataset_size(self._world, job.dataset_id)
            else f"The dataset {job.dataset_id!r} was empty; add images."
        )
        add_job(self._world, job, empty)
        return job.id

    def _require_new(self, job: pb.TrainingJobMetadata) -> None:
        model = (job.organization_id, job.model_name)
        item = self._world.store.row("SELECT * FROM items WHERE organization_id = ? AND name = ?", *model)
        if item is not None and (item["deleted"] or item["type"] != ML_MODEL):
            raise already_exists(
                f"The name {job.model_name!r} is, or was, that of something else in the registry of the organization; "
                "choose another name for the model."
            )
        made = item and self._world.store.row(
            "SELECT 1 FROM item_versions WHERE item = ? AND version = ?", item["id"], job.model_version
        )
        sql = (
            "SELECT 1 FROM training_jobs WHERE organization_id = ? AND model_name = ? AND model_version = ?"
            " AND status IN (?, ?)"
        )
        if made or self._world.store.row(sql, *model, job.model_version, PENDING, IN_PROGRESS):
            raise already_exists(
                f"The model {job.model_name!r} has a version {job.model_version[:64]!r} already, "
                "or a job is training it; choose another version."
            )


def _require_may_train(caller: Caller, organization_id: str) -> None:
    """Require that the caller may train models in an organization or in a location of it."""
    scopes = [held for held in caller.grants if held.organization_id == organization_id]
    if not any(caller.may("train_models", held.resource_type, held.resource_id) for held in scopes):
        caller.require("train_models", "organization", organization_id)


def _checked_enum(enum: Any, value: int, what: str) -> Any:
    if value not in enum.values():
        raise invalid_argument(f"{what} is {value}, which is none of {', '.join(enum.keys())}.")
    return value


def _status_name(job: pb.TrainingJobMetadata) -> str:
    return pb.TrainingStatus.Name(job.status)
