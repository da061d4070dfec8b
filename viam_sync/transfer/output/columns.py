"""The columns of flat rows, and the kind of value that each of them holds."""

from __future__ import annotations

import base64
import importlib
import json
from datetime import datetime
from typing import Any, Dict, Iterable, List, Mapping, Sequence, Tuple, Union

from viam_sync.messages.precision import EXACT
from viam_sync.transfer.output.flatten import flatten
from viam_sync.transfer.output.rows import in_utc, json_value

#: The kind of a value: "null", "bool", "int", "long" (which a double may round), "float", "time", "text" or "bytes"; or
#: "list", and the kind of its items.
Kind = Union[str, Tuple[str, "Kind"]]

_KINDS = {bool: "bool", int: "int", float: "float", str: "text", bytes: "bytes", datetime: "time", type(None): "null"}


class Columns:
    """The columns of rows that come one after the other, in the order in which they first appear.

    A column has the kind of its values. Whole numbers among others become numbers with a point, unless one is beyond
    2**53, so that it would be rounded; values that do not go together otherwise become text, and so do whole numbers of
    more than 64 bits and objects within lists; a value that is no text is then written as JSON.

    Attributes:
        kinds: The kind of each column, by its name.

    Example:
        >>> from viam_sync.transfer.output.columns import Columns
        >>> columns = Columns()
        >>> for row in ({"speed": 1, "tags": []}, {"speed": 1.5, "tags": ["a"]}, {"on": True}):
        ...     columns.add(row)
        >>> columns.kinds
        {'speed': 'float', 'tags': ('list', 'text'), 'on': 'bool'}
    """

    def __init__(self) -> None:
        self.kinds: Dict[str, Kind] = {}

    def add(self, row: Mapping[str, Any]) -> None:
        """Add the columns of a flat row."""
        for name, value in row.items():
            kind = _kind_of(value)
            known = self.kinds.get(name)
            if known != kind:
                self.kinds[name] = kind if known is None else _merged(known, kind)

    def to_arrow(self, rows: Sequence[Mapping[str, Any]], arrow: Any) -> Any:
        """Return flat rows as a table of pyarrow.

        Args:
            rows: The rows; each was added before.
            arrow: The module ``pyarrow``.
        """
        arrays = [
            arrow.array([fitted(row.get(name), kind) for row in rows], _arrow_type(kind, arrow))
            for name, kind in self.kinds.items()
        ]
        return arrow.Table.from_arrays(arrays, schema=self.schema(arrow))

    def schema(self, arrow: Any) -> Any:
        """Return the columns as a schema of pyarrow."""
        return arrow.schema([(name, _arrow_type(kind, arrow)) for name, kind in self.kinds.items()])


def _kind_of(value: Any) -> Kind:
    if isinstance(value, (list, tuple)):
        kind: Kind = "null"
        for item in value:
            kind = _merged(kind, _kind_of(item))
        return "list", kind
    # The types of BSON are subclasses of the plain ones.
    known = _KINDS.get(type(value)) or next((name for cls, name in _KINDS.items() if isinstance(value, cls)), "text")
    if known == "int" and is_long(value):
        return "long" if -(2**63) <= value < 2**63 else "text"
    return known


def is_long(value: Any) -> bool:
    """Tell whether a value is a whole number that a double may round."""
    return isinstance(value, int) and not -EXACT <= value <= EXACT


def _merged(one: Kind, other: Kind) -> Kind:
    if one == other or other == "null":
        return one
    if one == "null":
        return other
    if {one, other} == {"int", "float"}:
        return "float"
    if {one, other} == {"int", "long"}:
        return "long"
    if isinstance(one, tuple) and isinstance(other, tuple):
        return "list", _merged(one[1], other[1])
    return "text"


def fitted(value: Any, kind: Kind) -> Any:
    """Return a value in the form that its column holds; it may have been through `to_json`."""
    if value is None:
        return None
    if isinstance(kind, tuple):
        return [fitted(item, kind[1]) for item in value]
    if kind == "text":
        plain = json_value(value)
        return plain if isinstance(plain, str) else json.dumps(plain)
    if kind == "time":
        return in_utc(value) if isinstance(value, datetime) else datetime.fromisoformat(value[:-1])
    if kind == "bytes":
        return base64.b64decode(value) if isinstance(value, str) else bytes(value)
    return float(value) if kind == "float" else value


def to_json(row: Mapping[str, Any]) -> str:
    """Return a flat row as a line of JSON, from which `fitted` makes its values again.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.transfer.output.columns import to_json
        >>> to_json({"at": datetime(2024, 1, 1), "raw": b"abc"})
        '{"at": "2024-01-01T00:00:00Z", "raw": "YWJj"}'
    """
    return json.dumps(row, default=json_value)


def _arrow_type(kind: Kind, arrow: Any) -> Any:
    if isinstance(kind, tuple):
        return arrow.list_(_arrow_type(kind[1], arrow))
    if kind == "time":
        return arrow.timestamp("us", "UTC")
    names = {
        "null": "null",
        "bool": "bool_",
        "int": "int64",
        "long": "int64",
        "float": "float64",
        "text": "string",
        "bytes": "binary",
    }
    return getattr(arrow, names[kind])()


def optional(name: str, purpose: str, extra: str) -> Any:
    """Return a module of an optional dependency.

    Args:
        name: The name of the module.
        purpose: The format or function that takes it, for the error.
        extra: The argument of ``pip install``, for the error.

    Raises:
        ImportError: If it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise ImportError(
            f"{purpose} takes {package}, which cannot be loaded; pip install {extra!r} ({error})"
        ) from error


def columns_of(rows: Iterable[Mapping[str, Any]]) -> Tuple[List[Dict[str, Any]], Columns]:
    """Return rows in flat form, and their columns."""
    columns = Columns()
    flat = []
    for row in rows:
        flat.append(flatten(row))
        columns.add(flat[-1])
    return flat, columns
