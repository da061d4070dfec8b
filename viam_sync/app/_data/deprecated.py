"""What DataClient has for old scripts."""

from __future__ import annotations

import warnings
from datetime import datetime
from typing import Optional, Sequence

from viam_sync.app._data import filters
from viam_sync.proto.app import data as pb


class DeprecatedMixin:
    """The method of DataClient that has been replaced by a function."""

    @staticmethod
    def create_filter(
        component_name: Optional[str] = None,
        component_type: Optional[str] = None,
        method: Optional[str] = None,
        robot_name: Optional[str] = None,
        robot_id: Optional[str] = None,
        part_name: Optional[str] = None,
        part_id: Optional[str] = None,
        location_ids: Optional[Sequence[str]] = None,
        organization_ids: Optional[Sequence[str]] = None,
        mime_type: Optional[Sequence[str]] = None,
        start_time: Optional[datetime] = None,
        end_time: Optional[datetime] = None,
        tags: Optional[Sequence[str]] = None,
        bbox_labels: Optional[Sequence[str]] = None,
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
