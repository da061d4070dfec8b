"""Entries of logs: making them, and adding them to the log of a part."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any, Mapping, Optional, Sequence

from google.protobuf import json_format

from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.sandbox.core.world import World, microseconds_of, timestamp
from viam_sync.sandbox.fleet.configs import make_config

#: The levels of entries, in order of severity.
LOG_LEVELS = ("debug", "info", "warn", "error", "fatal")

_LARGEST = 1024 * 1024
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


def make_log_entry(
    message: str,
    *,
    level: str,
    logger_name: str,
    file: str,
    line: int,
    time: Optional[datetime] = None,
    host: str = "",
    stack: str = "",
    fields: Sequence[Mapping[str, Any]] = (),
) -> common_pb.LogEntry:
    """Return a log entry.

    Raises:
        ValueError: If an argument has no form in an entry.
    """
    _require(str, message=message, level=level, logger_name=logger_name, file=file, host=host, stack=stack)
    _require(int, line=line)
    if time is not None:
        _require(datetime, time=time)
    if level not in LOG_LEVELS:
        raise ValueError(f"level is {level!r}; choose one of {', '.join(LOG_LEVELS)}.")
    try:
        return common_pb.LogEntry(
            host=host,
            level=level,
            time=None if time is None else timestamp(_microseconds(time)),
            logger_name=logger_name,
            message=message,
            caller=make_config({"File": file, "Line": line}).struct,
            stack=stack,
            fields=[make_config(dict(field)).struct for field in fields],
        )
    except (TypeError, ValueError, ArithmeticError, json_format.Error) as error:
        raise ValueError(f"This cannot be logged: {error}.") from None


def add_log(world: World, part: pb.RobotPart, entry: common_pb.LogEntry, *, user_facing: bool = False) -> None:
    """Add an entry to the log of a part, within a transaction.

    The default of its host is the name of the part, and that of its time is the present.

    Raises:
        ValueError: If the entry is too large.
    """
    entry.host = entry.host or part.name
    if not entry.HasField("time"):
        entry.time.CopyFrom(world.now())
    body = entry.SerializeToString()
    if len(body) > _LARGEST:
        raise ValueError(f"An entry of a log takes at most {_LARGEST} bytes; this one takes {len(body)}.")
    world.store.insert(
        "logs",
        part_id=part.id,
        logged=microseconds_of(entry.time),
        level=LOG_LEVELS.index(entry.level),
        source=entry.logger_name,
        user_facing=user_facing,
        folded=entry.message.casefold(),
        body=body,
    )
    world.feed.wake(part.id)


def _require(kind: type, **values: Any) -> None:
    for name, value in values.items():
        if not isinstance(value, kind):
            raise ValueError(f"{name} takes a {kind.__name__}, got a {type(value).__name__}.")


def _microseconds(time: datetime) -> int:
    return ((time if time.tzinfo else time.replace(tzinfo=timezone.utc)) - _EPOCH) // timedelta(microseconds=1)
