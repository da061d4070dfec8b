"""Machines, their logs, and calls as JSON values, without secrets.

The lengths of all lists and texts are limited. Times are in microseconds since the epoch.
"""

from __future__ import annotations

import itertools
import json
import operator
import sqlite3
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence

from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.structs import plain_struct, with_integers
from viam_sync.sandbox.core.world import World, microseconds_of
from viam_sync.sandbox.http.ui_pages import page_of_items, page_of_rows
from viam_sync.sandbox.http.ui_texts import TEXT, body_column, cut, struct_text, too_large
from viam_sync.sandbox.wire.call_log import LoggedCall

_ROWS, _COMPONENTS = 50, 20

# A row for each part, and for what has none: an empty machine, location or organization.
_TREE = (
    " FROM organizations o LEFT JOIN {} l ON l.organization_id = o.id"
    " LEFT JOIN robots r ON r.location_id = l.id LEFT JOIN parts p ON p.robot_id = r.id"
)
_TREE_COUNT = f"SELECT count(*){_TREE.format('locations')}"
# A location comes behind the one that it lies in.
_TREE_ROWS = (
    "WITH RECURSIVE place (id, organization_id, path) AS ("
    "SELECT id, organization_id, printf('%09d', rowid) FROM locations WHERE parent_id IS NULL UNION ALL"
    " SELECT l.id, l.organization_id, place.path || printf('/%09d', l.rowid)"
    " FROM locations l JOIN place ON l.parent_id = place.id)"
    f" SELECT o.id AS organization, l.id AS location, r.id AS robot, p.id AS part{_TREE.format('place')}"
    " ORDER BY o.rowid, l.path, r.rowid, p.main DESC, p.rowid"
)
_PART = f"SELECT p.id, p.name, p.main, p.restart, {body_column('p')} FROM parts p WHERE p.id = ?"

_LOG_COUNT = "SELECT count(*) FROM logs WHERE part_id = ?"
_LOG = (
    f"SELECT l.id, l.logged, length(l.body) AS size, {body_column('l')} FROM logs l"
    " WHERE l.part_id = ? ORDER BY l.logged DESC, l.id DESC"
)
_COUNTED = ("organizations", "locations", "robots", "parts")


def machines_view(world: World, number: str) -> Dict[str, Any]:
    """Return a page of parts, grouped by machine, location and organization."""
    place, rows = page_of_rows(world, number, _ROWS, _TREE_COUNT, _TREE_ROWS)
    counts = " UNION ALL ".join(f"SELECT count(*) AS n FROM {table}" for table in _COUNTED)
    return {
        **place,
        "counts": [row["n"] for row in world.store.rows(counts)],
        "items": _grouped(
            rows,
            "organization",
            lambda id, within: {
                "id": id,
                "name": _name_of(world, "organizations", pb.Organization, id),
                "locations": _locations(world, within),
            },
        ),
    }


def logs_view(world: World, part_id: str, number: str) -> Dict[str, Any]:
    """Return a page of the log of a part, the latest first; an empty one if the part does not exist."""
    place, rows = page_of_rows(world, number, _ROWS, _LOG_COUNT, _LOG, part_id)
    return {**place, "items": [_entry_view(row) for row in rows]}


def calls_view(world: World, calls: Sequence[LoggedCall], number: str) -> Dict[str, Any]:
    """Return a page of calls."""
    place, shown = page_of_items(calls, number, _ROWS)
    callers = {call.caller.id: call.caller for call in shown if call.caller is not None}
    names = {id: _caller_name(world, caller) for id, caller in callers.items()}
    return {
        **place,
        "items": [
            {
                "id": call.number,
                "time": call.arrived,
                "rpc": call.rpc,
                "who": names[call.caller.id] if call.caller else None,
                "status": call.status,
                "seconds": call.seconds,
            }
            for call in shown
        ],
    }


def _grouped(
    rows: Iterable[sqlite3.Row], column: str, view: Callable[[str, List[sqlite3.Row]], Dict[str, Any]]
) -> List[Dict[str, Any]]:
    """Return the view of each value of a column with its rows, which follow one another."""
    groups = itertools.groupby(rows, operator.itemgetter(column))
    return [view(id, list(within)) for id, within in groups if id is not None]


def _locations(world: World, rows: Iterable[sqlite3.Row]) -> List[Dict[str, Any]]:
    def view(id: str, within: List[sqlite3.Row]) -> Dict[str, Any]:
        path = (_name_of(world, "locations", pb.Location, each) for each in reversed(world.lineage(id)))
        return {"id": id, "name": " / ".join(path), "machines": _machines(world, within)}

    return _grouped(rows, "location", view)


def _machines(world: World, rows: Iterable[sqlite3.Row]) -> List[Dict[str, Any]]:
    def view(id: str, within: List[sqlite3.Row]) -> Dict[str, Any]:
        robot = pb.Robot.FromString(world.get("robot", id)["body"])
        parts = _grouped(within, "part", lambda id, _: _part_view(world, id))
        return {"id": id, "name": cut(robot.name), "seen": _seen(robot), "parts": parts}

    return _grouped(rows, "robot", view)


def _part_view(world: World, id: str) -> Dict[str, Any]:
    row = world.store.row(_PART, id)
    assert row is not None
    part = pb.RobotPart.FromString(row["body"] or b"")
    return {
        "id": id,
        "name": cut(row["name"]),
        "main": bool(row["main"]),
        "restart": bool(row["restart"]),
        "seen": _seen(part),
        "components": _components(part.robot_config_json),
    }


def _components(config: str) -> List[str]:
    """Return the names of the components in any configuration, and nothing else of it, which may hold secrets."""
    components = json.loads(config or "{}").get("components")
    named = [each for each in components if isinstance(each, dict)] if isinstance(components, list) else []
    return [cut(str(each.get("name", ""))) for each in named[:_COMPONENTS]]


def _seen(thing: Any) -> Optional[int]:
    return microseconds_of(thing.last_access) if thing.HasField("last_access") else None


def _entry_view(row: sqlite3.Row) -> Dict[str, Any]:
    entry = common_pb.LogEntry.FromString(row["body"] or b"")
    fields = (struct_text(with_integers(plain_struct(field))) for field in entry.fields)
    return {
        "id": row["id"],
        "time": row["logged"],
        "level": entry.level,
        "logger": cut(entry.logger_name),
        "message": cut(entry.message, TEXT) if row["body"] else too_large(row),
        "fields": " ".join(fields)[:TEXT],
        "stack": cut(entry.stack, TEXT),
    }


def _caller_name(world: World, caller: Caller) -> str:
    """Return the display name of a caller; the ID of an API key is no secret, unlike its value."""
    types = pb.AuthenticationType
    kind, table = {
        types.AUTHENTICATION_TYPE_API_KEY: ("API key", "keys"),
        types.AUTHENTICATION_TYPE_ROBOT_PART_SECRET: ("part", "parts"),
    }.get(caller.type, ("location", "locations"))
    if table == "locations":
        name = _name_of(world, "locations", pb.Location, caller.id)
    else:
        row = world.store.row(f"SELECT name FROM {table} WHERE id = ?", caller.id)
        name = "" if row is None else str(row["name"])
    return f"{kind} {cut(name or caller.id)}"


def _name_of(world: World, table: str, message: Any, id: str) -> str:
    """Return the name that stands in a body; empty if the row is gone."""
    row = world.store.row(f"SELECT body FROM {table} WHERE id = ?", id)
    return "" if row is None else cut(message.FromString(row["body"]).name)
