"""Cutting a TCP connection of this process, found among its open files."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
from pathlib import Path
from typing import Optional, Sequence

#: The folders that list the open files of a process, on Linux and on macOS.
OPEN_FILES = (Path("/proc/self/fd"), Path("/dev/fd"))


def open_files_folder(folders: Sequence[Path] = OPEN_FILES) -> Optional[Path]:
    """Return the folder that lists the open files of this process, or None if the operating system has none."""
    return next((folder for folder in folders if folder.is_dir()), None)


def cut_connection(client_port: int, server_port: int) -> None:
    """Shut down the TCP connection between two ports of this computer, in both directions."""
    folder = open_files_folder()
    assert folder is not None, "without it, no drop can be planned"
    for path in folder.iterdir():
        # Files are opened and closed meanwhile by other threads.
        with contextlib.suppress(OSError):
            _shut_down_if_between(int(path.name), client_port, server_port)


def _shut_down_if_between(descriptor: int, client_port: int, server_port: int) -> None:
    if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
        return
    copy = os.dup(descriptor)
    try:
        connection = socket.socket(fileno=copy)
    except OSError:
        os.close(copy)
        raise
    with connection:
        if connection.type == socket.SOCK_STREAM and connection.family in (socket.AF_INET, socket.AF_INET6):
            ports = connection.getpeername()[1], connection.getsockname()[1]
            if ports == (client_port, server_port):
                connection.shutdown(socket.SHUT_RDWR)
