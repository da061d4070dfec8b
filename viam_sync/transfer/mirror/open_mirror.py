"""The kind of a mirror, which the ending of its name tells."""

from __future__ import annotations

from typing import Any, ContextManager, Mapping

from viam_sync.checks import text
from viam_sync.transfer.mirror.duckdb_mirror import open_duckdb_mirror
from viam_sync.transfer.mirror.mirror_run import MirrorTarget
from viam_sync.transfer.mirror.parquet_mirror import open_parquet_mirror
from viam_sync.transfer.output.remote import Location

_DUCKDB = (".duckdb", ".ddb", ".db")
#: The table of DuckDB that a mirror has without another word.
TABLE = "readings"


def is_duckdb(location: Location) -> bool:
    """Tell whether a location is that of a file of DuckDB.

    Example:
        >>> from viam_sync.transfer.mirror.open_mirror import is_duckdb
        >>> from viam_sync.transfer.output.remote import Location
        >>> is_duckdb(Location("dest", "readings.duckdb")), is_duckdb(Location("dest", "readings"))
        (True, False)
    """
    return location.suffix in _DUCKDB


def open_mirror(location: Location, table: str, source: Mapping[str, Any], time: str) -> ContextManager[MirrorTarget]:
    """Return a mirror for a ``with`` block: a table of DuckDB, or a folder of Parquet files.

    Args:
        location: The location of the file or folder.
        table: The name of the table.
        source: The readings that the mirror is of.
        time: The name of the column of times.

    Raises:
        OSError: If it cannot be opened, or is something else.
        TypeError: If the table is no str.
        ValueError: If it is a mirror of other readings, or the table and the location do not go together.
        ImportError: If a package for it is not installed.
    """
    text("table", table)
    if not is_duckdb(location):
        if table != TABLE:
            raise ValueError(f"table is for a file of DuckDB, which ends in .duckdb, but {location.given}, a folder")
        return open_parquet_mirror(location, source, time)
    if location.is_remote:
        raise ValueError(f"{location.given}, but a database of DuckDB is a file on a disk; name a path, or a folder")
    return open_duckdb_mirror(location, table, source, time)
