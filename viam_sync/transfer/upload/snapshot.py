"""Snapshots of files that are read: whether a file was changed meanwhile, even within one tick of the disk's clock."""

from __future__ import annotations

import io
import os
import stat
import zlib
from typing import Any, Callable, NamedTuple, Optional

from viam_sync.clock import real_time

#: The coarsest clock of a disk, that of FAT, in nanoseconds: changes within so short a time may show the same time.
_TICK = 2_000_000_000
_BLOCK = 1 << 20


class FileState(NamedTuple):
    """The state of a file on disk, which changes whenever somebody writes to it.

    Attributes:
        device: The number of its disk.
        inode: Its number on the disk.
        size: Its size in bytes.
        changed: The time of its last change, in nanoseconds since 1970.
    """

    device: int
    inode: int
    size: int
    changed: int


class Snapshot:
    """The state of a file before it is read, to be compared with that after.

    The time of the last change tells of nearly all of them. Some do not show there: one within the same tick of the
    disk's clock as the change before, or one after which the time was set back. Where such a one is possible, the file
    is read a second time, and a checksum compares that with the first.

    Args:
        file: A file on disk that is open.
        start: The position from which on it is read.
        in_doubt: Whether some of it was read before, when its state may have been another.
        clock: Returns the seconds since 1970.

    Attributes:
        state: Its state.
        size: The number of bytes from the start on; None if the system makes them up, as in ``/proc`` and ``/sys``.
    """

    def __init__(
        self, file: io.FileIO, start: int = 0, *, in_doubt: bool = False, clock: Callable[[], float] = real_time
    ) -> None:
        status = os.fstat(file.fileno())
        self._file = file
        self._start = start
        self._length = self._checksum = 0
        self._inode_changed = status.st_ctime_ns
        self._in_doubt = in_doubt or max(status.st_mtime_ns, status.st_ctime_ns) > clock() * 1e9 - _TICK
        self.state = _state(status)
        self.size = None if _is_made_up(file.fileno()) else max(status.st_size - start, 0)

    @classmethod
    def of(cls, file: Any) -> Optional[Snapshot]:
        """Return the snapshot of an open file, from its position on; None if it is no file on a disk."""
        raw = getattr(file, "raw", file)
        # Other objects, such as gzip files, may have the descriptor of a file whose bytes are not those that they give.
        if not isinstance(raw, io.FileIO) or not stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
            return None
        start = file.tell()
        return cls(raw, start, in_doubt=raw.tell() != start)

    def add(self, chunk: bytes) -> None:
        """Take note of the next bytes that were read."""
        self._length += len(chunk)
        self._checksum = zlib.crc32(chunk, self._checksum)

    def is_current(self) -> bool:
        """Tell whether the file is as it was, and so are the bytes that were read."""
        status = os.fstat(self._file.fileno())
        if _state(status) != self.state:
            return False
        # Being renamed or deleted changes the time of the inode, and not the contents.
        in_doubt = self._in_doubt or status.st_ctime_ns != self._inode_changed
        return not in_doubt or self.size is None or self._checksum_on_disk() == self._checksum

    def _checksum_on_disk(self) -> int:
        if not hasattr(os, "pread"):  # Windows, whose disks count in steps of 100 ns
            return self._checksum
        checksum, at, end = 0, self._start, self._start + self._length
        while at < end:
            block = os.pread(self._file.fileno(), min(_BLOCK, end - at), at)
            if not block:
                break
            checksum = zlib.crc32(block, checksum)
            at += len(block)
        return checksum


def _state(status: os.stat_result) -> FileState:
    return FileState(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _is_made_up(descriptor: int) -> bool:
    """Tell whether a file is on a file system without room, whose files are made when they are read."""
    return hasattr(os, "fstatvfs") and os.fstatvfs(descriptor).f_blocks == 0
