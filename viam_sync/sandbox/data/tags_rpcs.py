"""The RPCs about tags of binary data."""

from __future__ import annotations

import json
import sqlite3
from typing import List, Sequence, Set

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.data.conditions import (
    access_condition,
    all_of,
    capture_condition,
    interval_condition,
    tags_condition,
)
from viam_sync.sandbox.data.datasets import DATASET_TAG
from viam_sync.sandbox.data.file_ids import file_references
from viam_sync.sandbox.data.files import filter_condition, find_writable_files, get_files


class TagsServicer:
    """The RPCs of DataService about tags."""

    def __init__(self, world: World) -> None:
        self._world = world

    def AddTagsToBinaryDataByIDs(
        self, request: pb.AddTagsToBinaryDataByIDsRequest, caller: Caller
    ) -> pb.AddTagsToBinaryDataByIDsResponse:
        """Add tags to files; those that a file has already stay."""
        tags = _new_tags(request.tags)
        self._add(tags, get_files(self._world, caller, file_references(request), "write"))
        return pb.AddTagsToBinaryDataByIDsResponse()

    def AddTagsToBinaryDataByFilter(
        self, request: pb.AddTagsToBinaryDataByFilterRequest, caller: Caller
    ) -> pb.AddTagsToBinaryDataByFilterResponse:
        """Add tags to the files that match a filter and that the caller may change."""
        tags = _new_tags(request.tags)
        self._add(tags, find_writable_files(self._world, caller, request.filter))
        return pb.AddTagsToBinaryDataByFilterResponse()

    def RemoveTagsFromBinaryDataByIDs(
        self, request: pb.RemoveTagsFromBinaryDataByIDsRequest, caller: Caller
    ) -> pb.RemoveTagsFromBinaryDataByIDsResponse:
        """Remove tags from files, and return the number of files that had one."""
        tags = _checked_tags(request.tags)
        rows = get_files(self._world, caller, file_references(request), "write")
        return pb.RemoveTagsFromBinaryDataByIDsResponse(deleted_count=self._remove(tags, rows))

    def RemoveTagsFromBinaryDataByFilter(
        self, request: pb.RemoveTagsFromBinaryDataByFilterRequest, caller: Caller
    ) -> pb.RemoveTagsFromBinaryDataByFilterResponse:
        """Remove tags from the files that match a filter, and return the number of files that had one."""
        tags = _checked_tags(request.tags)
        rows = find_writable_files(self._world, caller, request.filter)
        return pb.RemoveTagsFromBinaryDataByFilterResponse(deleted_count=self._remove(tags, rows))

    def TagsByFilter(self, request: pb.TagsByFilterRequest, caller: Caller) -> pb.TagsByFilterResponse:
        """List the tags of the files and readings that match a filter, without those of datasets."""
        files = filter_condition(self._world, caller, request.filter, "read")
        sql = f"SELECT DISTINCT t.tag FROM files f JOIN file_tags t ON t.file = f.id WHERE {files.sql}"
        found = {row["tag"] for row in self._world.store.rows(sql, *files.values)}
        if not request.filter.bbox_labels and not request.filter.dataset_id:  # readings have neither
            found.update(self._of_readings(request.filter, caller))
        return pb.TagsByFilterResponse(tags=sorted(tag for tag in found if not tag.startswith(DATASET_TAG)))

    def _of_readings(self, filter: pb.Filter, caller: Caller) -> List[str]:
        when = interval_condition(filter.interval, "r.requested")
        origin = all_of(
            [
                access_condition(self._world, caller, "read"),
                capture_condition(filter),
                tags_condition(filter.tags_filter, "SELECT tag FROM capture_tags WHERE capture_id = c.id"),
            ]
        )
        sql = (
            f"SELECT DISTINCT t.tag FROM captures c JOIN capture_tags t ON t.capture_id = c.id WHERE {origin.sql}"
            f" AND EXISTS (SELECT 1 FROM readings r WHERE r.capture_id = c.id AND {when.sql})"
        )
        return [row["tag"] for row in self._world.store.rows(sql, *origin.values, *when.values)]

    def _add(self, tags: Sequence[str], rows: Sequence[sqlite3.Row]) -> None:
        files = json.dumps([row["id"] for row in rows])
        for tag in tags:
            self._world.store.run("INSERT OR IGNORE INTO file_tags SELECT value, ? FROM json_each(?)", tag, files)

    def _remove(self, tags: Sequence[str], rows: Sequence[sqlite3.Row]) -> int:
        files = json.dumps([row["id"] for row in rows])
        changed: Set[int] = set()
        for tag in tags:
            where = "FROM file_tags WHERE tag = ? AND file IN (SELECT value FROM json_each(?))"
            changed.update(row["file"] for row in self._world.store.rows(f"SELECT file {where}", tag, files))
            self._world.store.run(f"DELETE {where}", tag, files)
        return len(changed)


def _checked_tags(tags: Sequence[str]) -> List[str]:
    """Return the tags of a request, each once."""
    if not tags or not all(tags):
        raise invalid_argument(
            "The request has no tags; give at least one." if not tags else "One of the tags is empty; leave it out."
        )
    return list(dict.fromkeys(tags))


def _new_tags(tags: Sequence[str]) -> List[str]:
    found = _checked_tags(tags)
    for tag in found:
        if tag.startswith(DATASET_TAG):
            raise invalid_argument(
                f"The tag {tag[:64]!r} stands for being in a dataset; put the files into it instead "
                "(add_binary_data_to_dataset_by_ids)."
            )
    return found
