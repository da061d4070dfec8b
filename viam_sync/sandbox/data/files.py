"""The model of files: lookups by ID and by filter, their metadata, and their deletion."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, Iterable, List, Optional, Sequence

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import not_found, permission_denied
from viam_sync.sandbox.core.request_checks import HINTS, checked_id
from viam_sync.sandbox.core.world import World, timestamp
from viam_sync.sandbox.data.conditions import (
    Condition,
    access_condition,
    all_of,
    capture_condition,
    column_in,
    interval_condition,
    tags_condition,
)
from viam_sync.sandbox.data.datasets import DATASET_TAG
from viam_sync.sandbox.data.file_ids import FileReference, binary_data_id
from viam_sync.sandbox.data.signing import DOWNLOADS

_TAGS = "SELECT tag FROM file_tags WHERE file = f.id"
_ALL_TAGS = f"{_TAGS} UNION ALL SELECT '{DATASET_TAG}' || dataset_id FROM dataset_files WHERE file = f.id"
_LABELS = "SELECT 1 FROM boxes b WHERE b.file = f.id"
_MEMBERS = "SELECT 1 FROM dataset_files d WHERE d.file = f.id AND d.dataset_id = ?"

_BY_ID = (
    "SELECT f.*, c.organization_id, c.location_id, c.mime_type, c.body AS capture, ({}) AS allowed"
    " FROM files f JOIN captures c ON c.id = f.capture_id WHERE f.file_id IN (SELECT value FROM json_each(?))"
)


def find_files(world: World, caller: Caller, references: Sequence[FileReference], action: str) -> List[sqlite3.Row]:
    """Return the rows of the files that exist, in the order of the references, each once.

    Args:
        world: The state of the sandbox.
        caller: The caller.
        references: The references to the files.
        action: The permission that the caller needs: "read" or "write".

    Raises:
        CallError: PERMISSION_DENIED.
    """
    rows = _rows_by_reference(world, access_condition(world, caller, action), references)
    return _require_allowed([row for row in rows if row is not None], action)


def get_files(world: World, caller: Caller, references: Sequence[FileReference], action: str) -> List[sqlite3.Row]:
    """Return the rows of files as `find_files` does; all of them must exist.

    Raises:
        CallError: NOT_FOUND, or else PERMISSION_DENIED.
    """
    rows = _rows_by_reference(world, access_condition(world, caller, action), references)
    return _require_allowed([_require_row(reference, row) for reference, row in zip(references, rows)], action)


def get_file(world: World, reference: FileReference) -> sqlite3.Row:
    """Return the row of a file, regardless of the caller.

    Raises:
        CallError: NOT_FOUND.
    """
    return _require_row(reference, _rows_by_reference(world, Condition("1"), [reference])[0])


def _rows_by_reference(
    world: World, access: Condition, references: Sequence[FileReference]
) -> List[Optional[sqlite3.Row]]:
    """Return a row or None for each reference; its column ``allowed`` says whether the access condition holds."""
    ids = json.dumps([each.file_id for each in references])
    rows = {row["file_id"]: row for row in world.store.rows(_BY_ID.format(access.sql), *access.values, ids)}
    found = [(each, rows.get(each.file_id)) for each in references]
    return [row if row is not None and each.matches(row) else None for each, row in found]


def _require_row(reference: FileReference, row: Optional[sqlite3.Row]) -> sqlite3.Row:
    if row is None:
        id = "/".join(filter(None, (reference.organization_id, reference.location_id, reference.file_id)))
        raise not_found(f"No file has the ID {id!r}; {HINTS['file']}.")
    return row


def _require_allowed(rows: Sequence[sqlite3.Row], action: str) -> List[sqlite3.Row]:
    for row in rows:
        if not row["allowed"]:
            raise permission_denied(
                f"This takes the permission {action}_robot_data_management on the machine that the file "
                f"{row['file_id']!r} came from, or on what that is in. Ask an owner of it for a role (add_role)."
            )
    return list({row["id"]: row for row in rows}.values())


def filter_condition(world: World, caller: Caller, filter: pb.Filter, action: str) -> Condition:
    """Return the condition on ``files f`` that a filter matches, and that the caller may "read" or "write" the file.

    Raises:
        CallError: INVALID_ARGUMENT if an ID in the filter is malformed.
    """
    origin = all_of([access_condition(world, caller, action), capture_condition(filter)])
    untagged = filter.tags_filter.type in (
        pb.TagsFilterType.TAGS_FILTER_TYPE_TAGGED,
        pb.TagsFilterType.TAGS_FILTER_TYPE_UNTAGGED,
    )
    conditions = [
        # The plus makes SQLite use the index of times, so that all pages cost the same.
        Condition(f"+f.capture_id IN (SELECT c.id FROM captures c WHERE {origin.sql})", origin.values),
        interval_condition(filter.interval, "f.requested"),
        tags_condition(filter.tags_filter, _TAGS if untagged else _ALL_TAGS),
    ]
    if filter.bbox_labels:
        labels = column_in("b.label", filter.bbox_labels)
        conditions.append(Condition(f"EXISTS ({_LABELS} AND {labels.sql})", labels.values))
    if filter.dataset_id:
        conditions.append(Condition(f"EXISTS ({_MEMBERS})", [checked_id("dataset", filter.dataset_id)]))
    return all_of(conditions)


def find_writable_files(world: World, caller: Caller, filter: pb.Filter) -> List[sqlite3.Row]:
    """Return the rows of the files that a filter matches and the caller may change.

    Raises:
        CallError: INVALID_ARGUMENT if an ID in the filter is malformed, PERMISSION_DENIED if the caller may read the
            matching files but change none.
    """
    sql = "SELECT f.id, f.file_id FROM files f WHERE {}"
    writable = filter_condition(world, caller, filter, "write")
    rows = world.store.rows(sql.format(writable.sql), *writable.values)
    if not rows:
        readable = filter_condition(world, caller, filter, "read")
        if world.store.row(f"{sql.format(readable.sql)} LIMIT 1", *readable.values) is not None:
            raise permission_denied(
                "You may read the files that the filter matches, but changing them takes the permission "
                "write_robot_data_management on the machines that they came from. Ask an owner for a role (add_role)."
            )
    return rows


def to_metadata(world: World, rows: Sequence[sqlite3.Row]) -> List[pb.BinaryMetadata]:
    """Return the metadata of files, given rows with the columns of a file and of its capture."""
    ids = json.dumps([row["id"] for row in rows])
    of_these = "WHERE file IN (SELECT value FROM json_each(?)) ORDER BY"
    tags = _by_file(world.store.rows(f"SELECT file, tag FROM file_tags {of_these} rowid", ids))
    boxes = _by_file(world.store.rows(f"SELECT file, body FROM boxes {of_these} rowid", ids))
    datasets = _by_file(world.store.rows(f"SELECT file, dataset_id FROM dataset_files {of_these} dataset_id", ids))
    found = []
    for row in rows:
        metadata = pb.BinaryMetadata.FromString(row["body"])
        metadata.id = row["file_id"]
        metadata.binary_data_id = binary_data_id(row)
        metadata.capture_metadata.ParseFromString(row["capture"])
        of_datasets = [DATASET_TAG + each for each in datasets.get(row["id"], ())]
        metadata.capture_metadata.tags.extend(dict.fromkeys([*tags.get(row["id"], ()), *of_datasets]))
        metadata.time_requested.CopyFrom(timestamp(row["requested"]))
        metadata.time_received.CopyFrom(timestamp(row["received"]))
        metadata.annotations.bboxes.extend(map(pb.BoundingBox.FromString, boxes.get(row["id"], ())))
        metadata.dataset_ids.extend(datasets.get(row["id"], ()))
        metadata.file_size_bytes = row["size"]
        metadata.uri = f"{world.web_url}{DOWNLOADS}{metadata.binary_data_id}" if world.web_url else ""
        found.append(metadata)
    return found


def delete_files(world: World, rows: Iterable[sqlite3.Row]) -> int:
    """Delete files with their contents, tags and boxes, and return the number of files."""
    found = list(rows)
    ids = json.dumps([row["id"] for row in found])
    deleted = world.store.run("DELETE FROM files WHERE id IN (SELECT value FROM json_each(?))", ids)
    world.store.discard(row["file_id"] for row in found)
    return deleted


def _by_file(rows: Iterable[Any]) -> Dict[int, List[Any]]:
    """Group rows of a file and a value by the file."""
    found: Dict[int, List[Any]] = {}
    for file, value in rows:
        found.setdefault(file, []).append(value)
    return found
