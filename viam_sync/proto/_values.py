"""Plain Python values that stand for messages of the well-known types."""

from datetime import datetime, timedelta
from typing import Any, Mapping, Union

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

#: A point in time; a datetime without a time zone is UTC.
TimestampLike = Union[datetime, Timestamp]
#: A span of time.
DurationLike = Union[timedelta, Duration]
#: A JSON object; its numbers travel as doubles.
StructLike = Union[Mapping[str, Any], Struct]


def value_to_message(cls: Any, value: Any) -> Any:
    """Return a plain value as a message of the well-known type ``cls``; anything else as it is."""
    name = cls.DESCRIPTOR.name
    if name == "Timestamp" and isinstance(value, datetime):
        message = cls()
        message.FromDatetime(value)
    elif name == "Duration" and isinstance(value, timedelta):
        message = cls()
        message.FromTimedelta(value)
    elif name == "Struct" and isinstance(value, Mapping) and not isinstance(value, Message):
        message = cls()
        message.update(value)
    else:
        return value
    return message
