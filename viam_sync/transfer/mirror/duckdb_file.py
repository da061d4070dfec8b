"""Files of DuckDB: opening one, and errors that say what is wrong with it."""

from __future__ import annotations

import contextlib
import errno
import re
from pathlib import Path
from typing import Any, Iterator

from viam_sync.transfer.output.columns import optional
from viam_sync.transfer.output.remote import Location

#: The place of the letters that each file of DuckDB has near its beginning, and the size of its three headers.
_MAGIC, _HEADERS = slice(8, 12), 3 * 4096
_HOLDER = re.compile(r"lock is held in (.+? \(PID \d+\))")


@contextlib.contextmanager
def open_duckdb(location: Location) -> Iterator[Any]:
    """Have a connection to a file of DuckDB for a ``with`` block.

    A file that was not there before, and has got no table, is removed at the end.

    Args:
        location: The location of the file.

    Raises:
        BlockingIOError: If it is open elsewhere.
        OSError: If there is something else at that path, or it cannot be read or written.
        ImportError: If duckdb is not installed.
    """
    duckdb = optional("duckdb", "a mirror in a file of DuckDB", "duckdb pyarrow")
    path = location.path()
    _require_database(path, location.given)
    is_new = not path.exists()
    with duckdb_errors(location.given, path):
        # Without settings, as the caller may have a connection open in this process, and all of them share their own.
        connection = duckdb.connect(str(path))
    try:
        with duckdb_errors(location.given, path):
            yield connection
    finally:
        if is_new:
            is_new = _is_empty(connection, duckdb)
        connection.close()
        if is_new:
            path.unlink()


def _require_database(path: Path, given: str) -> None:
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{given}, but there is no folder {str(path.parent)!r}")
    if path.is_dir():
        raise IsADirectoryError(f"{given}, a folder; name a file in it, or a folder without such an ending")
    if path.exists():
        with path.open("rb") as file:
            begin = file.read(_HEADERS)
        if begin and begin[_MAGIC] != b"DUCK":
            raise FileExistsError(f"{given}, which is no database of DuckDB; name another file")
        if len(begin) < _HEADERS:
            # A process that was killed as it made a database leaves such a file, which DuckDB does not take.
            path.unlink()


def _is_empty(connection: Any, duckdb: Any) -> bool:
    try:
        return not connection.execute("SELECT 1 FROM duckdb_tables() LIMIT 1").fetchall()
    except duckdb.Error:
        return False


@contextlib.contextmanager
def duckdb_errors(given: str, path: Path) -> Iterator[None]:
    """Within this block, errors of DuckDB become those of the system.

    Args:
        given: The beginning of errors: the parameter and its value.
        path: The path of the file.

    Raises:
        OSError: If DuckDB raises an error; its text tells what is wrong.
    """
    duckdb = optional("duckdb", "a mirror in a file of DuckDB", "duckdb pyarrow")
    try:
        yield
    except duckdb.Error as error:
        raise _as_os_error(given, path, str(error)) from error


def _as_os_error(given: str, path: Path, text: str) -> OSError:
    holder = _HOLDER.search(text)
    if holder or "Could not set lock" in text:
        who = holder[1] if holder else "another process"
        return BlockingIOError(errno.EAGAIN, f"{given}, which {who} has open; close it there first", str(path))
    if "different configuration" in text:
        why = "which this process has open with settings such as read_only=True; close that connection first"
        return BlockingIOError(errno.EAGAIN, f"{given}, {why}", str(path))
    if "newer version of DuckDB" in text or "version number" in text:
        return OSError(f"{given}, written by a newer version of DuckDB; pip install --upgrade duckdb ({_first(text)})")
    if "No space left" in text:
        return OSError(errno.ENOSPC, f"{given}, and the disk is full: {_first(text)}", str(path))
    return OSError(f"{given}: {_first(text)}")


def _first(text: str) -> str:
    return text.partition("\n")[0]
