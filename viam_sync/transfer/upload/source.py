"""Upload sources: the contents of uploads, wherever they come from, cut into chunks that fit a message."""

from __future__ import annotations

import io
import os
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any, Callable, Iterator, Optional, Type, Union

from typing_extensions import Self

from viam_sync.checks import path_from, wrong_type
from viam_sync.transfer.upload.reader import Reader
from viam_sync.transfer.upload.snapshot import Snapshot
from viam_sync.transfer.upload.uploadable import BytesLike, Uploadable


class UploadSource:
    """The contents of an upload, which one thread reads chunk by chunk, and another may close.

    The contents must stay what they were at the start: if they have grown or shrunk by the end, or were written to,
    that is an error, so that neither half of a file nor half of an old one is taken for the whole.

    Args:
        reader: Reads them, and is closed at the end.
        reopen: Returns a reader of the contents for another time; None if they can be read only once.

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

    def __init__(self, reader: Reader, reopen: Optional[Callable[[], Reader]] = None) -> None:
        self._reader = reader
        self._reopen = reopen
        self._begun = False
        self.size = reader.size

    @property
    def repeatable(self) -> bool:
        """Whether the contents can be read more than once."""
        return self._reopen is not None

    def __iter__(self) -> Iterator[bytes]:
        """Yield the chunks; one empty chunk where there are no contents.

        Raises:
            OSError: If the contents cannot be read, or are not what they were at the start.
            TypeError: If the contents are text.
        """
        if self._begun and self._reopen is not None:
            # A thread of grpc may still be amid reading them for the attempt before.
            self._reader.close()
            self._reader = self._reopen()
        self._begun = True
        reader = self._reader
        chunk = reader.read()
        yield chunk
        while chunk:
            chunk = reader.read()
            if chunk:
                yield chunk

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._reader.close()


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
        self._path = os.fspath(path)
        file = _open_file(self._path)
        self._snapshot = Snapshot.of(file)
        # A file that is not regular, such as a pipe, gives its contents once.
        super().__init__(self._read_from(file, self._snapshot), self._read_again if self._snapshot else None)
        self.changed = os.fstat(file.fileno()).st_mtime_ns

    def _read_from(self, file: io.FileIO, snapshot: Optional[Snapshot]) -> Reader:
        return Reader(
            file, self._path, None, owned=True, snapshot=snapshot, waits=snapshot is None or snapshot.size is None
        )

    def _read_again(self) -> Reader:
        file = _open_file(self._path)
        snapshot = Snapshot.of(file)
        if snapshot is None or self._snapshot is None or snapshot.state != self._snapshot.state:
            file.close()
            raise OSError(
                f"{self._path} was changed while it was uploaded, so it cannot be sent again after a failure."
                " Nothing was uploaded; try again when nothing writes to it any more."
            )
        return self._read_from(file, snapshot)


def _open_file(path: str) -> io.FileIO:
    """Open a file for reading; opening a pipe would wait for somebody who writes to it."""
    no_wait = getattr(os, "O_NONBLOCK", 0)
    return io.FileIO(path, "rb", opener=lambda name, flags: os.open(name, flags | no_wait))


def file_source(name: str, path: Path) -> FileSource:
    """Return the contents of a file on disk; ``name`` is that of the parameter.

    Raises:
        OSError: If there is no such file, or it cannot be opened.
    """
    try:
        return FileSource(path)
    except FileNotFoundError:
        here = "" if path.is_absolute() else f" in the working folder, {str(Path.cwd())!r}"
        raise FileNotFoundError(f"{name} is {str(path)!r}, but there is no such file{here}") from None
    except IsADirectoryError:
        advice = "name a file in it, or give it to upload_files, which uploads all of them"
        raise IsADirectoryError(f"{name} is a folder, {str(path)!r}; {advice}") from None


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
        return UploadSource(_memory_reader(name, given), lambda: _memory_reader(name, given))
    if isinstance(given, os.PathLike):
        return file_source(name, path_from(name, given))
    if isinstance(given, io.TextIOBase):
        raise TypeError(f"{name} takes a file opened in binary mode, got one opened as text; open it with mode 'rb'")
    if hasattr(given, "read"):
        if getattr(given, "closed", False) is True:
            raise ValueError(f"{name} is a file that is closed; open it in binary mode, or give its path")
        label = getattr(given, "name", None)
        label = label if isinstance(label, str) else name
        return UploadSource(Reader(given, label, _size_of(given), owned=False, snapshot=Snapshot.of(given)))
    raise wrong_type(name, "bytes, a path such as pathlib.Path, or a file opened in binary mode", given)


def _memory_reader(name: str, given: BytesLike) -> Reader:
    try:
        memory = _MemoryFile(given)
    except ValueError as error:  # a view of memory that was released
        raise ValueError(f"{name} cannot be read: {error}") from error
    return Reader(memory, name, memory.size, owned=True)


class ProgressChunks:
    """The chunks of an upload source, which report progress: a chunk counts as sent when the next one is asked for.

    Where the size is known, the first chunk is read at once, so that contents that cannot be read at all are an error
    before a call is made. Others may keep their reader waiting, as a pipe does: the call does that, within its limit.

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
        self._first: Iterator[bytes] = chunks if source.size is None else chain([next(chunks)], chunks)

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
    """Return the bytes that an object in memory has from its position on; None if only reading it will tell."""
    return max(file.getbuffer().nbytes - file.tell(), 0) if isinstance(file, io.BytesIO) else None
