"""The manifest of an export: a list of the files that are whole, kept beside them for the next run."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Collection, Dict, Iterable, NamedTuple, Optional, Set

from typing_extensions import Self

from viam_sync.checks.descriptions import is_text
from viam_sync.transfer.output.atomic import AtomicFile
from viam_sync.transfer.output.exclusive import NO_LINE, append, flush_names, open_exclusive
from viam_sync.transfer.output.export_paths import DATA_LAYOUT, ExportPath, folded_path
from viam_sync.transfer.output.named_errors import errors_of
from viam_sync.transfer.output.names import UNFINISHED

#: The name of the manifest in the folder of an export.
MANIFEST_NAME = "manifest.jsonl"
#: The line of a manifest after which files without a line may be torn.
_UNFLUSHED = b'{"flushed": false}\n'
#: The checksums of contents that are being written.
_UNKNOWN = "?"
#: The text of the error where two exports would give the same name to two files.
BUSY = "another export into this folder is running; wait until it has ended"


class Entry(NamedTuple):
    """A file that is whole.

    Attributes:
        id: Its ID, ``"organization/location/file"``.
        path: Its path in the folder.
        size: Its size in bytes.
        source_size: The size that the service told, before the contents were unzipped; None from older versions.
        digest: The digest of its metadata; ``""`` from older versions.
        checksums: The checksums of its metadata and its contents, while nobody knows that they are on the disk, as they
            were not flushed; ``""`` if they are.
    """

    id: str
    path: ExportPath
    size: int
    source_size: Optional[int] = None
    digest: str = ""
    checksums: str = ""


class ManifestLines(ABC):
    """The lines of a manifest: JSON, one for each file that is whole.

    Where lines of several IDs name one place, as after a merge of two manifests, nobody knows whose file is there, so
    none of them counts.

    Args:
        top: The folder of all contents.

    Attributes:
        entries: The entries by ID; the last line for an ID counts.
        may_be_torn: Whether files that have no line may be torn, as a run has not flushed what it wrote.
    """

    #: Whether files and lines are flushed.
    _flushes = True

    def __init__(self, top: str = DATA_LAYOUT.top) -> None:
        self._top = top
        self.entries: Dict[str, Entry] = {}
        self.may_be_torn = False
        self._disputed: Dict[str, Entry] = {}
        self._lock = threading.Lock()
        #: Whether there are lines that do not count any more.
        self._has_outdated = False

    @property
    def disputed(self) -> Collection[str]:
        """The IDs whose lines name the place of another."""
        return self._disputed.keys()

    def add(self, entries: Iterable[Entry]) -> None:
        """Keep each entry that is new, for the next run, too.

        Raises:
            OSError: If writing failed. Nothing more can be added then.
        """
        self._add(entries, flush=self._flushes)

    def _add(self, entries: Iterable[Entry], *, flush: bool) -> None:
        with self._lock:
            new = [entry for entry in entries if self.entries.get(entry.id) != entry]
            if new:
                self._append("".join(map(_line, new)).encode(), flush=flush)
                self._has_outdated = self._has_outdated or any(entry.id in self.entries for entry in new)
                self.entries.update((entry.id, entry) for entry in new)

    def remove(self, ids: Iterable[str]) -> None:
        """Remove the entries of files that are gone; their lines go when the manifest is tidied."""
        with self._lock:
            for id in ids:
                self.entries.pop(id, None)
                self._has_outdated = True

    def doubt(self, entries: Iterable[Entry], *, contents: bool = False) -> None:
        """Keep for the next run that metadata is about to be written anew; it compares what is written, then.

        Otherwise, after a crash, old metadata that the service has once more would be taken for what is written. And
        contents that are written anew without a flush would be taken for the old ones.

        Args:
            entries: The entries.
            contents: Whether contents are written anew, too.

        Raises:
            OSError: If writing failed. Nothing more can be added then.
        """
        doubtful = [entry._replace(digest="") for entry in entries]
        if contents and not self._flushes:
            doubtful = [entry._replace(checksums=_UNKNOWN) for entry in doubtful]
        self._add(doubtful, flush=True)

    @abstractmethod
    def _append(self, lines: bytes, *, flush: bool) -> None:
        """Write lines at the end."""

    def _read_lines(self, lines: Iterable[bytes]) -> int:
        """Take the entries of all lines that are whole; return the size of these lines in bytes."""
        whole = 0
        for line in lines:
            if not line.endswith(b"\n"):
                break
            whole += len(line)
            self.may_be_torn = self.may_be_torn or line == _UNFLUSHED
            # A line that is no entry was written by another program; its file is fetched again.
            with contextlib.suppress(*NO_LINE):
                entry = _entry(json.loads(line), self._top)
                self._has_outdated = self._has_outdated or entry.id in self.entries
                self.entries[entry.id] = entry
        self._drop_disputed()
        return whole

    def _drop_disputed(self) -> None:
        owners: Dict[str, Set[str]] = {}
        for id, entry in self.entries.items():
            for place in entry.path:
                owners.setdefault(folded_path(place), set()).add(id)
        for id in {id for ids in owners.values() if len(ids) > 1 for id in ids}:
            self._disputed[id] = self.entries.pop(id)

    def _contents(self) -> bytes:
        """Return one line for each entry, and for each that is disputed still."""
        disputed = [entry for id, entry in self._disputed.items() if id not in self.entries]
        lines = "".join(map(_line, [*self.entries.values(), *disputed])).encode()
        return _UNFLUSHED + lines if self.may_be_torn else lines


class Manifest(ManifestLines):
    """The manifest in a folder on the disk.

    A line that a crash has cut off is removed. Two exports into one folder would give the same name to two files, so
    only one may have the manifest open, as far as the disk knows locks.

    Args:
        folder: The folder of the export, which must exist.
        top: The folder of all contents in it.

    Raises:
        OSError: If it cannot be read or written, or another export has it open.

    Example:
        >>> from viam_sync.transfer.export.manifest import Entry, Manifest
        >>> from viam_sync.transfer.output.export_paths import ExportPath, folded_path
        >>> with Manifest(folder) as manifest:
        ...     path = ExportPath("data/cat.png", "metadata/cat.png.json")
        ...     manifest.add([Entry("f1", path, 5)])
        >>> Manifest(folder).entries["f1"].size
        5
    """

    def __init__(self, folder: Path, top: str = DATA_LAYOUT.top) -> None:
        super().__init__(top)
        self._path = folder / MANIFEST_NAME
        self._file = self._open()
        try:
            with open(self._file, "rb", closefd=False) as lines:
                whole = self._read_lines(lines)
            os.ftruncate(self._file, whole)
        except BaseException:
            os.close(self._file)
            raise

    def leave_unflushed(self) -> None:
        """Flush neither files nor lines from now on, and keep that for all later runs.

        Raises:
            OSError: If that cannot be kept.
        """
        self._flushes = False
        if not self.may_be_torn:
            with self._lock:
                self._append(_UNFLUSHED, flush=True)
            flush_names(self._path.parent)
            self.may_be_torn = True

    def tidy(self) -> None:
        """Write the manifest anew without the lines that do not count any more, and close it.

        Raises:
            OSError: If that fails; the manifest is as it was then.
        """
        with self._lock:
            try:
                if self._has_outdated:
                    self._replace()
            finally:
                self._close()

    def _open(self) -> int:
        while True:
            file = open_exclusive(self._path, BUSY, getattr(os, "O_NOFOLLOW", 0))
            # An export that ended just now may have replaced the manifest between its opening and its locking.
            if os.name == "nt" or _is_at(file, self._path):
                return file
            os.close(file)

    def _append(self, lines: bytes, *, flush: bool) -> None:
        try:
            with errors_of(self._path):
                append(self._file, lines, flush=flush)
        except OSError:
            # A line may be torn, so it must stay the last one.
            self._close()
            raise

    def _replace(self) -> None:
        atomic = AtomicFile(self._path, prefix=UNFINISHED)
        try:
            atomic.file.write(self._contents())
            atomic.sync()
            if os.name == "nt":
                # Windows replaces no file that is open.
                self._close()
            atomic.commit()
        finally:
            atomic.rollback()

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave it to the next export."""
        with self._lock:
            self._close()


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _line(entry: Entry) -> str:
    line = {"id": entry.id, "path": entry.path.data, "metadata": entry.path.metadata, "size": entry.size}
    if entry.source_size is not None:
        line.update(source_size=entry.source_size, digest=entry.digest)
    if entry.checksums:
        line.update(checksums=entry.checksums)
    return json.dumps(line) + "\n"


def _entry(line: Any, top: str) -> Entry:
    path = ExportPath(_inside(top, str(line["path"])), _inside("metadata", str(line["metadata"])))
    source_size = line.get("source_size")
    return Entry(
        str(line["id"]),
        path,
        int(line["size"]),
        None if source_size is None else int(source_size),
        str(line.get("digest", "")),
        str(line.get("checksums", "")),
    )


def _inside(top: str, path: str) -> str:
    """Return a path from the manifest, unless it leads out of its top folder, or no export gives such a name.

    Raises:
        ValueError: If it does.
    """
    parts = path.split("/")
    if len(parts) < 2 or parts[0] != top or {"", ".", ".."} & set(parts) or "\0" in path or "\\" in path:
        raise ValueError(path)
    if not is_text(path) or any(part.startswith(UNFINISHED) for part in parts):
        raise ValueError(path)
    return path
