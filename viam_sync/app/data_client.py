"""DataClient: captured data, uploads and datasets."""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import TYPE_CHECKING, Optional
from typing import Sequence as TSequence  # a message is named Sequence

from viam_sync.app._data import filters
from viam_sync.app._data.binary_data import BinaryDataMixin
from viam_sync.app._data.binary_tags import TagsMixin
from viam_sync.app._data.bounding_boxes import BoundingBoxesMixin
from viam_sync.app._data.bulk_uploads import BulkUploadsMixin
from viam_sync.app._data.capture_uploads import CaptureUploadsMixin
from viam_sync.app._data.data_pipelines import DataPipelinesMixin
from viam_sync.app._data.datasets import DatasetsMixin
from viam_sync.app._data.exports import ExportsMixin
from viam_sync.app._data.filters import create_filter as create_filter
from viam_sync.app._data.queries import QueriesMixin
from viam_sync.app._data.resource_readings import ResourceReadingsMixin
from viam_sync.app._data.sequences import SequencesMixin
from viam_sync.app._data.tabular_data import TabularDataMixin
from viam_sync.messages.conversion import ValueTypes as ValueTypes
from viam_sync.messages.conversion import datetime_to_timestamp as datetime_to_timestamp
from viam_sync.messages.conversion import dict_to_struct as dict_to_struct
from viam_sync.messages.conversion import struct_to_dict as struct_to_dict
from viam_sync.proto.app import data as pb
from viam_sync.services.data_pipelines_service import DataPipelinesService
from viam_sync.services.data_service import DataService
from viam_sync.services.dataset_service import DatasetService

if TYPE_CHECKING:
    from viam_sync.gen.reexports.data_client import *  # noqa: F403
else:
    from viam_sync.gen.reexports.data_client import __getattr__ as __getattr__

__all__ = ["DataClient"]


class DataClient(
    ExportsMixin,
    TabularDataMixin,
    ResourceReadingsMixin,
    QueriesMixin,
    BulkUploadsMixin,
    BinaryDataMixin,
    TagsMixin,
    BoundingBoxesMixin,
    DatasetsMixin,
    CaptureUploadsMixin,
    SequencesMixin,
    DataPipelinesMixin,
    DataPipelinesService,
    DataService,
    DatasetService,
):
    """Reads, uploads, tags and deletes data, and groups it in datasets.

    Usually taken from a connected client, as ``client.data_client``.

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.
        tz: The time zone of all datetimes in results; None for UTC without a time zone.

    Example:
        >>> rows, count, _ = client.data_client.tabular_data_by_filter(count_only=True)
        >>> count
        1008
    """

    @staticmethod
    def create_filter(
        component_name: Optional[str] = None,
        component_type: Optional[str] = None,
        method: Optional[str] = None,
        robot_name: Optional[str] = None,
        robot_id: Optional[str] = None,
        part_name: Optional[str] = None,
        part_id: Optional[str] = None,
        location_ids: Optional[TSequence[str]] = None,
        organization_ids: Optional[TSequence[str]] = None,
        mime_type: Optional[TSequence[str]] = None,
        start_time: Optional[datetime] = None,
        end_time: Optional[datetime] = None,
        tags: Optional[TSequence[str]] = None,
        bbox_labels: Optional[TSequence[str]] = None,
        dataset_id: Optional[str] = None,
    ) -> pb.Filter:
        """Return a filter; deprecated, as ``viam_sync.utils.create_filter`` does the same.

        Args:
            component_name: Name of the component or service.
            component_type: Its type as it was uploaded: both ``camera`` and ``rdk:component:camera`` occur.
            method: Name of the captured method, such as ``Readings``.
            robot_name: Name of the machine.
            robot_id: ID of the machine, a UUID.
            part_name: Name of the part.
            part_id: ID of the part, a UUID.
            location_ids: IDs of locations, ten lowercase letters and digits each; one of them must be that of the data.
            organization_ids: IDs of organizations, UUIDs; one of them must be that of the data.
            mime_type: MIME types, such as ``image/png``; the data must have one of them.
            start_time: Only data from this time on; without a time zone it is UTC.
            end_time: Only data before this time; without a time zone it is UTC.
            tags: Tags; the data must have one of them.
            bbox_labels: Labels of bounding boxes; the image must have a box with one of them.
            dataset_id: ID of the dataset that the data must be in, 24 hexadecimal digits.

        Returns:
            The filter.

        Example:
            >>> from viam_sync.utils import create_filter  # what to use instead
            >>> create_filter(component_name="air").component_name
            'air'
        """
        warnings.warn(
            "DataClient.create_filter is deprecated; use viam_sync.utils.create_filter",
            DeprecationWarning,
            stacklevel=2,
        )
        return filters.create_filter(
            component_name,
            component_type,
            method,
            robot_name,
            robot_id,
            part_name,
            part_id,
            location_ids,
            organization_ids,
            mime_type,
            start_time,
            end_time,
            tags,
            bbox_labels,
            dataset_id,
        )
