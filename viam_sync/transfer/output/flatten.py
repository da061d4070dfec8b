"""Rows with nested objects as flat rows, whose names have dots, and back."""

from __future__ import annotations

import re
from collections import abc
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import AbstractSet, Any, Dict, List, Mapping, Sequence

from viam_sync.checks import wrong_key

#: The types of most values, none of which is a mapping; to ask an abstract class takes longer.
_LEAVES = {str, float, int, bool, type(None), list, datetime}
#: A key within a name, with its backslashes.
_KEY = re.compile(r"(?:\A|\.)((?:[^.\\]|\\.)*)", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def flatten(row: Mapping[str, Any], whole: AbstractSet[str] = frozenset()) -> Dict[str, Any]:
    r"""Return a row whose nested objects have become values with dotted names.

    A name joins the keys on the way to a value with dots. Within a key, a dot is written ``\.`` and a backslash ``\\``,
    so that two values never have one name, and a value has the same name whatever else the row holds. Lists stay as
    they are, and so does an object without keys.

    Args:
        row: The row; its keys, and those of the objects in it, are text.
        whole: The names of objects that stay as they are.

    Raises:
        TypeError: If a key is something else.

    Example:
        >>> from viam_sync.transfer.output.flatten import flatten
        >>> flatten({"data": {"speed": 1.5, "at": {"x": 0}, "v1.2": True, "extra": {}}})
        {'data.speed': 1.5, 'data.at.x': 0, 'data.v1\\.2': True, 'data.extra': {}}
    """
    flat: Dict[str, Any] = {}
    _collect(row, "", whole, flat)
    return flat


def flat_columns(rows: Sequence[Mapping[str, Any]], whole: AbstractSet[str] = frozenset()) -> Dict[str, List[Any]]:
    """Return the columns of rows: for each name in their flat form a list of its values, None where a row lacks it.

    Where rows are alike, it is faster than `flatten`, as it goes through their keys once for all of them.

    Args:
        rows: The rows; their keys, and those of the objects in them, are text.
        whole: The names of objects that stay as they are.

    Raises:
        TypeError: If a key is something else.

    Example:
        >>> from viam_sync.transfer.output.flatten import flat_columns
        >>> flat_columns([{"at": {"x": 0}, "on": True}, {"at": {"x": 1, "y": 2}}])
        {'at.x': [0, 1], 'at.y': [None, 2], 'on': [True, None]}
    """
    return _flat_columns(rows, "", whole)


def nest(flat: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the row that `flatten` has made flat.

    Example:
        >>> from viam_sync.transfer.output.flatten import nest
        >>> nest({"data.speed": 1.5, "data.at.x": 0})
        {'data': {'speed': 1.5, 'at': {'x': 0}}}
    """
    row: Dict[str, Any] = {}
    for name, value in flat.items():
        *outer, last = _keys(name)
        place = row
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = value
    return row


def _collect(row: Mapping[str, Any], prefix: str, whole: AbstractSet[str], flat: Dict[str, Any]) -> None:
    for key, value in row.items():
        name = prefix + _escaped(key)
        if type(value) not in _LEAVES and isinstance(value, abc.Mapping) and value and name not in whole:
            _collect(value, name + ".", whole, flat)
        else:
            flat[name] = value


def _flat_columns(rows: Sequence[Mapping[str, Any]], prefix: str, whole: AbstractSet[str]) -> Dict[str, List[Any]]:
    columns: Dict[str, List[Any]] = {}
    shapes = dict.fromkeys(map(tuple, rows))
    for key in dict.fromkeys(chain.from_iterable(shapes)):
        name = prefix + _escaped(key)
        values: List[Any] = [row[key] for row in rows] if len(shapes) == 1 else [row.get(key) for row in rows]
        types = set(map(type, values))
        if types <= _LEAVES or name in whole:
            columns[name] = values
        elif types == {dict} and len(set(map(id, values))) == 1 and values[0]:  # as readings of a page share metadata
            shared = _flat_columns(values[:1], name + ".", whole)
            columns.update({inner: column * len(values) for inner, column in shared.items()})
        elif types == {dict} and all(values):
            columns.update(_flat_columns(values, name + ".", whole))
        else:
            objects = [value if isinstance(value, abc.Mapping) else {} for value in values]
            columns.update(_flat_columns(objects, name + ".", whole))
            if any(key in row and not inner for row, inner in zip(rows, objects)):
                columns[name] = [None if inner else value for value, inner in zip(values, objects)]
    return columns


@lru_cache(maxsize=1000)
def _escaped(key: str) -> str:
    if not isinstance(key, str):
        raise wrong_key("rows", "a str", key)
    return key.replace("\\", "\\\\").replace(".", "\\.")


@lru_cache(maxsize=1000)
def _keys(name: str) -> "tuple[str, ...]":
    return tuple(_ESCAPED.sub(r"\1", key) for key in _KEY.findall(name))
