"""The lists of the page as JSON values: data, datasets, jobs, keys and what else is in organizations, without secrets.

Each is a page of rows, the newest first. Times are in microseconds since the epoch.
"""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Callable, Dict, Mapping, NamedTuple

from viam_sync.proto import app as pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import dataset as dataset_pb
from viam_sync.proto.app import mltraining as training_pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.core.access import grants_of
from viam_sync.sandbox.core.structs import plain_struct, with_integers
from viam_sync.sandbox.core.world import World, microseconds_of
from viam_sync.sandbox.data.datasets import DATASET_TAG
from viam_sync.sandbox.data.files import to_metadata
from viam_sync.sandbox.http.ui_pages import page_of_rows
from viam_sync.sandbox.http.ui_texts import TEXT, body_column, cut, struct_text, too_large

#: The types of images that browsers display and do not run as scripts.
IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp")

_ROWS, _FILES, _SENSORS = 50, 60, 20
_TAGS, _BOXES, _GRANTS = 20, 100, 20
_COUNTED_FILES, _COUNTED_READINGS = 1000, 100_000

#: The columns that make captures those of one sensor.
SENSOR = ("organization_id", "part_id", "component_type", "component_name", "method")

_READINGS = (
    f"SELECT r.id, r.capture_id, r.requested, length(r.body) AS size, {body_column('r')}, c.robot_name, c.part_name,"
    " c.component_name, c.method FROM readings r JOIN captures c ON c.id = r.capture_id ORDER BY r.id DESC"
)
_ALL_FILES = (
    "SELECT f.*, c.organization_id, c.location_id, c.mime_type, c.body AS capture FROM files f"
    " JOIN captures c ON c.id = f.capture_id ORDER BY f.id DESC"
)
_LATEST = "(SELECT max(requested) FROM readings WHERE capture_id = c.id)"
_SENSORS_WITH_READINGS = (
    f"SELECT min(c.id) AS id, {', '.join(f'c.{name}' for name in SENSOR)}, c.robot_name, c.part_name,"
    f" max({_LATEST}) AS latest FROM captures c WHERE {_LATEST} IS NOT NULL"
    f" GROUP BY {', '.join(f'c.{name}' for name in SENSOR)} ORDER BY latest DESC, id"
)
_READINGS_OF_SENSOR = (
    "SELECT count(*) FROM (SELECT 1 FROM captures c JOIN readings r ON r.capture_id = c.id"
    f" WHERE {' AND '.join(f'c.{name} = ?' for name in SENSOR)} LIMIT {_COUNTED_READINGS + 1})"
)
_SIZE = f"SELECT count(*) FROM (SELECT 1 FROM dataset_files WHERE dataset_id = t.id LIMIT {_COUNTED_FILES + 1})"
_OF_ORGANIZATIONS = (
    "SELECT t.*, o.body AS organization{} FROM {} t LEFT JOIN organizations o ON o.id = t.organization_id"
    " ORDER BY t.rowid DESC"
)


class _Listing(NamedTuple):
    """A list: the queries for all rows and for their number, and the view of a row."""

    rows: str
    total: str
    view: Callable[[World, sqlite3.Row], Dict[str, Any]]
    size: int = _ROWS


def lists_view(world: World, query: Mapping[str, str]) -> Dict[str, Any]:
    """Return a page of each list; the query has the numbers of the pages, by the names of the lists."""
    view = {}
    for name, listing in _LISTINGS.items():
        place, rows = page_of_rows(world, query.get(name, ""), listing.size, listing.total, listing.rows)
        view[name] = {**place, "items": [listing.view(world, row) for row in rows]}
    return view


def _sensor_view(world: World, row: sqlite3.Row) -> Dict[str, Any]:
    counted = world.store.row(_READINGS_OF_SENSOR, *(row[name] for name in SENSOR))
    return {
        "id": row["id"],
        **{name: cut(row[name]) for name in ("robot_name", "part_name", "component_name", "method")},
        "readings": _count_text(0 if counted is None else counted[0], _COUNTED_READINGS),
        "latest": row["latest"],
    }


