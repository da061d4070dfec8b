"""The one place where the sandbox keeps its state: a SQLite database, one transaction per call."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any, Iterator, List, Optional, Union

#: The layout below; a database of a newer one is refused.
LAYOUT = 1

# A body is the message that a client gets, less what follows from other rows. The columns beside it
# are what a query must see, and say the same.
_TABLES = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE users (
    id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE COLLATE NOCASE, last_login INTEGER);
CREATE TABLE organizations (
    id TEXT PRIMARY KEY, namespace TEXT UNIQUE, body BLOB NOT NULL, metadata BLOB NOT NULL DEFAULT x'');
CREATE TABLE invites (
    organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    email TEXT NOT NULL COLLATE NOCASE, body BLOB NOT NULL, PRIMARY KEY (organization_id, email));
CREATE TABLE locations (
    id TEXT PRIMARY KEY, organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    parent_id TEXT REFERENCES locations, body BLOB NOT NULL, metadata BLOB NOT NULL DEFAULT x'');
CREATE INDEX locations_by_organization ON locations (organization_id);
CREATE INDEX locations_by_parent ON locations (parent_id);
CREATE TABLE shares (
    location_id TEXT NOT NULL REFERENCES locations ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    PRIMARY KEY (location_id, organization_id));
CREATE INDEX shares_by_organization ON shares (organization_id);
CREATE TABLE robots (
    id TEXT PRIMARY KEY, location_id TEXT NOT NULL REFERENCES locations,
    name TEXT NOT NULL, body BLOB NOT NULL, metadata BLOB NOT NULL DEFAULT x'', UNIQUE (location_id, name));
CREATE TABLE parts (
    id TEXT PRIMARY KEY, robot_id TEXT NOT NULL REFERENCES robots ON DELETE CASCADE,
    name TEXT NOT NULL, main INTEGER NOT NULL, restart INTEGER NOT NULL DEFAULT 0,
    body BLOB NOT NULL, metadata BLOB NOT NULL DEFAULT x'', UNIQUE (robot_id, name));
CREATE TABLE history (
    id INTEGER PRIMARY KEY AUTOINCREMENT, part_id TEXT NOT NULL REFERENCES parts ON DELETE CASCADE,
    edited INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX history_by_part ON history (part_id, id);
CREATE TABLE secrets (
    id TEXT PRIMARY KEY, location_id TEXT REFERENCES locations ON DELETE CASCADE,
    part_id TEXT REFERENCES parts ON DELETE CASCADE, body BLOB NOT NULL);
CREATE INDEX secrets_by_location ON secrets (location_id);
CREATE INDEX secrets_by_part ON secrets (part_id);
CREATE TABLE keys (
    id TEXT PRIMARY KEY, key TEXT NOT NULL, name TEXT NOT NULL, created INTEGER NOT NULL,
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE, organization_id TEXT NOT NULL);
CREATE TABLE grants (
    id INTEGER PRIMARY KEY AUTOINCREMENT, identity_id TEXT NOT NULL, role TEXT NOT NULL,
    resource_type TEXT NOT NULL, resource_id TEXT NOT NULL, created INTEGER NOT NULL,
    user_id TEXT REFERENCES users ON DELETE CASCADE,
    key_id TEXT REFERENCES keys ON DELETE CASCADE,
    organization_id TEXT NOT NULL REFERENCES organizations ON DELETE CASCADE,
    location_id TEXT REFERENCES locations ON DELETE CASCADE,
    robot_id TEXT REFERENCES robots ON DELETE CASCADE,
    UNIQUE (identity_id, role, resource_id));
CREATE INDEX grants_by_organization ON grants (organization_id);
CREATE INDEX grants_by_resource ON grants (resource_id);
CREATE INDEX grants_by_key ON grants (key_id);
CREATE INDEX grants_by_location ON grants (location_id);
CREATE INDEX grants_by_robot ON grants (robot_id);
CREATE TABLE favorites (
    user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
    robot_id TEXT NOT NULL REFERENCES robots ON DELETE CASCADE,
    created INTEGER NOT NULL, PRIMARY KEY (user_id, robot_id));
"""


class Store:
    """A database in memory, or in the file ``sandbox.db`` of a folder.

    Args:
        folder: The folder; it is made if it is not there. None keeps everything in memory.

    Raises:
        OSError: If the folder cannot be used; the text says why and what to do.
    """

    def __init__(self, folder: Union[str, os.PathLike[str], None] = None) -> None:
        self._lock = threading.RLock()
        if folder is None:
            self._connection = _connected(":memory:")
            return
        try:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self._connection = _connected(str(Path(folder, "sandbox.db")))
        except (OSError, sqlite3.Error) as error:
            raise OSError(_reason(folder, error)) from error

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the store for one call: all that it writes stays, or after an exception nothing does."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, sql: str, *values: Any) -> List[sqlite3.Row]:
        """Return the rows of a query."""
        return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, *values: Any) -> Optional[sqlite3.Row]:
        """Return the first row of a query, or None."""
        row: Optional[sqlite3.Row] = self._connection.execute(sql, values).fetchone()
        return row

    def run(self, sql: str, *values: Any) -> int:
        """Change the database, and return how many rows that touched."""
        return self._connection.execute(sql, values).rowcount

    def insert(self, table: str, **columns: Any) -> None:
        """Add a row."""
        marks = ", ".join("?" * len(columns))
        self.run(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", *columns.values())

    def update(self, table: str, id: str, **columns: Any) -> None:
        """Change columns of the row with this ID."""
        changes = ", ".join(f"{name} = ?" for name in columns)
        self.run(f"UPDATE {table} SET {changes} WHERE id = ?", *columns.values(), id)

    def setting(self, name: str) -> Optional[str]:
        """Return what was kept under a name, or None."""
        row = self.row("SELECT value FROM settings WHERE name = ?", name)
        return None if row is None else str(row["value"])

    def keep(self, **settings: str) -> None:
        """Keep texts under names."""
        for name, value in settings.items():
            self.run("INSERT OR REPLACE INTO settings VALUES (?, ?)", name, value)

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()


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
            f"BEGIN EXCLUSIVE; {_TABLES} PRAGMA user_version = {LAYOUT}; COMMIT;"
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
