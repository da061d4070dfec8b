"""What arguments are checked for before anything is sent: lists, IDs of binary data, times and boxes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from google.protobuf.message import Message

from viam_sync.proto._refusals import given as described
from viam_sync.proto._refusals import is_text, require
from viam_sync.proto.app import data as pb

#: An ID of binary data: "organization/location/file", or the message that older versions of the service take.
BinaryIDLike = Union[str, "pb.BinaryID"]

#: More do not make anything faster, and each has a thread.
_MOST_WORKERS = 64


def texts(name: str, values: Sequence[str]) -> List[str]:
    """Return a list of strings that may not be empty.

    Args:
        name: What the caller knows the list as.
        values: The list.

    Raises:
        TypeError: If it is no list, or something in it is no string.
        ValueError: If it is empty.

    Example:
        >>> from viam_sync.app.arguments import texts
        >>> texts("tags", ("red", "round"))
        ['red', 'round']
    """
    items = _items(name, values, "strings")
    for index, item in enumerate(items):
        if not isinstance(item, str):
            raise TypeError(f"{name}[{index}] takes a str, got a {type(item).__name__}")
    return items


def id_fields(name: str, ids: Sequence[BinaryIDLike]) -> Dict[str, Any]:
    """Return the fields of a request that hold a list of IDs of binary data.

    Args:
        name: What the caller knows the list as.
        ids: The IDs, strings and messages as they come.

    Returns:
        The messages as ``binary_ids``, the strings as ``binary_data_ids``.

    Raises:
        TypeError: If it is no list, or something in it is no ID.
        ValueError: If it is empty, or an ID in it is.

    Example:
        >>> from viam_sync.app.arguments import id_fields
        >>> id_fields("binary_ids", ["org/loc/file"])
        {'binary_ids': [], 'binary_data_ids': ['org/loc/file']}
    """
    items = _items(name, ids, "IDs")
    fields = [id_field(f"{name}[{index}]", item) for index, item in enumerate(items)]
    return {
        "binary_ids": [field["binary_id"] for field in fields if "binary_id" in field],
        "binary_data_ids": [field["binary_data_id"] for field in fields if "binary_data_id" in field],
    }


def id_field(name: str, given: BinaryIDLike) -> Dict[str, Any]:
    """Return the field of a request that holds one ID of binary data.

    Args:
        name: What the caller knows the ID as.
        given: The ID.

    Returns:
        A message as ``binary_id``, a string as ``binary_data_id``.

    Raises:
        TypeError: If it is no ID.
        ValueError: If it is empty.

    Example:
        >>> from viam_sync.app.arguments import id_field
        >>> id_field("binary_id", "org/loc/file")
        {'binary_data_id': 'org/loc/file'}
    """
    if isinstance(given, str):
        if not given:
            raise ValueError(f"{name} is an empty string; an ID of binary data is 'organization/location/file'")
        if "\0" in given or not is_text(given):
            raise ValueError(f"{name} takes 'organization/location/file', got a text with what no ID has, {given!r}")
        return {"binary_data_id": given}
    if isinstance(given, Message) and given.DESCRIPTOR.full_name == "viam.app.data.v1.BinaryID":
        return {"binary_id": given}
    raise TypeError(f"{name} takes a str or a BinaryID, got a {type(given).__name__}")


def request_times(name: str, times: Optional[Sequence[datetime]]) -> Dict[str, Any]:
    """Return the fields that hold when data was requested and received; none where there are no times.

    Args:
        name: What the caller knows the pair as.
        times: When the data was requested, and when it was received.

    Raises:
        TypeError: If it is no pair of datetimes.
        ValueError: If it holds more than two or fewer.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.app.arguments import request_times
        >>> sorted(request_times("data_request_times", (datetime(2024, 1, 1), datetime(2024, 1, 2))))
        ['time_received', 'time_requested']
    """
    if times is None:
        return {}
    if not isinstance(times, (tuple, list)) or not all(isinstance(time, datetime) for time in times):
        raise TypeError(f"{name} takes two datetimes, (requested, received), got {_described(times)}")
    if len(times) != 2:
        raise ValueError(f"{name} takes two datetimes, (requested, received), got {len(times)}")
    return {"time_requested": times[0], "time_received": times[1]}


def box(x_min: float, y_min: float, x_max: float, y_max: float) -> Dict[str, Any]:
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
        >>> from viam_sync.app.arguments import box
        >>> box(0, 0, 1, 0.5)["y_max_normalized"]
        0.5
    """
    edges = {"x_min_normalized": x_min, "y_min_normalized": y_min, "x_max_normalized": x_max, "y_max_normalized": y_max}
    for name, edge in edges.items():
        if share(name, edge) is None:
            raise TypeError(f"{name} takes a number from 0 to 1, got None")
    for axis in "xy":
        low, high = f"{axis}_min_normalized", f"{axis}_max_normalized"
        if edges[low] >= edges[high]:
            raise ValueError(f"{low} must be less than {high}, got {edges[low]!r} and {edges[high]!r}")
    return edges


def share(name: str, value: Optional[float]) -> Optional[float]:
    """Return a number from 0 to 1; None stays None.

    Raises:
        TypeError: If it is no number; ``name`` is what the caller knows it as.
        ValueError: If it is outside [0, 1].
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} takes a number from 0 to 1, got a {type(value).__name__}")
    if not 0 <= value <= 1:
        raise ValueError(f"{name} takes a number from 0 to 1, got {described(value)}")
    return value


def text(name: str, value: str) -> str:
    """Return a string that may not be empty.

    Raises:
        TypeError: If it is no string; ``name`` is what the caller knows it as.
        ValueError: If it is empty.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} takes a str, got a {type(value).__name__}")
    if not value:
        raise ValueError(f"{name} is an empty string")
    require(**{name: value})
    return value


def worker_count(workers: int) -> int:
    """Return how many workers there may be at a time.

    Raises:
        TypeError: If that is no whole number.
        ValueError: If it is outside 1 to 64.

    Example:
        >>> from viam_sync.app.arguments import worker_count
        >>> worker_count(8)
        8
    """
    return whole("workers", workers, 1, _MOST_WORKERS)


def whole(name: str, value: int, least: int, most: int) -> int:
    """Return a whole number that is within a range.

    Args:
        name: What the caller knows it as.
        value: The number.
        least: The least that it may be.
        most: The most that it may be.

    Raises:
        TypeError: If it is no whole number.
        ValueError: If it is outside of the range.

    Example:
        >>> from viam_sync.app.arguments import whole
        >>> whole("page_size", 500, 1, 100)
        Traceback (most recent call last):
        ValueError: page_size takes a number from 1 to 100, got 500
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} takes an int, got {described(value)}")
    if not least <= value <= most:
        raise ValueError(f"{name} takes a number from {least} to {most}, got {described(value)}")
    return value


def _items(name: str, values: Any, what: str) -> List[Any]:
    if isinstance(values, (str, bytes, bytearray, dict, Message)):
        raise TypeError(f"{name} takes a list of {what}, got {_described(values)}")
    try:
        items = list(values)
    except (TypeError, ValueError) as error:  # such as a file that is closed
        raise TypeError(f"{name} takes a list of {what}, got {_described(values)}") from error
    if not items:
        raise ValueError(f"{name} is an empty list; give at least one")
    return items


def _described(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        kinds: Tuple[str, ...] = tuple(type(item).__name__ for item in value)
        return f"a {type(value).__name__} of ({', '.join(kinds)})"
    return f"a {type(value).__name__}"
