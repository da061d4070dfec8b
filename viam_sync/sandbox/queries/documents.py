"""Readings and their origins as the BSON documents that engines take."""

from __future__ import annotations

import sqlite3
from typing import Any, Dict, Iterable, Iterator, Mapping

import bson
from bson.errors import BSONError

from viam_sync.proto.app import data as pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.core.structs import plain_struct
from viam_sync.sandbox.data.method_parameters import method_parameters

# The times of the years 1 to 9999, in milliseconds since the epoch.
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999


def origin_document(capture: pb.CaptureMetadata) -> Dict[str, Any]:
    """Return the fields that the documents of all readings of a capture have in common."""
    return {
        "organization_id": capture.organization_id,
        "location_id": capture.location_id,
        "robot_id": capture.robot_id,
        "part_id": capture.part_id,
        "component_type": capture.component_type,
        "component_name": capture.component_name,
        "method_name": capture.method_name,
        "tags": list(capture.tags),
        "additional_parameters": _without_nul(method_parameters(capture)),
    }


def encode_readings(origins: Mapping[int, int], rows: Iterable[sqlite3.Row]) -> Iterator[bytes]:
    """Yield readings as BSON, with times in milliseconds since the epoch.

    Args:
        origins: For the ID of a capture, the index of its origin.
        rows: The rows of the readings.
    """
    for row in rows:
        reading = {
            "origin": origins[row["capture_id"]],
            "requested": _milliseconds(row["requested"]),
            "received": _milliseconds(row["received"]),
            "data": plain_struct(Struct.FromString(row["body"])),
        }
        try:
            yield bson.encode(reading)
        except BSONError:
            yield bson.encode(_without_nul(reading))


def _milliseconds(microseconds: int) -> int:
    return max(_FIRST, min(_LAST, microseconds // 1000))


def _without_nul(value: Any) -> Any:
    """Return a value without NUL characters in its keys, which BSON does not allow."""
    if isinstance(value, dict):
        return {name.replace("\0", ""): _without_nul(item) for name, item in value.items()}
    return [_without_nul(item) for item in value] if isinstance(value, list) else value
