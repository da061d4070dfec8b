"""The contents of the page as JSON values: the newest resources and data, without secrets.

The lengths of all lists and texts are limited. Times are in microseconds since the epoch.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, Iterable, List, Optional, Sequence

from google.protobuf.message import Message

from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import dataset as dataset_pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.structs import plain_struct, with_integers
from viam_sync.sandbox.core.world import World, microseconds_of
from viam_sync.sandbox.data.datasets import DATASET_TAG
from viam_sync.sandbox.data.files import to_metadata
from viam_sync.sandbox.wire.call_log import LoggedCall

#: The types of images that browsers display and do not run as scripts.
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp")

_PLACES, _PARTS, _READINGS, _FILES, _DATASETS, _ENTRIES = 100, 200, 50, 100, 100, 50
_TAGS, _BOXES, _COMPONENTS, _COUNTED = 20, 100, 20, 1000
_TEXT, _NAME = 2000, 100
# A larger body is not parsed.
_LARGEST = 64 * 1024
_BODY = f"CASE WHEN length({{0}}.body) <= {_LARGEST} THEN {{0}}.body END AS body"

_NEWEST = (
    "SELECT * FROM {0} WHERE rowid IN (SELECT rowid FROM {0} ORDER BY rowid DESC LIMIT ?)"
    " OR id IN (SELECT value FROM json_each(?)) ORDER BY rowid"
)
_OF_MACHINES = (
    f"SELECT p.id, p.robot_id, p.name, p.main, p.restart, {_BODY.format('p')} FROM parts p"
    f" WHERE p.robot_id IN (SELECT value FROM json_each(?)) ORDER BY p.main DESC, p.rowid LIMIT {_PARTS}"
)
_LOG = (
    f"SELECT l.id, l.logged, length(l.body) AS size, {_BODY.format('l')} FROM logs l"
    f" WHERE l.part_id = ? ORDER BY l.logged DESC, l.id DESC LIMIT {_ENTRIES}"
)
_LATEST_READINGS = (
    f"SELECT r.id, r.capture_id, r.requested, length(r.body) AS size, {_BODY.format('r')}, c.robot_name, c.part_name,"
    " c.component_name, c.method FROM readings r JOIN captures c ON c.id = r.capture_id"
    f" ORDER BY r.id DESC LIMIT {_READINGS}"
)
_LATEST_FILES = (
    "SELECT f.*, c.organization_id, c.location_id, c.mime_type, c.body AS capture FROM files f"
    f" JOIN captures c ON c.id = f.capture_id ORDER BY f.id DESC LIMIT {_FILES}"
)
_SIZE = f"SELECT count(*) FROM (SELECT 1 FROM dataset_files WHERE dataset_id = d.id LIMIT {_COUNTED + 1})"
_LATEST_DATASETS = (
    f"SELECT d.id, d.name, d.body, o.body AS organization, ({_SIZE}) AS size FROM datasets d"
    f" JOIN organizations o ON o.id = d.organization_id ORDER BY d.rowid DESC LIMIT {_DATASETS}"
)


def world_view(world: World) -> Dict[str, Any]:
    """Return the newest machines with their parts, grouped by location and organization."""
    machines = _newest(world, "robots")
    locations = _newest(world, "locations", (row["location_id"] for row in machines))
    organizations = _newest(world, "organizations", (row["organization_id"] for row in locations))
    parts_of: Dict[str, List[Dict[str, Any]]] = {}
    for row in world.store.rows(_OF_MACHINES, json.dumps([row["id"] for row in machines])):
        parts_of.setdefault(row["robot_id"], []).append(_part_view(row))
    places = sorted(
        ({**dict(row), "path": _location_path(world, row["id"])} for row in locations), key=lambda row: row["path"]
    )
    return {
        "organizations": [
            {
                "id": organization["id"],
                "name": _cut(pb.Organization.FromString(organization["body"]).name),
                "locations": [
                    {
                        "id": place["id"],
                        "name": " / ".join(place["path"]),
                        "machines": [
                            _machine_view(row, parts_of) for row in machines if row["location_id"] == place["id"]
                        ],
                    }
                    for place in places
                    if place["organization_id"] == organization["id"]
                ],
            }
            for organization in organizations
        ],
        "more": any(_is_cut(world, table) for table in ("organizations", "locations", "robots")),
    }


def logs_view(world: World, part_id: str) -> Dict[str, Any]:
    """Return the latest entries in the log of a part; none if the part does not exist."""
    return {"entries": [_entry_view(row) for row in world.store.rows(_LOG, part_id)]}


def data_view(world: World) -> Dict[str, Any]:
    """Return the latest readings and files, and the newest datasets."""
    rows = world.store.rows(_LATEST_FILES)
    datasets = world.store.rows(_LATEST_DATASETS)
    names = {row["id"]: _cut(row["name"]) for row in datasets}
    return {
        "readings": [_reading_view(world, row) for row in world.store.rows(_LATEST_READINGS)],
        "files": [_file_view(row, metadata, names) for row, metadata in zip(rows, to_metadata(world, rows))],
        "datasets": [_dataset_view(row) for row in datasets],
    }


def calls_view(world: World, calls: Sequence[LoggedCall]) -> Dict[str, Any]:
    """Return calls as JSON values."""
    callers = {call.caller.id: call.caller for call in calls if call.caller is not None}
    names = {id: _caller_name(world, caller) for id, caller in callers.items()}
    return {
        "calls": [
            {
                "id": call.number,
                "time": call.arrived,
                "rpc": call.rpc,
                "who": names[call.caller.id] if call.caller else None,
                "status": call.status,
                "seconds": call.seconds,
            }
            for call in calls
        ]
    }


def _newest(world: World, table: str, and_ids: Iterable[str] = ()) -> List[sqlite3.Row]:
    return world.store.rows(_NEWEST.format(table), _PLACES, json.dumps(list(and_ids)))


def _is_cut(world: World, table: str) -> bool:
    return world.store.row(f"SELECT 1 FROM {table} LIMIT 1 OFFSET ?", _PLACES) is not None


def _location_path(world: World, location_id: str) -> List[str]:
    return [_cut(world.location(id).name) for id in reversed(world.lineage(location_id))]


def _machine_view(row: sqlite3.Row, parts_of: Dict[str, List[Dict[str, Any]]]) -> Dict[str, Any]:
    return {
        "id": row["id"],
        "name": _cut(row["name"]),
        "seen": _seen(pb.Robot.FromString(row["body"])),
        "parts": parts_of.get(row["id"], []),
    }


def _part_view(row: sqlite3.Row) -> Dict[str, Any]:
    part = pb.RobotPart.FromString(row["body"] or b"")
    return {
        "id": row["id"],
        "name": _cut(row["name"]),
        "main": bool(row["main"]),
        "restart": bool(row["restart"]),
        "seen": _seen(part),
        "components": _components(part.robot_config_json),
    }


def _components(config: str) -> List[str]:
    """Return the names of the components in any configuration, and nothing else of it, which may hold secrets."""
    components = json.loads(config or "{}").get("components")
    named = [each for each in components if isinstance(each, dict)] if isinstance(components, list) else []
    return [_cut(str(each.get("name", ""))) for each in named[:_COMPONENTS]]


def _seen(thing: Any) -> Optional[int]:
    return microseconds_of(thing.last_access) if thing.HasField("last_access") else None


def _entry_view(row: sqlite3.Row) -> Dict[str, Any]:
    entry = common_pb.LogEntry.FromString(row["body"] or b"")
    return {
        "id": row["id"],
        "time": row["logged"],
        "level": entry.level,
        "logger": _cut(entry.logger_name),
        "message": _cut(entry.message, _TEXT) if row["body"] else _too_large(row),
        "fields": " ".join(_json(field) for field in entry.fields)[:_TEXT],
        "stack": _cut(entry.stack, _TEXT),
    }


def _reading_view(world: World, row: sqlite3.Row) -> Dict[str, Any]:
    tags = "SELECT tag FROM capture_tags WHERE capture_id = ? ORDER BY tag LIMIT ?"
    return {
        "id": row["id"],
        "time": row["requested"],
        **{name: _cut(row[name]) for name in ("robot_name", "part_name", "component_name", "method")},
        "values": _too_large(row) if row["body"] is None else _json(Struct.FromString(row["body"])),
        "tags": [_cut(each["tag"]) for each in world.store.rows(tags, row["capture_id"], _TAGS)],
    }


def _file_view(row: sqlite3.Row, metadata: data_pb.BinaryMetadata, datasets: Dict[str, str]) -> Dict[str, Any]:
    capture = metadata.capture_metadata
    return {
        "id": row["file_id"],
        "time": row["requested"],
        "name": _cut(metadata.file_name),
        "robot_name": _cut(capture.robot_name),
        "component_name": _cut(capture.component_name),
        "type": _cut(row["mime_type"]),
        "size": row["size"],
        "is_image": row["mime_type"].lower() in IMAGES,
        "tags": [_cut(tag) for tag in capture.tags if not tag.startswith(DATASET_TAG)][:_TAGS],
        "datasets": [datasets[id] for id in metadata.dataset_ids if id in datasets],
        "boxes": [_box_view(box) for box in metadata.annotations.bboxes[:_BOXES]],
    }


def _box_view(box: data_pb.BoundingBox) -> Dict[str, Any]:
    left, top = box.x_min_normalized, box.y_min_normalized
    width, height = box.x_max_normalized - left, box.y_max_normalized - top
    return {"label": _cut(box.label), "left": left, "top": top, "width": width, "height": height}


def _dataset_view(row: sqlite3.Row) -> Dict[str, Any]:
    return {
        "id": row["id"],
        "name": _cut(row["name"]),
        "organization": _cut(pb.Organization.FromString(row["organization"]).name),
        "created": microseconds_of(dataset_pb.Dataset.FromString(row["body"]).time_created),
        "files": f"more than {_COUNTED}" if row["size"] > _COUNTED else str(row["size"]),
    }


def _caller_name(world: World, caller: Caller) -> str:
    """Return the display name of a caller; the ID of an API key is no secret, unlike its value."""
    types = pb.AuthenticationType
    kind, table = {
        types.AUTHENTICATION_TYPE_API_KEY: ("API key", "keys"),
        types.AUTHENTICATION_TYPE_ROBOT_PART_SECRET: ("part", "parts"),
    }.get(caller.type, ("location", "locations"))
    if table == "locations":
        row = world.store.row("SELECT body FROM locations WHERE id = ?", caller.id)
        name = "" if row is None else pb.Location.FromString(row["body"]).name
    else:
        row = world.store.row(f"SELECT name FROM {table} WHERE id = ?", caller.id)
        name = "" if row is None else str(row["name"])
    return f"{kind} {_cut(name or caller.id)}"


def _json(struct: Message) -> str:
    return _cut(json.dumps(with_integers(plain_struct(struct)), ensure_ascii=False, sort_keys=True), _TEXT)


def _too_large(row: sqlite3.Row) -> str:
    return f"({row['size']} bytes, too much to show here)"


def _cut(text: str, length: int = _NAME) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
