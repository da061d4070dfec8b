"""Rows of tabular data as tables of pyarrow and pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Iterable, Mapping, Union

if TYPE_CHECKING:
    from viam_sync.app._data.tabular_records import TabularData, TabularDataPoint

    #: A row as the methods of DataClient return it.
    Row = Union[TabularData, TabularDataPoint, Mapping[str, Any]]

__all__ = ["to_arrow", "to_pandas"]


def to_arrow(rows: Iterable[Row]) -> Any:
    """Return rows as a table of pyarrow, which takes ``pip install "viam-sync[arrow]"``.

    Nested objects become columns with dotted names, and times say that they are UTC. A column has the type of its
    values; if these have no common type, it is text, and values that are no text become JSON.

    Args:
        rows: Rows that a method for tabular data has returned, as a list or an iterator: readings, or the rows of a
            query.

    Returns:
        The table, a ``pyarrow.Table``.

    Raises:
        ImportError: If pyarrow is not installed.
        TypeError: If there is something else among the rows.
    """
    from viam_sync.app._data.tabular_records import plain_rows
    from viam_sync.transfer.output.columns import columns_of, optional

    arrow = optional("pyarrow", "to_arrow", "viam-sync[arrow]")
    flat, columns = columns_of(plain_rows(rows))
    return columns.to_arrow(flat, arrow)


def to_pandas(rows: Iterable[Row]) -> Any:
    """Return rows as a data frame of pandas, which must be installed.

    Nested objects become columns with dotted names, and times say that they are UTC. A value that a row lacks is
    missing in its column.

    Args:
        rows: Rows that a method for tabular data has returned, as a list or an iterator: readings, or the rows of a
            query.

    Returns:
        The data frame, a ``pandas.DataFrame``.

    Raises:
        ImportError: If pandas is not installed.
        TypeError: If there is something else among the rows.
    """
    from viam_sync.app._data.tabular_records import plain_rows
    from viam_sync.transfer.output.columns import columns_of, optional

    pandas = optional("pandas", "to_pandas", "pandas")
    flat, columns = columns_of(plain_rows(rows))
    return pandas.DataFrame(
        {
            name: pandas.to_datetime([row.get(name) for row in flat], utc=True)
            if kind == "time"
            else [row.get(name) for row in flat]
            for name, kind in columns.kinds.items()
        },
        index=range(len(flat)),
    )
