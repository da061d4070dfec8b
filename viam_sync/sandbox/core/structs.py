"""Structs as plain Python values."""

from __future__ import annotations

from typing import Any, Dict

from google.protobuf.message import Message


def plain_struct(struct: Message) -> Dict[str, Any]:
    """Return a Struct as a dictionary, with its keys in order, as a map of protobuf has them in a random one."""
    # The hot loop of queries: a number other than 0 needs no look at the kind of the value.
    fields = struct.fields  # type: ignore[attr-defined]
    return {name: (value := fields[name]).number_value or plain_value(value) for name in sorted(fields)}


def plain_value(value: Any) -> Any:
    """Return a Value as a plain value."""
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return plain_struct(value.struct_value)
    if kind == "list_value":
        return [plain_value(item) for item in value.list_value.values]
    return None if kind in (None, "null_value") else getattr(value, kind)


def with_integers(value: Any) -> Any:
    """Return a plain value of a Struct, whose numbers are all floats, with whole numbers as integers."""
    if isinstance(value, dict):
        return {key: with_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
