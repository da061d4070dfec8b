"""The contents of uploads, wherever they come from, cut into pieces that fit a message."""

from __future__ import annotations

import io
import os
import stat
import threading
from itertools import chain
from types import TracebackType
from typing import Any, BinaryIO, Callable, Iterator, Optional, Type, Union

from typing_extensions import Self

from viam_sync.checks import path_from, wrong_type

#: Bytes in a message: larger ones are not faster, and need more memory on both sides.
CHUNK = 256 * 1024

BytesLike = Union[bytes, bytearray, memoryview]

#: What can be uploaded: bytes, the path of a file, or a file that was opened in binary mode.
Uploadable = Union[BytesLike, "os.PathLike[str]", BinaryIO]


class UploadSource:
    """Contents that are read piece by piece, by one thread, while another may put an end to it.

    They must be as long as they were at the start: what has grown or shrunk by the end is an error there, so that no
    half of it is taken for the whole.

    Args:
        file: Has a method ``read``, and is closed at the end if it is not the caller's own.
        label: What errors call them.
        size: How many bytes there must be; None if that is not known.
        owned: Whether to close the file.
        reopen: Opens it again, for reading the contents another time; None if they can be read only once.

    Attributes:
        size: How many bytes there are; None if that is not known.

    Example:
        >>> from viam_sync.transfer.upload.source import upload_source
        >>> path = folder / "notes.txt"
        >>> path.write_bytes(b"hello")
        5
        >>> with upload_source("data", path) as contents:
        ...     contents.size, list(contents), list(contents)
        (5, [b'hello'], [b'hello'])
    """

    def __init__(
        self, file: Any, label: str, size: Optional[int], *, owned: bool, reopen: Optional[Callable[[], Any]] = None
    ) -> None:
        self._reader = _Reader(file, label, owned=owned)
        self._label = label
        self._reopen = reopen
        self._begun = False
        self.size = size

    @property
    def repeatable(self) -> bool:
        """Whether they can be read more than once."""
        return self._reopen is not None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces; one empty piece where there are no contents.

        Raises:
            OSError: If they cannot be read, or are longer or shorter than they were at the start.
            TypeError: If they are text.
        """
        if self._begun and self._reopen is not None:
            # What read them before may be in the middle of it still, in a thread of grpc's.
            self._reader.close()
            self._reader = _Reader(self._reopen(), self._label, owned=True)
        self._begun = True
        reader, done = self._reader, 0
        while True:
            piece = reader.read(done)
            done += len(piece)
            if self.size is not None and done > self.size:
                raise self._changed("grown", "there is more by now")
            if not piece:
                break
            yield piece
        if self.size is not None and done < self.size:
            raise self._changed("shrunk", f"there are only {done:,} by now")
        if not done:
            yield b""

    def _changed(self, how: str, now: str) -> OSError:
        return OSError(
            f"{self._label} has {how} while it was uploaded: it had {self.size:,} bytes at first, and {now}."
            " Nothing was uploaded; try again when nothing writes to it any more."
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._reader.close()


class _Reader:
    """A file that one thread reads, and another may close."""

    def __init__(self, file: Any, label: str, *, owned: bool) -> None:
        self._file = file
        self._label = label
        self._owned = owned
        self._closed = False
        self._lock = threading.Lock()

    def read(self, done: int) -> bytes:
        """Return the next piece; empty at the end."""
        try:
            with self._lock:
                if self._closed:
                    raise ValueError(f"{self._label} was closed before all of it was read")
                piece = self._file.read(CHUNK)
        except OSError as error:
            if error.errno is None:
                raise
            text = f"{error.strerror}, after {done:,} bytes; nothing was uploaded"
            raise OSError(error.errno, text, self._label) from error
        finally:
            self._close_if_over()
        if not isinstance(piece, bytes):
            text = f"takes a file opened in binary mode; reading it gave a {type(piece).__name__}"
            raise TypeError(f"{self._label} {text}")
        return piece

    def close(self) -> None:
        """Read no more, and close the file if it is not the caller's own."""
        self._closed = True
        self._close_if_over()

    def _close_if_over(self) -> None:
        """Close the file if it is not needed any more; if a thread still reads it, that one does it."""
        # grpc goes on reading in its own thread for a moment after a call has ended; no one waits for that.
        if self._closed and self._owned and self._lock.acquire(blocking=False):
            try:
                self._file.close()
            finally:
                self._lock.release()


