"""Rows in chunks: lists of the values of some hundred rows, by column, and the kind of the values in such a list."""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Set, Tuple

from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.kinds import Kind, merged, type_kind, value_kind
from viam_sync.transfer.output.rows import Row

#: The number of rows in a chunk. Python's objects take about ten times the memory of a table, so that a chunk has to be
#: a small part of it.
CHUNK_ROWS = 500
#: The size of the texts and lists in a chunk, in bytes, after which it ends.
CHUNK_BYTES = 4 << 20

#: The types of most values, which are all of one size; to ask an abstract class takes longer.
_SMALL = {float, int, bool, type(None), datetime}


class Chunk(NamedTuple):
    """Some rows as lists of values, one for each column that they have; None where a row lacks it."""

    row_count: int
    columns: Dict[str, List[Any]]


def chunks(
    rows: Iterable[Row], columns: Columns, most_rows: int = CHUNK_ROWS, most_bytes: int = CHUNK_BYTES
) -> Iterator[Chunk]:
    """Yield rows in chunks, each of which ends when it has ``most_rows`` rows or more than ``most_bytes``.

    Args:
        rows: The rows.
        columns: The columns, to which each row is added.
        most_rows: The number of rows in a chunk, but for the last.
        most_bytes: The size of the texts, bytes and lists in a chunk, after which it ends earlier.

    Example:
        >>> from viam_sync.transfer.output.chunks import chunks
        >>> from viam_sync.transfer.output.columns import Columns
        >>> for chunk in chunks([{"speed": 1}, {"at": {"x": 2}}, {"speed": 3}], Columns(), most_rows=2):
        ...     print(chunk.row_count, chunk.columns)
        2 {'speed': [1, None], 'at.x': [None, 2]}
        1 {'speed': [3]}
    """
    group: List[Mapping[str, Any]] = []
    size = 0
    for row in rows:
        flat = columns.add(columns.flat_row(row))
        group.append(flat)
        size += _size_of(flat.values())
        if len(group) == most_rows or size > most_bytes:
            yield _chunk(group)
            group, size = [], 0
    if group:
        yield _chunk(group)


def _chunk(group: Sequence[Mapping[str, Any]]) -> Chunk:
    columns: Dict[str, List[Any]] = {}
    for index, row in enumerate(group):
        for name, value in row.items():
            if name not in columns:
                columns[name] = [None] * len(group)
            columns[name][index] = value
    return Chunk(len(group), columns)


def _size_of(values: Iterable[Any]) -> int:
    size = 0
    for value in values:
        if type(value) in _SMALL:
            continue
        if isinstance(value, (str, bytes)):
            size += len(value)
        elif isinstance(value, (list, tuple)):
            size += 8 * len(value) + _size_of(value)
        elif isinstance(value, Mapping):
            size += _size_of(value) + _size_of(value.values())
    return size


def common_kind(values: Sequence[Any]) -> Tuple[Kind, bool]:
    """Return the kind of a column of values, and whether all of them are of it as they are.

    They are not where whole numbers stand among numbers with a point, or objects in a list: their form in JSON is
    another one after they have become what the column holds.

    Example:
        >>> from viam_sync.transfer.output.chunks import common_kind
        >>> common_kind([1.5, None]), common_kind([1.5, 1]), common_kind([["a"], [{"b": 1}]])
        (('float', True), ('float', False), (('list', 'text'), False))
    """
    leaves = _leaves(values, 0)
    if len(leaves) == 1:
        ((depth, leaf),) = leaves
        if depth == 0 and leaf not in ("int", "object"):  # A whole number may be a long one.
            return leaf, True
    null: Kind = "null"
    kind = reduce(merged, map(value_kind, values), null)
    depth, leaf = _leaf_of(kind)
    whole = (depth, "int" if leaf == "long" else leaf)
    return kind, all(found == whole or (found[1] == "null" and found[0] <= depth) for found in leaves)


def _leaves(values: Sequence[Any], depth: int) -> Set[Tuple[int, str]]:
    """Return the kinds of the values and of those in lists among them, each with the number of lists around it.

    A list counts as one of "null", as it may have no values. None does not count.
    """
    types = set(map(type, values))
    leaves = {(depth, type_kind(cls)) for cls in types if not issubclass(cls, (list, tuple, type(None)))}
    if any(issubclass(cls, (list, tuple)) for cls in types):
        leaves.add((depth + 1, "null"))
        for value in values:
            if isinstance(value, (list, tuple)):
                leaves |= _leaves(value, depth + 1)
    return leaves


def _leaf_of(kind: Kind) -> Tuple[int, str]:
    depth = 0
    while isinstance(kind, tuple):
        depth, kind = depth + 1, kind[1]
    return depth, kind
