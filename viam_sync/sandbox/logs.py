"""The logs of parts: pages of what they have logged, and tails that follow what they log."""

from __future__ import annotations

import re
import sqlite3
from typing import Any, Iterator, List, Optional, Tuple

import grpc

from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.errors import invalid_argument, not_found
from viam_sync.sandbox.log_entries import LEVELS
from viam_sync.sandbox.world import World, microseconds_of

_PAGE = 100
# With no options, grpc clients take messages of up to 4 MiB.
_PAGE_SIZE = 3 * 1024 * 1024
_ERROR = LEVELS.index("error")

# As far as SQLite counts.
_FIRST, _LAST = -(2**63), 2**63 - 1

_RANGE = re.compile(r"([0-9]{1,9})([mhd])\Z")
_UNITS = {"m": 60_000_000, "h": 3_600_000_000, "d": 86_400_000_000}
_TOKEN = re.compile(r"entry-(-?[0-9]{1,19})-([0-9]{1,19})\Z")


class Logs:
    """The RPCs of AppService about the logs of parts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetRobotPartLogs(self, request: pb.GetRobotPartLogsRequest, caller: Caller) -> pb.GetRobotPartLogsResponse:
        """List what a part has logged, newest first unless asked otherwise, in pages of at most 100 entries."""
        ascending = _ascending(request.order)
        limit = _limit(request.limit)
        wanted = _wanted(request, self._world.microseconds())
        place = _place(request.page_token) if request.page_token else None
        part = self._readable(request.id, caller)
        rows = self._beyond(place, part, wanted, ascending, limit + 1)
        shown = _fitting(rows[:limit])
        # The place of an entry rather than a number of entries: those that arrive meanwhile shift nothing.
        token = f"entry-{shown[-1]['logged']}-{shown[-1]['id']}" if len(shown) < len(rows) else ""
        return pb.GetRobotPartLogsResponse(logs=_entries(shown), next_page_token=token)

    def TailRobotPartLogs(
        self, request: pb.TailRobotPartLogsRequest, caller: Caller, context: grpc.ServicerContext
    ) -> Iterator[pb.TailRobotPartLogsResponse]:
        """Send what a part logs from now on, until the client goes away or the part is deleted (NOT_FOUND).

        The headers of the answer say that the part is being followed: what is logged after them arrives.
        """
        wanted = _Wanted()
        if request.errors_only:
            wanted.require("level >= ?", _ERROR)
        wanted.require_text(request.filter)
        with self._world.store.transaction():
            part = self._readable(request.id, caller)
            seen = self._newest()
        with self._world.feed.following(part.id) as follower:
            if not context.add_callback(follower.end):
                return
            context.send_initial_metadata(())
            while follower.wait():
                with self._world.store.transaction():
                    rows = self._after(seen, part, wanted)
                    seen = rows[-1]["id"] if rows else self._newest()
                if rows:
                    # There may be more than goes into one message.
                    follower.wake()
                    yield pb.TailRobotPartLogsResponse(logs=_entries(rows))

    def _readable(self, part_id: str, caller: Caller) -> pb.RobotPart:
        part = self._world.part(part_id)
        caller.require("read_robot_logs", "robot", part.robot)
        return part

    def _beyond(
        self, place: Optional[Tuple[int, int]], part: pb.RobotPart, wanted: _Wanted, ascending: bool, count: int
    ) -> List[sqlite3.Row]:
        """Return the first entries of a part by time, or the first ones beyond a place."""
        direction, beyond = ("ASC", ">") if ascending else ("DESC", "<")
        select = f"SELECT id, logged, body FROM logs WHERE part_id = ?{wanted.sql}"
        order = f" ORDER BY logged {direction}, id {direction} LIMIT ?"
        if place is None:
            return self._world.store.rows(select + order, part.id, *wanted.values, count)
        # Two searches of the index, since SQLite does not use it for both halves of (logged, id) < (?, ?).
        return self._world.store.rows(
            f"{select} AND logged = ? AND id {beyond} ? UNION ALL {select} AND logged {beyond} ?{order}",
            *(part.id, *wanted.values, *place, part.id, *wanted.values, place[0], count),
        )

    def _newest(self) -> int:
        row = self._world.store.row("SELECT max(id) AS id FROM logs")
        return 0 if row is None or row["id"] is None else int(row["id"])

    def _after(self, seen: int, part: pb.RobotPart, wanted: _Wanted) -> List[sqlite3.Row]:
        """Return the next entries of a part, in the order of their arrival."""
        if self._world.store.row("SELECT 1 FROM parts WHERE id = ?", part.id) is None:
            raise not_found(f"The robot part {part.name!r} was deleted, so there is no more of its log to follow.")
        rows = self._world.store.rows(
            f"SELECT id, body FROM logs WHERE part_id = ? AND id > ?{wanted.sql} ORDER BY id LIMIT ?",
            *(part.id, seen, *wanted.values, _PAGE),
        )
        return _fitting(rows)


class _Wanted:
    """What an entry must be like: a condition of SQL, and the values for its marks."""

    def __init__(self) -> None:
        self.sql = ""
        self.values: List[Any] = []

    def require(self, sql: str, *values: Any) -> None:
        self.sql += f" AND {sql}"
        self.values += values

    def require_text(self, text: str) -> None:
        if text:
            self.require("instr(folded, ?)", text.casefold())


def _wanted(request: pb.GetRobotPartLogsRequest, now: int) -> _Wanted:
    wanted = _Wanted()
    if request.levels:
        levels = sorted({_level(name) for name in request.levels})
        wanted.require(f"level IN ({', '.join('?' * len(levels))})", *levels)
    if request.errors_only:
        wanted.require("level >= ?", _ERROR)
    start, end = _span(request, now)
    if start is not None:
        wanted.require("logged >= ?", _counted(start))
    if end is not None:
        wanted.require("logged <= ?", _counted(end))
    if request.source:
        # Entries do not say where they come from, except by their logger: one source is that, with those below it.
        below = request.source + "."
        wanted.require("(source = ? OR substr(source, 1, ?) = ?)", request.source, len(below), below)
    if request.user_facing_only:
        # Nor do they say whether users should see them; whoever writes one decides.
        wanted.require("user_facing")
    wanted.require_text(request.filter)
    return wanted


def _span(request: pb.GetRobotPartLogsRequest, now: int) -> Tuple[Optional[int], Optional[int]]:
    """Return the first and the last time that an entry may have, both inclusive; None where there is no bound."""
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
    # A range alone reaches back from now; from a start it reaches on, from an end back.
    return (start, start + length) if start is not None else ((now if end is None else end) - length, end)


def _ascending(order: pb.LogOrder.ValueType) -> bool:
    if order not in pb.LogOrder.values():
        known = ", ".join(f"{name} ({number})" for name, number in pb.LogOrder.items())
        raise invalid_argument(f"order is {int(order)}; give one of {known}.")
    return order == pb.LogOrder.LOG_ORDER_ASCENDING


def _limit(limit: int) -> int:
    """Return the size of a page; no limit and 0 leave it to the server, which also has the last word."""
    if limit < 0:
        raise invalid_argument(f"limit is {limit}; give a positive number, or none for pages of {_PAGE}.")
    return min(limit or _PAGE, _PAGE)


def _level(name: str) -> int:
    if name.lower() not in LEVELS:
        raise invalid_argument(f"{name[:64]!r} is not a level; choose from {', '.join(LEVELS)}.")
    return LEVELS.index(name.lower())


def _place(token: str) -> Tuple[int, int]:
    match = _TOKEN.match(token)
    place = (int(match.group(1)), int(match.group(2))) if match else None
    if place is None or place != (_counted(place[0]), _counted(place[1])):
        raise invalid_argument(
            "The page token is none that this call returned; leave it out to begin with the first page."
        )
    return place


def _counted(number: int) -> int:
    return max(_FIRST, min(number, _LAST))


def _fitting(rows: List[sqlite3.Row]) -> List[sqlite3.Row]:
    """Return the first rows, as many as go into one message."""
    size = 0
    for number, row in enumerate(rows):
        size += len(row["body"])
        if number and size > _PAGE_SIZE:
            return rows[:number]
    return rows


def _entries(rows: List[sqlite3.Row]) -> List[common_pb.LogEntry]:
    return [common_pb.LogEntry.FromString(row["body"]) for row in rows]
