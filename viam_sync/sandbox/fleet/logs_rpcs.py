"""The RPCs about the logs of parts: pages of entries, and tails that follow a log."""

from __future__ import annotations

import re
from typing import Iterator, Optional, Tuple

import grpc

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.world import World, microseconds_of
from viam_sync.sandbox.fleet.log_entries import LOG_LEVELS
from viam_sync.sandbox.fleet.logs import (
    PAGE,
    LogCondition,
    entries_by_arrival,
    entries_by_time,
    entries_of,
    fit_into_message,
    latest_entry_id,
)

# The limits of SQLite's integers.
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1

_RANGE = re.compile(r"([0-9]{1,9})([mhd])\Z")
_UNITS = {"m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_TOKEN = re.compile(r"entry-(-?[0-9]{1,19})-([0-9]{1,19})\Z")


class LogsServicer:
    """The RPCs of AppService about the logs of parts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetRobotPartLogs(self, request: pb.GetRobotPartLogsRequest, caller: Caller) -> pb.GetRobotPartLogsResponse:
        """List the entries of a part, newest first unless asked otherwise, in pages of at most 100 entries."""
        ascending = _is_ascending(request.order)
        limit = _page_size(request.limit)
        condition = _condition(request, self._world.microseconds())
        after = _decode_page_token(request.page_token) if request.page_token else None
        part = self._readable_part(request.id, caller)
        rows = entries_by_time(self._world, part, condition, ascending, after, limit + 1)
        page = fit_into_message(rows[:limit])
        # The token names the last entry rather than an offset, which new entries would shift.
        token = f"entry-{page[-1]['logged']}-{page[-1]['id']}" if len(page) < len(rows) else ""
        return pb.GetRobotPartLogsResponse(logs=entries_of(page), next_page_token=token)

    def TailRobotPartLogs(
        self, request: pb.TailRobotPartLogsRequest, caller: Caller, context: grpc.ServicerContext
    ) -> Iterator[pb.TailRobotPartLogsResponse]:
        """Send the entries of a part from now on, until the client cancels or the part is deleted (NOT_FOUND).

        The initial metadata is sent when the part is followed: every entry that is logged after it reaches the client.
        """
        condition = LogCondition()
        if request.errors_only:
            condition.add_errors_only()
        condition.add_text(request.filter)
        with self._world.store.transaction():
            part = self._readable_part(request.id, caller)
            last = latest_entry_id(self._world)
        with self._world.feed.following(part.id) as follower:
            if not context.add_callback(follower.end):
                return
            context.send_initial_metadata(())
            while follower.wait():
                with self._world.store.transaction():
                    rows = entries_by_arrival(self._world, part, condition, last)
                    last = rows[-1]["id"] if rows else latest_entry_id(self._world)
                if rows:
                    # There may be more entries than fit into one message.
                    follower.wake()
                    yield pb.TailRobotPartLogsResponse(logs=entries_of(rows))

    def _readable_part(self, part_id: str, caller: Caller) -> pb.RobotPart:
        part = self._world.part(part_id)
        caller.require("read_robot_logs", "robot", part.robot)
        return part


def _condition(request: pb.GetRobotPartLogsRequest, now: int) -> LogCondition:
    condition = LogCondition()
    if request.levels:
        levels = sorted({_level(name) for name in request.levels})
        condition.add(f"level IN ({', '.join('?' * len(levels))})", *levels)
    if request.errors_only:
        condition.add_errors_only()
    start, end = _time_span(request, now)
    if start is not None:
        condition.add("logged >= ?", _limited(start))
    if end is not None:
        condition.add("logged <= ?", _limited(end))
    if request.source:
        # Entries have no field for their source but the name of their logger; a source includes the loggers below it.
        below = request.source + "."
        condition.add("(source = ? OR substr(source, 1, ?) = ?)", request.source, len(below), below)
    if request.user_facing_only:
        # Entries have no field for this either; the writer of an entry decides.
        condition.add("user_facing")
    condition.add_text(request.filter)
    return condition


def _time_span(request: pb.GetRobotPartLogsRequest, now: int) -> Tuple[Optional[int], Optional[int]]:
    """Return the earliest and the latest time of an entry, both inclusive; None where there is no limit."""
    start = microseconds_of(request.start) if request.HasField("start") else None
    end = microseconds_of(request.end) if request.HasField("end") else None
    if not request.range:
        return start, end
    if start is not None and end is not None:
        raise invalid_argument("A range comes with at most one of start and end; leave out one of the three.")
    match = _RANGE.match(request.range)
    if match is None:
        raise invalid_argument(
            f"range is {request.range[:64]!r}; give minutes, hours or days, such as '10m', '10h' or '10d'."
        )
    length = int(match.group(1)) * _UNITS[match.group(2)]
    # A range begins at the start if there is one; else it ends at the end, or now.
    return (start, start + length) if start is not None else ((now if end is None else end) - length, end)


def _is_ascending(order: pb.LogOrder.ValueType) -> bool:
    if order not in pb.LogOrder.values():
        known = ", ".join(f"{name} ({number})" for name, number in pb.LogOrder.items())
        raise invalid_argument(f"order is {int(order)}; give one of {known}.")
    return order == pb.LogOrder.LOG_ORDER_ASCENDING


def _page_size(limit: int) -> int:
    """Return the size of a page; 0 stands for the largest one."""
    if limit < 0:
        raise invalid_argument(f"limit is {limit}; give a positive number, or none for pages of {PAGE}.")
    return min(limit or PAGE, PAGE)


def _level(name: str) -> int:
    if name.lower() not in LOG_LEVELS:
        raise invalid_argument(f"{name[:64]!r} is not a level; choose from {', '.join(LOG_LEVELS)}.")
    return LOG_LEVELS.index(name.lower())


def _decode_page_token(token: str) -> Tuple[int, int]:
    match = _TOKEN.match(token)
    after = (int(match.group(1)), int(match.group(2))) if match else None
    if after is None or after != (_limited(after[0]), _limited(after[1])):
        raise invalid_argument(
            "The page token is none that this call returned; leave it out to begin with the first page."
        )
    return after


def _limited(number: int) -> int:
    return max(_SMALLEST, min(number, _LARGEST))
