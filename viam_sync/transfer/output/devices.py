"""Destinations that are no plain files: links are followed, devices and pipes are written through."""

from __future__ import annotations

import errno
import os
import re
import selectors
import stat
from pathlib import Path
from typing import BinaryIO

#: The number of links that a path may lead through; more are a loop, as the kernel has it.
_MOST_LINKS = 40
#: The folders whose files are the open descriptors of a process.
_DESCRIPTORS = re.compile(r"/dev/fd|/proc/(?P<process>\d+)(/task/\d+)?/fd")
_BLOCK = 1 << 20


def follow_links(path: Path) -> Path:
    """Return the path that links lead to, whether or not there is a file; the links themselves stay as they are.

    The descriptor of an open file, which ``/dev/stdout`` leads to, looks like a link, and is followed no further: the
    file that it names may have been deleted, and must not be replaced under a program that writes to it.

    Raises:
        OSError: If the links go round in a circle.

    Example:
        >>> from viam_sync.transfer.output.devices import follow_links
        >>> (folder / "latest.csv").symlink_to("monday.csv")
        >>> follow_links(folder / "latest.csv").name
        'monday.csv'
    """
    followed = path
    for _ in range(_MOST_LINKS):
        followed = Path(os.path.realpath(followed.parent), followed.name)
        if _is_descriptor(followed) or not followed.is_symlink():
            return followed
        followed = followed.parent / os.readlink(followed)
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))


def is_device(name: str, given: str, path: Path) -> bool:
    """Tell whether a path is written through: that of a device, a pipe or an open descriptor.

    Args:
        name: The name of the parameter.
        given: The argument, for errors.
        path: The path that it leads to.

    Raises:
        OSError: If it is something that can hold no file, such as a socket.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if _is_descriptor(path):
            raise FileNotFoundError(f"{name} is {given!r}, a descriptor that is not open") from None
        return False
    if _is_descriptor(path):
        return True
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        kind = "a socket" if stat.S_ISSOCK(mode) else "a disk, on which a file would have no end"
        raise OSError(f"{name} is {given!r}, {kind}; name a file, a pipe or a device such as a terminal")
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def write_through(path: Path, contents: BinaryIO) -> None:
    """Write contents to a device or a pipe, or over a file; a pipe is waited for until somebody reads it.

    Raises:
        OSError: If it cannot be written.
    """
    descriptor = _open(path)
    try:
        for block in iter(lambda: contents.read(_BLOCK), b""):
            _write(descriptor, memoryview(block))
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_descriptor(path: Path) -> bool:
    return path.name.isdigit() and bool(_DESCRIPTORS.fullmatch(str(path.parent)))


def _open(path: Path) -> int:
    found = _DESCRIPTORS.fullmatch(str(path.parent)) if _is_descriptor(path) else None
    if found and found["process"] in (None, str(os.getpid())):
        # A file that is opened a second time would be written from its beginning, over the output before.
        return os.dup(int(path.name))
    # The file of another process's descriptor is written on, any other one anew; to a device, both are the same.
    how = os.O_APPEND if found else os.O_TRUNC
    return os.open(path, os.O_WRONLY | how | getattr(os, "O_NOCTTY", 0))


def _write(descriptor: int, left: memoryview) -> None:
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            # Another program that shares the terminal or pipe may have made it one that does not wait.
            with selectors.DefaultSelector() as selector:
                selector.register(descriptor, selectors.EVENT_WRITE)
                selector.select()
