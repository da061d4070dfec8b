"""The journal of an upload of many files, kept on disk so that a run that was cut short can be resumed."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, NamedTuple, Optional

from viam_sync.messages.file_id import FileID
from viam_sync.rpc.closing import Closing
from viam_sync.transfer.output.exclusive import NO_LINE, append, open_exclusive

#: The name of the journal in a folder whose files are uploaded.
JOURNAL_NAME = ".viam-upload-journal.jsonl"

_KIND = "viam_sync.upload_files"


class FileVersion(NamedTuple):
    """The version of a file that was uploaded.

    Attributes:
        name: Its path in the folder, with slashes; its whole path where there is no folder.
        size: Its size in bytes.
        changed: The time of its last change, in nanoseconds since 1970.
    """

    name: str
    size: int
    changed: int


class Intent(NamedTuple):
    """An upload that began.

    Attributes:
        file: The file.
        mark: The mark that the upload carries, to look it up by.
        after: The ID of the upload that was acknowledged last before this one began; None if there is none.
    """

    file: FileVersion
    mark: str
    after: Optional[FileID] = None


class JournalError(OSError):
    """The journal could not be written, so that a next run would not know what this one has done."""


class Journal(Closing):
    """A file of JSON lines: one before each upload, and one when the service has acknowledged it.

    The first line is on disk before the upload begins, so the next run knows those in doubt, which have it alone. The
    second one is on disk when the next upload begins, or after `flush`: where a crash comes before that, the service is
    asked, as if the crash had come a moment sooner. Threads share the wait for the disk: lines that come while it is
    busy are flushed together.

    Args:
        path: The path of the file; it is made if it is not there.
        part_id: ID of the part that is uploaded to, a UUID.
        clock: Returns the seconds since 1970.

    Attributes:
        sent: The files that were acknowledged, and their IDs.
        doubtful: The files that are in doubt.

    Raises:
        OSError: If it cannot be read or written, or another upload uses it.
        ValueError: If it is the journal of another part, or no journal.

    Example:
        >>> from viam_sync.app.data_client import FileID
        >>> from viam_sync.transfer.upload.journal import FileVersion, Journal
        >>> with Journal(folder / "journal.jsonl", "part-1") as journal:
        ...     journal.acknowledge(journal.begin(FileVersion("cat.png", 10, 0)), FileID("file-1"))
        >>> Journal(folder / "journal.jsonl", "part-1").sent
        {FileVersion(name='cat.png', size=10, changed=0): 'file-1'}
    """

    def __init__(self, path: Path, part_id: str, *, clock: Callable[[], float] = time.time) -> None:
        self.path = path
        self.sent: Dict[FileVersion, FileID] = {}
        self.doubtful: Dict[FileVersion, Intent] = {}
        self._clock = clock
        self._by_mark: Dict[str, FileVersion] = {}
        self._last_id: Optional[FileID] = None
        self._lock = threading.Lock()
        self._flush_lock = threading.Lock()
        self._written = self._flushed = 0
        self._failed = False
        busy = f"another upload uses the journal {str(path)!r}; wait until it has ended"
        self._file: Optional[int] = open_exclusive(path, busy)
        try:
            self._open(self._file, part_id)
        except BaseException:
            self.close()
            raise

    def begin(self, file: FileVersion) -> Intent:
        """Add the line of an upload that is about to begin, and return when it is on the disk."""
        intent = Intent(file, secrets.token_hex(16))
        line = {"sending": file.name, "size": file.size, "mtime_ns": file.changed, "mark": intent.mark}
        # The time is for whoever looks into the file; the clock may have been wrong, so nothing depends on it.
        self._write({**line, "time": round(self._clock(), 3)})
        self.flush()
        return intent

    def acknowledge(self, intent: Intent, id: FileID) -> None:
        """Add the line of an upload that the service has acknowledged; the disk has it later."""
        self._write({"sent": intent.mark, "id": id, "binary_data_id": id.binary_data_id})

    def forget(self, file: FileVersion) -> None:
        """Take a file that was acknowledged for one that was not sent, as the service does not have it any more."""
        del self.sent[file]

    def close(self) -> None:
        """Close the file; no line can be added any more."""
        with self._flush_lock, self._lock:
            if self._file is not None:
                os.close(self._file)
            self._file = None

    def flush(self) -> None:
        """Return when all lines that were added before are on the disk."""
        needed = self._written
        with self._flush_lock:
            if self._flushed < needed:
                # The lines of other threads come along, as far as they are written before the disk begins.
                written = self._written
                with self._usable() as file:
                    os.fsync(file)
                self._flushed = written

    def _write(self, line: Dict[str, Any]) -> None:
        encoded = json.dumps(line).encode() + b"\n"
        with self._lock, self._usable() as file:
            append(file, encoded, flush=False)
            self._written += 1

    @contextlib.contextmanager
    def _usable(self) -> Iterator[int]:
        """Give the file; after an error, no line follows.

        Half a line may be there, which is left out only where it is the last one; and a disk that has failed to flush
        may say the next time that all is well.
        """
        if self._file is None or self._failed:
            raise JournalError(f"the journal {str(self.path)!r} is closed")
        try:
            yield self._file
        except OSError as error:
            self._failed = True
            raise JournalError(error.errno, f"{error.strerror}, in writing the journal", str(self.path)) from error

    def _open(self, file: int, part_id: str) -> None:
        with open(file, "rb", closefd=False) as reader:
            contents = reader.read()
        # After a crash, some disks show zeros where lines were not flushed: then nothing after these was, either.
        begun = contents.partition(b"\0")[0]
        whole, newline, torn = (begun if b"\n" in begun else contents).rpartition(b"\n")
        header = json.dumps({"journal": _KIND, "version": 1, "part_id": part_id}).encode()
        if newline:
            lines = whole.split(b"\n")
            self._check(lines[0], part_id)
            for number, line in enumerate(lines[1:], 2):
                self._read_line(number, line)
        elif not header.startswith(torn):
            raise self._no_journal("its first line is not that of one")
        if len(contents) > len(whole) + len(newline):
            # A crash has cut lines off, so their uploads did not begin, or were not acknowledged.
            os.ftruncate(file, len(whole) + len(newline))
        if not newline:
            append(file, header + b"\n")
            _sync_folder(self.path)

    def _check(self, line: bytes, part_id: str) -> None:
        try:
            header = json.loads(line)
            kind, version, part = header["journal"], header["version"], header["part_id"]
        except NO_LINE:
            raise self._no_journal("its first line is not that of one") from None
        if (kind, version) != (_KIND, 1):
            raise self._no_journal(f"it is one of {kind!r}, version {version!r}")
        if part != part_id:
            raise ValueError(
                f"the journal {str(self.path)!r} is that of an upload to the part {part}, and this one is to {part_id};"
                " name another file as journal"
            )

    def _read_line(self, number: int, line: bytes) -> None:
        """Read a line."""
        try:
            fields = json.loads(line)
            if "sending" in fields:
                file = FileVersion(str(fields["sending"]), int(fields["size"]), int(fields["mtime_ns"]))
                self.doubtful[file] = Intent(file, str(fields["mark"]), self._last_id)
                self._by_mark[fields["mark"]] = file
            else:
                file = self._by_mark[fields["sent"]]
                # A line of an earlier version has no ``binary_data_id``.
                self.sent[file] = self._last_id = FileID(str(fields["id"]), str(fields.get("binary_data_id") or ""))
                self.doubtful.pop(file, None)
        except NO_LINE:
            raise self._no_journal(f"its line {number} is none of one") from None

    def _no_journal(self, why: str) -> ValueError:
        return ValueError(
            f"{str(self.path)!r} is no journal of uploads: {why}. Name another file as journal; if it was one once,"
            " move it away, and all files are uploaded again."
        )


def _sync_folder(path: Path) -> None:
    """Flush the name of a new file to the disk."""
    if sys.platform != "win32":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
