"""The state of the sandbox: a SQLite database with one transaction per call, and blobs."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sqlite3
import threading
from pathlib import Path
from typing import Any, BinaryIO, Callable, FrozenSet, Iterable, Iterator, List, Optional, Sequence, Set, Tuple, Union

from viam_sync.sandbox.core.blobs import Blobs
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.database_schema import BLOBS, LAYOUT, LEFTOVERS, MARK, TABLES
from viam_sync.sandbox.core.private_files import make_private

_DATABASE = "sandbox.db"
_DATABASE_FILES = {f"{_DATABASE}{suffix}" for suffix in ("", "-journal", "-shm", "-wal")}
_BLOB_ID = re.compile(r"[a-z0-9]{64}", re.ASCII)


class CheckedBlobs(Blobs):
    """Blobs on a disk that can be declared full.

    Attributes:
        check: Called before a blob is written; it raises OSError if the disk is full.
    """

    check: Callable[[], None] = staticmethod(lambda: None)

    @contextlib.contextmanager
    def writing(self, id: str) -> Iterator[BinaryIO]:
        """Open a blob for writing, as `Blobs.writing` does, if the disk is not full."""
        with super().writing(id) as file:
            self.check()
            yield file


class Store:
    """A database in memory, or in the file ``sandbox.db`` of a folder, and the blobs beside it.

    Args:
        folder: The folder; it is created if it does not exist, and is for its owner alone from then on. None keeps the
            database in memory, and the blobs in a temporary folder.

    Attributes:
        blobs: The contents of files and modules.
        on_change: Called after each write, while the lock of the store is held.

    Raises:
        OSError: If the folder cannot be used, or holds what no sandbox made; nothing in it is touched then.
    """

    def __init__(self, folder: Union[str, os.PathLike[str], None] = None) -> None:
        self._lock = threading.RLock()
        self.on_change: Callable[[], None] = lambda: None
        self._discarded: List[str] = []
        # Discarded blobs that are kept on disk, since a reset restores them.
        self._spared: Set[str] = set()
        self._snapshot: Optional[sqlite3.Connection] = None
        self._snapshot_blobs: FrozenSet[str] = frozenset()
        self._restorations = 0
        if folder is None:
            self._connection = _open_database(":memory:")
            self.blobs = CheckedBlobs()
            return
        try:
            self._connection = _open_folder(Path(folder))
            self.blobs = CheckedBlobs(Path(folder, "blobs"))
        except (OSError, sqlite3.Error) as error:
            raise OSError(_open_error_text(folder, error)) from error
        self._make_all_private(Path(folder))
        self._delete_blobs(self._leftovers())

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Lock the store for one call: its writes are committed at the end, or rolled back after an exception."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            changes = self._connection.total_changes
            try:
                yield
                self._connection.execute("COMMIT")
                self._spared |= self._snapshot_blobs.intersection(self._discarded)
                self._delete_blobs(id for id in self._discarded if id not in self._snapshot_blobs)
                if self._connection.total_changes != changes:
                    self.on_change()
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._discarded = []

    @property
    def version(self) -> Tuple[int, int]:
        """Numbers that differ from all before once a row has changed, whether that was rolled back or not."""
        # SQLite counts no change where a snapshot is restored.
        return self._restorations, self._connection.total_changes

    @contextlib.contextmanager
    def new_blob(self, id: str) -> Iterator[None]:
        """Write a blob in the block, and then insert the row that names it, in a transaction of its own.

        The blob is deleted if the block raises, and by the next start if the process is killed.
        """
        with self._lock:
            self.run("INSERT INTO leftover_blobs VALUES (?)", id)
        try:
            yield
        except BaseException:
            with self._lock:
                self._delete_blobs(self._leftovers() & {id})
            raise

    def take_snapshot(self) -> None:
        """Take a snapshot of the database, for `restoring`."""
        self._snapshot = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        with self._lock:
            self._connection.backup(self._snapshot)
            self._snapshot_blobs = frozenset(self._blobs_in_rows())

    @contextlib.contextmanager
    def restoring(self) -> Iterator[None]:
        """Restore the snapshot, and hold the lock of the store until the end of the block."""
        assert self._snapshot is not None
        with self._lock:
            later = [id for id in self._blobs_in_rows() if id not in self._snapshot_blobs]
            self._snapshot.executemany("INSERT INTO leftover_blobs VALUES (?)", [(id,) for id in later])
            self._snapshot.backup(self._connection)
            self._snapshot.execute("DELETE FROM leftover_blobs")
            self._restorations += 1
            self._spared.clear()
            self._delete_blobs(later)
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
        """Execute a statement, and return the number of rows that it changed."""
        return self._execute(sql, values).rowcount

    def insert(self, table: str, **columns: Any) -> None:
        """Insert a row."""
        marks = ", ".join("?" * len(columns))
        self.run(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", *columns.values())

    def update(self, table: str, id: str, **columns: Any) -> None:
        """Update columns of the row with an ID."""
        changes = ", ".join(f"{name} = ?" for name in columns)
        self.run(f"UPDATE {table} SET {changes} WHERE id = ?", *columns.values(), id)

    def discard(self, ids: Iterable[str]) -> None:
        """Delete blobs when this transaction is committed, which must delete the rows that name them."""
        self._discarded.extend(ids)

    def setting(self, name: str) -> Optional[str]:
        """Return the value of a setting, or None."""
        row = self.row("SELECT value FROM settings WHERE name = ?", name)
        return None if row is None else str(row["value"])

    def save_settings(self, **settings: str) -> None:
        """Save settings."""
        for name, value in settings.items():
            self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)

    def close(self) -> None:
        """Close the database, and delete temporary files."""
        with self._lock:
            if self._spared:
                self._delete_blobs(self._spared.difference(self._blobs_in_rows()))
                self._spared.clear()
            for connection in filter(None, (self._connection, self._snapshot)):
                connection.close()
            self.blobs.close()

    def _leftovers(self) -> Set[str]:
        return {row["id"] for row in self.rows("SELECT id FROM leftover_blobs")}

    def _delete_blobs(self, ids: Iterable[str]) -> None:
        """Delete blobs that no row names any more, and take them from the list of those."""
        left = [id for id in ids if _BLOB_ID.fullmatch(id)]
        if left:
            self.blobs.delete(left)
            self.run("DELETE FROM leftover_blobs WHERE id IN (SELECT value FROM json_each(?))", json.dumps(left))

    def _make_all_private(self, folder: Path) -> None:
        """Take the rights that an older version of the sandbox gave to all."""
        blobs = self.blobs.path("")
        was_open = blobs.stat().st_mode & 0o077
        for path in (folder, blobs, *(folder / name for name in _DATABASE_FILES)):
            if path.exists():
                make_private(path)
        for id in self._blobs_in_rows() if was_open else ():
            with contextlib.suppress(FileNotFoundError):
                make_private(self.blobs.path(id))

    def _blobs_in_rows(self) -> List[str]:
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


def _open_folder(folder: Path) -> sqlite3.Connection:
    """Open the database in a folder that does not exist yet, is empty, or was made by a sandbox."""
    folder.mkdir(0o700, parents=True, exist_ok=True)
    path = folder / _DATABASE
    if path.exists() and not path.is_file():
        raise OSError("it is no file")
    # SQLite deletes the files beside a database that it makes; a sandbox makes the database first.
    ours = _DATABASE_FILES if path.exists() else set()
    others = sorted(each.name for each in folder.iterdir() if each.name not in ours)
    names = _names_in(path) if path.exists() else set()
    if not names >= MARK and (names or others):
        found = repr(_DATABASE if names else others[0])
        raise OSError(f"the folder is not empty, and no sandbox made {found} in it; make a new folder in it")
    # If the file cannot be created, SQLite reports the reason below. An existing one is not opened here: closing it
    # would release the locks that another sandbox in this process has on it.
    with contextlib.suppress(OSError):
        path.touch(0o600)
    return _open_database(str(path))


def _names_in(path: Path) -> Set[str]:
    """Return the names of the tables, views and so on in a database, which is left as it is."""
    with contextlib.suppress(sqlite3.DatabaseError):
        found = _read_names(path, "immutable=1")  # neither locks the database nor reads its log
        if found:
            return found
    # A sandbox that was killed soon after its first start left all tables in the log.
    return _read_names(path, "mode=ro")


def _read_names(path: Path, mode: str) -> Set[str]:
    with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?{mode}", timeout=0, uri=True)) as connection:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}


def _open_database(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        # Two sandboxes on one folder would overwrite each other's changes.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        layout = connection.execute("PRAGMA user_version").fetchone()[0]
        if layout > LAYOUT:
            raise OSError(f"its layout {layout} is newer than layout {LAYOUT} of this version; update viam_sync")
        tables = f"{TABLES} PRAGMA user_version = {LAYOUT};" if layout == 0 else ""
        connection.executescript(f"BEGIN EXCLUSIVE; {tables} {LEFTOVERS} COMMIT;")
    except BaseException:
        connection.close()
        raise
    return connection


def _open_error_text(folder: Union[str, os.PathLike[str]], error: Exception) -> str:
    text = str(error)
    text = "another sandbox is using it; stop that one first, or" if "locked" in text else f"{text};"
    return f"The sandbox cannot keep its data in {str(Path(folder, _DATABASE))!r}: {text} give another folder."
