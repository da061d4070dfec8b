"""Atomic files and outputs: a file is written whole or not at all."""

import contextlib
import errno
import io
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO, Iterator, Optional, Sequence, Type, Union

from viam_sync.checks import path_from
from viam_sync.transfer.output.destination import Destination, require_ending
from viam_sync.transfer.output.devices import follow_links, is_device, write_through
from viam_sync.transfer.output.named_errors import NamedFile, errors_of, temporary_file

#: The path of a file or folder; where its method says so, also a URL.
StrPath = Union[str, "os.PathLike[str]"]


class AtomicOutput(Destination):
    """A file for the response of a call; that it can be written is checked before the call is made.

    A link is followed to what it names. A device or a pipe is written through, once all contents are there.

    Args:
        dest: The path of the file. Its folder must exist.
        name: The name of the parameter, for errors.
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

    def __init__(
        self, dest: StrPath, *, name: str = "dest", secret: bool = False, rejected: Sequence[str] = ()
    ) -> None:
        path, given = path_from(name, dest), str(dest)
        self.given = f"{name} is {given!r}"
        self.suffix = path.suffix.lower()
        require_ending(self.given, self.suffix, rejected)
        self._path = follow_links(path)
        if self._path.is_dir():
            raise IsADirectoryError(f"{name} is a folder, {given!r}; name a file in it")
        folder = self._path.parent
        if not folder.is_dir():
            raise FileNotFoundError(f"{name} is {given!r}, but there is no folder {str(folder)!r}")
        self._is_device = is_device(name, given, self._path)
        if not self._is_device and not os.access(folder, os.W_OK):
            raise PermissionError(f"{name} is {given!r}, but nothing may be written in {str(folder)!r}")
        self._mode = 0o600 if secret else _mode_of(self._path)

    @contextlib.contextmanager
    def open(self, buffer: Optional[BinaryIO] = None) -> Iterator[BinaryIO]:
        """Open the file for a ``with`` block, at whose end it gets its name; after an error it is removed.

        Args:
            buffer: The file that gathers what goes to a device or a pipe; None for a temporary one.

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
        if self._is_device:
            with buffer or self.temporary_file() as gathered:
                yield gathered
                gathered.seek(0)
                with errors_of(self._path):
                    write_through(self._path, gathered)
            return
        with AtomicFile(self._path, self._mode) as file:
            yield file

    def temporary_file(self) -> BinaryIO:
        """Return a file for contents on their way: beside the output if that is a file, so that there is one disk.

        Raises:
            OSError: If it cannot be made.
        """
        if self._is_device:
            return super().temporary_file()
        return temporary_file(self._path.parent, self._path)


class AtomicFile:
    """An unfinished file with a temporary name, beside the path that it gets when it is committed.

    A ``with`` block gives the open file, and commits it at its end; after an error it is removed.

    Args:
        path: The path; a file that is there is replaced, but nothing else, such as a link or a device.
        mode: The mode of the file, before the umask.
        prefix: The beginning of the temporary name.

    Attributes:
        file: The open file, to write to.
        temporary: The path that it has until it is committed.

    Raises:
        OSError: If it cannot be made.

    Example:
        >>> from viam_sync.transfer.output.atomic import AtomicFile
        >>> with AtomicFile(folder / "cat.png") as file:
        ...     _ = file.write(b"PNG")
        >>> [path.name for path in folder.iterdir()]
        ['cat.png']
    """

    #: Makes a file of a descriptor, and of the path that its errors name.
    file_type: Type[NamedFile] = NamedFile

    def __init__(self, path: StrPath, mode: int = 0o666, prefix: str = ".viam-") -> None:
        self._path = os.fspath(path)
        _require_replaceable(self._path)
        self.temporary = os.path.join(os.path.dirname(self._path), f"{prefix}{secrets.token_hex(8)}.part")
        with errors_of(self._path):
            descriptor = os.open(
                self.temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), mode
            )
        self._committed = False
        self.file: BinaryIO = io.BufferedWriter(self.file_type(descriptor, self._path))

    def __enter__(self) -> BinaryIO:
        return self.file

    def __exit__(self, kind: Optional[Type[BaseException]], *error: object) -> None:
        try:
            if kind is None:
                self.sync()
                self.commit()
        finally:
            self.rollback()

    def sync(self) -> None:
        """Flush all of it to the disk, and close it."""
        with errors_of(self._path):
            self.file.flush()
            os.fsync(self.file.fileno())
            self.file.close()

    def close(self) -> None:
        """Close it, for a caller who then flushes many files to the disk at once."""
        with errors_of(self._path):
            self.file.close()

    def commit(self) -> None:
        """Give it its name."""
        with errors_of(self._path):
            try:
                os.replace(self.temporary, self._path)
                self._committed = True
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise
                # The file is a mount of its own, as containers have them: it can be written, and not be replaced.
                with open(self.temporary, "rb") as whole:
                    write_through(Path(self._path), whole)

    def rollback(self) -> None:
        """Remove it; after ``commit``, and a second time, this does nothing."""
        # The bytes that are still buffered may not fit on the disk, and Windows removes no file that is open.
        with contextlib.suppress(OSError):
            self.file.close()
        if not self._committed:
            with contextlib.suppress(OSError):
                os.unlink(self.temporary)


def _require_replaceable(path: str) -> None:
    """Refuse a path at which there is something else than a file."""
    try:
        mode = os.lstat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise FileExistsError(errno.EEXIST, "there is a link, a device or a pipe, which is not replaced", path)


def _mode_of(path: Path) -> int:
    """Return the mode of a file that takes the place of another, if there is one."""
    try:
        return stat.S_IMODE(path.stat().st_mode) & 0o666 | 0o600
    except OSError:
        return 0o666
