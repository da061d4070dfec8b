"""The tags of binary data."""

from __future__ import annotations

import json
import sqlite3
from typing import List, Sequence, Set

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.captures import all_of, in_reach, matching, tagged, within
from viam_sync.sandbox.errors import invalid_argument
from viam_sync.sandbox.files import DATASET_TAG, names_in, require, selected, to_change
from viam_sync.sandbox.world import World


class Tags:
    """The RPCs of DataService about tags."""

    def __init__(self, world: World) -> None:
        self._world = world

    def AddTagsToBinaryDataByIDs(
        self, request: pb.AddTagsToBinaryDataByIDsRequest, caller: Caller
    ) -> pb.AddTagsToBinaryDataByIDsResponse:
        """Tag files; a tag that a file has already stays."""
        tags = _new(request.tags)
        self._add(tags, require(self._world, caller, names_in(request), "write"))
        return pb.AddTagsToBinaryDataByIDsResponse()

    def AddTagsToBinaryDataByFilter(
        self, request: pb.AddTagsToBinaryDataByFilterRequest, caller: Caller
    ) -> pb.AddTagsToBinaryDataByFilterResponse:
        """Tag the files that match a filter, as far as the caller may."""
        tags = _new(request.tags)
        self._add(tags, to_change(self._world, caller, request.filter))
        return pb.AddTagsToBinaryDataByFilterResponse()

    def RemoveTagsFromBinaryDataByIDs(
        self, request: pb.RemoveTagsFromBinaryDataByIDsRequest, caller: Caller
    ) -> pb.RemoveTagsFromBinaryDataByIDsResponse:
        """Take tags from files, and count those that lost one."""
        tags = _given(request.tags)
        rows = require(self._world, caller, names_in(request), "write")
        return pb.RemoveTagsFromBinaryDataByIDsResponse(deleted_count=self._remove(tags, rows))

    def RemoveTagsFromBinaryDataByFilter(
        self, request: pb.RemoveTagsFromBinaryDataByFilterRequest, caller: Caller
    ) -> pb.RemoveTagsFromBinaryDataByFilterResponse:
        """Take tags from the files that match a filter, and count those that lost one."""
        tags = _given(request.tags)
        rows = to_change(self._world, caller, request.filter)
        return pb.RemoveTagsFromBinaryDataByFilterResponse(deleted_count=self._remove(tags, rows))

    def TagsByFilter(self, request: pb.TagsByFilterRequest, caller: Caller) -> pb.TagsByFilterResponse:
        """List the tags of the files and readings that match a filter, without those that stand for datasets."""
        files = selected(self._world, caller, request.filter, "read")
        sql = f"SELECT DISTINCT t.tag FROM files f JOIN file_tags t ON t.file = f.id WHERE {files.sql}"
        found = {row["tag"] for row in self._world.store.rows(sql, *files.values)}
        if not request.filter.bbox_labels and not request.filter.dataset_id:  # readings have neither
            found.update(self._of_readings(request.filter, caller))
        return pb.TagsByFilterResponse(tags=sorted(tag for tag in found if not tag.startswith(DATASET_TAG)))

    def _of_readings(self, filter: pb.Filter, caller: Caller) -> List[str]:
        when = within(filter.interval, "r.requested")
        origin = all_of(
            [
                in_reach(self._world, caller, "read"),
                matching(filter),
                tagged(filter.tags_filter, "SELECT tag FROM capture_tags WHERE capture_id = c.id"),
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
        lost: Set[int] = set()
        for tag in tags:
            where = "FROM file_tags WHERE tag = ? AND file IN (SELECT value FROM json_each(?))"
            lost.update(row["file"] for row in self._world.store.rows(f"SELECT file {where}", tag, files))
            self._world.store.run(f"DELETE {where}", tag, files)
        return len(lost)


def _given(tags: Sequence[str]) -> List[str]:
    """Return the tags of a request, each once."""
    if not tags or not all(tags):
        raise invalid_argument(
            "The request has no tags; give at least one." if not tags else "One of the tags is empty; leave it out."
        )
    return list(dict.fromkeys(tags))


def _new(tags: Sequence[str]) -> List[str]:
    found = _given(tags)
    for tag in found:
        if tag.startswith(DATASET_TAG):
            raise invalid_argument(
                f"The tag {tag[:64]!r} stands for being in a dataset; put the files into it instead "
                "(add_binary_data_to_dataset_by_ids)."
            )
    return found
