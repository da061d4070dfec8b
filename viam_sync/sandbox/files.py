"""Binary data in the store: which files a request means, what is known of them, how they come and go."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.captures import Condition, all_of, capture_of, in_reach, matching, one_of, tagged, within
from viam_sync.sandbox.checks import HINTS, checked_id
from viam_sync.sandbox.errors import invalid_argument, not_found, permission_denied
from viam_sync.sandbox.world import World, timestamp

#: A file that is in a dataset has a tag of this and the ID of the dataset.
DATASET_TAG = "VIAM_DATASET_"

_TAGS = "SELECT tag FROM file_tags WHERE file = f.id"
_ALL_TAGS = f"{_TAGS} UNION ALL SELECT '{DATASET_TAG}' || dataset_id FROM dataset_files WHERE file = f.id"
_LABELS = "SELECT 1 FROM boxes b WHERE b.file = f.id"
_MEMBERS = "SELECT 1 FROM dataset_files d WHERE d.file = f.id AND d.dataset_id = ?"

_NAMED = (
    "SELECT f.*, c.organization_id, c.location_id, c.mime_type, c.body AS capture, ({}) AS allowed"
    " FROM files f JOIN captures c ON c.id = f.capture_id WHERE f.file_id IN (SELECT value FROM json_each(?))"
)


class Name(NamedTuple):
    """What a request calls a file: by its ID, and perhaps by the IDs of its organization and its location too."""

    file_id: str
    organization_id: str = ""
    location_id: str = ""

    def fits(self, row: sqlite3.Row) -> bool:
        """Return whether this is a name of the file in a row."""
        return self.organization_id in ("", row["organization_id"]) and self.location_id in ("", row["location_id"])


def names_in(request: Any) -> List[Name]:
    """Return what a request for any number of files calls them, each once; it may use both kinds of IDs.

    Raises:
        CallError: INVALID_ARGUMENT if there are none, or one is malformed.
    """
    names = [_name_of(each) for each in request.binary_ids] + [parsed(each) for each in request.binary_data_ids]
    if not names:
        raise invalid_argument(f"The request names no file; give the ID of at least one: {HINTS['file']}.")
    return list(dict.fromkeys(names))


def name_in(request: Any) -> Name:
    """Return what a request for one file calls it.

    Raises:
        CallError: INVALID_ARGUMENT if it names none or two, or the ID is malformed.
    """
    names = [_name_of(request.binary_id)] if request.HasField("binary_id") else []
    names += [parsed(request.binary_data_id)] if request.binary_data_id or not names else []
    if len({each.file_id for each in names}) > 1:
        raise invalid_argument("binary_id and binary_data_id name two different files; give one of them.")
    return names[-1]


def parsed(binary_data_id: str) -> Name:
    """Return the name that an ID stands for: "organization/location/file", or the last of these alone.

    Raises:
        CallError: INVALID_ARGUMENT if it is malformed.
    """
    parts = binary_data_id.split("/")
    if len(parts) == 1:
        return Name(checked_id("file", binary_data_id))
    if len(parts) != 3 or not all(parts):
        raise invalid_argument(
            f"{binary_data_id[:128]!r} is no ID of binary data, which is 'organization/location/file'; {HINTS['file']}."
        )
    return Name(checked_id("file", parts[2]), checked_id("organization", parts[0]), checked_id("location", parts[1]))


def _name_of(message: pb.BinaryID) -> Name:
    # Clients that are between the two kinds of IDs put the whole new one into the old message.
    name = parsed(message.file_id)
    organization_id, location_id = message.organization_id, message.location_id
    return Name(
        name.file_id,
        checked_id("organization", organization_id) if organization_id else name.organization_id,
        checked_id("location", location_id) if location_id else name.location_id,
    )


def known(world: World, caller: Caller, names: Sequence[Name], action: str) -> List[sqlite3.Row]:
    """Return the rows of those of some files that exist, in the order of the names, each once.

    Args:
        world: Where they are.
        caller: Who must be allowed to do the following.
        names: What the request calls them.
        action: What is going to be done with them: "read" or "write".

    Raises:
        CallError: PERMISSION_DENIED.
    """
    rows = _rows(world, in_reach(world, caller, action), names)
    return _allowed([row for row in rows if row is not None], action)


def require(world: World, caller: Caller, names: Sequence[Name], action: str) -> List[sqlite3.Row]:
    """Return the rows of some files as `known` does, if all of them exist.

    Raises:
        CallError: NOT_FOUND, else PERMISSION_DENIED.
    """
    rows = _rows(world, in_reach(world, caller, action), names)
    return _allowed([_there(name, row) for name, row in zip(names, rows)], action)


def named(world: World, name: Name) -> sqlite3.Row:
    """Return the row of a file, whoever asks.

    Raises:
        CallError: NOT_FOUND.
    """
    return _there(name, _rows(world, Condition("1"), [name])[0])


def _rows(world: World, reach: Condition, names: Sequence[Name]) -> List[Optional[sqlite3.Row]]:
    """Return the row for each name, or None; in it is whether the file is in reach."""
    ids = json.dumps([each.file_id for each in names])
    rows = {row["file_id"]: row for row in world.store.rows(_NAMED.format(reach.sql), *reach.values, ids)}
    found = [(name, rows.get(name.file_id)) for name in names]
    return [row if row is not None and name.fits(row) else None for name, row in found]


def _there(name: Name, row: Optional[sqlite3.Row]) -> sqlite3.Row:
    if row is None:
        shown = "/".join(filter(None, (name.organization_id, name.location_id, name.file_id)))
        raise not_found(f"No file has the ID {shown!r}; {HINTS['file']}.")
    return row


def _allowed(rows: Sequence[sqlite3.Row], action: str) -> List[sqlite3.Row]:
    for row in rows:
        if not row["allowed"]:
            raise permission_denied(
                f"This takes the permission {action}_robot_data_management on the machine that the file "
                f"{row['file_id']!r} came from, or on what that is in. Ask an owner of it for a role (add_role)."
            )
    return list({row["id"]: row for row in rows}.values())


def selected(world: World, caller: Caller, filter: pb.Filter, action: str) -> Condition:
    """Return the condition on ``files f`` that a filter matches it and the caller may "read" or "write" it.

    Raises:
        CallError: INVALID_ARGUMENT if an ID in the filter is malformed.
    """
    origin = all_of([in_reach(world, caller, action), matching(filter)])
    untagged = filter.tags_filter.type in (
        pb.TagsFilterType.TAGS_FILTER_TYPE_TAGGED,
        pb.TagsFilterType.TAGS_FILTER_TYPE_UNTAGGED,
    )
    conditions = [
        # The plus keeps the database on the index of times, so that a page costs the same wherever it is.
        Condition(f"+f.capture_id IN (SELECT c.id FROM captures c WHERE {origin.sql})", origin.values),
        within(filter.interval, "f.requested"),
        tagged(filter.tags_filter, _TAGS if untagged else _ALL_TAGS),
    ]
    if filter.bbox_labels:
        labels = one_of("b.label", filter.bbox_labels)
        conditions.append(Condition(f"EXISTS ({_LABELS} AND {labels.sql})", labels.values))
    if filter.dataset_id:
        conditions.append(Condition(f"EXISTS ({_MEMBERS})", [checked_id("dataset", filter.dataset_id)]))
    return all_of(conditions)


def to_change(world: World, caller: Caller, filter: pb.Filter) -> List[sqlite3.Row]:
    """Return the rows of the files that a filter matches, as far as the caller may change them.

    Raises:
        CallError: INVALID_ARGUMENT as with `selected`; PERMISSION_DENIED if the caller may only read what it matches.
    """
    sql = "SELECT f.id, f.file_id FROM files f WHERE {}"
    writable = selected(world, caller, filter, "write")
    rows = world.store.rows(sql.format(writable.sql), *writable.values)
    if not rows:
        readable = selected(world, caller, filter, "read")
        if world.store.row(f"{sql.format(readable.sql)} LIMIT 1", *readable.values) is not None:
            raise permission_denied(
                "You may read the files that the filter matches, but changing them takes the permission "
                "write_robot_data_management on the machines that they came from. Ask an owner for a role (add_role)."
            )
    return rows


def binary_data_id(row: sqlite3.Row) -> str:
    """Return the ID of binary data, of a row with the columns of a file and of its capture."""
    return f"{row['organization_id']}/{row['location_id']}/{row['file_id']}"


def shown(world: World, rows: Sequence[sqlite3.Row]) -> List[pb.BinaryMetadata]:
    """Return all that is known of some files, of rows with the columns of a file and of its capture."""
    ids = json.dumps([row["id"] for row in rows])
    of_these = "WHERE file IN (SELECT value FROM json_each(?)) ORDER BY"
    tags = _grouped(world.store.rows(f"SELECT file, tag FROM file_tags {of_these} rowid", ids))
    boxes = _grouped(world.store.rows(f"SELECT file, body FROM boxes {of_these} rowid", ids))
    datasets = _grouped(world.store.rows(f"SELECT file, dataset_id FROM dataset_files {of_these} dataset_id", ids))
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
        metadata.uri = f"{world.web_url}/data/{metadata.binary_data_id}" if world.web_url else ""
        found.append(metadata)
    return found


class NewFile(NamedTuple):
    """What there is to know of a file whose contents are in the store already; times are in microseconds since 1970.

    Attributes:
        capture: Where it came from, without tags.
        requested: When it was asked for.
        received: When it was received.
        size: The number of bytes in it.
        details: Its name, extension and annotations.
        tags: Its tags.
        dataset_ids: The datasets to put it into.
    """

    capture: pb.CaptureMetadata
    requested: int
    received: int
    size: int
    details: pb.BinaryMetadata
    tags: Iterable[str] = ()
    dataset_ids: Iterable[str] = ()


def add_file(world: World, file_id: str, new: NewFile) -> str:
    """Keep what is known of a new file, and return its ID of the newer kind."""
    details = pb.BinaryMetadata()
    details.CopyFrom(new.details)
    boxes = list(details.annotations.bboxes)
    details.annotations.ClearField("bboxes")
    world.store.insert(
        "files",
        file_id=file_id,
        capture_id=capture_of(world, new.capture),
        requested=new.requested,
        received=new.received,
        size=new.size,
        body=details.SerializeToString(deterministic=True),
    )
    row = world.store.row("SELECT id FROM files WHERE file_id = ?", file_id)
    assert row is not None
    for tag in dict.fromkeys(new.tags):
        world.store.insert("file_tags", file=row["id"], tag=tag)
    for box in boxes:
        add_box(world, row["id"], box)
    put_into(world, new.dataset_ids, [row])
    return f"{new.capture.organization_id}/{new.capture.location_id}/{file_id}"


def add_box(world: World, file: int, box: pb.BoundingBox) -> str:
    """Mark something in an image, and return the ID of the box, which is a new one."""
    box.id = world.ids.object()
    world.store.insert("boxes", id=box.id, file=file, label=box.label, body=box.SerializeToString(deterministic=True))
    return box.id


def put_into(world: World, dataset_ids: Iterable[str], rows: Iterable[sqlite3.Row]) -> None:
    """Put files into datasets; it does not matter whether they are there already."""
    files = json.dumps([row["id"] for row in rows])
    for dataset_id in dataset_ids:
        sql = "INSERT OR IGNORE INTO dataset_files SELECT ?, value FROM json_each(?)"
        world.store.run(sql, dataset_id, files)


def delete_files(world: World, rows: Iterable[sqlite3.Row]) -> int:
    """Delete files with their contents, tags, boxes and places in datasets, and return how many they were."""
    found = list(rows)
    ids = json.dumps([row["id"] for row in found])
    deleted = world.store.run("DELETE FROM files WHERE id IN (SELECT value FROM json_each(?))", ids)
    world.store.discard(row["file_id"] for row in found)
    return deleted


def _grouped(rows: Iterable[Any]) -> Dict[int, List[Any]]:
    """Return what is said of each file, of rows of a file and of something said of it."""
    found: Dict[int, List[Any]] = {}
    for file, value in rows:
        found.setdefault(file, []).append(value)
    return found
