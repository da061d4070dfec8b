"""The manifest of an export: a list of the files that are whole, kept beside them for the next run."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, NamedTuple, Optional, Sequence, Set, Type

from typing_extensions import Self

from viam_sync.checks import is_text
from viam_sync.transfer.output.exclusive import NO_LINE, append, open_exclusive
from viam_sync.transfer.output.export_paths import ExportPath, folded_path
from viam_sync.transfer.output.named_errors import errors_of
from viam_sync.transfer.output.names import UNFINISHED

#: The name of the manifest in the folder of an export.
MANIFEST_NAME = "manifest.jsonl"


class Entry(NamedTuple):
    """A file that is whole.

    Attributes:
        id: Its ID, ``"organization/location/file"``.
        path: Its path in the folder.
        size: Its size in bytes.
    """

    id: str
    path: ExportPath
    size: int


class Manifest:
    """A file of JSON lines, one for each file that is whole: its ID, its path, the path of its metadata, and its size.

    A line that a crash has cut off is removed. Where lines of several IDs name one place, as after a merge of two
    manifests, nobody knows whose file is there, so none of them counts. Two exports into one folder would give the same
    name to two files, so only one may have the manifest open, as far as the disk knows locks.

    Args:
        folder: The folder of the export, which must exist.

    Attributes:
        entries: The entries by ID; the last line for an ID counts.
        disputed: The IDs whose lines name the place of another.

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

    def __init__(self, folder: Path) -> None:
        self.entries: Dict[str, Entry] = {}
        self.disputed: Set[str] = set()
        self._lock = threading.Lock()
        self._path = folder / MANIFEST_NAME
        busy = "another export into this folder is running; wait until it has ended"
        self._file = open_exclusive(self._path, busy, getattr(os, "O_NOFOLLOW", 0))
        try:
            self._read()
            self._drop_disputed()
        except BaseException:
            os.close(self._file)
            raise

    def add(self, entries: Sequence[Entry]) -> None:
        """Write a line for each entry that is new; the lines are on the disk when this returns.

        Raises:
            OSError: If writing failed. Nothing more can be added then.
        """
        with self._lock:
            new = [entry for entry in entries if self.entries.get(entry.id) != entry]
            try:
                with errors_of(self._path):
                    append(self._file, "".join(map(_line, new)).encode())
            except OSError:
                # A line may be torn, so it must stay the last one.
                self._close()
                raise
            self.entries.update((entry.id, entry) for entry in new)

    def _read(self) -> None:
        whole = 0
        with open(self._file, "rb", closefd=False) as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    os.ftruncate(self._file, whole)
                    return
                whole += len(line)
                # A line that is no entry was written by another program; its file is fetched again.
                with contextlib.suppress(*NO_LINE):
                    entry = _entry(json.loads(line))
                    self.entries[entry.id] = entry

    def _drop_disputed(self) -> None:
        owners: Dict[str, Set[str]] = {}
        for id, entry in self.entries.items():
            for place in entry.path:
                owners.setdefault(folded_path(place), set()).add(id)
        self.disputed = {id for ids in owners.values() if len(ids) > 1 for id in ids}
        for id in self.disputed:
            del self.entries[id]

    def _close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with self._lock:
            self._close()


def _line(entry: Entry) -> str:
    line = {"id": entry.id, "path": entry.path.data, "metadata": entry.path.metadata, "size": entry.size}
    return json.dumps(line) + "\n"


def _entry(line: Any) -> Entry:
    path = ExportPath(_inside("data", str(line["path"])), _inside("metadata", str(line["metadata"])))
    return Entry(str(line["id"]), path, int(line["size"]))


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
