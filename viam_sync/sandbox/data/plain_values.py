"""Structs, and the parameters of captures, as plain Python values."""

from __future__ import annotations

import base64
from typing import Any, Dict

from google.protobuf import wrappers_pb2
from google.protobuf.message import DecodeError, Message

from viam_sync.proto.app import data as pb
from viam_sync.proto.google import ListValue, Struct, Value

_WRAPPERS = {
    *("BoolValue", "BytesValue", "DoubleValue", "FloatValue", "StringValue"),
    *("Int32Value", "Int64Value", "UInt32Value", "UInt64Value"),
}


def struct_to_dict(struct: Message) -> Dict[str, Any]:
    """Return a Struct as a dictionary."""
    # The hot loop of queries: a number other than 0 needs no look at the kind of the value.
    fields = struct.fields  # type: ignore[attr-defined]
    return {name: (value := fields[name]).number_value or _plain_value(value) for name in fields}


def method_parameters(capture: pb.CaptureMetadata) -> Dict[str, Any]:
    """Return the parameters of the captured method, as plain values."""
    return {name: _unpack(capture.method_parameters[name]) for name in sorted(capture.method_parameters)}


def _plain_value(value: Any) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return struct_to_dict(value.struct_value)
    if kind == "list_value":
        return [_plain_value(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def _unpack(value: Any) -> Any:
    """Return the plain value in an Any; a message of an unknown type is returned as base64."""
    try:
        return _unpack_well_known(value.type_url.rpartition("/")[2], value.value)
    except (DecodeError, LookupError):
        return {"@type": value.type_url, "value": _base64(value.value)}


def _unpack_well_known(type: str, contents: bytes) -> Any:
    package, _, name = type.rpartition(".")
    if package != "google.protobuf":
        raise LookupError(type)
    if name == "Struct":
        return struct_to_dict(Struct.FromString(contents))
    if name == "ListValue":
        return _plain_value(Value(list_value=ListValue.FromString(contents)))
    if name == "Value":
        return _plain_value(Value.FromString(contents))
    if name not in _WRAPPERS:
        raise LookupError(type)
    value = getattr(wrappers_pb2, name).FromString(contents).value
    # All numbers are floats, as in a Struct, which the same parameters are compared with.
    return _base64(value) if name == "BytesValue" else value if name in ("BoolValue", "StringValue") else float(value)


def _base64(contents: bytes) -> str:
    return base64.b64encode(contents).decode()
