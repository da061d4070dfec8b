"""The ``repr`` of records and results: one line of less than 200 characters, without secrets."""

import dataclasses
import reprlib
from datetime import datetime
from typing import Any

from google.protobuf.message import Message

from viam_sync.checks.urls import redact_urls

#: The number of characters of a ``repr``, at most.
LONGEST = 199
_LONGEST_TEXT = 100


class _ShortRepr(reprlib.Repr):
    """Short forms of values; that of a message is its type, as its own form has a line for each field."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = self.maxlong = _LONGEST_TEXT
        self.maxlist = self.maxtuple = self.maxdict = 4
        self.maxlevel = 3

    def repr_datetime(self, x: datetime, level: int) -> str:
        return str(x)

    def repr_instance(self, x: Any, level: int) -> str:
        if isinstance(x, Message):
            return f"<{type(x).__name__}>"
        text = self.repr_str(x, level) if isinstance(x, str) else repr(x)
        return text if len(text) <= LONGEST else f"{text[:_LONGEST_TEXT]}…"


def short_repr(record: Any) -> str:
    """Return the ``repr`` of a dataclass, as far as it fits in one line.

    Fields that may hold secrets are left out, as the dataclass itself says; so are passwords in URLs.

    Example:
        >>> from viam_sync.app.app_client import LogEntry
        >>> from viam_sync.proto import common
        >>> LogEntry.from_proto(common.LogEntry(host="rover-main", level="info", message="hot"))
        LogEntry(host='rover-main', level='info', time=None, logger_name='', message='hot', caller=None, stack='', ...)
    """
    short = _ShortRepr()
    fields = (field for field in dataclasses.fields(record) if field.repr)
    text = ", ".join(f"{field.name}={short.repr(getattr(record, field.name))}" for field in fields)
    line = redact_urls(f"{type(record).__qualname__}({text})").replace("\n", " ")
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2]}…)"