def _reading_view(world: World, row: sqlite3.Row) -> Dict[str, Any]:
    tags = "SELECT tag FROM capture_tags WHERE capture_id = ? ORDER BY tag LIMIT ?"
    values = row["body"] and with_integers(plain_struct(Struct.FromString(row["body"])))
    return {
        "id": row["id"],
        "time": row["requested"],
        **{name: cut(row[name]) for name in ("robot_name", "part_name", "component_name", "method")},
        "values": too_large(row) if row["body"] is None else struct_text(values or {}),
        "tags": [cut(each["tag"]) for each in world.store.rows(tags, row["capture_id"], _TAGS)],
    }


def _file_view(world: World, row: sqlite3.Row) -> Dict[str, Any]:
    (metadata,) = to_metadata(world, [row])
    capture = metadata.capture_metadata
    names = "SELECT name FROM datasets WHERE id IN (SELECT value FROM json_each(?)) LIMIT ?"
    return {
        "id": row["file_id"],
        "time": row["requested"],
        "name": cut(metadata.file_name),
        "robot_name": cut(capture.robot_name),
        "component_name": cut(capture.component_name),
        "type": cut(row["mime_type"]),
        "size": row["size"],
        "is_image": row["mime_type"].lower() in IMAGES,
        "tags": [cut(tag) for tag in capture.tags if not tag.startswith(DATASET_TAG)][:_TAGS],
        "datasets": [cut(each["name"]) for each in world.store.rows(names, json.dumps([*metadata.dataset_ids]), _TAGS)],
        "boxes": [_box_view(box) for box in metadata.annotations.bboxes[:_BOXES]],
    }


def _box_view(box: data_pb.BoundingBox) -> Dict[str, Any]:
    left, top = box.x_min_normalized, box.y_min_normalized
    width, height = box.x_max_normalized - left, box.y_max_normalized - top
    return {"label": cut(box.label), "left": left, "top": top, "width": width, "height": height}


def _dataset_view(world: World, row: sqlite3.Row) -> Dict[str, Any]:
    return {
        **_named(row, row["name"]),
        "created": microseconds_of(dataset_pb.Dataset.FromString(row["body"]).time_created),
        "files": _count_text(row["size"], _COUNTED_FILES),
    }


def _job_view(world: World, row: sqlite3.Row) -> Dict[str, Any]:
    job = training_pb.TrainingJobMetadata.FromString(row["body"])
    status = training_pb.TrainingStatus.Name(job.status)
    return {
        **_named(row, f"{row['model_name']} {row['model_version']}"),
        "created": row["created"],
        "status": status[len("TRAINING_STATUS_") :].replace("_", " ").lower(),
        "error": cut(job.error_status.message, TEXT),
        "dataset": job.dataset_id,
    }


def _fragment_view(world: World, row: sqlite3.Row) -> Dict[str, Any]:
    visibility = pb.FragmentVisibility.Name(row["visibility"])
    return {
        **_named(row, row["name"]),
        "visibility": visibility[len("FRAGMENT_VISIBILITY_") :].replace("_", " ").lower(),
    }


def _key_view(world: World, row: sqlite3.Row) -> Dict[str, Any]:
    """Return a key without its value."""
    roles = [f"{each.role} of {each.resource_type} {each.resource_id}" for each in grants_of(world, row["id"])]
    return {**_named(row, row["name"]), "created": row["created"], "roles": roles[:_GRANTS]}


def _named(row: sqlite3.Row, name: str) -> Dict[str, Any]:
    organization = pb.Organization.FromString(row["organization"] or b"")
    return {"id": row["id"], "name": cut(name), "organization": cut(organization.name)}


def _count_text(count: int, most: int) -> str:
    return f"more than {most}" if count > most else str(count)


def _in_organizations(table: str, view: Callable[[World, sqlite3.Row], Dict[str, Any]], more: str = "") -> _Listing:
    return _Listing(_OF_ORGANIZATIONS.format(more, table), f"SELECT count(*) FROM {table}", view)


_LISTINGS = {
    "files": _Listing(_ALL_FILES, "SELECT count(*) FROM files", _file_view, _FILES),
    "sensors": _Listing(
        _SENSORS_WITH_READINGS, f"SELECT count(*) FROM ({_SENSORS_WITH_READINGS})", _sensor_view, _SENSORS
    ),
    "readings": _Listing(_READINGS, "SELECT count(*) FROM readings", _reading_view),
    "datasets": _in_organizations("datasets", _dataset_view, f", ({_SIZE}) AS size"),
    "jobs": _in_organizations("training_jobs", _job_view),
    "fragments": _in_organizations("fragments", _fragment_view),
    "keys": _in_organizations("keys", _key_view),
}
