"""The choice of a destination: an atomic file, a remote one, or an open one."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import BinaryIO, Iterator, Optional, Sequence

from viam_sync.transfer.output.atomic import AtomicOutput, StrPath
from viam_sync.transfer.output.destination import Destination, require_ending
from viam_sync.transfer.output.open_files import OpenFileOutput, is_open_file
from viam_sync.transfer.output.remote import Location


class RemoteOutput(Destination):
    """A remote file, which is gathered on this computer and then written.

    Args:
        location: Its location.

    Raises:
        ImportError: If a package for it is not installed; the text says which.
        OSError: If the store refuses the connection, or has no such bucket, or it is a folder.
        ValueError: If there is no such scheme.

    Example:
        >>> from viam_sync.transfer.output.outputs import RemoteOutput
        >>> from viam_sync.transfer.output.remote import Location
        >>> location = Location("path", "memory://bucket/rows.csv")
        >>> RemoteOutput(location).write(b"speed", result=None)
        >>> location.connect().read()
        b'speed'
    """

    def __init__(self, location: Location) -> None:
        self.given, self.suffix = location.given, location.suffix
        self._remote = location.connect()
        self._remote.require_file()

    @contextlib.contextmanager
    def open(self, buffer: Optional[BinaryIO] = None) -> Iterator[BinaryIO]:
        """Open it for a ``with`` block, at whose end all of it is written; after an error, nothing is."""
        if isinstance(buffer, io.BytesIO):
            yield buffer
            self._remote.write(buffer.getvalue())
            return
        with tempfile.TemporaryDirectory(prefix="viam-") as folder:
            # The ending of its name tells a store the type of the contents.
            path = Path(folder, f"contents{self.suffix}")
            with AtomicOutput(path).open() as file:
                yield file
            self._remote.write(path)


def output_at(location: Location) -> Destination:
    """Return the destination at a location, which may be a path, a URL or an open file.

    Raises:
        ImportError: If a package for the URL is not installed; the text says which.
        OSError: If no file can be written there.
        TypeError: If it is nothing of these.
        ValueError: If no file can be called so, or an open file cannot be written.
    """
    if location.is_remote:
        return RemoteOutput(location)
    given = location.local()
    if is_open_file(given):
        return OpenFileOutput(location.name, given)
    return AtomicOutput(given, name=location.name)


def response_output(dest: StrPath, *, secret: bool = False, rejected: Sequence[str] = ()) -> Destination:
    """Return the destination of a response.

    Args:
        dest: A path or a URL. The latter cannot have a password in it, since ``dest`` is in tracebacks.
        secret: Whether a local file may hold secrets, and is for its owner alone.
        rejected: Endings that stand for a format in which the response cannot be written, such as ``.csv``.

    Raises:
        ImportError: If a package for the URL is not installed; the text says which.
        OSError: If no file can be written there.
        TypeError: If it is no path.
        ValueError: If the ending is a rejected one, or a URL holds a secret.
    """
    location = Location("dest", dest)
    if not location.is_remote:
        return AtomicOutput(dest, secret=secret, rejected=rejected)
    if location.has_secret:
        raise ValueError(f"{location.given}; leave out what is secret, and put it where fsspec looks for it")
    require_ending(location.given, location.suffix, rejected)
    return RemoteOutput(location)
