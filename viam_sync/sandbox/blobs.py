"""The contents of files and modules: each a file of its own, whole before it has its name."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import BinaryIO, Iterable, Iterator, Union


class Blobs:
    """A folder of contents, each under the ID of what it belongs to.

    A content is written before the row that names it and deleted after that row: what a crash leaves behind is at
    worst a content without a row, and the next start clears those away (`keep_only`).

    Args:
        folder: The folder, which is made if it is not there. None takes a temporary one, gone after `close`.
    """

    def __init__(self, folder: Union[Path, None] = None) -> None:
        self._temporary = None if folder else tempfile.TemporaryDirectory(prefix="viam-sandbox-")
        self._folder = folder or Path(self._temporary.name if self._temporary else "")
        self._folder.mkdir(parents=True, exist_ok=True)

    @contextlib.contextmanager
    def writing(self, id: str) -> Iterator[BinaryIO]:
        """Give a file to write contents to; they appear under their ID at the end of the block, if it ends well."""
        draft = self._folder / f"{id}.part"
        try:
            with draft.open("wb") as file:
                yield file
            draft.replace(self._folder / id)
        finally:
            with contextlib.suppress(FileNotFoundError):
                draft.unlink()

    def put(self, id: str, contents: bytes) -> None:
        """Keep contents that are in memory."""
        with self.writing(id) as file:
            file.write(contents)

    def read(self, id: str) -> bytes:
        """Return contents."""
        return (self._folder / id).read_bytes()

    def path(self, id: str) -> Path:
        """Return the file that contents are in; it is only to be read."""
        return self._folder / id

    def delete(self, ids: Iterable[str]) -> None:
        """Forget contents; it does not matter whether they are there."""
        for id in ids:
            with contextlib.suppress(FileNotFoundError):
                (self._folder / id).unlink()

    def keep_only(self, ids: Iterable[str]) -> None:
        """Forget all contents but some."""
        kept = set(ids)
        self.delete(name for name in os.listdir(self._folder) if name not in kept)  # noqa: PTH208  # 100,000 names

    def close(self) -> None:
        """Delete the folder if it is a temporary one."""
        if self._temporary:
            self._temporary.cleanup()
