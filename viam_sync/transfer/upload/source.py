"""Upload sources: the contents of uploads, wherever they come from, cut into chunks that fit a message."""

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

#: The number of bytes in a message: larger ones are not faster, and need more memory on both sides.
CHUNK = 256 * 1024

BytesLike = Union[bytes, bytearray, memoryview]

#: The kinds of contents that can be uploaded: bytes, the path of a file, or a file that was opened in binary mode.
Uploadable = Union[BytesLike, "os.PathLike[str]", BinaryIO]


class UploadSource:
    """The contents of an upload, which one thread reads chunk by chunk, and another may close.

    The contents must keep the size that they had at the start: if they have grown or shrunk by the end, that is an
    error, so that no half of a file is taken for the whole.

    Args:
        file: An object with a method ``read``, which is closed at the end if it is not the caller's own.
        label: The name of the contents in errors.
        size: The size of the contents in bytes; None if that is not known.
        owned: Whether to close the file.
        reopen: Opens the file again, for reading the contents another time; None if they can be read only once.

    Attributes:
        size: The size of the contents in bytes; None if that is not known.

    Example:
        >>> from viam_sync.transfer.upload.source import upload_source
        >>> path = folder / "notes.txt"
        >>> path.write_bytes(b"hello")
        5
        >>> with upload_source("data", path) as source:
        ...     source.size, list(source), list(source)
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
        """Whether the contents can be read more than once."""
        return self._reopen is not None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the chunks; one empty chunk where there are no contents.

        Raises:
            OSError: If the contents cannot be read, or are longer or shorter than they were at the start.
            TypeError: If the contents are text.
        """
        if self._begun and self._reopen is not None:
            # A thread of grpc may still be amid reading them for the attempt before.
            self._reader.close()
            self._reader = _Reader(self._reopen(), self._label, owned=True)
        self._begun = True
        reader, done = self._reader, 0
        while True:
            chunk = reader.read(done)
            done += len(chunk)
            if self.size is not None and done > self.size:
                raise self._changed("grown", "there is more by now")
            if not chunk:
                break
            yield chunk
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
        """Return the next chunk; empty at the end."""
        try:
            with self._lock:
                if self._closed:
                    raise ValueError(f"{self._label} was closed before all of it was read")
                chunk = self._file.read(CHUNK)
        except OSError as error:
            if error.errno is None:
                raise
            text = f"{error.strerror}, after {done:,} bytes; nothing was uploaded"
            raise OSError(error.errno, text, self._label) from error
        finally:
            self._close_if_idle()
        if not isinstance(chunk, bytes):
            text = f"takes a file opened in binary mode; reading it gave a {type(chunk).__name__}"
            raise TypeError(f"{self._label} {text}")
        return chunk

    def close(self) -> None:
        """Read no more, and close the file if it is not the caller's own."""
        self._closed = True
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        """Close the file if it is not needed any more; a thread that still reads it closes it after that."""
        # A thread of grpc goes on reading for a moment after a call has ended; close() does not wait for it.
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
        changed: The time of the last change of the file, in nanoseconds since 1970.

    Raises:
        OSError: If it cannot be opened.
    """

    def __init__(self, path: Union[str, "os.PathLike[str]"]) -> None:
        file = open(path, "rb", buffering=0)  # noqa: SIM115, PTH123 (closed at the end; a path may be a str)
        status = os.fstat(file.fileno())
        # A file that is not regular, such as a pipe, gives its contents once.
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
    """Return an argument as an upload source, to be used in a ``with`` statement.

    Args:
        name: The name of the parameter, for errors.
        given: Bytes; the path of a file; or a file that was opened in binary mode, which is read from where it stands
            to its end, and left open.

    Raises:
        TypeError: If it is none of these.
        ValueError: If the file is closed, or no file can have that name.
        OSError: If there is no such file, or it cannot be opened.
    """
    if isinstance(given, (bytes, bytearray, memoryview)):
        memory = _memory_file(name, given)
        return UploadSource(memory, name, memory.size, owned=True, reopen=lambda: _MemoryFile(given))
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


def _memory_file(name: str, given: BytesLike) -> _MemoryFile:
    try:
        return _MemoryFile(given)
    except ValueError as error:  # a view of memory that was released
        raise ValueError(f"{name} cannot be read: {error}") from error


class ProgressChunks:
    """The chunks of an upload source, which report progress: a chunk counts as sent when the next one is asked for.

    The first chunk is read at once, so that contents that cannot be read at all are an error before a call is made.

    Args:
        source: The upload source.
        advance: Takes the number of bytes that were sent; it is negative when the chunks begin anew.

    Attributes:
        size: The size of the contents in bytes; None if that is not known.
        repeatable: Whether the contents can be read more than once.

    Example:
        >>> from viam_sync.transfer.upload.source import ProgressChunks, upload_source
        >>> sent = []
        >>> with upload_source("data", b"hello") as source:
        ...     chunks = ProgressChunks(source, sent.append)
        ...     list(chunks), list(chunks), sent
        ([b'hello'], [b'hello'], [5, -5, 5])
    """

    def __init__(self, source: UploadSource, advance: Callable[[int], None]) -> None:
        self.size = source.size
        self.repeatable = source.repeatable
        self._source = source
        self._advance = advance
        self._sent = 0
        self._iteration = 0
        chunks = iter(source)
        self._first: Iterator[bytes] = chain([next(chunks)], chunks)

    def __iter__(self) -> Iterator[bytes]:
        self._iteration += 1
        iteration = self._iteration
        chunks = self._first if iteration == 1 else iter(self._source)
        if self._sent:
            self._advance(-self._sent)
            self._sent = 0
        for chunk in chunks:
            yield chunk
            # grpc may ask for the next chunk of an attempt that was given up.
            if iteration == self._iteration:
                self._sent += len(chunk)
                self._advance(len(chunk))


class _MemoryFile:
    """Bytes that are read like a file, without a copy of the whole."""

    def __init__(self, contents: BytesLike) -> None:
        view = memoryview(contents)
        # Only contiguous memory can be cast to bytes.
        self._view = (view if view.c_contiguous else memoryview(view.tobytes())).cast("B")
        self._at = 0
        self.size = len(self._view)

    def read(self, count: int) -> bytes:
        chunk = bytes(self._view[self._at : self._at + count])
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        self._view.release()


def _size_of(file: Any) -> Optional[int]:
    """Return the bytes that an open file has from its position on; None if only reading it will tell."""
    if isinstance(file, io.BytesIO):
        return max(file.getbuffer().nbytes - file.tell(), 0)
    raw = getattr(file, "raw", file)
    # Other objects, such as gzip files, may have the descriptor of a file whose bytes are not those that they give.
    if not isinstance(raw, io.FileIO):
        return None
    status = os.fstat(raw.fileno())
    return max(status.st_size - file.tell(), 0) if stat.S_ISREG(status.st_mode) else None