class FileSource(UploadSource):
    """The contents of a file on disk.

    Args:
        path: The path of the file.

    Attributes:
        changed: When the file was last changed, in nanoseconds since 1970.

    Raises:
        OSError: If it cannot be opened.
    """

    def __init__(self, path: Union[str, "os.PathLike[str]"]) -> None:
        file = open(path, "rb", buffering=0)  # noqa: SIM115, PTH123 (closed at the end; a path may be a str)
        status = os.fstat(file.fileno())
        # What is no regular file, such as a pipe, gives its contents once.
        again = self._open_again if stat.S_ISREG(status.st_mode) else None
        super().__init__(file, os.fspath(path), _size_of(file), owned=True, reopen=again)
        self.changed = status.st_mtime_ns

    def _open_again(self) -> BinaryIO:
        file = open(self._label, "rb", buffering=0)  # noqa: SIM115, PTH123 (closed at the end)
        if os.fstat(file.fileno()).st_mtime_ns != self.changed:
            file.close()
            raise OSError(
                f"{self._label} was changed while it was uploaded, so it cannot be sent again after a failure."
                " Nothing was uploaded; try again when nothing writes to it any more."
            )
        return file


def upload_source(name: str, given: Uploadable) -> UploadSource:
    """Return an argument as contents, to be used in a ``with`` statement.

    Args:
        name: What the caller knows it as.
        given: Bytes; the path of a file; or a file that was opened in binary mode, which is read from where it stands
            to its end, and left open.

    Raises:
        TypeError: If it is none of these.
        ValueError: If the file is closed, or no file can be called so.
        OSError: If there is no such file, or it cannot be opened.
    """
    if isinstance(given, (bytes, bytearray, memoryview)):
        memory = _memory(name, given)
        return UploadSource(memory, name, memory.size, owned=True, reopen=lambda: _Memory(given))
    if isinstance(given, os.PathLike):
        return FileSource(path_from(name, given))
    if isinstance(given, io.TextIOBase):
        raise TypeError(f"{name} takes a file opened in binary mode, got one opened as text; open it with mode 'rb'")
    if hasattr(given, "read"):
        if getattr(given, "closed", False) is True:
            raise ValueError(f"{name} is a file that is closed; open it in binary mode, or give its path")
        label = getattr(given, "name", None)
        return UploadSource(given, label if isinstance(label, str) else name, _size_of(given), owned=False)
    raise wrong_type(name, "bytes, a path such as pathlib.Path, or a file opened in binary mode", given)


def _memory(name: str, given: BytesLike) -> _Memory:
    try:
        return _Memory(given)
    except ValueError as error:  # a view of memory that was released
        raise ValueError(f"{name} cannot be read: {error}") from error


class ProgressChunks:
    """The pieces of contents, and word of each when the next one is wanted.

    The first is read at once: what cannot be read at all is found before a call is made.

    Args:
        contents: The contents.
        advance: Told how many bytes are done; of fewer than none when they are gone through from the start again.

    Attributes:
        size: How many bytes there are; None if that is not known.
        repeatable: Whether they can be gone through more than once.

    Example:
        >>> from viam_sync.transfer.upload.source import ProgressChunks, upload_source
        >>> told = []
        >>> with upload_source("data", b"hello") as contents:
        ...     pieces = ProgressChunks(contents, told.append)
        ...     list(pieces), list(pieces), told
        ([b'hello'], [b'hello'], [5, -5, 5])
    """

    def __init__(self, contents: UploadSource, advance: Callable[[int], None]) -> None:
        self.size = contents.size
        self.repeatable = contents.repeatable
        self._contents = contents
        self._advance = advance
        self._done = 0
        self._round = 0
        pieces = iter(contents)
        self._first: Iterator[bytes] = chain([next(pieces)], pieces)

    def __iter__(self) -> Iterator[bytes]:
        self._round += 1
        mine = self._round
        pieces = self._first if mine == 1 else iter(self._contents)
        if self._done:
            self._advance(-self._done)
            self._done = 0
        for piece in pieces:
            yield piece
            # A round that was given up may be asked for its next piece all the same.
            if mine == self._round:
                self._done += len(piece)
                self._advance(len(piece))


class _Memory:
    """Bytes that are read like a file, without a copy of the whole."""

    def __init__(self, contents: BytesLike) -> None:
        view = memoryview(contents)
        # Only what lies in one piece can be cut in bytes.
        self._view = (view if view.c_contiguous else memoryview(view.tobytes())).cast("B")
        self._at = 0
        self.size = len(self._view)

    def read(self, count: int) -> bytes:
        piece = bytes(self._view[self._at : self._at + count])
        self._at += len(piece)
        return piece

    def close(self) -> None:
        self._view.release()


def _size_of(file: Any) -> Optional[int]:
    """Return how many bytes an open file has from where it stands; None if only reading it will tell."""
    if isinstance(file, io.BytesIO):
        return max(file.getbuffer().nbytes - file.tell(), 0)
    raw = getattr(file, "raw", file)
    # Others, such as those that unpack, may have the number of a file that is not what they give.
    if not isinstance(raw, io.FileIO):
        return None
    status = os.fstat(raw.fileno())
    return max(status.st_size - file.tell(), 0) if stat.S_ISREG(status.st_mode) else None
