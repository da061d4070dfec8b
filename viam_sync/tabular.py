"""Rows of tabular data as tables of pyarrow, pandas and Polars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Iterator, Tuple

if TYPE_CHECKING:
    from viam_sync.app._data.tabular_records import AnyRow
    from viam_sync.transfer.output.columns import Columns
    from viam_sync.transfer.output.rows import Row

__all__ = ["to_arrow", "to_arrow_batches", "to_pandas", "to_polars"]


def to_arrow(rows: Iterable[AnyRow], *, schema: Any = None, misfits: str = "error") -> Any:
    r"""Return rows as a table of pyarrow, which takes ``pip install pyarrow``.

    Nested objects become columns, whose names join the keys with dots; within a key, a dot is written ``\.`` and a
    backslash ``\\``. Readings have the columns of their times and metadata first; all others are sorted by name. Times
    say that they are UTC.

    Without a schema, a column has the type of its values; if these have no common type, it is text, and values that are
    no text become JSON. So it is where a whole number beyond 2**53 stands among numbers with a point, as a double would
    round it, and where a date is outside the years 1 to 9999, which is written as ISO 8601 has it:
    ``+010000-01-01T00:00:00.000Z``. A column without any value is one of doubles.

    At most twice the memory of the table is taken while it is made.

    Args:
        rows: Rows that a method for tabular data has returned, as a list or an iterator: readings, or the rows of a
            query. Without any row, the table has the columns that readings always have.
        schema: All columns but those of times and metadata, in their order: for each name its type in Python, ``bool``,
            ``int``, ``float``, ``str``, ``bytes``, ``datetime`` or ``dict``, or a list of one, such as ``[str]``; or a
            ``pyarrow.Schema``. An ``int`` may come as 2.0, a ``datetime`` as text in the form of RFC 3339; nothing else
            is converted. None for the columns that the rows have.
        misfits: What becomes of a value of another type than that in the schema, or without a column there:
            ``"error"``; or ``"null"``, and it is left out; or ``"rescue"``, and it is kept as JSON in a last column,
            ``_rescued_data``.

    Returns:
        The table, a ``pyarrow.Table``.

    Raises:
        ImportError: If pyarrow is not installed.
        TypeError: If there is something else among the rows, or the schema is none.
        ValueError: If a value does not fit the schema; the error names the column, the row and both types.

    Example:
        >>> from viam_sync.tabular import to_arrow
        >>> table = to_arrow([{"speed": 1, "on": True}, {"speed": 2.5}], schema={"speed": float, "on": bool})
        >>> table.column_names, table["speed"].to_pylist()
        (['speed', 'on'], [1.0, 2.5])
    """
    from viam_sync.transfer.output.batches import whole_table
    from viam_sync.transfer.output.columns import optional

    arrow = optional("pyarrow", "to_arrow")
    return whole_table(*_rows_and_columns(rows, schema, misfits), arrow)


def to_arrow_batches(
    rows: Iterable[AnyRow], *, schema: Any = None, misfits: str = "error", batch_rows: int = 10_000
) -> Iterator[Any]:
    """Return an iterator of record batches of pyarrow, which needs the memory of one of them, however many rows come.

    All batches have one schema. Without a given one, it is that of the first batch, and a later row that does not fit
    it is an error. There is one batch at least, which has no rows if there are none.

    Args:
        rows: Rows, as `to_arrow` takes them.
        schema: All columns but those of times and metadata, as `to_arrow` takes them.
        misfits: What becomes of a value that does not fit the schema, as `to_arrow` takes it.
        batch_rows: The number of rows in a batch; it has fewer if their texts have more than 4 MiB.

    Returns:
        The batches, each a ``pyarrow.RecordBatch``.

    Raises:
        ImportError: If pyarrow is not installed.
        TypeError: If there is something else among the rows, which the iterator finds, or an argument is of the wrong
            type.
        ValueError: While iterating, if a value does not fit the schema, or without one the first batch; the error names
            the column, the row and both types.

    Example:
        >>> from viam_sync.tabular import to_arrow_batches
        >>> batches = to_arrow_batches(({"speed": number} for number in range(5)), batch_rows=2)
        >>> [batch.num_rows for batch in batches]
        [2, 2, 1]
    """
    from viam_sync.checks.numbers import whole
    from viam_sync.transfer.output.batches import steady_batches
    from viam_sync.transfer.output.columns import optional

    arrow = optional("pyarrow", "to_arrow_batches")
    most_rows = whole("batch_rows", batch_rows, 1)
    return steady_batches(*_rows_and_columns(rows, schema, misfits), arrow, most_rows)


def to_pandas(rows: Iterable[AnyRow], *, schema: Any = None, misfits: str = "error") -> Any:
    """Return rows as a data frame of pandas, which must be installed; pyarrow need not be.

    Columns have the names and the order that `to_arrow` gives them, and the types of pandas that know a missing value
    from any other: ``Int64``, ``Float64``, ``boolean``, ``string``, and times that say that they are UTC. A column is
    one of Python's objects, with None for a missing value, where its values are lists or bytes or have no common type,
    and where pandas cannot hold them: a whole number beyond 2**53 among numbers with a point and, before pandas 3, a
    time outside the years 1677 to 2262. An object without keys is JSON.

    At most twice the memory of the data frame is taken while it is made.

    Args:
        rows: Rows, as `to_arrow` takes them.
        schema: All columns but those of times and metadata, as `to_arrow` takes them.
        misfits: What becomes of a value that does not fit the schema, as `to_arrow` takes it.

    Returns:
        The data frame, a ``pandas.DataFrame``.

    Raises:
        ImportError: If pandas is not installed.
        TypeError: If there is something else among the rows, or the schema is none.
        ValueError: If a value does not fit the schema; the error names the column, the row and both types.

    Example:
        >>> from viam_sync.tabular import to_pandas
        >>> frame = to_pandas([{"count": 2**60 + 1}, {"speed": 1.5}])
        >>> int(frame["count"][0]), frame.dtypes.astype(str).to_dict()
        (1152921504606846977, {'count': 'Int64', 'speed': 'Float64'})
    """
    from viam_sync.transfer.output.columns import optional
    from viam_sync.transfer.output.frames import data_frame

    pandas = optional("pandas", "to_pandas")
    return data_frame(*_rows_and_columns(rows, schema, misfits), pandas)


def to_polars(rows: Iterable[AnyRow], *, schema: Any = None, misfits: str = "error") -> Any:
    """Return rows as a data frame of Polars, which takes ``pip install polars pyarrow``.

    Columns have the names, the order and the types that `to_arrow` gives them.

    Args:
        rows: Rows, as `to_arrow` takes them.
        schema: All columns but those of times and metadata, as `to_arrow` takes them.
        misfits: What becomes of a value that does not fit the schema, as `to_arrow` takes it.

    Returns:
        The data frame, a ``polars.DataFrame``.

    Raises:
        ImportError: If Polars or pyarrow is not installed.
        TypeError: If there is something else among the rows, or the schema is none.
        ValueError: If a value does not fit the schema; the error names the column, the row and both types.

    Example:
        >>> from viam_sync.tabular import to_polars
        >>> frame = to_polars([{"speed": 1.5, "on": True}, {"speed": 2.5}])
        >>> frame.columns, frame["speed"].sum()
        (['on', 'speed'], 4.0)
    """
    from viam_sync.transfer.output.batches import BatchStore, grouped, record_batches
    from viam_sync.transfer.output.columns import optional

    polars = optional("polars", "to_polars", "polars pyarrow")
    arrow = optional("pyarrow", "to_polars", "polars pyarrow")
    plain, columns = _rows_and_columns(rows, schema, misfits)
    with BatchStore(arrow) as store:
        found, batches = record_batches(plain, columns, store, arrow)
        frames = []
        for table in grouped(batches, found, arrow):
            frames.append(_polars_frame(table.combine_chunks(), polars))
            # Polars has an allocator of its own, which gets no memory that Arrow's keeps for later.
            arrow.default_memory_pool().release_unused()
        return polars.concat(frames or [_polars_frame(found.empty_table(), polars)], rechunk=False)


def _polars_frame(table: Any, polars: Any) -> Any:
    # Polars gives a column whose name is empty another one, which a second column may have.
    frame = polars.from_arrow(table.rename_columns([str(number) for number in range(table.num_columns)]))
    frame.columns = table.column_names
    return frame


def _rows_and_columns(rows: Iterable[AnyRow], schema: Any, misfits: str) -> Tuple[Iterator[Row], Columns]:
    """Return rows as mappings, and the columns that they are to be added to."""
    from viam_sync.app._data.tabular_records import rows_with_columns
    from viam_sync.transfer.output.schema import columns_for

    plain, fixed = rows_with_columns(rows)
    return plain, columns_for(fixed, schema, misfits)
