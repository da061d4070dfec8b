"""Rows with nested objects as flat rows, whose names have dots."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Mapping, Tuple


def flatten(row: Mapping[str, Any]) -> Dict[str, Any]:
    """Return a row whose nested objects have become values with dotted names; lists stay as they are.

    Example:
        >>> from viam_sync.transfer.output.flatten import flatten
        >>> flatten({"data": {"speed": 1.5, "at": {"x": 0}}})
        {'data.speed': 1.5, 'data.at.x': 0}
    """
    return dict(_values(row, ""))


def _values(row: Mapping[str, Any], prefix: str) -> Iterator[Tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, Mapping):
            yield from _values(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
