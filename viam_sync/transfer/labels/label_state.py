"""The state of label files: which ones an export has written, and with which contents."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from typing import Iterable, Iterator, List, NamedTuple, Optional

from viam_sync.transfer.output.export_paths import folded_path

_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    key TEXT PRIMARY KEY,  -- the path, the same for all paths that some disk takes for the same
    path TEXT NOT NULL,
    digest BLOB NOT NULL,
    earlier BLOB,  -- the digest of the file that is being replaced
    run INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS folders (path TEXT PRIMARY KEY) WITHOUT ROWID;
"""


class LabelFileState(NamedTuple):
    """What is known of a label file.

    Attributes:
        path: Its path in the folder, with slashes.
        digest: The digest of its contents.
        earlier: The digest of those that it had before, and has still if the run was killed; None if it was not there.
        run: The number of the run that has written it.
    """

    path: str
    digest: bytes
    earlier: Optional[bytes]
    run: int


class LabelState:
    """The state of the label files of one format in a folder, on disk, as there may be a million of them.

    Args:
        path: The path of its file.

    Attributes:
        run: The number of this run.

    Raises:
        OSError: If it cannot be kept there, or is damaged.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._connected() as connection:
            connection.executescript(_TABLES)
            self.run = (connection.execute("SELECT max(run) FROM files").fetchone()[0] or 0) + 1

    def get(self, paths: Iterable[str]) -> List[Optional[LabelFileState]]:
        """Return what is known of files, in their order."""
        query = "SELECT path, digest, earlier, run FROM files WHERE key = ?"
        with self._connected() as connection:
            rows = [connection.execute(query, (folded_path(path),)).fetchone() for path in paths]
        return [None if row is None else LabelFileState(*row) for row in rows]

    def put(self, files: Iterable[LabelFileState]) -> None:
        """Write down files; once this returns, it survives a crash."""
        with self._connected() as connection:
            rows = ((folded_path(file.path), *file) for file in files)
            connection.executemany("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?)", rows)

    def others(self, count: int) -> List[LabelFileState]:
        """Return some of the files that this run has not written."""
        query = "SELECT path, digest, earlier, run FROM files WHERE run != ? LIMIT ?"
        with self._connected() as connection:
            return [LabelFileState(*row) for row in connection.execute(query, (self.run, count))]

    def forget(self, files: Iterable[LabelFileState]) -> None:
        """Remove files from the state."""
        with self._connected() as connection:
            connection.executemany("DELETE FROM files WHERE key = ?", ((folded_path(file.path),) for file in files))

    def folders(self) -> List[str]:
        """Return the folders that any run has written into."""
        with self._connected() as connection:
            return [path for (path,) in connection.execute("SELECT path FROM folders")]

    def add_folder(self, path: str) -> None:
        """Write down a folder before anything is written into it."""
        with self._connected() as connection:
            connection.execute("INSERT OR IGNORE INTO folders VALUES (?)", (path,))

    @contextlib.contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """Connect for one transaction: a run that ends by an error leaves nothing open."""
        try:
            with contextlib.closing(sqlite3.connect(str(self._path))) as connection, connection:
                yield connection
        except sqlite3.Error as error:
            raise OSError(
                f"{str(self._path)!r}, which tells the files of earlier exports, cannot be used: {error}; if it is"
                " damaged, name another folder"
            ) from error
