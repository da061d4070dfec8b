"""The difference between two sets of rows that are in the order of their times."""

from __future__ import annotations

from collections import Counter
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, BinaryIO, Dict, Iterable, Iterator, Tuple

from viam_sync.transfer.mirror.timed_rows import tick_of
from viam_sync.transfer.output.batches import plain_values

_PIECE = 1 << 20


def row_difference(old: Iterable[Any], new: Iterable[Any], time: str, arrow: Any) -> Tuple[int, int]:
    """Return how many rows of record batches were added, and how many removed.

    The order of rows within a tick makes no difference. Only the rows of one tick are in memory.

    Args:
        old: The rows before, of the same schema.
        new: The rows after.
        time: The name of the column of times.
        arrow: The module ``pyarrow``.

    Example:
        >>> import pyarrow
        >>> from datetime import datetime
        >>> from viam_sync.transfer.mirror.row_difference import row_difference
        >>> one, two = (
        ...     pyarrow.RecordBatch.from_pydict({"at": [datetime(2024, 1, 1)] * 3, "n": numbers})
        ...     for numbers in ([1, 1, 2], [2, 1, 3]))
        >>> row_difference([one], [two], "at", pyarrow)
        (1, 1)
    """
    added = removed = 0
    rows = merge(_signed(new, 1, time, arrow), _signed(old, -1, time, arrow), key=itemgetter(0))
    for _, group in groupby(rows, itemgetter(0)):
        balance: Dict[str, int] = Counter()
        for _, sign, text in group:
            balance[text] += sign
        added += sum(count for count in balance.values() if count > 0)
        removed -= sum(count for count in balance.values() if count < 0)
    return added, removed


def _signed(batches: Iterable[Any], sign: int, time: str, arrow: Any) -> Iterator[Tuple[Any, int, str]]:
    """Yield the tick of each row, a sign, and the values of the row as text."""
    for batch in batches:
        index = batch.schema.names.index(time)
        for values in zip(*(plain_values(column, arrow) for column in batch.columns)):
            yield tick_of(values[index]), sign, repr(values)


def has_same_bytes(one: BinaryIO, other: BinaryIO) -> bool:
    """Tell whether two files have the same contents."""
    while True:
        piece = one.read(_PIECE)
        if piece != other.read(_PIECE):
            return False
        if not piece:
            return True
