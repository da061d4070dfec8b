"""The manifest of an export in a bucket: an object that is written anew now and then, and at the end."""

from __future__ import annotations

import errno
import hashlib
import io
from typing import Iterable

from viam_sync.transfer.export.manifest import BUSY, MANIFEST_NAME, Entry, ManifestLines
from viam_sync.transfer.output.remote import Remote

#: The manifest is written when there are so many new entries, or one for so many that it has: so all of its versions
#: together are no more than some times as large as the last.
_FEWEST_NEW, _PART_NEW = 64, 8
#: The first line while metadata is written anew.
_DOUBT = b'{"digests": "in doubt"}\n'


class RemoteManifest(ManifestLines):
    """The manifest of a remote folder.

    No store locks an object for long. Another export into the same folder is noticed when it has written the manifest
    since this one has.

    Args:
        remote: The folder.
        given: The folder in the words of the caller, for errors.

    Raises:
        OSError: If it cannot be read.
    """

    def __init__(self, remote: Remote, given: str) -> None:
        super().__init__()
        self._remote = remote
        self._given = given
        self._new = 0
        self._closed = False
        self._in_doubt = False
        contents = self._read()
        self._stored = _digest(contents)
        self._read_lines(io.BytesIO(contents))
        if contents.startswith(_DOUBT):
            self.entries = {id: entry._replace(digest="") for id, entry in self.entries.items()}

    def add(self, entries: Iterable[Entry]) -> None:
        """Keep entries, and write the manifest when there are many new ones."""
        super().add(entries)
        if self._new >= max(_FEWEST_NEW, len(self.entries) // _PART_NEW):
            self.save()

    def doubt(self, entries: Iterable[Entry], *, contents: bool = False) -> None:
        """Keep for the next run that metadata is about to be written anew: one line, once, stands for all entries."""
        with self._lock:
            if not self._in_doubt:
                self._in_doubt = True
                self._save()

    def save(self, *, at_end: bool = False) -> None:
        """Write the manifest, if it has changed.

        Args:
            at_end: Whether all metadata is written.

        Raises:
            BlockingIOError: If another export has written it meanwhile.
            OSError: If that fails.
        """
        with self._lock:
            self._in_doubt = self._in_doubt and not at_end
            self._save()

    def _save(self) -> None:
        contents = (_DOUBT if self._in_doubt else b"") + self._contents()
        if self._closed or _digest(contents) == self._stored:
            return
        if _digest(self._read()) != self._stored:
            self._closed = True
            raise BlockingIOError(errno.EAGAIN, f"{self._given}, and {BUSY}")
        self._remote.write(contents, MANIFEST_NAME)
        self._stored = _digest(contents)
        self._new = 0

    def close(self) -> None:
        """Write nothing any more."""
        with self._lock:
            self._closed = True

    def _append(self, lines: bytes, *, flush: bool) -> None:
        self._new += lines.count(b"\n")

    def _read(self) -> bytes:
        try:
            return self._remote.read(MANIFEST_NAME)
        except FileNotFoundError:
            return b""


def _digest(contents: bytes) -> bytes:
    return hashlib.sha256(contents).digest()
