"""Readings as the engines of queries take them, and Structs as plain values."""

from __future__ import annotations

import base64
import sqlite3
from typing import Any, Dict, Iterable, Iterator, Mapping

import bson
from bson.errors import BSONError
from google.protobuf import wrappers_pb2
from google.protobuf.message import DecodeError, Message

from viam_sync.proto.app import data as pb
from viam_sync.proto.google import ListValue, Struct, Value

# The times that a calendar has, from the year 1 to the year 9999, in milliseconds since 1970.
_FIRST, _LAST = -62_135_596_800_000, 253_402_300_799_999

_WRAPPERS = {
    *("BoolValue", "BytesValue", "DoubleValue", "FloatValue", "StringValue"),
    *("Int32Value", "Int64Value", "UInt32Value", "UInt64Value"),
}


def plain(struct: Message) -> Dict[str, Any]:
    """Return a Struct as a dictionary."""
    # With many readings this is where the time goes: a number other than 0 is known by itself.
    fields = struct.fields  # type: ignore[attr-defined]
    return {name: (value := fields[name]).number_value or _plain_value(value) for name in fields}


def parameters(capture: pb.CaptureMetadata) -> Dict[str, Any]:
    """Return the parameters that a method was captured with, as plain values."""
    return {name: _unpacked(capture.method_parameters[name]) for name in sorted(capture.method_parameters)}


def origin(capture: pb.CaptureMetadata) -> Dict[str, Any]:
    """Return what the documents of all readings of a capture have in common."""
    return {
        "organization_id": capture.organization_id,
        "location_id": capture.location_id,
        "robot_id": capture.robot_id,
        "part_id": capture.part_id,
        "component_type": capture.component_type,
        "component_name": capture.component_name,
        "method_name": capture.method_name,
        "tags": list(capture.tags),
        "additional_parameters": _without_nul(parameters(capture)),
    }


def readings(places: Mapping[int, int], rows: Iterable[sqlite3.Row]) -> Iterator[bytes]:
    """Yield readings as an engine takes them: as BSON, with times in milliseconds since 1970.

    Args:
        places: For the row of a capture, its place among the origins that the engine gets.
        rows: The readings.
    """
    for row in rows:
        reading = {
            "origin": places[row["capture_id"]],
            "requested": _milliseconds(row["requested"]),
            "received": _milliseconds(row["received"]),
            "data": plain(Struct.FromString(row["body"])),
        }
        try:
            yield bson.encode(reading)
        except BSONError:
            yield bson.encode(_without_nul(reading))


def _milliseconds(microseconds: int) -> int:
    return max(_FIRST, min(_LAST, microseconds // 1000))


def _plain_value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return plain(value.struct_value)
    if kind == "list_value":
        return [_plain_value(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def _unpacked(value: Any) -> Any:
    """Return the plain value in an Any; one of another type than those of JSON keeps its bytes, as base64."""
    try:
        return _known(value.type_url.rpartition("/")[2], value.value)
    except (DecodeError, LookupError):
        return {"@type": value.type_url, "value": _text(value.value)}


def _known(type: str, contents: bytes) -> Any:
    package, _, name = type.rpartition(".")
    if package != "google.protobuf":
        raise LookupError(type)
    if name == "Struct":
        return plain(Struct.FromString(contents))
    if name == "ListValue":
        return _plain_value(Value(list_value=ListValue.FromString(contents)))
    if name == "Value":
        return _plain_value(Value.FromString(contents))
    if name not in _WRAPPERS:
        raise LookupError(type)
    held = getattr(wrappers_pb2, name).FromString(contents).value
    # A Struct knows no other numbers, and the same parameters come as one.
    return _text(held) if name == "BytesValue" else held if name in ("BoolValue", "StringValue") else float(held)


def _text(contents: bytes) -> str:
    return base64.b64encode(contents).decode()


def _without_nul(value: Any) -> Any:
    """Return a value whose names hold no NUL, which BSON cannot have there."""
    if isinstance(value, dict):
        return {name.replace("\0", ""): _without_nul(item) for name, item in value.items()}
    return [_without_nul(item) for item in value] if isinstance(value, list) else value
