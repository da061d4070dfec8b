"""Schemas: columns that the caller names with their types, and values that do not fit them."""

from __future__ import annotations

import json
from datetime import datetime
from itertools import chain
from typing import Any, Dict, List, Mapping, Sequence

from viam_sync.checks import dictionary, one_of, wrong_type
from viam_sync.checks.descriptions import redact, with_article
from viam_sync.messages.values import DEEPEST
from viam_sync.transfer.output.columns import Columns, optional
from viam_sync.transfer.output.common_kinds import common_kind
from viam_sync.transfer.output.kinds import Kind, Misfit, arrow_type, conform, leaf_of, merged
from viam_sync.transfer.output.rows import json_value

#: The column of what does not fit, which Databricks gives this name.
RESCUED = "_rescued_data"
#: The things to do with a value that does not fit.
MISFITS = ("error", "null", "rescue")

_TYPES: Dict[type, str] = {
    bool: "bool",
    int: "long",
    float: "float",
    str: "text",
    bytes: "bytes",
    datetime: "time",
    dict: "object",
}
_NAMES = {kind: cls.__name__ for cls, kind in _TYPES.items()}
#: The types whose values need no other look; a whole number may have too many bits.
_PLAIN: Dict[Kind, type] = {kind: cls for cls, kind in _TYPES.items() if cls is not int}
_TAKEN = f"{', '.join(_NAMES.values())}, or a list of one of these, such as [str]"


class Schema(Columns):
    """The columns of rows, all of them given with their kinds before the first row comes.

    It is one for all files of a run: `add` counts the rows, and fits each to the columns.

    Args:
        columns: All columns but the fixed ones, in their order: for each name a type of Python, ``bool``, ``int``,
            ``float``, ``str``, ``bytes``, ``datetime``, or ``dict`` for what is written as JSON, or a list of one type,
            such as ``[str]``; or a ``pyarrow.Schema``, such as that of a file that was written before.
        fixed: The columns that are there in any case, before the others, and their kinds; ``columns`` may name them
            too, with the same type.
        misfits: What becomes of a value of another type, or in a column that is not named: ``"error"``; or ``"null"``,
            and it is left out; or ``"rescue"``, and it is kept as JSON in a last column, ``_rescued_data``.

    Raises:
        TypeError: If an argument is of the wrong type, or one of the types is none of these.
        ValueError: If ``misfits`` is another word, or a column cannot have the type that it is given.

    Example:
        >>> from viam_sync.transfer.output.schema import Schema
        >>> schema = Schema({"speed": int, "tags": [str]}, fixed={"at": "time"}, misfits="rescue")
        >>> schema.kinds
        {'at': 'time', 'speed': 'long', 'tags': ('list', 'text'), '_rescued_data': 'text'}
        >>> schema.add({"speed": 2.0, "name": "arm"})
        {'speed': 2, '_rescued_data': '{"name": "arm"}'}
    """

    def __init__(self, columns: Any, *, fixed: Mapping[str, Kind] = {}, misfits: str = "error") -> None:
        super().__init__(fixed)
        self._misfits = one_of("misfits", misfits, MISFITS)
        self._kinds.update(_given_kinds(columns, fixed))
        if misfits == "rescue" and self._kinds.pop(RESCUED, "text") != "text":
            raise ValueError(f"schema[{RESCUED!r}] is the column of what does not fit, which is one of str")
        self._plain = {name: _PLAIN.get(kind) for name, kind in self._kinds.items()}
        self._whole = {name for name, kind in self._kinds.items() if kind == "object"}
        self._count = 0

    @property
    def kinds(self) -> Dict[str, Kind]:
        """The kind of each column, by its name, in the order of the columns."""
        return {**self._kinds, RESCUED: "text"} if self._misfits == "rescue" else dict(self._kinds)

    def add(self, row: Mapping[str, Any]) -> Dict[str, Any]:
        """Return a flat row as the columns take it.

        Raises:
            ValueError: If a value does not fit; the error names the column, the row and both types.
        """
        self._count += 1
        fits: Dict[str, Any] = {}
        rescued: Dict[str, Any] = {}
        for name, value in row.items():
            if type(value) is self._plain.get(name):
                fits[name] = value
            elif value is not None or name in self._kinds:
                try:
                    fits[name] = conform(value, self._kinds[name])
                except (KeyError, Misfit):
                    self._require_lenient(name, value)
                    rescued[name] = json_value(value)
        if rescued and self._misfits == "rescue":
            fits[RESCUED] = json.dumps(rescued, sort_keys=True)
        return fits

    def add_columns(self, rows: Sequence[Mapping[str, Any]], flat: Dict[str, List[Any]]) -> Dict[str, List[Any]]:
        """Return the columns of some rows as the columns of the schema take them.

        Raises:
            ValueError: If a value does not fit; the error is that of `add`.
        """
        if all(self._takes(name, values) for name, values in flat.items()):
            self._count += len(rows)
            return {name: values for name, values in flat.items() if name in self._kinds}
        fitting = [self.add(self.flat_row(row)) for row in rows]
        return {name: [row.get(name) for row in fitting] for name in dict.fromkeys(chain.from_iterable(fitting))}

    def _takes(self, name: str, values: Sequence[Any]) -> bool:
        """Return whether a column of values needs no other look."""
        known = self._kinds.get(name, "null")
        found, exact = common_kind(values)
        same = leaf_of(found) in ("null", leaf_of(known), "int" if leaf_of(known) == "long" else "null")
        return exact and same and merged(known, found) == known

    def _require_lenient(self, name: str, value: Any) -> None:
        if self._misfits != "error":
            return
        row = f"row {self._count:,} has {described(value)}"
        kind = self._kinds.get(name)
        said = f"has the column {name!r} as {type_name(kind)}" if kind else f"lacks the column {name!r}"
        raise ValueError(
            f'schema {said}, but {row} there; correct it, or give misfits="null" to leave such values out, or'
            f' misfits="rescue" to keep them in {RESCUED}'
        ) from None


