"""The body of a response that sends bytes of a file."""

from __future__ import annotations

from typing import BinaryIO, Iterator

_CHUNK = 64 * 1024


class FileBody:
    """A range of the bytes of a file, which are read as they are sent.

    Args:
        file: The file, which `close` closes.
        first: The offset of the first byte.
        length: The number of bytes.
    """

    def __init__(self, file: BinaryIO, first: int, length: int) -> None:
        self._file = file
        self._file.seek(first)
        self._length = length

    def __iter__(self) -> Iterator[bytes]:
        left = self._length
        while left > 0:
            chunk = self._file.read(min(left, _CHUNK))
            if not chunk:
                return
            left -= len(chunk)
            yield chunk

    def close(self) -> None:
        """Close the file."""
        self._file.close()
