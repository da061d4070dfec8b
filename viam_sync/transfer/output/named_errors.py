"""Errors of writing that name the file: the system's own name none, or a temporary one that nobody has heard of."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO, Iterator, Optional, Union


class NamedFile(io.FileIO):
    """A file whose errors of writing name a path, which need not be its own.

    Args:
        file: Its descriptor, which is closed with it.
        path: The path for errors.
    """

    def __init__(self, file: int, path: Union[str, Path]) -> None:
        super().__init__(file, "w+b")
        self._path = path

    def write(self, data: Any) -> int:
        """Write bytes."""
        with errors_of(self._path):
            return super().write(data)


class ChecksumFile(NamedFile):
    """A file that is written from its beginning to its end, once, or anew after it was emptied.

    Attributes:
        checksum: The CRC-32 of what was written.
    """

    checksum = 0

    def write(self, data: Any) -> int:
        """Write bytes."""
        count = super().write(data)
        self.checksum = zlib.crc32(memoryview(data)[:count], self.checksum)
        return count

    def truncate(self, size: Optional[int] = None) -> int:
        """Empty it."""
        self.checksum = 0
        return super().truncate(size)


@contextlib.contextmanager
def errors_of(path: Union[str, Path]) -> Iterator[None]:
    """Within this block, errors of the system name ``path``.

    Example:
        >>> from pathlib import Path
        >>> from viam_sync.transfer.output.named_errors import errors_of
        >>> with errors_of(Path("rows.csv")):
        ...     raise OSError(28, "No space left on device")
        Traceback (most recent call last):
        OSError: [Errno 28] No space left on device: 'rows.csv'
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = str(path)
            del error.filename2
        raise


def temporary_file(folder: Optional[Path], path: Path) -> BinaryIO:
    """Return a file for writing and reading that is gone when it is closed; its errors of writing name a path.

    Args:
        folder: The folder that has room for it; None for the system's folder of temporary files.
        path: The path for errors.

    Raises:
        OSError: If it cannot be made.
    """
    with errors_of(path), tempfile.TemporaryFile(dir=folder, prefix=".viam-", buffering=0) as file:
        return io.BufferedRandom(NamedFile(os.dup(file.fileno()), path))
