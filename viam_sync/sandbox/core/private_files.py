"""Folders and files for their owner alone, and temporary folders that do not outlive their process for long."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
import weakref
from pathlib import Path
from typing import BinaryIO, Iterator, Optional, Union

if sys.platform != "win32":
    import fcntl

_PREFIX = "viam-sandbox-"
# A name that nobody else gives to a file: it marks the folder as one of a sandbox.
_LOCK = ".viam-sandbox-lock"


def open_private(path: Union[str, Path]) -> BinaryIO:
    """Open a file for writing, readable by its owner alone if it is new."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


def make_private(path: Path) -> None:
    """Take the rights of all others from a file or a folder, if it belongs to this user."""
    rights = stat.S_IMODE(path.stat().st_mode)
    # A mounted folder may belong to another user: it stays as it is, and the files in it are private each.
    with contextlib.suppress(PermissionError):
        if rights & 0o077:
            path.chmod(rights & 0o700)


class TemporaryFolder:
    """A temporary folder of this process, readable by its owner alone, and deleted when the process ends.

    A locked file in it shows that the process is alive: the lock ends with the process, however that ends. A process
    that was forked from it deletes nothing, so the end of a child does not take the folder from its parent.

    Args:
        parent: The folder to create it in; None takes the system's.

    Attributes:
        path: The folder.
    """

    def __init__(self, parent: Optional[Path] = None) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        self._delete = weakref.finalize(self, _delete_in_process, self.path, os.getpid())
        self._lock = _new_lock(self.path)

    def close(self) -> None:
        """Delete the folder."""
        if self._lock is not None:
            self._lock.close()
        self._delete()


def delete_abandoned_folders(parent: Union[str, os.PathLike[str], None] = None) -> None:
    """Delete the temporary folders that processes of this user left when they were killed.

    Args:
        parent: The folder that they are in; None takes the system's.
    """
    if sys.platform == "win32":  # has no such locks: what a killed process left stays until it is deleted by hand
        return
    for path in Path(parent or tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with contextlib.suppress(OSError), _lock_of_ended_process(path):
            shutil.rmtree(path)


def _delete_in_process(path: Path, process: int) -> None:
    if os.getpid() == process:
        shutil.rmtree(path, ignore_errors=True)


def _new_lock(folder: Path) -> Optional[BinaryIO]:
    if sys.platform == "win32":
        return None
    # The file gets its name when it is locked, so that it is never found unlocked while the process is alive.
    draft = folder / f"{_LOCK}.part"
    file = open_private(draft)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:  # some network disks have no locks; without that name, nobody takes the folder for abandoned
        return file
    draft.replace(folder / _LOCK)
    return file


@contextlib.contextmanager
def _lock_of_ended_process(folder: Path) -> Iterator[None]:
    """Hold the lock of a temporary folder whose process has ended.

    Raises:
        OSError: If its process is alive, or if it is no such folder of this user.
    """
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise PermissionError(f"{str(folder)!r} is not a folder of this user")
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
