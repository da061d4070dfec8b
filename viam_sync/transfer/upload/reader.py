"""Reading the contents of an upload: chunk by chunk, until the end, and only if they stay what they were."""

from __future__ import annotations

import select
import threading
from typing import Any, Optional

from viam_sync.transfer.upload.snapshot import Snapshot

#: The number of bytes in a message: larger ones are not faster, and need more memory on both sides.
CHUNK = 256 * 1024
#: Milliseconds after which a thread that waits for a pipe looks whether that was closed.
_LOOK = 100
_ADVICE = "Nothing was uploaded; try again when nothing writes to it any more."


class Reader:
    """A file that one thread reads, and another may close.

    Args:
        file: An object with a method ``read``.
        label: The name of the contents in errors.
        size: The size of the contents in bytes; None if that is not known, or the snapshot has it.
        owned: Whether to close the file.
        snapshot: The state of the file before it is read; None if it is no file on a disk.
        waits: Whether the file is one of the system's that does not wait for what is not there yet.

    Attributes:
        size: The size of the contents in bytes; None if that is not known.
    """

    def __init__(
        self,
        file: Any,
        label: str,
        size: Optional[int],
        *,
        owned: bool,
        snapshot: Optional[Snapshot] = None,
        waits: bool = False,
    ) -> None:
        self.size = snapshot.size if snapshot else size
        self._file = file
        self._label = label
        self._owned = owned
        self._snapshot = snapshot
        self._waits = waits and hasattr(select, "poll")
        self._done = 0
        self._closed = False
        self._lock = threading.Lock()

    def read(self) -> bytes:
        """Return the next chunk; empty at the end.

        Raises:
            OSError: If it cannot be read, or the contents are not what they were at the start.
            TypeError: If they are text.
            ValueError: If it was closed.
        """
        try:
            with self._lock:
                chunk = self._read_chunk()
                self._check(chunk)
        except OSError as error:
            if error.errno is None:
                raise
            text = f"{error.strerror}, after {self._done:,} bytes; nothing was uploaded"
            raise OSError(error.errno, text, self._label) from error
        finally:
            self._close_if_idle()
        return chunk

    def close(self) -> None:
        """Read no more, and close the file if it is not the caller's own."""
        self._closed = True
        self._close_if_idle()

    def _read_chunk(self) -> bytes:
        self._wait()
        chunk = self._file.read(CHUNK)
        while chunk is None and self._waits:
            self._wait()
            chunk = self._file.read(CHUNK)
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            text = f"takes a file opened in binary mode; reading it gave a {type(chunk).__name__}"
            raise TypeError(f"{self._label} {text}")
        return bytes(chunk)

    def _wait(self) -> None:
        """Wait until there is something to read, or the end."""
        if self._waits and not self._closed:
            poll = select.poll()
            poll.register(self._file.fileno(), select.POLLIN)
            while not poll.poll(_LOOK) and not self._closed:
                pass
        if self._closed:
            raise ValueError(f"{self._label} was closed before all of it was read")

    def _check(self, chunk: bytes) -> None:
        """Compare the contents with what they were at the start, as far as that can be told after this chunk."""
        self._done += len(chunk)
        if self._snapshot is not None:
            self._snapshot.add(chunk)
        if self.size is not None and self._done > self.size:
            raise self._size_changed("grown", "there is more by now")
        if chunk:
            return
        if self.size is not None and self._done < self.size:
            raise self._size_changed("shrunk", f"there are only {self._done:,} by now")
        if self._snapshot is not None and not self._snapshot.is_current():
            raise OSError(f"{self._label} was changed while it was uploaded. {_ADVICE}")

    def _size_changed(self, how: str, now: str) -> OSError:
        return OSError(
            f"{self._label} has {how} while it was uploaded: it had {self.size:,} bytes at first, and {now}. {_ADVICE}"
        )

    def _close_if_idle(self) -> None:
        """Close the file if it is not needed any more; a thread that still reads it closes it after that."""
        # A thread of grpc goes on reading for a moment after a call has ended; close() does not wait for it.
        if self._closed and self._owned and self._lock.acquire(blocking=False):
            try:
                self._file.close()
            finally:
                self._lock.release()
