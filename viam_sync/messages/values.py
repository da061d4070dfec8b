"""Plain Python values that stand for messages of the well-known types."""

import re
from datetime import datetime, timedelta
from typing import Any, Iterator, Mapping, Optional, Union

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.checks import is_number, type_of, wrong_key, wrong_type, wrong_value
from viam_sync.checks.descriptions import is_text
from viam_sync.checks.numbers import plain_number
from viam_sync.messages.explain import UNFIT
from viam_sync.messages.precision import EXACT, warn_if_rounded

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
#: The types of values that a Struct holds as they are.
_SCALARS = frozenset([str, float, bool, type(None)])
_FIRST_KEY = r"""\[['"]"""
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


def require_in_order(message: Any, start: str = "start", end: str = "end") -> None:
    """Refuse a message whose end is before its start: nothing is from such a time, so an answer would be empty.

    Args:
        message: One with the fields ``start`` and ``end``.
        start: The name of the parameter of the start.
        end: The name of that of the end.

    Raises:
        ValueError: If both are set, and not in order.

    Example:
        >>> from viam_sync.messages.values import require_in_order
        >>> from viam_sync.proto.app import data as data_pb
        >>> require_in_order(data_pb.CaptureInterval(start=datetime(2024, 1, 2), end=datetime(2024, 1, 1)))
        Traceback (most recent call last):
        ValueError: end is before start: 2024-01-01T00:00:00Z is before 2024-01-02T00:00:00Z, so nothing is between ...
    """
    if not (message.HasField("start") and message.HasField("end")):
        return
    first, last = message.start, message.end
    if (last.seconds, last.nanos) < (first.seconds, first.nanos):
        times = f"{last.ToJsonString()} is before {first.ToJsonString()}"
        raise ValueError(f"{end} is before {start}: {times}, so nothing is between them")


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
    plain = mapping if _is_plain(mapping, name) else _plain(mapping)
    message = cls()
    try:
        message.update(plain)
    except UNFIT as error:
        raise type_of(error)(str(_misfit(name, mapping) or f"{name}: {error}")) from None
    return message


def _is_plain(value: Any, name: str, room: int = DEEPEST) -> bool:
    """Tell whether protobuf knows all types in a mapping or list; refuse one that is too deep.

    Whole numbers that a double rounds are warned of on the way: every reading passes here, and another walk would cost
    as much again.
    """
    if room < 0:
        raise too_deep(name)
    plain = isinstance(value, (dict, list, tuple))
    for key, item in value.items() if isinstance(value, (dict, Mapping)) else enumerate(value):
        kind = type(item)
        if kind in _SCALARS or (kind is int and -EXACT <= item <= EXACT):
            continue
        if isinstance(item, (dict, list, tuple, Mapping)) and not isinstance(item, Message):
            plain = _is_plain(item, f"{name}[{key!r}]", room - 1) and plain
        else:
            warn_if_rounded(f"{name}[{key!r}]", item)
            plain = plain and kind is int
    return plain


def _plain(value: Any) -> Any:
    """Return a mapping or list with numbers and containers of Python's own."""
    if isinstance(value, Message):
        return value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return plain_number(value)


def too_deep(name: str) -> ValueError:
    """Return the error of a value with too many dicts and lists within each other, such as one that holds itself.

    Args:
        name: The name of the parameter, and the place that was reached, which is too long to be told.
    """
    text = f"takes a dict with up to {DEEPEST} dicts and lists within each other; this has more, or holds itself"
    return ValueError(f"{re.split(_FIRST_KEY, name, maxsplit=1)[0]} {text}")


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
    else:
        return _misfit_alone(name, plain_number(value))
    return next(filter(None, found), None)


def _misfit_alone(name: str, value: Any) -> Optional[Exception]:
    if value is None or is_text(value):
        return None
    if not is_number(value):
        return wrong_type(name, JSON_KINDS, value)
    return None if fits_double(value) else wrong_value(name, SMALL_ENOUGH, value)


def fits_double(number: Any) -> bool:
    """Tell whether a number that `plain_number` has returned is not too large for a double."""
    # What is of another library even then is a number that no float holds.
    return isinstance(number, float) or (isinstance(number, int) and abs(number) < _TOO_LARGE)
