"""Exclusive files of lines: one process at a time appends to them, and appended lines survive a crash."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

#: The errors of reading a line of JSON that holds something else than it should; an infinite number overflows.
NO_LINE = (ValueError, TypeError, LookupError, OverflowError, RecursionError)
#: The byte that is locked on Windows, far behind the lines, as nobody can read or write what is locked there.
_LOCKED_BYTE = 1 << 30


def open_exclusive(path: Path, busy: str, flags: int = 0) -> int:
    """Open a file for reading and appending, and make it if need be; only one process may have it open so.

    Args:
        path: Its path.
        busy: The text of the error if another process has it open, as far as the disk knows locks.
        flags: More flags, as ``os.open`` takes them.

    Returns:
        Its descriptor.

    Raises:
        BlockingIOError: If another process has it open.
        OSError: If it cannot be opened, or keeps no lines, as a device or a pipe.
    """
    if flags & getattr(os, "O_NOFOLLOW", 0) and path.is_symlink():
        # The system would say that there are too many links.
        raise OSError(errno.ELOOP, "it is a link, which is not followed", str(path))
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | flags, 0o666)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise OSError(errno.EINVAL, "it is no file, but a device or a pipe, and would keep no lines", str(path))
    try:
        _lock(file)
    except (BlockingIOError, PermissionError):  # the latter on Windows and on its network disks
        os.close(file)
        raise BlockingIOError(errno.EAGAIN, busy, str(path)) from None
    except OSError:  # some network disks know no locks
        return file
    return file


def _lock(file: int) -> None:
    """Lock a file until it is closed, or the process ends, however that ends."""
    if sys.platform == "win32":
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(file, 0, os.SEEK_SET)
    else:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def append(file: int, lines: bytes, *, flush: bool = True) -> None:
    r"""Append lines to a file, and return when they are on the disk.

    Args:
        file: The descriptor of the file.
        lines: The lines.
        flush: Whether to wait until they are on the disk; otherwise, a power failure may lose them or tear them.

    Raises:
        OSError: If that fails. The last line may be torn then, so nothing must be appended any more.

    Example:
        >>> from viam_sync.transfer.output.exclusive import append, open_exclusive
        >>> file = open_exclusive(folder / "done.txt", "another process is at work here")
        >>> append(file, b"one\n")
        >>> os.close(file)
        >>> (folder / "done.txt").read_text()
        'one\n'
    """
    left = memoryview(lines)
    while left:
        left = left[os.write(file, left) :]
    if flush:
        os.fsync(file)


def flush_names(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system knows such a flush."""
    if os.name == "nt":
        return
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
