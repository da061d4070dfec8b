"""The contents of uploads, cut into pieces that fit a message."""

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Callable, Iterator, Optional, Type, Union

from typing_extensions import Self

#: Bytes in a message: larger ones are not faster, and need more memory on both sides.
CHUNK = 256 * 1024

BytesLike = Union[bytes, bytearray, memoryview]


def as_view(name: str, contents: BytesLike) -> memoryview:
    """Return contents as bytes that can be cut without a copy.

    Args:
        name: What the caller knows the contents as.
        contents: The contents.

    Raises:
        TypeError: If they are no bytes.
    """
    if not isinstance(contents, (bytes, bytearray, memoryview)):
        raise TypeError(f"{name} takes bytes, got a {type(contents).__name__}")
    return memoryview(contents).cast("B")


def chunks_of(contents: memoryview) -> Iterator[bytes]:
    """Yield contents piece by piece, one empty piece where there are none.

    Example:
        >>> from viam_sync.transfer.chunks import CHUNK, chunks_of
        >>> [len(chunk) for chunk in chunks_of(memoryview(bytes(CHUNK + 1)))]
        [262144, 1]
    """
    for start in range(0, max(len(contents), 1), CHUNK):
        yield bytes(contents[start : start + CHUNK])


def pieces_of(read: Callable[[], bytes]) -> Iterator[bytes]:
    """Yield what ``read`` returns until that is nothing; one empty piece where it is nothing at once.

    Example:
        >>> from viam_sync.transfer.chunks import pieces_of
        >>> list(pieces_of(iter([b"a", b"b", b""]).__next__))
        [b'a', b'b']
    """
    piece = read()
    yield piece
    while piece:
        piece = read()
        if piece:
            yield piece


class FileContents:
    """The contents of a file, read piece by piece by one thread, while another may put an end to it.

    Args:
        path: The path of the file.

    Raises:
        OSError: If it cannot be read.

    Example:
        >>> from viam_sync.transfer.chunks import FileContents
        >>> path = folder / "notes.txt"
        >>> path.write_bytes(b"hello")
        5
        >>> with FileContents(path) as contents:
        ...     list(contents)
        [b'hello']
    """

    def __init__(self, path: "Union[str, os.PathLike[str]]") -> None:
        self._file = Path(path).open("rb")  # noqa: SIM115 (this is a context manager itself)
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[bytes]:
        return pieces_of(self._read)

    def _read(self) -> bytes:
        # grpc goes on reading in its own thread for a moment after a call has failed.
        with self._lock:
            return b"" if self._file.closed else self._file.read(CHUNK)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with self._lock:
            self._file.close()
