"""MLTrainingClient: training of models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Optional

from viam_sync.checks import require
from viam_sync.proto.app import mltraining as pb
from viam_sync.services import methods
from viam_sync.services.ml_training_service import MLTrainingService
from viam_sync.transfer.paging.paged_call import PagedCall, items_in
from viam_sync.transfer.paging.pages import Pages

if TYPE_CHECKING:
    from viam_sync.gen.reexports.ml_training_client import *  # noqa: F403
else:
    from viam_sync.gen.reexports.ml_training_client import __getattr__ as __getattr__

__all__ = ["MLTrainingClient"]

_JOB_LOGS = PagedCall(methods.GET_TRAINING_JOB_LOGS, items_in("logs"))


class MLTrainingClient(MLTrainingService):
    """Submits training jobs and follows them.

    Usually taken from a connected client, as ``client.ml_training_client``.

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.
        tz: The time zone of all datetimes in results; None for UTC without a time zone.

    Example:
        >>> training = client.ml_training_client
        >>> training.list_training_jobs(sandbox.organization_id)
        []
    """

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
