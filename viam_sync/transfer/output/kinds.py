"""The kinds of values, and the form in which a column of each kind holds them."""

from __future__ import annotations

import base64
import json
import math
from datetime import datetime
from typing import Any, Callable, Dict, Mapping, Sequence, Tuple, Type, Union

from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.messages.conversion import timestamp_to_datetime
from viam_sync.messages.precision import EXACT
from viam_sync.transfer.output.rows import in_utc, json_value

#: The kind of a value: "null", "bool", "int", "long" (which a double may round), "float", "time", "text", "bytes", or
#: "object" (which is written as JSON); or "list", and the kind of its items.
Kind = Union[str, Tuple[str, "Kind"]]

_KINDS = {bool: "bool", int: "int", float: "float", str: "text", bytes: "bytes", datetime: "time", type(None): "null"}
#: The types of pyarrow by the names of the functions that make them. Readers fail on a column of type null where
#: another file has values in it, so that one without any value is one of numbers, as most are.
_ARROW_TYPES = {
    "null": "float64",
    "bool": "bool_",
    "int": "int64",
    "long": "int64",
    "float": "float64",
    "text": "string",
    "object": "string",
    "bytes": "binary",
}


class Misfit(ValueError):
    """A value that a column of a given kind does not take."""


def value_kind(value: Any) -> Kind:
    """Return the kind of a value; what has none of its own is text.

    Example:
        >>> from viam_sync.transfer.output.kinds import value_kind
        >>> value_kind(1.5), value_kind(2**60), value_kind([None, "a"])
        ('float', 'long', ('list', 'text'))
    """
    if isinstance(value, (list, tuple)):
        kind: Kind = "null"
        for item in value:
            kind = merged(kind, value_kind(item))
        return "list", kind
    known = type_kind(type(value))
    if known == "int" and is_long(value):
        return "long" if _has_64_bits(value) else "text"
    return "text" if known == "object" else known


def type_kind(cls: type) -> str:
    """Return the kind of the values of a type that is no list; "object" if they have none of their own.

    Example:
        >>> from viam_sync.transfer.output.kinds import type_kind
        >>> type_kind(bool), type_kind(int), type_kind(dict)
        ('bool', 'int', 'object')
    """
    # The types of BSON are subclasses of the plain ones.
    return _KINDS.get(cls) or next((kind for plain, kind in _KINDS.items() if issubclass(cls, plain)), "object")


def is_long(value: Any) -> bool:
    """Tell whether a value is a whole number that a double may round."""
    return isinstance(value, int) and not -EXACT <= value <= EXACT


def int_kind(values: Sequence[int]) -> str:
    """Return the kind of a column of whole numbers, of which there is one at least."""
    smallest, largest = min(values), max(values)
    if smallest >= -EXACT and largest <= EXACT:
        return "int"
    return "long" if _has_64_bits(smallest) and _has_64_bits(largest) else "text"


def merged(one: Kind, other: Kind) -> Kind:
    """Return the kind of a column that holds values of two kinds."""
    if one == other or other == "null":
        return one
    if one == "null":
        return other
    if {one, other} == {"int", "float"}:
        return "float"
    if {one, other} == {"int", "long"}:
        return "long"
    if isinstance(one, tuple) and isinstance(other, tuple):
        return "list", merged(one[1], other[1])
    return "text"


def leaf_of(kind: Kind) -> str:
    """Return the kind of the values in a list, and in lists in it; that of others is theirs."""
    return leaf_of(kind[1]) if isinstance(kind, tuple) else kind


def fitted(value: Any, kind: Kind) -> Any:
    """Return a value in the form that its column holds; it may have been JSON, as `json_value` makes it."""
    if value is None:
        return None
    if isinstance(kind, tuple):
        return [fitted(item, kind[1]) for item in value]
    if kind in ("text", "object"):
        return value if type(value) is str else json_text(value)
    if kind == "time":
        return in_utc(value) if isinstance(value, datetime) else datetime.fromisoformat(value[:-1])
    if kind == "bytes":
        return base64.b64decode(value) if isinstance(value, str) else bytes(value)
    return float(value) if kind == "float" else value


def json_text(value: Any) -> str:
    """Return a value as text: one that is no text in JSON is written as JSON, with its keys sorted.

    Example:
        >>> from viam_sync.transfer.output.kinds import json_text
        >>> json_text({"y": 1, "x": b"abc"}), json_text(float("inf"))
        ('{"x": "YWJj", "y": 1}', 'Infinity')
    """
    plain = json_value(value)
    return plain if isinstance(plain, str) else json.dumps(plain, sort_keys=True)


def conform(value: Any, kind: Kind) -> Any:
    """Return a value as a column takes it whose kind was given, and not found from its values.

    A whole number may have a point, as all numbers of readings have; a number with a point may be a whole one, if a
    double holds it; a time may be text, as RFC 3339 has it. Nothing else is converted.

    Raises:
        Misfit: If the value is of another kind.

    Example:
        >>> from viam_sync.transfer.output.kinds import conform
        >>> conform(2.0, "long"), conform("2024-01-01T00:00:00Z", "time")
        (2, datetime.datetime(2024, 1, 1, 0, 0))
    """
    if value is None:
        return None
    if not isinstance(kind, tuple):
        return _CONFORM[kind](value)
    if not isinstance(value, (list, tuple)):
        raise Misfit
    return [conform(item, kind[1]) for item in value]


def _whole(value: Any) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not _has_64_bits(value):
        raise Misfit
    return int(value)


def _has_64_bits(value: int) -> bool:
    return -(2**63) <= value < 2**63


def _double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise Misfit
    try:
        double = float(value)
    except OverflowError:
        raise Misfit from None
    if double != value and not math.isnan(double):
        raise Misfit
    return double


def _time(value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise Misfit
    timestamp = Timestamp()
    try:
        timestamp.FromJsonString(value)
        return timestamp_to_datetime(timestamp)
    except ValueError:
        raise Misfit from None


def _exactly(cls: Type[Any]) -> Callable[[Any], Any]:
    def same(value: Any) -> Any:
        if not isinstance(value, cls):
            raise Misfit
        return value

    return same


_CONFORM: Dict[str, Callable[[Any], Any]] = {
    "bool": _exactly(bool),
    "long": _whole,
    "float": _double,
    "text": _exactly(str),
    "object": _exactly(Mapping),
    "bytes": _exactly(bytes),
    "time": _time,
}


def arrow_type(kind: Kind, arrow: Any) -> Any:
    """Return the type of pyarrow, whose module is given, for a kind."""
    if isinstance(kind, tuple):
        return arrow.list_(arrow_type(kind[1], arrow))
    if kind == "time":
        return arrow.timestamp("us", "UTC")
    return getattr(arrow, _ARROW_TYPES[kind])()
