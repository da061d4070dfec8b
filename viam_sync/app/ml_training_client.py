"""MLTrainingClient: training of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional

from viam_sync.app._clients import NamedMethods
from viam_sync.checks import require
from viam_sync.checks.positions import newest_order
from viam_sync.proto.app import mltraining as pb
from viam_sync.services import methods
from viam_sync.services.ml_training_service import MLTrainingService
from viam_sync.transfer.paging.paged_call import PagedCall, items_in
from viam_sync.transfer.paging.pages import Pages

if TYPE_CHECKING:
    from viam_sync.gen.reexports.ml_training_client import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        from viam_sync.gen.reexports import ml_training_client  # few scripts ask for these names

        return ml_training_client.__getattr__(name)


__all__ = ["MLTrainingClient"]

_JOB_LOGS = PagedCall(methods.GET_TRAINING_JOB_LOGS, items_in("logs"))


class MLTrainingClient(NamedMethods, MLTrainingService):
    """Submits training jobs and follows them.

    Usually taken from a connected client, as ``client.ml_training_client``.

    Methods by subject:
        - jobs: list_training_jobs, get_training_job, submit_training_job, submit_custom_training_job,
          cancel_training_job, delete_completed_training_job, get_training_job_logs, iter_training_job_logs
        - containers: list_supported_containers, list_containers, get_container, register_custom_training_container,
          delete_custom_training_container
        - the client itself: options, service_descriptors

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.
        tz: The time zone of all datetimes in results; None for UTC without a time zone.

    Example:
        >>> training = client.ml_training_client
        >>> training.list_training_jobs(sandbox.organization_id)
        []
    """

    _subjects = "training jobs and their logs"

    @newest_order(
        *("org_id", "dataset_id", "registry_item_id", "registry_item_version"),
        *("model_name", "model_version", "container_id"),
    )
    def submit_custom_training_job(
        self,
        org_id: str,
        dataset_id: str,
        registry_item_id: str,
        model_name: str,
        model_version: str,
        *,
        registry_item_version: Optional[str] = None,
        arguments: Optional[Mapping[str, str]] = None,
        container_version: Optional[str] = None,
        container_id: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> str:
        """Start training a model on a dataset with a training script from the registry.

        Model name and version must be new together.

        Args:
            org_id: ID of the organization, a UUID.
            dataset_id: ID of the dataset, 24 hexadecimal digits.
            registry_item_id: ID of the training script in the registry, prefix:name, where the prefix is the public
                namespace or the ID of an organization.
            model_name: Name of the model to create.
            model_version: Version of the model to create; empty, the time as YYYY-MM-DDTHH-MM-SS.
            registry_item_version: Version of the training script; services since July 2024 refuse a job without it.
            arguments: Arguments for the training script, by name.
            container_version: Older way to choose the container; use container_id.
            container_id: ID of the container that the script runs in.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The ID of the new training job.

        Raises:
            TypeError: If an argument is of the wrong type, or stands where only the newest official SDK takes it.
            InvalidArgumentError: If the registry item is no training script.
            NotFoundError: If the organization, the dataset or the registry item does not exist.
            AlreadyExistsError: If there is a model of this name and version.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.proto.app.packages import PackageType
            >>> app.create_registry_item(sandbox.organization_id, "my-script", PackageType.PACKAGE_TYPE_ML_TRAINING)
            >>> id = client.ml_training_client.submit_custom_training_job(
            ...     sandbox.organization_id, sandbox.dataset_id, "my-script", "plants", "v1", arguments={"epochs": "10"}
            ... )
            >>> client.ml_training_client.get_training_job(id).is_custom_job
            True
        """
        require(
            org_id=org_id,
            dataset_id=dataset_id,
            registry_item_id=registry_item_id,
            model_name=model_name,
            model_version=model_version,
        )
        request = pb.SubmitCustomTrainingJobRequest(
            organization_id=org_id,
            dataset_id=dataset_id,
            registry_item_id=registry_item_id,
            model_name=model_name,
            model_version=model_version,
            registry_item_version=registry_item_version,
            arguments=arguments,
            container_version=container_version,
            container_id=container_id,
        )
        response: pb.SubmitCustomTrainingJobResponse = self._unary_unary(
            methods.SUBMIT_CUSTOM_TRAINING_JOB, request, timeout
        )
        return response.id

    def iter_training_job_logs(
        self, id: str, *, limit: Optional[int] = None, prefetch: bool = True, timeout: Optional[float] = None
    ) -> Pages[pb.TrainingJobLogEntry]:
        """Go through all entries of the log of a training job.

        Logs are kept for 7 days.

        Args:
            id: ID of the training job.
            limit: How many entries at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the entries; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``limit`` is negative.
            NotFoundError: While iterating, if there is no such job.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.proto.app.mltraining import ModelType
            >>> training, kind = client.ml_training_client, ModelType.MODEL_TYPE_OBJECT_DETECTION
            >>> id = training.submit_training_job(sandbox.organization_id, sandbox.dataset_id, "plants", "v1", kind, [])
            >>> [entry.message.split(":")[0] for entry in training.iter_training_job_logs(id)]
            ['Queued']
        """
        require(id=id)
        request = pb.GetTrainingJobLogsRequest(id=id)
        return _JOB_LOGS.pages(self._unary_unary, request, limit=limit, prefetch=prefetch, timeout=timeout)
