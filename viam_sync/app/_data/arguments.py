"""Fields of requests, made of checked arguments: IDs of binary data, times and boxes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, Optional, Sequence, Union, cast

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.checks import items_of, require_id, wrong_type
from viam_sync.checks.descriptions import describe_items
from viam_sync.checks.numbers import share
from viam_sync.messages.values import timestamp_of
from viam_sync.proto.app import data as pb

#: An ID of binary data: "organization/location/file", the `FileID` of an upload, or the message that older versions of
#: the service take.
BinaryIDLike = Union[str, "pb.BinaryID"]

#: TABULAR_DATA_SOURCE_TYPE_UNSPECIFIED and …_STANDARD as numbers: naming them would build the schema on import.
UNSPECIFIED_SOURCE = cast("pb.TabularDataSourceType.ValueType", 0)
STANDARD_SOURCE = cast("pb.TabularDataSourceType.ValueType", 1)


#: Where the ID of a file is in messages about it, by the names of their classes.
_ID_IN = {
    "BinaryData": "give its metadata.binary_data_id",
    "BinaryMetadata": "give its binary_data_id",
    "UploadResult": "give its id",
}


def id_fields(name: str, ids: Sequence[BinaryIDLike]) -> Dict[str, Any]:
    """Return the fields of a request that hold a list of IDs of binary data.

    Args:
        name: The name of the parameter.
        ids: The IDs, strings and messages as they come.

    Returns:
        The messages as ``binary_ids``, the strings as ``binary_data_ids``.

    Raises:
        TypeError: If it is no list of IDs.
        ValueError: If it is empty, or an ID in it is.

    Example:
        >>> from viam_sync.app._data.arguments import id_fields
        >>> id_fields("binary_ids", ["org/loc/file"])
        {'binary_ids': [], 'binary_data_ids': ['org/loc/file']}
    """
    items = items_of(name, ids, "IDs")
    fields = [id_field(f"{name}[{index}]", item) for index, item in enumerate(items)]
    return {
        "binary_ids": [field["binary_id"] for field in fields if "binary_id" in field],
        "binary_data_ids": [field["binary_data_id"] for field in fields if "binary_data_id" in field],
    }


def id_field(name: str, given: BinaryIDLike) -> Dict[str, Any]:
    """Return the field of a request that holds one ID of binary data.

    Args:
        name: The name of the parameter.
        given: The ID.

    Returns:
        A message as ``binary_id``, a string as ``binary_data_id``.

    Raises:
        TypeError: If it is no ID.
        ValueError: If it is empty, or has what no ID has.

    Example:
        >>> from viam_sync.app._data.arguments import id_field
        >>> id_field("binary_id", "org/loc/file")
        {'binary_data_id': 'org/loc/file'}
    """
    if isinstance(given, str):
        require_id(name, given, "an ID of binary data, such as 'organization/location/file'")
        return {"binary_data_id": given}
    if isinstance(given, Message) and given.DESCRIPTOR.full_name == "viam.app.data.v1.BinaryID":
        return {"binary_id": given}
    raise wrong_type(name, "a str or a BinaryID", given, advice=_ID_IN.get(type(given).__name__, ""))


def request_time_fields(name: str, times: Optional[Sequence[datetime]]) -> Dict[str, Any]:
    """Return the fields that hold when data was requested and received; none where there are no times.

    Args:
        name: The name of the parameter.
        times: When the data was requested, and when it was received.

    Raises:
        TypeError: If it is no pair of datetimes.
        ValueError: If it holds more than two or fewer, or a time that no message holds.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.app._data.arguments import request_time_fields
        >>> sorted(request_time_fields("data_request_times", (datetime(2024, 1, 1), datetime(2024, 1, 2))))
        ['time_received', 'time_requested']
    """
    if times is None:
        return {}
    if not isinstance(times, (tuple, list)) or not all(isinstance(time, datetime) for time in times):
        raise TypeError(f"{name} takes two datetimes, (requested, received), got {describe_items(times)}")
    if len(times) != 2:
        raise ValueError(f"{name} takes two datetimes, (requested, received), got {len(times)}")
    requested, received = (timestamp_of(Timestamp, time, f"{name}[{index}]") for index, time in enumerate(times))
    return {"time_requested": requested, "time_received": received}


def box_fields(x_min: float, y_min: float, x_max: float, y_max: float) -> Dict[str, Any]:
    """Return the fields that hold a bounding box.

    Args:
        x_min: Left edge, as a share of the width from 0 to 1.
        y_min: Upper edge, as a share of the height from 0 to 1.
        x_max: Right edge, as a share of the width.
        y_max: Lower edge, as a share of the height.

    Raises:
        TypeError: If an edge is no number.
        ValueError: If an edge is outside [0, 1], or the box has no area.

    Example:
        >>> from viam_sync.app._data.arguments import box_fields
        >>> box_fields(0, 0, 1, 0.5)["y_max_normalized"]
        0.5
    """
    edges = {"x_min_normalized": x_min, "y_min_normalized": y_min, "x_max_normalized": x_max, "y_max_normalized": y_max}
    edges = {name: share(name, edge) for name, edge in edges.items()}
    for axis in "xy":
        low, high = f"{axis}_min_normalized", f"{axis}_max_normalized"
        if edges[low] >= edges[high]:
            raise ValueError(f"{low} must be less than {high}, got {edges[low]!r} and {edges[high]!r}")
    return edges
