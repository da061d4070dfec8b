"""Rows of tabular data as tables of pyarrow and pandas."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Iterable, List, Mapping, Union

if TYPE_CHECKING:
    from viam_sync.app._data.tabular_records import TabularData, TabularDataPoint

    #: A row as the methods of DataClient return it.
    Row = Union[TabularData, TabularDataPoint, Mapping[str, Any]]

__all__ = ["to_arrow", "to_pandas"]


def to_arrow(rows: Iterable[Row]) -> Any:
    """Return rows as a table of pyarrow, which takes ``pip install "viam-sync[arrow]"``.

    Nested objects become columns with dotted names, and times say that they are UTC. A column has the type of its
    values; if these have no common type, it is text, and values that are no text become JSON. So it is where a whole
    number beyond 2**53 stands among numbers with a point, as a double would round it, and where a date is outside the
    years 1 to 9999, which is written as ISO 8601 has it: ``+010000-01-01T00:00:00.000Z``.

    Args:
        rows: Rows that a method for tabular data has returned, as a list or an iterator: readings, or the rows of a
            query.

    Returns:
        The table, a ``pyarrow.Table``.

    Raises:
        ImportError: If pyarrow is not installed.
        TypeError: If there is something else among the rows.
    """
    from viam_sync.app._data.tabular_records import rows_with_columns
    from viam_sync.transfer.output.columns import columns_of, optional

    arrow = optional("pyarrow", "to_arrow", "viam-sync[arrow]")
    flat, columns = columns_of(*rows_with_columns(rows))
    return columns.to_arrow(flat, arrow)


def to_pandas(rows: Iterable[Row]) -> Any:
    """Return rows as a data frame of pandas, which must be installed.

    Nested objects become columns with dotted names, and times say that they are UTC. A value that a row lacks is
    missing in its column. A column stays one of objects where pandas would round a whole number beyond 2**53, as
    another number has a point or a row has none, and where it cannot hold a time: before pandas 3, that is one outside
    the years 1677 to 2262.

    Args:
        rows: Rows that a method for tabular data has returned, as a list or an iterator: readings, or the rows of a
            query.

    Returns:
        The data frame, a ``pandas.DataFrame``.

    Raises:
        ImportError: If pandas is not installed.
        TypeError: If there is something else among the rows.
    """
    from viam_sync.app._data.tabular_records import rows_with_columns
    from viam_sync.transfer.output.columns import columns_of, optional
    from viam_sync.transfer.output.kinds import is_long

    def column(name: str, kind: object) -> Any:
        values = [_in_zone(row.get(name)) for row in flat]
        if kind == "time":
            return _times(values, pandas)
        rounds = any(map(is_long, values)) and not all(isinstance(value, int) for value in values)
        return pandas.Series(values, dtype=object) if rounds else values

    pandas = optional("pandas", "to_pandas", "pandas")
    flat, columns = columns_of(*rows_with_columns(rows))
    return pandas.DataFrame({name: column(name, kind) for name, kind in columns.kinds.items()}, index=range(len(flat)))


def _in_zone(value: Any) -> Any:
    """Return a value with its times in UTC, which they say, also those in lists and objects."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)
    if isinstance(value, Mapping):
        return {name: _in_zone(item) for name, item in value.items()}
    return [_in_zone(item) for item in value] if isinstance(value, list) else value


def _times(values: List[Any], pandas: Any) -> Any:
    try:
        return pandas.to_datetime(values, utc=True)
    except pandas.errors.OutOfBoundsDatetime:
        # Before version 3, pandas counts nanoseconds, from 1677 to 2262; Go's zero time, in the year 1, is outside.
        return pandas.Series(values, dtype=object)
