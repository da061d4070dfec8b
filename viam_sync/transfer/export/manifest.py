"""The list of the files that an export has brought home, kept beside them so that the next run knows them."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, NamedTuple, Optional, Sequence, Type

from typing_extensions import Self

from viam_sync.transfer.export.export_paths import ExportPath
from viam_sync.transfer.output.exclusive import append, open_alone

#: Its name in the folder of an export.
MANIFEST_NAME = "manifest.jsonl"


class Entry(NamedTuple):
    """A file that is whole.

    Attributes:
        id: Its ID, ``"organization/location/file"``.
        place: Where it is in the folder.
        size: How many bytes it has.
    """

    id: str
    place: ExportPath
    size: int


class Manifest:
    """A file of JSON lines, one for each file that is whole: its ID, its path, that of its metadata, and its size.

    A line that a crash has cut off is taken away. Two exports into one folder would be at odds about names, so only one
    may have the manifest open, as far as the disk knows locks.

    Args:
        folder: The folder of the export, which must exist.

    Attributes:
        entries: What is in it, by ID; the last line for an ID counts.

    Raises:
        OSError: If it cannot be read or written, or another export has it open.

    Example:
        >>> from viam_sync.transfer.export.manifest import Entry, Manifest
        >>> from viam_sync.transfer.export.export_paths import ExportPath
        >>> with Manifest(folder) as manifest:
        ...     place = ExportPath("data/cat.png", "metadata/cat.png.json")
        ...     manifest.add([Entry("f1", place, 5)])
        >>> Manifest(folder).entries["f1"].size
        5
    """

    def __init__(self, folder: Path) -> None:
        self.entries: Dict[str, Entry] = {}
        self._lock = threading.Lock()
        busy = "another export into this folder is running; wait until it has ended"
        self._file = open_alone(folder / MANIFEST_NAME, busy, getattr(os, "O_NOFOLLOW", 0))
        try:
            self._read()
        except BaseException:
            os.close(self._file)
            raise

    def add(self, entries: Sequence[Entry]) -> None:
        """Write lines for files, unless there are some already; they are on the disk when this returns.

        Raises:
            OSError: If that fails. Nothing more can be added then.
        """
        with self._lock:
            new = [entry for entry in entries if self.entries.get(entry.id) != entry]
            try:
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
                # What is no entry was written by somebody else; its file is got again.
                with contextlib.suppress(ValueError, TypeError, LookupError):
                    entry = _entry(json.loads(line))
                    self.entries[entry.id] = entry

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
    place = entry.place
    said = {"id": entry.id, "path": place.data, "metadata": place.metadata, "size": entry.size}
    return json.dumps(said) + "\n"


def _entry(said: Any) -> Entry:
    place = ExportPath(_inside("data", str(said["path"])), _inside("metadata", str(said["metadata"])))
    return Entry(str(said["id"]), place, int(said["size"]))


def _inside(room: str, path: str) -> str:
    """Return a path from the manifest; what leads out of the folder is none of ours."""
    parts = path.split("/")
    if len(parts) < 2 or parts[0] != room or {"", ".", ".."} & set(parts) or "\0" in path or "\\" in path:
        raise ValueError(path)
    return path
