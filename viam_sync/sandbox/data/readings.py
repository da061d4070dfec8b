"""The model of readings: adding them, and queries for their captures and for pages of them."""

from __future__ import annotations

import json
import sqlite3
from typing import Dict, Iterable, List, Sequence

from viam_sync.proto.app import data as pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.sandbox.core.world import World, microseconds_of
from viam_sync.sandbox.data.captures import find_or_add_capture
from viam_sync.sandbox.data.conditions import Condition, all_of
from viam_sync.sandbox.data.cursors import Page

# With fewer captures than this, one query for each is faster than one for all in the order of time.
_MANY_CAPTURES = 32


def add_readings(world: World, capture: pb.CaptureMetadata, sensor_contents: Sequence[datasync_pb.SensorData]) -> None:
    """Add readings of one capture; the default of their times is the present."""
    if not sensor_contents:
        return
    capture_id, now = find_or_add_capture(world, capture), world.microseconds()
    for each in sensor_contents:
        times = each.metadata
        world.store.insert(
            "readings",
            capture_id=capture_id,
            requested=microseconds_of(times.time_requested) if times.HasField("time_requested") else now,
            received=microseconds_of(times.time_received) if times.HasField("time_received") else now,
            synced=now,
            body=each.struct.SerializeToString(deterministic=True),
        )


def find_captures(world: World, conditions: Iterable[Condition]) -> List[int]:
    """Return the IDs of the captures for which conditions on ``captures c`` hold."""
    condition = all_of(conditions)
    rows = world.store.rows(f"SELECT c.id FROM captures c WHERE {condition.sql}", *condition.values)
    return [row["id"] for row in rows]


def of_captures(condition: Condition) -> str:
    """Return the condition that a reading is of one of the captures in a JSON array, and that another one holds."""
    return f"r.capture_id IN (SELECT value FROM json_each(?)) AND {condition.sql}"


def readings_page(
    world: World, captures: Sequence[int], times: Condition, page: Page, most_bytes: int
) -> List[sqlite3.Row]:
    """Return the readings of a page.

    Args:
        world: The state of the sandbox.
        captures: The IDs of the captures.
        times: A condition on ``readings r``.
        page: The order, the limit and the condition of the page.
        most_bytes: The most bytes of all readings together; there are fewer readings where they are large.
    """
    store = world.store
    where = all_of((times, page.condition))
    if len(captures) < _MANY_CAPTURES:
        sql = f"SELECT r.requested, r.id FROM readings r WHERE r.capture_id = ? AND {where.sql} ORDER BY {page.order}"
        keys = [tuple(row) for id in captures for row in store.rows(f"{sql} LIMIT ?", id, *where.values, page.limit)]
        keys.sort(reverse="DESC" in page.order)
    else:
        sql = f"SELECT r.requested, r.id FROM readings r INDEXED BY readings_by_time WHERE {of_captures(where)}"
        rows = store.rows(f"{sql} ORDER BY {page.order} LIMIT ?", json.dumps(captures), *where.values, page.limit)
        keys = [tuple(row) for row in rows]
    found: List[sqlite3.Row] = []
    size = 0
    for _, id in keys[: page.limit]:
        (row,) = store.rows("SELECT * FROM readings WHERE id = ?", id)
        size += len(row["body"])
        if found and size > most_bytes:
            break
        found.append(row)
    return found


def captures_of(
    world: World, readings: Iterable[sqlite3.Row], known: Iterable[int] = ()
) -> Dict[int, pb.CaptureMetadata]:
    """Return the captures of readings by their IDs, in the order of the readings, without the known ones."""
    found: Dict[int, pb.CaptureMetadata] = {}
    for id in dict.fromkeys(row["capture_id"] for row in readings):
        if id not in known:
            (capture,) = world.store.rows("SELECT body FROM captures WHERE id = ?", id)
            found[id] = pb.CaptureMetadata.FromString(capture["body"])
    return found
