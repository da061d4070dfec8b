"""The IDs of files in requests and responses: of the file alone, or with its organization and location."""

from __future__ import annotations

import sqlite3
from typing import Any, List, NamedTuple

from viam_sync.proto.app import data as pb
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.request_checks import HINTS, checked_id


class FileReference(NamedTuple):
    """A reference to a file: its ID, and optionally the IDs of its organization and location."""

    file_id: str
    organization_id: str = ""
    location_id: str = ""

    def matches(self, row: sqlite3.Row) -> bool:
        """Return whether the IDs of the organization and the location, if they are given, are those in a row."""
        return self.organization_id in ("", row["organization_id"]) and self.location_id in ("", row["location_id"])


def file_references(request: Any) -> List[FileReference]:
    """Return the files that a request refers to, each once, in either form of ID.

    Raises:
        CallError: INVALID_ARGUMENT if there are none, or an ID is malformed.
    """
    references = [_reference_of(each) for each in request.binary_ids]
    references += [parse_binary_data_id(each) for each in request.binary_data_ids]
    if not references:
        raise invalid_argument(f"The request names no file; give the ID of at least one: {HINTS['file']}.")
    return list(dict.fromkeys(references))


def file_reference(request: Any) -> FileReference:
    """Return the one file that a request refers to, in either form of ID.

    Raises:
        CallError: INVALID_ARGUMENT if there is none, there are two, or an ID is malformed.
    """
    references = [_reference_of(request.binary_id)] if request.HasField("binary_id") else []
    references += [parse_binary_data_id(request.binary_data_id)] if request.binary_data_id or not references else []
    if len({each.file_id for each in references}) > 1:
        raise invalid_argument("binary_id and binary_data_id name two different files; give one of them.")
    return references[-1]


def parse_binary_data_id(binary_data_id: str) -> FileReference:
    """Return the file that an ID refers to: "organization/location/file", or "file" alone.

    Raises:
        CallError: INVALID_ARGUMENT if it is malformed.
    """
    parts = binary_data_id.split("/")
    if len(parts) == 1:
        return FileReference(checked_id("file", binary_data_id))
    if len(parts) != 3 or not all(parts):
        raise invalid_argument(
            f"{binary_data_id[:128]!r} is no ID of binary data, which is 'organization/location/file'; {HINTS['file']}."
        )
    organization_id, location_id, file_id = parts
    return FileReference(
        checked_id("file", file_id), checked_id("organization", organization_id), checked_id("location", location_id)
    )


def binary_data_id(row: sqlite3.Row) -> str:
    """Return the ID of binary data, given a row with the columns of a file and of its capture."""
    return f"{row['organization_id']}/{row['location_id']}/{row['file_id']}"


def _reference_of(message: pb.BinaryID) -> FileReference:
    # Some clients put the whole ID of the newer form into the file_id of the older message.
    reference = parse_binary_data_id(message.file_id)
    organization_id, location_id = message.organization_id, message.location_id
    return FileReference(
        reference.file_id,
        checked_id("organization", organization_id) if organization_id else reference.organization_id,
        checked_id("location", location_id) if location_id else reference.location_id,
    )
