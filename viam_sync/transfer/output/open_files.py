"""Open files of the caller as destinations: binary ones and text, and all that has a ``write`` like theirs."""

from __future__ import annotations

import codecs
import contextlib
import errno
import inspect
import io
from pathlib import Path
from typing import IO, Any, BinaryIO, Callable, Iterator, Optional, Union

from typing_extensions import Protocol

from viam_sync.checks import wrong_type
from viam_sync.transfer.output.destination import Destination
from viam_sync.transfer.output.named_errors import errors_of

_BLOCK = 1 << 20

#: An open file of bytes or text; also a response of a web framework, or whatever else has a ``write``.
FileLike = Union[IO[bytes], IO[str], "Writable"]


class Writable(Protocol):
    """What has a ``write`` like that of a binary file."""

    def write(self, contents: bytes, /) -> Any:
        """Write bytes."""


def is_open_file(given: Any) -> bool:
    """Tell whether an argument is something to write to, and not a path.

    Example:
        >>> import io
        >>> from viam_sync.transfer.output.open_files import is_open_file
        >>> is_open_file(io.StringIO()), is_open_file("rows.csv")
        (True, False)
    """
    return callable(getattr(given, "write", None))


class OpenFileOutput(Destination):
    """An open file, which is written from where it stands, once all contents are there, flushed, and left open.

    Args:
        name: The name of the parameter, for errors.
        file: The file. One of text gets the contents decoded from UTF-8, with the ends of lines as they are.

    Attributes:
        is_text: Whether it takes text.

    Raises:
        TypeError: If it takes neither bytes nor text.
        ValueError: If it is closed, or not opened for writing.

    Example:
        >>> import io
        >>> from viam_sync.transfer.output.open_files import OpenFileOutput
        >>> file = io.StringIO()
        >>> OpenFileOutput("path", file).write(b"speed", result=None)
        >>> file.getvalue()
        'speed'
    """

    def __init__(self, name: str, file: Any) -> None:
        # The files of sockets and pipes have a number for a name, and those in memory none.
        label = getattr(file, "name", None)
        label = label if isinstance(label, str) else ""
        self.given = f"{name} is an open file{label and f', {label!r}'}"
        self.suffix = Path(label).suffix.lower()
        self._label = label or name
        self.is_text = _takes_text(name, self.given, file)
        self._file = file

    @contextlib.contextmanager
    def open(self, buffer: Optional[BinaryIO] = None) -> Iterator[BinaryIO]:
        """Open it for a ``with`` block, at whose end all of it is written; after an error, nothing is."""
        with buffer or self.temporary_file() as gathered:
            yield gathered
            gathered.seek(0)
            with errors_of(Path(self._label)):
                self._copy(gathered)

    def _copy(self, contents: BinaryIO) -> None:
        blocks: Iterator[Any] = iter(lambda: contents.read(_BLOCK), b"")
        write: Callable[[Any], Any] = (
            _write_all(self._file) if isinstance(self._file, io.RawIOBase) else self._file.write
        )
        try:
            for block in codecs.iterdecode(blocks, "utf-8") if self.is_text else blocks:
                write(block)
        except UnicodeEncodeError as error:
            advice = "open it with encoding='utf-8'"
            raise ValueError(f"{self.given}, which cannot hold this text; {advice} ({error})") from error
        if hasattr(self._file, "flush"):
            self._file.flush()


def _write_all(file: io.RawIOBase) -> Callable[[bytes], None]:
    """Return a function that writes bytes to a file without a buffer, which may take fewer at a time."""

    def write(block: bytes) -> None:
        left = memoryview(block)
        while left:
            written = file.write(left)
            if written is None:
                raise BlockingIOError(errno.EAGAIN, "it does not wait until there is room; open it so that it does")
            left = left[written:]

    return write


def _takes_text(name: str, given: str, file: Any) -> bool:
    """Tell whether a file takes text, and refuse one that cannot be written."""
    if inspect.iscoroutinefunction(file.write):
        raise wrong_type(name, "a path, or an open file that is no asynchronous one", file)
    try:
        if isinstance(file, (io.RawIOBase, io.BufferedIOBase, io.TextIOBase)):
            # The files of gzip and zipfile are writable, by their own account, when they are closed, too.
            if file.closed:
                raise ValueError("I/O operation on closed file")
            if not file.writable():
                raise io.UnsupportedOperation("it was opened for reading only")
            return isinstance(file, io.TextIOBase)
        if _accepts(file, b""):
            return False
        if _accepts(file, ""):
            return True
    except (OSError, ValueError) as error:
        raise ValueError(f"{given}, which cannot be written: {error}") from error
    raise wrong_type(name, "a path or an open file", file)


def _accepts(file: Any, nothing: Any) -> bool:
    """Tell whether a file takes what is of this type; that is empty, so nothing is written."""
    try:
        file.write(nothing)
    except TypeError:
        return False
    return True
