"""One value as short text: times in the viewer's zone, bytes by their size, secrets hidden."""

import json
from datetime import datetime, timedelta, timezone, tzinfo
from enum import Enum
from typing import Any, Mapping, NamedTuple, Optional, Sequence

from google.protobuf.message import Message

from viam_sync.checks.urls import redact_urls
from viam_sync.display.json_form import message_form, to_dict
from viam_sync.display.shown_fields import ShownField, enum_name, is_record, shown_fields
from viam_sync.messages.secret_fields import HIDDEN

#: The number of characters of a value, at most.
_LONGEST = 300
#: The time that records have where the service sent none.
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_UNITS = ("KiB", "MiB", "GiB", "TiB")
#: The fields by which a message within another is recognized.
_NAMES = ("name", "label", "email", "id")


class Look(NamedTuple):
    """How things are shown.

    Attributes:
        secrets: Whether secrets are.
        tz: The time zone of times; None for that of this computer, or that which a time has by itself.
    """

    secrets: bool = False
    tz: Optional[tzinfo] = None


def field_text(field: ShownField, look: Look) -> str:
    """Return the value of a field as text; a secret is hidden, unless it is asked for or empty."""
    if field.secret and not look.secrets:
        return "" if _is_empty(field.value) else HIDDEN
    if field.enum is not None:
        numbers = [field.value] if isinstance(field.value, int) else field.value
        return ", ".join(str(enum_name(field.enum, number)) for number in numbers)
    return cell_text(field.value, look)


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, (Sequence, Mapping)) and not len(value))


def cell_text(value: Any, look: Look) -> str:
    """Return a value as short text.

    Example:
        >>> from viam_sync.display.cells import Look, cell_text
        >>> [cell_text(value, Look()) for value in (True, b"abc", 1.5, ["a", "b"], {"x": 1}, None)]
        ['True', '3 bytes', '1.5', 'a, b', '{"x": 1}', '']
    """
    if value is None:
        return ""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return size_text(len(value))
    if isinstance(value, datetime):
        return time_text(value, look.tz)
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, Message):
        return _message_text(value, look)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        return _clipped(value if look.secrets else redact_urls(value))
    if isinstance(value, BaseException):
        return _clipped(redact_urls(f"{type(value).__name__}: {value}"))
    if is_record(value):
        return _named(value)
    if isinstance(value, Mapping):
        return _mapping_text(value, look)
    return _list_text(value, look) if isinstance(value, Sequence) else _clipped(redact_urls(str(value)))


def size_text(size: int) -> str:
    """Return a number of bytes as one reads it.

    Example:
        >>> from viam_sync.display.cells import size_text
        >>> size_text(1), size_text(999), size_text(14_000_000)
        ('1 byte', '999 bytes', '13.4 MiB')
    """
    if size < 1024:
        return "1 byte" if size == 1 else f"{size} bytes"
    power = min((size.bit_length() - 1) // 10, len(_UNITS))
    return f"{size / 1024**power:.1f} {_UNITS[power - 1]}"


def time_text(moment: datetime, tz: Optional[tzinfo]) -> str:
    """Return a time as text in a time zone; without one, in its own, or in that of this computer if it has none.

    The start of 1970 is empty, as it stands in records for a time that the service did not send.

    Example:
        >>> from datetime import datetime, timedelta, timezone
        >>> from viam_sync.display.cells import time_text
        >>> time_text(datetime(2024, 1, 2, 3, 4, 5), timezone(timedelta(hours=1)))
        '2024-01-02 04:04:05 UTC+01:00'
    """
    aware = moment.replace(tzinfo=timezone.utc) if moment.tzinfo is None else moment
    if aware == _EPOCH:
        return ""
    try:
        shown = aware if tz is None and moment.tzinfo is not None else aware.astimezone(tz)
    except (OverflowError, OSError, ValueError):  # at the ends of the calendar, or before that of the system begins
        shown = aware
    return f"{shown.replace(tzinfo=None).isoformat(' ', 'seconds')} {shown.tzname() or ''}".rstrip()


def _message_text(message: Any, look: Look) -> str:
    kind = message.DESCRIPTOR.full_name
    if kind == "google.protobuf.Timestamp":
        return timestamp_text(message, look.tz)
    if not kind.startswith("google.protobuf."):
        return _named(message)
    try:
        form = message_form(message, "value", look.secrets)
    except ValueError:  # a number that JSON lacks, or a time that no calendar has
        return _clipped(" ".join(str(message).split()))
    return _mapping_text(form, look) if isinstance(form, dict) else cell_text(form, look)


def timestamp_text(message: Any, tz: Optional[tzinfo]) -> str:
    """Return a Timestamp as text, one that no calendar has by its seconds."""
    try:
        moment = _EPOCH + timedelta(seconds=message.seconds, microseconds=message.nanos // 1000)
    except OverflowError:
        return f"{message.seconds} seconds after 1970"
    return time_text(moment.replace(tzinfo=None), tz)


def _named(value: Any) -> str:
    """Return the type of a message or record, and its name."""
    known = {field.name: field.value for field in shown_fields(value) if field.name in _NAMES and field.value}
    name = next((known[each] for each in _NAMES if each in known), "")
    return _clipped(f"{type(value).__name__} {name}".rstrip())


def _mapping_text(mapping: Mapping[Any, Any], look: Look) -> str:
    try:
        text = json.dumps(to_dict(mapping, secrets=look.secrets), ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(mapping)
    return _clipped(text if look.secrets else redact_urls(text))


def _list_text(values: Sequence[Any], look: Look) -> str:
    if values and (isinstance(values[0], Message) or is_record(values[0])):
        return _named(values[0]) if len(values) == 1 else f"{type(values[0]).__name__} ({len(values)})"
    # No more of them than may fit.
    return _clipped(", ".join(cell_text(value, look) for value in values[:_LONGEST]))


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"
