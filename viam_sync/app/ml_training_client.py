"""MLTrainingClient: training of models."""

from viam_sync.app.training_iterators import TrainingIterators
from viam_sync.services.ml_training_service import MLTrainingService

__all__ = ["MLTrainingClient"]


class MLTrainingClient(TrainingIterators, MLTrainingService):
    """Submits training jobs and follows them.

    Usually taken from a connected client, as ``client.ml_training_client``.

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.

    Example:
        >>> training = client.ml_training_client
        >>> training.list_training_jobs(sandbox.organization_id)
        []
    """
