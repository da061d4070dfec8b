"""The RPCs about binary data: files by filter and by ID, their deletion, and signed URLs."""

from __future__ import annotations

import sqlite3
from typing import List, Sequence

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import failed_precondition, invalid_argument
from viam_sync.sandbox.core.world import World, timestamp
from viam_sync.sandbox.data.cursors import encode_cursor, page_query
from viam_sync.sandbox.data.file_ids import binary_data_id, file_references, parse_binary_data_id
from viam_sync.sandbox.data.files import (
    delete_files,
    filter_condition,
    find_files,
    find_writable_files,
    get_files,
    to_metadata,
)
from viam_sync.sandbox.data.signing import signed_url

_LARGEST = 32 * 1024 * 1024
# The most bytes that the encoding of a message adds to the contents and the metadata of each file.
_OVERHEAD = 32
_MINUTE = 60 * 1_000_000
_DEFAULT_MINUTES = 15
_MOST_MINUTES = 10080


class BinaryDataServicer:
    """The RPCs of DataService that read and delete binary data."""

    def __init__(self, world: World) -> None:
        self._world = world

    def BinaryDataByFilter(
        self, request: pb.BinaryDataByFilterRequest, caller: Caller
    ) -> pb.BinaryDataByFilterResponse:
        """Return a page of the files that match a filter, or only count them."""
        asked = request.data_request
        page = page_query(asked, "f")
        wanted = filter_condition(self._world, caller, asked.filter, "read")
        if request.count_only:
            sql = f"SELECT COUNT(*) AS files, COALESCE(SUM(f.size), 0) AS bytes FROM files f WHERE {wanted.sql}"
            (counted,) = self._world.store.rows(sql, *wanted.values)
            return pb.BinaryDataByFilterResponse(count=counted["files"], total_size_bytes=counted["bytes"])
        rows = self._world.store.rows(
            "SELECT f.*, c.organization_id, c.location_id, c.body AS capture FROM files f"
            f" CROSS JOIN captures c ON c.id = f.capture_id WHERE ({wanted.sql}) AND {page.condition.sql}"
            f" ORDER BY {page.order} LIMIT ?",
            *(*wanted.values, *page.condition.values, page.limit),
        )
        return pb.BinaryDataByFilterResponse(
            data=self._data(rows, request.include_binary),
            count=len(rows),
            last=encode_cursor(rows[-1]["requested"], rows[-1]["id"]) if rows else "",
            total_size_bytes=sum(row["size"] for row in rows),
        )

    def BinaryDataByIDs(self, request: pb.BinaryDataByIDsRequest, caller: Caller) -> pb.BinaryDataByIDsResponse:
        """Return files in the order of their IDs in the request; those that do not exist are left out."""
        rows = find_files(self._world, caller, file_references(request), "read")
        return pb.BinaryDataByIDsResponse(data=self._data(rows, request.include_binary), count=len(rows))

    def DeleteBinaryDataByFilter(
        self, request: pb.DeleteBinaryDataByFilterRequest, caller: Caller
    ) -> pb.DeleteBinaryDataByFilterResponse:
        """Delete the files that match a filter and that the caller may delete."""
        rows = find_writable_files(self._world, caller, request.filter)
        return pb.DeleteBinaryDataByFilterResponse(deleted_count=delete_files(self._world, rows))

    def DeleteBinaryDataByIDs(
        self, request: pb.DeleteBinaryDataByIDsRequest, caller: Caller
    ) -> pb.DeleteBinaryDataByIDsResponse:
        """Delete files, and return the number of those that existed."""
        rows = find_files(self._world, caller, file_references(request), "write")
        return pb.DeleteBinaryDataByIDsResponse(deleted_count=delete_files(self._world, rows))

    def CreateBinaryDataSignedURL(
        self, request: pb.CreateBinaryDataSignedURLRequest, caller: Caller
    ) -> pb.CreateBinaryDataSignedURLResponse:
        """Return a URL that downloads a file without credentials, and expires after some minutes."""
        minutes = request.expiration_minutes if request.HasField("expiration_minutes") else _DEFAULT_MINUTES
        if not 1 <= minutes <= _MOST_MINUTES:
            raise invalid_argument(f"expiration_minutes is {minutes}; give a number from 1 to {_MOST_MINUTES}.")
        (row,) = get_files(self._world, caller, [parse_binary_data_id(request.binary_data_id)], "read")
        if not self._world.web_url:
            raise failed_precondition("This sandbox serves no downloads.")
        expires = self._world.microseconds() + minutes * _MINUTE
        url = signed_url(self._world, binary_data_id(row), expires)
        return pb.CreateBinaryDataSignedURLResponse(signed_url=url, expires_at=timestamp(expires))

    def _data(self, rows: Sequence[sqlite3.Row], with_contents: bool) -> List[pb.BinaryData]:
        found = [pb.BinaryData(metadata=each) for each in to_metadata(self._world, rows)]
        if with_contents:
            size = sum(row["size"] + data.ByteSize() + _OVERHEAD for row, data in zip(rows, found))
            if size > _LARGEST:
                raise invalid_argument(
                    f"INCLUDE_BINARY_TOO_LARGE: with the contents of these {len(rows)} files the answer would have "
                    f"{size} bytes, and may have {_LARGEST}; ask for fewer at a time, or for the metadata alone "
                    "(include_binary=False) and get the contents from the uri in it."
                )
            for row, data in zip(rows, found):
                data.binary = self._world.store.blobs.read(row["file_id"])
        return found
