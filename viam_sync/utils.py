"""Helpers for scripts, under the names of the official SDK: between plain Python values and messages."""

from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import ListValue, Struct, Value
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.app._data.filters import create_filter, partition_filter
from viam_sync.gen.reexports import utils as reexports
from viam_sync.messages.conversion import (
    ValueTypes,
    datetime_to_timestamp,
    dict_to_struct,
    message_to_struct,
    primitive_to_value,
    struct_to_dict,
    struct_to_message,
    timestamp_to_datetime,
    value_to_primitive,
)
from viam_sync.messages.values import StructLike, TimestampLike
from viam_sync.viam_sdk import missing_name

if TYPE_CHECKING:
    from viam_sync.gen.reexports.utils import *  # noqa: F403

__all__ = [
    "ListValue",
    "Struct",
    "StructLike",
    "Timestamp",
    "TimestampLike",
    "Value",
    "ValueTypes",
    "create_filter",
    "datetime_to_timestamp",
    "dict_to_struct",
    "message_to_struct",
    "partition_filter",
    "primitive_to_value",
    "struct_to_dict",
    "timestamp_to_datetime",
    "struct_to_message",
    "value_to_primitive",
]

#: What the official module has for machines, besides.
_OF_MACHINES = (
    "PointerCounter",
    "SensorReading",
    "from_dm_from_extra",
    "get_geometries",
    "resource_names_for_resource",
    "sensor_readings_native_to_value",
    "sensor_readings_value_to_native",
)

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        if name in _OF_MACHINES:
            raise missing_name(__name__, name)
        return getattr(reexports, name)
