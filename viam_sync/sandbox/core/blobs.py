"""Blob storage: the contents of files and modules, one file each, renamed into place when complete."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, Iterable, Iterator, Union


class Blobs:
    """A folder of blobs, each named by the ID of its file or module.

    A blob is written before the row that names it and deleted after that row: a crash leaves at worst a blob without a
    row, which the next start deletes (`keep_only`).

    Args:
        folder: The folder, which is created if it does not exist. None takes a temporary one that `close` deletes.
    """

    def __init__(self, folder: Union[Path, None] = None) -> None:
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="viam-sandbox-")
        self._folder = folder or Path(self._temporary.name if self._temporary else "")
        self._folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def writing(self, id: str) -> Iterator[BinaryIO]:
        """Open a blob for writing; it appears under its ID at the end of the block, unless that raises."""
        draft = self._folder / f"{id}.part"
        try:
            with draft.open("wb") as file:
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
        """Delete blobs; those that do not exist are ignored."""
        for id in ids:
            with contextlib.suppress(FileNotFoundError):
                (self._folder / id).unlink()

    def keep_only(self, ids: Iterable[str]) -> None:
        """Delete all blobs except those with the given IDs."""
        kept = set(ids)
        self.delete(name for name in os.listdir(self._folder) if name not in kept)  # noqa: PTH208  # faster than Path.iterdir for 100,000 names

    def close(self) -> None:
        """Delete the folder if it is temporary."""
        if self._temporary:
            self._temporary.cleanup()
