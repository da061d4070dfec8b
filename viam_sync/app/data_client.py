"""DataClient: captured data, uploads and datasets."""

from viam_sync.services.data_pipelines_service import DataPipelinesService
from viam_sync.services.data_service import DataService
from viam_sync.services.data_sync_service import DataSyncService
from viam_sync.services.dataset_service import DatasetService

__all__ = ["DataClient"]


class DataClient(DataPipelinesService, DataService, DataSyncService, DatasetService):
    """Reads, uploads, tags and deletes data, and groups it in datasets.

    Usually taken from a connected client, as ``client.data_client``.

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.
    """
