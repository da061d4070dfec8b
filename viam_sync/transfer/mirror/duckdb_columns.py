"""The columns of a table of DuckDB: their names, which differ by more than their case, and their types."""

from __future__ import annotations

from typing import Dict, Iterable, Mapping

from viam_sync.transfer.output.kinds import Kind

_TYPES = {
    "null": "DOUBLE",
    "bool": "BOOLEAN",
    "int": "BIGINT",
    "long": "BIGINT",
    "float": "DOUBLE",
    "time": "TIMESTAMP WITH TIME ZONE",
    "text": "VARCHAR",
    "bytes": "BLOB",
}


def duckdb_type(kind: Kind) -> str:
    """Return the type of a column of a kind, as DuckDB names it.

    Example:
        >>> from viam_sync.transfer.mirror.duckdb_columns import duckdb_type
        >>> duckdb_type(("list", "text"))
        'VARCHAR[]'
    """
    return f"{duckdb_type(kind[1])}[]" if isinstance(kind, tuple) else _TYPES[kind]


def with_columns(known: Mapping[str, str], names: Iterable[str]) -> Dict[str, str]:
    """Return the columns of a table for names of values, as DuckDB takes no heed of the case of Latin letters.

    Args:
        known: The columns that the table has, by the names of their values; these stay.
        names: The names of all values.

    Example:
        >>> from viam_sync.transfer.mirror.duckdb_columns import with_columns
        >>> with_columns({"speed": "speed"}, ["speed", "Speed", "SPEED"])
        {'speed': 'speed', 'Speed': 'Speed_1', 'SPEED': 'SPEED_2'}
    """
    columns = dict(known)
    taken = {folded(column) for column in columns.values()}
    for name in names:
        if name not in columns:
            # Older versions read no name beyond the character NUL.
            column = unique = name.replace("\0", "\N{SYMBOL FOR NULL}")
            number = 0
            while folded(unique) in taken:
                number += 1
                unique = f"{column}_{number}"
            columns[name] = unique
            taken.add(folded(unique))
    return columns


def folded(name: str) -> bytes:
    """Return a name in the form in which DuckDB compares it with others."""
    return name.encode().lower()


def quoted(name: str) -> str:
    """Return a name as SQL has it, whatever is in it.

    Example:
        >>> from viam_sync.transfer.mirror.duckdb_columns import quoted
        >>> print(quoted('12" disk'))
        "12"" disk"
    """
    return '"' + name.replace('"', '""') + '"'
