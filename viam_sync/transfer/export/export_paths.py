"""Which file goes where in the folder of an export: each to a place of its own, the same one every time."""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Set

from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.binary_folder import (
    UNFINISHED,
    clean_name,
    export_name,
    is_copy,
    numbered_name,
    shortened,
    with_ending,
)

#: The longest path that the system takes, in bytes, with some room to spare.
_LONGEST_PATH = {"win32": 250, "darwin": 1000}.get(sys.platform, 4000)
#: The longest name, and the shortest that one is cut to for the sake of its path, in bytes.
_LONGEST_NAME, _SHORTEST = 200, 40
#: What is added to a name at most: folder, number and ending.
_ADDED = len("/metadata/-12345.12345678901234567890")


class ExportPath(NamedTuple):
    """Where a file goes, within the folder; with slashes, on every system.

    Attributes:
        data: The path of its contents.
        metadata: The path of what is known of it.
    """

    data: str
    metadata: str


class ExportPaths:
    """The places in a folder: those that are taken, and who gets which of the others.

    No place is outside of the folder, or within a link. No two differ by their case alone, or by how Unicode composes
    a letter, since many disks do not tell such names apart.

    Args:
        folder: The folder.
        taken: The places of the files that are known already.

    Example:
        >>> from viam_sync.proto.app.data import BinaryMetadata
        >>> from viam_sync.transfer.export.export_paths import ExportPaths
        >>> places = ExportPaths(folder, [])
        >>> [places.of(BinaryMetadata(id=name, file_name=f"pets/{name}")).data for name in ("cat", "Cat")]
        ['data/pets/cat', 'data/pets/Cat-2']
    """

    def __init__(self, folder: Path, taken: Iterable[ExportPath]) -> None:
        self._folder = folder
        self._room = _LONGEST_PATH - len(os.fsencode(folder.absolute()))
        self._files: Set[str] = set()
        self._folders: Set[str] = set()
        #: Those that somebody has got; the others that are taken were there before.
        self._given: Set[str] = set()
        self._seen: Set[str] = set()
        self._next: Dict[str, int] = {}
        for place in taken:
            self._give(place)

    def of(self, metadata: pb.BinaryMetadata) -> ExportPath:
        """Return the place of a file; one that was exported here before keeps its own.

        Args:
            metadata: What is known of it; asked for once per file.
        """
        name, ending = export_name(metadata)
        place = _place(name, ending, 1)
        self.look_at(place)
        if self._is_blocked(place) or max(len(path.encode()) for path in place) > self._room:
            # Without folders there is always a way.
            room = max(self._room - _ADDED, _SHORTEST)
            name = shortened(clean_name(name.replace("/", "_")), min(room, _LONGEST_NAME))
        place = self._numbered(name, ending, [metadata.binary_data_id or None, metadata.id or None])
        self._give(place)
        return place

    def look_at(self, place: ExportPath) -> None:
        """See what is in the folders of a place, the first time; what an export left unfinished there is removed."""
        for path in place:
            for way in _ways(path):
                if way not in self._seen:
                    self._seen.add(way)
                    self._look_into(way)

    def _look_into(self, way: str) -> None:
        # What is no folder, or cannot be read, will be noticed when something is written there.
        with contextlib.suppress(OSError), os.scandir(self._folder / way) as entries:
            for entry in entries:
                if entry.name.startswith(UNFINISHED) and entry.name.endswith(".part"):
                    with contextlib.suppress(OSError):
                        Path(entry.path).unlink()
                elif entry.is_dir(follow_symlinks=False):
                    self._folders.add(_key(f"{way}/{entry.name}"))
                else:
                    self._files.add(_key(f"{way}/{entry.name}"))

    def _numbered(self, name: str, ending: str, identity: List[Optional[str]]) -> ExportPath:
        number = self._next.get(name, 1)
        passed = True
        while True:
            place = _place(name, ending, number)
            keys = [_key(path) for path in place]
            given = any(key in self._given for key in keys)
            if not given and self._is_free(place, keys, identity):
                return place
            number += 1
            passed = passed and given
            if passed:
                # All before this number are given away for good, and need not be looked at again.
                self._next[name] = number

    def _is_free(self, place: ExportPath, keys: List[str], identity: List[Optional[str]]) -> bool:
        if any(key in self._folders for key in keys):
            return False
        if not any(key in self._files for key in keys):
            return True
        data, metadata = self._folder / place.data, self._folder / place.metadata
        return not data.is_symlink() and not metadata.is_symlink() and is_copy(metadata, identity)

    def _is_blocked(self, place: ExportPath) -> bool:
        """Tell whether a file or a link is where a folder is needed."""
        return any(_key(way) in self._files for path in place for way in _ways(path))

    def _give(self, place: ExportPath) -> None:
        for path in place:
            key = _key(path)
            self._files.add(key)
            self._given.add(key)
            self._folders.update(map(_key, _ways(path)))


def _place(name: str, ending: str, number: int) -> ExportPath:
    name = name if number == 1 else numbered_name(name, number)
    return ExportPath(f"data/{with_ending(name, ending)}", f"metadata/{name}.json")


def _ways(path: str) -> Iterator[str]:
    """Yield the folders that a path goes through, the innermost first."""
    way = path.rpartition("/")[0]
    while way:
        yield way
        way = way.rpartition("/")[0]


def _key(path: str) -> str:
    """Return what is the same for all names that a disk may take for one."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
