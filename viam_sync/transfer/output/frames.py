"""Rows as a data frame of pandas, built of chunks, with types that lose nothing."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import chain
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence

from viam_sync.transfer.output.chunks import CHUNK_ROWS, chunks
from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.common_kinds import common_kind
from viam_sync.transfer.output.kinds import Kind, json_text
from viam_sync.transfer.output.rows import Row, in_utc

#: The kinds whose values pandas keeps in arrays; those of all others stay Python's objects.
_TYPED = {
    "null": "float",
    "bool": "bool",
    "int": "int",
    "long": "int",
    "float": "float",
    "text": "text",
    "time": "time",
}


class _Piece(NamedTuple):
    """The values of a column in one chunk.

    Attributes:
        kind: Their kind; "object" if they are a list of Python's objects.
        values: An array of pandas, or the list.
        whole: A flag for each number, where whole ones stand among others; None otherwise.
    """

    kind: str
    values: Any
    whole: Optional[bytes] = None


def data_frame(rows: Iterable[Row], columns: Columns, pandas: Any, most_rows: int = CHUNK_ROWS) -> Any:
    """Return rows as a data frame.

    Args:
        rows: The rows.
        columns: The columns, to which each row is added.
        pandas: The module ``pandas``.
        most_rows: The number of rows that are Python's objects at a time.

    Example:
        >>> import pandas
        >>> from viam_sync.transfer.output.columns import Columns
        >>> from viam_sync.transfer.output.frames import data_frame
        >>> frame = data_frame([{"count": 2**60 + 1}, {"speed": 1.5}], Columns(), pandas)
        >>> int(frame["count"][0]), frame.dtypes.astype(str).to_dict()
        (1152921504606846977, {'count': 'Int64', 'speed': 'Float64'})
    """
    sizes: List[int] = []
    pieces: Dict[str, Dict[int, _Piece]] = {}
    for chunk in chunks(rows, columns, most_rows):
        for name, values in chunk.columns.items():
            if any(value is not None for value in values):
                pieces.setdefault(name, {})[len(sizes)] = _piece([_in_frame(value) for value in values], pandas)
        sizes.append(chunk.row_count)
    series = {}
    for name, kind in columns.kinds.items():
        found = pieces.pop(name, {})
        series[name] = _series(kind, [found.pop(number, None) for number in range(len(sizes))], sizes, pandas)
    # Without copy=False, all columns are there twice.
    return pandas.DataFrame(series, index=pandas.RangeIndex(sum(sizes)), copy=False)


def _in_frame(value: Any) -> Any:
    """Return a value as a data frame holds it: times say that they are UTC, and objects are JSON."""
    return json_text(value) if isinstance(value, Mapping) else _in_zone(value)


def _in_zone(value: Any) -> Any:
    """Return a value with its times in UTC, which they say, also those in lists and in objects there."""
    if isinstance(value, datetime):
        return in_utc(value).replace(tzinfo=timezone.utc)
    if isinstance(value, Mapping):
        return {name: _in_zone(item) for name, item in value.items()}
    return [_in_zone(item) for item in value] if isinstance(value, list) else value


def _piece(values: List[Any], pandas: Any) -> _Piece:
    kind, exact = common_kind(values)
    if exact and kind in _TYPED:
        try:
            return _Piece(_TYPED[kind], _typed(values, _TYPED[kind], pandas))
        except pandas.errors.OutOfBoundsDatetime:
            # Before version 3, pandas counts nanoseconds, from 1677 to 2262; Go's zero time, in the year 1, is outside.
            return _Piece("object", values)
    if kind == "float":
        return _Piece("float", _typed(values, "float", pandas), bytes(isinstance(value, int) for value in values))
    return _Piece("object", values)


def _typed(values: Sequence[Any], kind: str, pandas: Any) -> Any:
    """Return values of one kind as an array of pandas."""
    if kind == "time":
        times = pandas.to_datetime(values, utc=True)
        # pandas 3 takes seconds where there is no time that tells otherwise.
        return times.as_unit("us") if times.dtype.unit == "s" else times
    if kind == "text":
        return pandas.array(values, dtype="string")
    import numpy as np

    array, dtype = {
        "int": (pandas.arrays.IntegerArray, "int64"),
        "float": (pandas.arrays.FloatingArray, "float64"),
        "bool": (pandas.arrays.BooleanArray, "bool"),
    }[kind]
    # The arrays are made of a mask, as pandas.array() takes NaN for a value that is missing.
    missing = [value is None for value in values]
    return array(np.array([0 if value is None else value for value in values], dtype), np.array(missing, bool))


def _series(kind: Kind, pieces: List[Optional[_Piece]], sizes: List[int], pandas: Any) -> Any:
    """Return a column as a series; one of Python's objects if not all values go into one type."""
    wanted = "object" if isinstance(kind, tuple) else {**_TYPED, "object": "text"}.get(kind, "object")
    taken = {wanted, "int"} if wanted == "float" else {wanted}
    if wanted == "object" or not {piece.kind for piece in pieces if piece} <= taken:
        values = chain.from_iterable(map(_objects, pieces, sizes))
        return pandas.Series(list(values), dtype=object)
    arrays = (_as_wanted(piece, size, wanted, pandas) for piece, size in zip(pieces, sizes))
    empty = _typed([], wanted, pandas)
    return pandas.concat([pandas.Series(array) for array in chain([empty], arrays)], ignore_index=True)


def _as_wanted(piece: Optional[_Piece], size: int, wanted: str, pandas: Any) -> Any:
    if piece is None:
        return _typed([None] * size, wanted, pandas)
    return piece.values if piece.kind == wanted else piece.values.astype("Float64")


def _objects(piece: Optional[_Piece], size: int) -> Sequence[Any]:
    """Return the values of a piece, as they were; None for one that is missing."""
    if piece is None:
        return [None] * size
    if piece.kind == "object":
        return piece.values  # type: ignore[no-any-return]
    values = piece.values.to_pydatetime() if piece.kind == "time" else piece.values.astype(object)
    if piece.whole:
        values = [int(value) if whole else value for value, whole in zip(values, piece.whole)]
    return [None if missing else value for value, missing in zip(values, piece.values.isna())]
