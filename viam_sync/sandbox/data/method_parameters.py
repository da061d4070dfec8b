"""The parameters of captured methods, as plain Python values."""

from __future__ import annotations

import base64
from typing import Any, Dict

from google.protobuf import wrappers_pb2
from google.protobuf.message import DecodeError

from viam_sync.proto.app import data as pb
from viam_sync.proto.google import ListValue, Struct, Value
from viam_sync.sandbox.core.structs import plain_struct, plain_value

_WRAPPERS = {
    *("BoolValue", "BytesValue", "DoubleValue", "FloatValue", "StringValue"),
    *("Int32Value", "Int64Value", "UInt32Value", "UInt64Value"),
}


def method_parameters(capture: pb.CaptureMetadata) -> Dict[str, Any]:
    """Return the parameters of the captured method, as plain values."""
    return {name: _unpack(capture.method_parameters[name]) for name in sorted(capture.method_parameters)}


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
        return plain_struct(Struct.FromString(contents))
    if name == "ListValue":
        return plain_value(Value(list_value=ListValue.FromString(contents)))
    if name == "Value":
        return plain_value(Value.FromString(contents))
    if name not in _WRAPPERS:
        raise LookupError(type)
    value = getattr(wrappers_pb2, name).FromString(contents).value
    # All numbers are floats, as in a Struct, which the same parameters are compared with.
    return _base64(value) if name == "BytesValue" else value if name in ("BoolValue", "StringValue") else float(value)


def _base64(contents: bytes) -> str:
    return base64.b64encode(contents).decode()
