"""Plain Python values that stand for messages of the well-known types."""

from datetime import datetime, timedelta
from typing import Any, Iterator, Mapping, Optional, Union

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.checks import is_text, type_of, wrong_key, wrong_type, wrong_value
from viam_sync.messages.explain import UNFIT

#: A point in time; a datetime without a time zone is UTC.
TimestampLike = Union[datetime, Timestamp]
#: A span of time.
DurationLike = Union[timedelta, Duration]
#: A JSON object; its numbers travel as doubles.
StructLike = Union[Mapping[str, Any], Struct]

#: The values that a Struct holds.
JSON_KINDS = "None, a bool, a number, a str, a list or a dict"
#: The numbers that a double holds.
SMALL_ENOUGH = "a number of up to 308 digits"
#: The most objects and lists within each other that fit a message: the runtimes of protobuf parse it to a depth of 100,
#: and each of them takes up to three levels, besides those of the request around it.
DEEPEST = 30
#: The first number that is too large for a double.
_TOO_LARGE = 2**1024 - 2**970
_LONGEST_SPAN = timedelta(seconds=315_576_000_000)


def value_to_message(cls: Any, value: Any, name: str) -> Any:
    """Return a plain value as a message of the well-known type ``cls``; anything else as it is.

    Raises:
        TypeError: If something in a dict has no place in a Struct; ``name`` is that of the parameter.
        ValueError: If a dict holds itself or is too deep, or a time is one that no message holds.
    """
    kind = cls.DESCRIPTOR.name
    if kind == "Timestamp" and isinstance(value, datetime):
        return timestamp_of(cls, value, name)
    if kind == "Duration" and isinstance(value, timedelta):
        return _duration_of(cls, value, name)
    if kind == "Struct" and isinstance(value, Mapping) and not isinstance(value, Message):
        return struct_of(cls, value, name)
    return value


def timestamp_of(cls: Any, moment: datetime, name: str) -> Any:
    """Return a time as a Timestamp.

    Raises:
        ValueError: If no Timestamp holds it, which ends with the year 9999 in UTC; ``name`` is that of the parameter.
    """
    message = cls()
    try:
        message.FromDatetime(moment)
    except UNFIT:
        raise ValueError(f"{name} takes a datetime from the year 1 to 9999 in UTC, got {moment}") from None
    return message


def _duration_of(cls: Any, span: timedelta, name: str) -> Any:
    if abs(span) > _LONGEST_SPAN:
        raise ValueError(f"{name} takes a timedelta of up to 10,000 years, got {span}")
    message = cls()
    message.FromTimedelta(span)
    return message


def struct_of(cls: Any, mapping: Mapping[str, Any], name: str) -> Any:
    """Return a mapping as a Struct.

    Raises:
        TypeError: If something in it has no place in a Struct; ``name`` is that of the parameter.
        ValueError: If it holds itself or is too deep, or a number or text in it is one that no Struct holds.
    """
    check_depth(mapping, name)
    message = cls()
    try:
        message.update(mapping)
    except UNFIT as error:
        raise type_of(error)(str(_misfit(name, mapping) or f"{name}: {error}")) from None
    return message


def check_depth(value: Any, name: str, room: int = DEEPEST) -> None:
    """Refuse a value with too many objects and lists within each other, such as one that holds itself.

    Raises:
        ValueError: If there are more than ``room``; ``name`` is that of the parameter.
    """
    if room < 0:
        text = f"takes a dict with up to {DEEPEST} dicts and lists within each other; this has more, or holds itself"
        raise ValueError(f"{name} {text}")
    for item in value.values() if isinstance(value, Mapping) else value:
        if isinstance(item, (dict, list, tuple, Mapping)) and not isinstance(item, Message):
            check_depth(item, name, room - 1)


def _misfit(name: str, value: Any) -> Optional[Exception]:
    """Return an error for the first thing in a plain value that has no place in a Struct."""
    found: Iterator[Optional[Exception]] = iter(())
    if isinstance(value, Mapping):
        wrong = next((key for key in value if not is_text(key)), None)
        if wrong is not None:
            return wrong_key(name, "a str", wrong)
        found = (_misfit(f"{name}[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        found = (_misfit(f"{name}[{index}]", item) for index, item in enumerate(value))
    elif isinstance(value, int):
        return wrong_value(name, SMALL_ENOUGH, value) if abs(value) >= _TOO_LARGE else None
    elif not isinstance(value, (float, type(None))) and not is_text(value):
        return wrong_type(name, JSON_KINDS, value)
    return next(filter(None, found), None)
