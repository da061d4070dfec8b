"""Helpers for scripts, under the names of the official SDK: between plain Python values and messages."""

from google.protobuf.struct_pb2 import ListValue

from viam_sync.app._data.filters import create_filter, partition_filter
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

__all__ = [
    "ListValue",
    "StructLike",
    "TimestampLike",
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
