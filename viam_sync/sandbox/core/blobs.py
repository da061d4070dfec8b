"""Blob storage: the contents of files and modules, one file each, renamed into place when complete."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO, Iterable, Iterator, Optional

from viam_sync.sandbox.core.private_files import TemporaryFolder, open_private


class Blobs:
    """A folder of blobs, each named by the ID of its file or module, and readable by its owner alone.

    A blob is written before the row that names it and deleted after that row: a crash leaves at worst a blob without a
    row, which the database has in its list of those (`Store.new_blob`).

    Args:
        folder: The folder, which is created if it does not exist. None takes a temporary one that `close` deletes.
    """

    def __init__(self, folder: Optional[Path] = None) -> None:
        self._temporary = None if folder else TemporaryFolder()
        self._folder = self._temporary.path / "blobs" if self._temporary else Path(folder or "")
        self._folder.mkdir(0o700, exist_ok=True)

    @contextlib.contextmanager
    def writing(self, id: str) -> Iterator[BinaryIO]:
        """Open a blob for writing; it appears under its ID at the end of the block, unless that raises."""
        draft = self._folder / f"{id}.part"
        try:
            with open_private(draft) as file:
                yield file
            draft.replace(self._folder / id)
        finally:
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()

    def put(self, id: str, contents: bytes) -> None:
        """Write a blob from memory."""
        with self.writing(id) as file:
            file.write(contents)

    def read(self, id: str) -> bytes:
        """Return the contents of a blob."""
        return (self._folder / id).read_bytes()

    def path(self, id: str) -> Path:
        """Return the path of a blob, for reading only."""
        return self._folder / id

    def delete(self, ids: Iterable[str]) -> None:
        """Delete blobs, complete or not; those that do not exist are ignored."""
        for id in ids:
            for name in (id, f"{id}.part"):
                with contextlib.suppress(FileNotFoundError):
                    (self._folder / name).unlink()

    def close(self) -> None:
        """Delete the folder if it is temporary."""
        if self._temporary:
            self._temporary.close()
