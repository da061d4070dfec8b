"""Plain Python values that stand for messages of the well-known types."""

from datetime import datetime, timedelta
from typing import Any, Iterator, Mapping, Optional, Union

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.checks import UNFIT, is_text, kind_of, redact

#: A point in time; a datetime without a time zone is UTC.
TimestampLike = Union[datetime, Timestamp]
#: A span of time.
DurationLike = Union[timedelta, Duration]
#: A JSON object; its numbers travel as doubles.
StructLike = Union[Mapping[str, Any], Struct]


#: So many objects and lists within each other fit a message: the runtimes of protobuf read it to a depth of 100, and
#: each of them takes up to three, besides those of the request around it.
DEEPEST = 30
#: What a double can no longer hold.
_LARGEST = 2**1024 - 2**970
_LONGEST_SPAN = timedelta(seconds=315_576_000_000)


def value_to_message(cls: Any, value: Any, what: str) -> Any:
    """Return a plain value as a message of the well-known type ``cls``; anything else as it is.

    Raises:
        TypeError: If something in a dict has no place in a Struct; ``what`` names the value in the text.
        ValueError: If a dict holds itself or is too deep, or a time is one that no message holds.
    """
    name = cls.DESCRIPTOR.name
    if name == "Timestamp" and isinstance(value, datetime):
        message = timestamp_of(cls, value, what)
    elif name == "Duration" and isinstance(value, timedelta):
        message = _duration(cls, value, what)
    elif name == "Struct" and isinstance(value, Mapping) and not isinstance(value, Message):
        message = struct_of(cls, value, what)
    else:
        return value
    return message


def timestamp_of(cls: Any, moment: datetime, what: str) -> Any:
    """Return a time as a Timestamp.

    Raises:
        ValueError: If it is none that a Timestamp holds, which ends with the year 9999 in UTC; ``what`` names it.
    """
    message = cls()
    try:
        message.FromDatetime(moment)
    except UNFIT:
        raise ValueError(f"{what} takes a time from the year 1 to 9999 in UTC, got {moment}") from None
    return message


def _duration(cls: Any, span: timedelta, what: str) -> Any:
    message = cls()
    if abs(span) > _LONGEST_SPAN:
        raise ValueError(f"{what} takes a span of up to 10,000 years, got {span}")
    message.FromTimedelta(span)
    return message


def struct_of(cls: Any, mapping: Mapping[str, Any], what: str) -> Any:
    """Return a mapping as a Struct.

    Raises:
        TypeError: If something in it has no place in a Struct; ``what`` names the mapping in the text.
        ValueError: If it holds itself or is too deep, or a number or text in it is one that no Struct holds.
    """
    check_depth(mapping, what)
    message = cls()
    try:
        message.update(mapping)
    except UNFIT as error:
        raise kind_of(error)(_misfit(what, mapping) or f"{what}: {error}") from None
    return message


def check_depth(value: Any, what: str, room: int = DEEPEST) -> None:
    """Refuse a value with too many objects and lists within each other, such as one that holds itself.

    Raises:
        ValueError: If there are more than ``room``; ``what`` names the value in the text.
    """
    if room < 0:
        text = f"takes a dict with up to {DEEPEST} dicts and lists within each other; this has more, or holds itself"
        raise ValueError(f"{what} {text}")
    for item in value.values() if isinstance(value, Mapping) else value:
        if isinstance(item, (dict, list, tuple, Mapping)) and not isinstance(item, Message):
            check_depth(item, what, room - 1)


def _misfit(what: str, value: Any) -> Optional[str]:
    """Say what is the first thing in a plain value that has no place in a Struct."""
    found: Iterator[Optional[str]] = iter(())
    if isinstance(value, Mapping):
        wrong = [key for key in value if not is_text(key)]
        if wrong:
            return f"{what} takes a dict whose keys are texts, got the key {redact(wrong[0])}"
        found = (_misfit(f"{what}[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, (list, tuple)):
        found = (_misfit(f"{what}[{index}]", item) for index, item in enumerate(value))
    elif isinstance(value, int):
        return None if abs(value) < _LARGEST else f"{what} takes a number of up to 308 digits, got {redact(value)}"
    elif not isinstance(value, (float, type(None))) and not is_text(value):
        return f"{what} takes None, a bool, a number, a str, a list or a dict, got {redact(value)}"
    return next(filter(None, found), None)
