"""The model of the logs of parts: conditions on entries, and queries for them."""

from __future__ import annotations

import sqlite3
from typing import Any, List, Optional, Tuple

from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.sandbox.core.call_errors import not_found
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.log_entries import LOG_LEVELS

#: The most entries in a response.
PAGE = 100
# By default, grpc clients accept messages of up to 4 MiB.
_PAGE_BYTES = 3 * 1024 * 1024
_ERROR = LOG_LEVELS.index("error")


class LogCondition:
    """Conditions on entries, all of which must hold.

    Attributes:
        sql: The conditions in SQL, each after " AND ".
        values: The values of their placeholders.
    """

    def __init__(self) -> None:
        self.sql = ""
        self.values: List[Any] = []

    def add(self, sql: str, *values: Any) -> None:
        """Add a condition."""
        self.sql += f" AND {sql}"
        self.values += values

    def add_errors_only(self) -> None:
        """Add the condition that an entry has at least the level "error"."""
        self.add("level >= ?", _ERROR)

    def add_text(self, text: str) -> None:
        """Add the condition that a message contains a text, regardless of case."""
        if text:
            self.add("instr(folded, ?)", text.casefold())


def entries_by_time(
    world: World,
    part: pb.RobotPart,
    condition: LogCondition,
    ascending: bool,
    after: Optional[Tuple[int, int]],
    limit: int,
) -> List[sqlite3.Row]:
    """Return entries of a part in the order of time.

    Args:
        world: The state of the sandbox.
        part: The part.
        condition: The condition on the entries.
        ascending: Whether the oldest entry comes first.
        after: The time and the ID of the entry that precedes the first one; None to begin at the first of all.
        limit: The most entries to return.
    """
    direction, beyond = ("ASC", ">") if ascending else ("DESC", "<")
    select = f"SELECT id, logged, body FROM logs WHERE part_id = ?{condition.sql}"
    order = f" ORDER BY logged {direction}, id {direction} LIMIT ?"
    if after is None:
        return world.store.rows(select + order, part.id, *condition.values, limit)
    # Two searches of the index, since SQLite does not use it for both halves of (logged, id) < (?, ?).
    return world.store.rows(
        f"{select} AND logged = ? AND id {beyond} ? UNION ALL {select} AND logged {beyond} ?{order}",
        *(part.id, *condition.values, *after, part.id, *condition.values, after[0], limit),
    )


def entries_by_arrival(world: World, part: pb.RobotPart, condition: LogCondition, after: int) -> List[sqlite3.Row]:
    """Return the entries of a part that arrived after the one with an ID, as many as fit into one message.

    Raises:
        CallError: NOT_FOUND if the part was deleted.
    """
    if world.store.row("SELECT 1 FROM parts WHERE id = ?", part.id) is None:
        raise not_found(f"The robot part {part.name!r} was deleted, so there is no more of its log to follow.")
    rows = world.store.rows(
        f"SELECT id, body FROM logs WHERE part_id = ? AND id > ?{condition.sql} ORDER BY id LIMIT ?",
        *(part.id, after, *condition.values, PAGE),
    )
    return fit_into_message(rows)


def latest_entry_id(world: World) -> int:
    """Return the ID of the entry that arrived last, of all parts; 0 if there is none."""
    row = world.store.row("SELECT max(id) AS id FROM logs")
    return 0 if row is None or row["id"] is None else int(row["id"])


def fit_into_message(rows: List[sqlite3.Row]) -> List[sqlite3.Row]:
    """Return the first rows, as many as fit into one message, but at least one."""
    size = 0
    for number, row in enumerate(rows):
        size += len(row["body"])
        if number and size > _PAGE_BYTES:
            return rows[:number]
    return rows


def entries_of(rows: List[sqlite3.Row]) -> List[common_pb.LogEntry]:
    """Return the entries in rows."""
    return [common_pb.LogEntry.FromString(row["body"]) for row in rows]
