"""Helpers for scripts: between plain Python values and messages."""

from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional, Union

from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.proto._values import StructLike, TimestampLike

ValueTypes = Union[None, bool, float, str, List["ValueTypes"], Mapping[str, "ValueTypes"]]


def struct_to_dict(struct: Struct) -> Dict[str, Any]:
    """Return a Struct as a dict.

    Args:
        struct: The message, ours or that of ``google.protobuf``.

    Returns:
        Its fields. Numbers are floats, as a Struct knows no others; null is None.

    Example:
        >>> from viam_sync.utils import dict_to_struct, struct_to_dict
        >>> struct_to_dict(dict_to_struct({"speeds": [1, None]}))
        {'speeds': [1.0, None]}
    """
    return {name: value_to_primitive(value) for name, value in struct.fields.items()}


def value_to_primitive(value: Value) -> Any:
    """Return a Value as None, a bool, a float, a str, a list or a dict."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return struct_to_dict(value.struct_value)
    if kind == "list_value":
        return [value_to_primitive(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def dict_to_struct(mapping: Mapping[str, Any]) -> Struct:
    """Return a mapping as a Struct.

    Args:
        mapping: Keys are strings; values are None, bools, numbers, strings, lists or mappings of these.

    Raises:
        ValueError: If a value is something else.

    Example:
        >>> from viam_sync.utils import dict_to_struct
        >>> dict_to_struct({"speed": 1})["speed"]
        1.0
    """
    struct = Struct()
    struct.update(mapping)
    return struct


def datetime_to_timestamp(moment: Optional[datetime]) -> Optional[Timestamp]:
    """Return a datetime as a Timestamp; one without a time zone is UTC, and None stays None.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.utils import datetime_to_timestamp
        >>> datetime_to_timestamp(datetime(1970, 1, 2)).seconds
        86400
    """
    if moment is None:
        return None
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


__all__ = [
    "ListValue",
    "StructLike",
    "TimestampLike",
    "ValueTypes",
    "datetime_to_timestamp",
    "dict_to_struct",
    "struct_to_dict",
    "value_to_primitive",
]
