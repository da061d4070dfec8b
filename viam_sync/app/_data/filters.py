"""Filters for captured data: they are made of plain values, and divided by time."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import List, Optional, Sequence

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.checks import parameter_names, wrong_type
from viam_sync.checks.numbers import whole
from viam_sync.messages.acceptance import adopt
from viam_sync.messages.values import require_in_order
from viam_sync.proto.app import data as pb

_SECOND = 1_000_000_000  # in nanoseconds
#: More parts than anyone has workers for would only fill the memory.
_MOST_PARTS = 100_000


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
    """Return a filter for captured data: it must match all that is given.

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

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a text or a time is one that no message holds.

    Example:
        >>> from viam_sync.utils import create_filter
        >>> create_filter(component_name="camera", tags=["night"]).component_name
        'camera'
    """
    interval = None
    if start_time is not None or end_time is not None:
        with parameter_names(start="start_time", end="end_time"):
            interval = pb.CaptureInterval(start=start_time, end=end_time)
        require_in_order(interval, "start_time", "end_time")
    return pb.Filter(
        component_name=component_name,
        component_type=component_type,
        method=method,
        robot_name=robot_name,
        robot_id=robot_id,
        part_name=part_name,
        part_id=part_id,
        location_ids=location_ids,
        organization_ids=organization_ids,
        mime_type=mime_type,
        interval=interval,
        tags_filter=pb.TagsFilter(tags=tags),
        bbox_labels=bbox_labels,
        dataset_id=dataset_id,
    )


def partition_filter(filter: pb.Filter, n: int) -> List[pb.Filter]:
    """Return filters that share the time range of one: each match of that one matches exactly one of them.

    Args:
        filter: What to split; it needs a start and an end, and stays as it is.
        n: How many filters to make of it, up to 100,000.

    Returns:
        The filters, in the order of their times: each ends, exact to the microsecond, where the next one starts. All
        else is as in the filter.

    Raises:
        TypeError: If ``filter`` is no filter, or ``n`` no whole number.
        ValueError: If the filter lacks a start or an end, the end is not after the start, ``n`` is below 1 or above
            100,000, or the range has fewer than ``n`` microseconds.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.utils import create_filter, partition_filter, timestamp_to_datetime
        >>> day = create_filter(start_time=datetime(2024, 1, 1), end_time=datetime(2024, 1, 2))
        >>> [str(timestamp_to_datetime(part.interval.start)) for part in partition_filter(day, 2)]
        ['2024-01-01 00:00:00', '2024-01-01 12:00:00']
    """
    if not isinstance(filter, Message):
        raise wrong_type("filter", "a Filter", filter, advice="make one with create_filter")
    filter = adopt(pb.Filter, filter, "filter")
    missing = [name for name in ("start", "end") if not filter.interval.HasField(name)]
    if missing:
        raise ValueError(f"filter has no {missing[0]}; give create_filter both start_time and end_time")
    start, end = _nanoseconds(filter.interval.start), _nanoseconds(filter.interval.end)
    if end <= start:
        raise ValueError("filter ends before it starts, or at the same time; end_time must be after start_time")
    longest = (end - start) // 1000
    note = ", as the range has that many microseconds" if longest < _MOST_PARTS else ""
    n = whole("n", n, 1, min(longest, _MOST_PARTS), note)
    parts = [copy.deepcopy(filter) for _ in range(n)]
    for number in range(1, n):
        seconds, nanos = divmod((start + (end - start) * number // n) // 1000 * 1000, _SECOND)
        for edge in (parts[number - 1].interval.end, parts[number].interval.start):
            edge.seconds, edge.nanos = seconds, nanos
    return parts


def _nanoseconds(timestamp: Timestamp) -> int:
    return timestamp.seconds * _SECOND + timestamp.nanos