def columns_for(fixed: Mapping[str, Kind], schema: Any = None, misfits: str = "error") -> Columns:
    """Return the columns of a table: those of a schema, or without one those of its rows, after the fixed ones.

    Raises:
        TypeError: If the schema is none.
        ValueError: If there is something wrong with the schema, or ``misfits`` is given without one.
    """
    if schema is not None:
        return Schema(schema, fixed=fixed, misfits=misfits)
    if one_of("misfits", misfits, MISFITS) != "error":
        raise ValueError(f"misfits is {misfits!r}, but there is no schema that a value could not fit; give one")
    return Columns(fixed)


def _given_kinds(columns: Any, fixed: Mapping[str, Kind]) -> Dict[str, Kind]:
    """Return the kinds of the columns that a caller names."""
    if type(columns).__module__.partition(".")[0] == "pyarrow":
        kinds = arrow_kinds(columns)
    else:
        kinds = {name: _kind_from(f"schema[{name!r}]", given) for name, given in dictionary("schema", columns).items()}
    if not kinds:
        raise ValueError("schema names no column; give at least one")
    for name, kind in fixed.items():
        if kinds.get(name, kind) != kind:
            raise ValueError(f"schema[{name!r}] is a column that these rows always have, as {type_name(kind)}")
    return kinds


def _kind_from(place: str, given: Any, room: int = DEEPEST) -> Kind:
    if isinstance(given, list) and len(given) == 1 and room:
        return "list", _kind_from(f"{place}[0]", given[0], room - 1)
    if not isinstance(given, type) or given not in _TYPES:
        raise wrong_type(place, f"one of the types {_TAKEN}", given)
    return _TYPES[given]


def arrow_kinds(schema: Any) -> Dict[str, Kind]:
    """Return the kinds of the columns of a schema of pyarrow, by their names.

    Raises:
        TypeError: If it is none.
        ValueError: If there is a type among them that no column has, or two columns have one name.
    """
    arrow = optional("pyarrow", "schema")
    if not isinstance(schema, arrow.Schema):
        raise wrong_type("schema", "a dict or a pyarrow.Schema", schema)
    known = {arrow_type(kind, arrow): kind for kind in _TYPES.values() if kind != "object"}

    def kind_from(name: str, found: Any) -> Kind:
        if arrow.types.is_list(found):
            return "list", kind_from(name, found.value_type)
        if found not in known:
            raise ValueError(f"schema[{name!r}] takes one of the types {', '.join(map(str, known))}, got {found}")
        return known[found]

    kinds = {field.name: kind_from(field.name, field.type) for field in schema}
    if len(kinds) < len(schema):
        raise ValueError("schema has two columns of one name")
    return kinds


def type_name(kind: Kind) -> str:
    """Return the type of a column in the form in which a schema names it, such as ``[str]``."""
    if isinstance(kind, tuple):
        return f"[{type_name(kind[1])}]"
    return _NAMES["long" if kind == "int" else kind]


def described(value: Any) -> str:
    """Return the type of a value, and the value if it is a number."""
    if isinstance(value, (list, tuple)):
        return f"a list of {' and '.join(sorted({type(item).__name__ for item in value})) or 'nothing'}"
    kind = with_article(type(value).__name__)
    return f"{kind}, {redact(value)}," if isinstance(value, (int, float)) else kind
