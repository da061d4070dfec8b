"""The one place where the sandbox keeps its state: a SQLite database, one transaction per call."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any, BinaryIO, Callable, FrozenSet, Iterable, Iterator, List, Optional, Sequence, Set, Union

from viam_sync.sandbox.blobs import Blobs
from viam_sync.sandbox.errors import invalid_argument
from viam_sync.sandbox.tables import BLOBS, LAYOUT, TABLES


class Contents(Blobs):
    """The contents of files and modules, on a disk that may be said to be full.

    Attributes:
        check: What is called before contents are written; it raises if they find no room.
    """

    check: Callable[[], None] = staticmethod(lambda: None)

    @contextlib.contextmanager
    def writing(self, id: str) -> Iterator[BinaryIO]:
        """Give a file to write contents to; they appear under their ID at the end of the block, if it ends well."""
        with super().writing(id) as file:
            self.check()
            yield file


class Store:
    """A database in memory, or in the file ``sandbox.db`` of a folder, and the contents beside it.

    Args:
        folder: The folder; it is made if it is not there. None keeps the database in memory, and the contents in a
            temporary folder.

    Attributes:
        blobs: The contents of files and modules.
        on_change: What is called when something was written, while the store is held.

    Raises:
        OSError: If the folder cannot be used; the text says why and what to do.
    """

    def __init__(self, folder: Union[str, os.PathLike[str], None] = None) -> None:
        self._lock = threading.RLock()
        self.on_change: Callable[[], None] = lambda: None
        self._discarded: List[str] = []
        # What was discarded and is still there, since a reset brings it back.
        self._spared: Set[str] = set()
        self._first: Optional[sqlite3.Connection] = None
        self._first_blobs: FrozenSet[str] = frozenset()
        if folder is None:
            self._connection = _connected(":memory:")
            self.blobs = Contents()
            return
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            path = Path(folder, "sandbox.db")
            # For its owner alone, as there are keys in it. Where it cannot be made, SQLite says why.
            with contextlib.suppress(OSError):
                path.touch(0o600)
            self._connection = _connected(str(path))
            self.blobs = Contents(Path(folder, "blobs"))
        except (OSError, sqlite3.Error) as error:
            raise OSError(_reason(folder, error)) from error
        self.blobs.keep_only(self._named())

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the store for one call: all that it writes stays, or after an exception nothing does."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            changes = self._connection.total_changes
            try:
                yield
                self._connection.execute("COMMIT")
                self._spared |= self._first_blobs.intersection(self._discarded)
                self.blobs.delete(id for id in self._discarded if id not in self._first_blobs)
                if self._connection.total_changes != changes:
                    self.on_change()
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._discarded = []

    def remember(self) -> None:
        """Keep a copy of everything, for `restoring` to go back to."""
        self._first = sqlite3.connect(":memory:", check_same_thread=False)
        with self._lock:
            self._connection.backup(self._first)
            self._first_blobs = frozenset(self._named())

    @contextlib.contextmanager
    def restoring(self) -> Iterator[None]:
        """Make everything as it was when `remember` was called, and hold the store for what else belongs to that."""
        assert self._first is not None
        with self._lock:
            later = [id for id in self._named() if id not in self._first_blobs]
            self._first.backup(self._connection)
            self._spared.clear()
            self.blobs.delete(later)
            yield
            self.on_change()

    def rows(self, sql: str, *values: Any) -> List[sqlite3.Row]:
        """Return the rows of a query."""
        return self._execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> Optional[sqlite3.Row]:
        """Return the first row of a query, or None."""
        row: Optional[sqlite3.Row] = self._execute(sql, values).fetchone()
        return row

    def run(self, sql: str, *values: Any) -> int:
        """Change the database, and return how many rows that touched."""
        return self._execute(sql, values).rowcount

    def insert(self, table: str, **columns: Any) -> None:
        """Add a row."""
        marks = ", ".join("?" * len(columns))
        self.run(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", *columns.values())

    def update(self, table: str, id: str, **columns: Any) -> None:
        """Change columns of the row with this ID."""
        changes = ", ".join(f"{name} = ?" for name in columns)
        self.run(f"UPDATE {table} SET {changes} WHERE id = ?", *columns.values(), id)

    def discard(self, ids: Iterable[str]) -> None:
        """Delete contents, once this transaction has deleted the rows that name them."""
        self._discarded.extend(ids)

    def setting(self, name: str) -> Optional[str]:
        """Return what was kept under a name, or None."""
        row = self.row("SELECT value FROM settings WHERE name = ?", name)
        return None if row is None else str(row["value"])

    def keep(self, **settings: str) -> None:
        """Keep texts under names."""
        for name, value in settings.items():
            self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)

    def close(self) -> None:
        """Close the database, and delete what is temporary."""
        with self._lock:
            if self._spared:
                self.blobs.delete(self._spared.difference(self._named()))
                self._spared.clear()
            for connection in filter(None, (self._connection, self._first)):
                connection.close()
            self.blobs.close()

    def _named(self) -> List[str]:
        return [row["id"] for row in self.rows(BLOBS)]

    def _execute(self, sql: str, values: Sequence[Any]) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except OverflowError:
            raise invalid_argument(
                "A number or a time in the request is beyond what the sandbox counts, 64 bits with a sign; "
                "give a smaller one."
            ) from None
        except UnicodeEncodeError:
            raise invalid_argument("A text in the request has half of a surrogate pair in it; leave it out.") from None


def _connected(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        # Two sandboxes on one folder would each believe in a world of its own.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        layout = connection.execute("PRAGMA user_version").fetchone()[0]
        if layout > LAYOUT:
            raise OSError(f"its layout {layout} is newer than layout {LAYOUT} of this version; update viam_sync")
        connection.executescript(
            f"BEGIN EXCLUSIVE; {TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;"
            if layout == 0
            else "BEGIN EXCLUSIVE; COMMIT;"
        )
    except BaseException:
        connection.close()
        raise
    return connection


def _reason(folder: Union[str, os.PathLike[str]], error: Exception) -> str:
    text = str(error)
    if "locked" in text:
        text = "another sandbox is using it; stop that one"
    return f"The sandbox cannot keep its data in {str(Path(folder, 'sandbox.db'))!r}: {text}, or give another folder."
