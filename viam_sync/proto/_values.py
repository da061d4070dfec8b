"""Plain Python values that stand for messages of the well-known types."""

from datetime import datetime, timedelta
from typing import Any, Iterator, Mapping, Optional, Union

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.proto._refusals import given, is_text

#: A point in time; a datetime without a time zone is UTC.
TimestampLike = Union[datetime, Timestamp]
#: A span of time.
DurationLike = Union[timedelta, Duration]
#: A JSON object; its numbers travel as doubles.
StructLike = Union[Mapping[str, Any], Struct]


def value_to_message(cls: Any, value: Any, what: str) -> Any:
    """Return a plain value as a message of the well-known type ``cls``; anything else as it is.

    Raises:
        TypeError: If something in a dict has no place in a Struct; ``what`` names the dict in the text.
        ValueError: If a dict holds itself.
    """
    name = cls.DESCRIPTOR.name
    if name == "Timestamp" and isinstance(value, datetime):
        message = cls()
        message.FromDatetime(value)
    elif name == "Duration" and isinstance(value, timedelta):
        message = cls()
        message.FromTimedelta(value)
    elif name == "Struct" and isinstance(value, Mapping) and not isinstance(value, Message):
        message = cls()
        try:
            message.update(value)
        except RecursionError:
            raise ValueError(f"{what} takes a dict that ends somewhere; this one holds itself or is too deep") from None
        except (TypeError, ValueError) as error:
            kind = ValueError if isinstance(error, ValueError) else TypeError
            raise kind(_misfit(what, value) or f"{what}: {error}") from None
    else:
        return value
    return message


def _misfit(what: str, value: Any) -> Optional[str]:
    """Say what is the first thing in a plain value that has no place in a Struct."""
    found: Iterator[Optional[str]] = iter(())
    if isinstance(value, Mapping):
        wrong = [key for key in value if not is_text(key)]
        if wrong:
            return f"{what} takes a dict whose keys are texts, got the key {wrong[0]!r}"
        found = (_misfit(f"{what}[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        found = (_misfit(f"{what}[{index}]", item) for index, item in enumerate(value))
    elif not isinstance(value, (bool, int, float, type(None))) and not is_text(value):
        return f"{what} takes None, a bool, a number, a str, a list or a dict, got {given(value)}"
    return next(filter(None, found), None)
