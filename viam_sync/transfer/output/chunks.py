"""Rows in chunks: lists of the values of some hundred rows, by column."""

from __future__ import annotations

from datetime import datetime
from itertools import chain, islice
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Sequence

from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.rows import Row

#: The number of rows in a chunk. Python's objects take about ten times the memory of a table, so that a chunk has to be
#: a small part of it.
CHUNK_ROWS = 500
#: The size of the texts and lists in a chunk, in bytes, after which it ends.
CHUNK_BYTES = 4 << 20
#: The most rows that are read before their bytes are counted.
_BLOCK_ROWS = 64

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
    iterator = iter(rows)
    rest: List[Row] = []
    block_rows = 1
    while True:
        group: List[Row] = []
        pieces: List[Chunk] = []
        size = 0
        while len(group) < most_rows and size <= most_bytes:
            count = min(block_rows, most_rows - len(group))
            block, rest = rest[:count], rest[count:]
            block.extend(islice(iterator, count - len(block)))
            if not block:
                break
            piece = Chunk(len(block), columns.flat_columns(block))
            added = sum(map(_size_of_column, piece.columns.values()))
            if size + added > most_bytes:
                count = _rows_within(piece, most_bytes - size)
                block, rest = block[:count], block[count:] + rest
                piece = Chunk(count, columns.flat_columns(block))
            group += block
            pieces.append(piece)
            size += added
            # Rows as large as those before come to a sixteenth of a chunk before they are counted.
            block_rows = max(1, min(_BLOCK_ROWS, most_bytes // 16 * len(block) // (added + 1)))
        if not group:
            return
        yield Chunk(len(group), columns.add_columns(group, _joined(pieces)))


def _joined(pieces: Sequence[Chunk]) -> Dict[str, List[Any]]:
    """Return the columns of all pieces, which stand one below the other."""
    columns: Dict[str, List[Any]] = {}
    row_count = 0
    for piece in pieces:
        for name, values in piece.columns.items():
            column = columns.setdefault(name, [])
            column += [None] * (row_count - len(column))
            column += values
        row_count += piece.row_count
    for column in columns.values():
        column += [None] * (row_count - len(column))
    return columns


def _rows_within(piece: Chunk, most_bytes: int) -> int:
    """Return the number of rows up to the one with which a piece has more bytes."""
    size = 0
    for count, values in enumerate(zip(*piece.columns.values()), 1):
        size += _size_of(values)
        if size > most_bytes:
            return count
    return piece.row_count


def _size_of_column(values: List[Any]) -> int:
    types = set(map(type, values))
    if types <= _SMALL:
        return 0
    if types == {str}:
        return sum(map(len, values))
    if types == {list}:
        return 8 * sum(map(len, values)) + _size_of_column(list(chain.from_iterable(values)))
    return _size_of(values)


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
