"""Atomic files and outputs: a file is written whole or not at all."""

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import Any, BinaryIO, Iterator, Sequence, Union

from viam_sync.checks import path_from

StrPath = Union[str, "os.PathLike[str]"]


class AtomicOutput:
    """A file for the response of a call; that it can be written is checked before the call is made.

    Args:
        dest: The path of the file. Its folder must exist.
        secret: Whether the file may hold secrets; then only its owner can read it, whoever could read one that it
            replaces. Others are readable as new files are, but by nobody who could not read what they replace.
        rejected: Endings that stand for a format in which the response cannot be written, such as ``.csv``.

    Attributes:
        suffix: The ending of the path in lower case, such as ``.json``.

    Raises:
        OSError: If no file can be written there.
        ValueError: If the ending is a rejected one.
        TypeError: If ``dest`` is no path.

    Example:
        >>> from viam_sync.transfer.output.atomic import AtomicOutput
        >>> AtomicOutput(folder / "config.json").write(b"{}", result=None)
        >>> (folder / "config.json").read_text()
        '{}'
    """

    def __init__(self, dest: StrPath, *, secret: bool = False, rejected: Sequence[str] = ()) -> None:
        self._path = path_from("dest", dest)
        self._mode = 0o600 if secret else _mode_of(self._path)
        self.suffix = self._path.suffix.lower()
        if self.suffix in rejected:
            raise ValueError(f"dest is {str(dest)!r}, but this cannot be written as {self._path.suffix}; use .json")
        if self._path.is_dir():
            raise IsADirectoryError(f"dest is a folder, {str(dest)!r}; name a file in it")
        if not self._path.parent.is_dir():
            raise FileNotFoundError(f"dest is {str(dest)!r}, but there is no folder {str(self._path.parent)!r}")
        if not os.access(self._path.parent, os.W_OK):
            raise PermissionError(f"dest is {str(dest)!r}, but nothing may be written in {str(self._path.parent)!r}")

    def write(self, contents: bytes, result: Any) -> None:
        """Write ``contents``; a file of that name is replaced only once the new one is complete.

        Args:
            contents: The bytes of the file.
            result: The response, which the caller would lose if writing failed.

        Raises:
            OSError: If writing failed; the error has the response as its attribute ``result``.
        """
        try:
            with self.open() as file:
                file.write(contents)
        except OSError as error:
            error.result = result  # type: ignore[attr-defined]
            raise

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """Open the file for a ``with`` block, at whose end it gets its name; after an error it is removed.

        Raises:
            OSError: If writing failed.

        Example:
            >>> from viam_sync.transfer.output.atomic import AtomicOutput
            >>> with AtomicOutput(folder / "log.txt").open() as file:
            ...     file.write(b"hello")
            5
            >>> (folder / "log.txt").read_text()
            'hello'
        """
        atomic = AtomicFile(self._path, self._mode)
        try:
            yield atomic.file
            atomic.sync()
            atomic.commit()
        except BaseException:
            atomic.rollback()
            raise


class AtomicFile:
    """An unfinished file with a temporary name, beside the path that it gets when it is committed.

    Args:
        path: The path; a file that is there is replaced.
        mode: The mode of the file, before the umask.
        prefix: The beginning of the temporary name.

    Attributes:
        file: The open file, to write to.

    Raises:
        OSError: If it cannot be made.

    Example:
        >>> from viam_sync.transfer.output.atomic import AtomicFile
        >>> atomic = AtomicFile(folder / "cat.png")
        >>> _ = atomic.file.write(b"PNG")
        >>> atomic.sync()
        >>> atomic.commit()
        >>> [path.name for path in folder.iterdir()]
        ['cat.png']
    """

    def __init__(self, path: Path, mode: int = 0o666, prefix: str = ".viam-") -> None:
        self._path = path
        self._temporary = path.with_name(f"{prefix}{secrets.token_hex(8)}.part")
        descriptor = os.open(self._temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), mode)
        self._committed = False
        self.file: BinaryIO = os.fdopen(descriptor, "wb")

    def sync(self) -> None:
        """Flush all of it to the disk, and close it."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()

    def commit(self) -> None:
        """Give it its name."""
        self._temporary.replace(self._path)
        self._committed = True

    def rollback(self) -> None:
        """Remove it; after ``commit``, and a second time, this does nothing."""
        # The bytes that are still buffered may not fit on the disk, and Windows removes no file that is open.
        with contextlib.suppress(OSError):
            self.file.close()
        if not self._committed:
            with contextlib.suppress(OSError):
                self._temporary.unlink()


def _mode_of(path: Path) -> int:
    """Return the mode of a file that takes the place of another, if there is one."""
    try:
        return stat.S_IMODE(path.stat().st_mode) & 0o666 | 0o600
    except OSError:
        return 0o666
