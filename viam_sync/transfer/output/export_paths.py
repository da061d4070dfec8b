"""The paths of exported files in a folder: one for each file, distinct on every disk, and the same in every run."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import unicodedata
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.names import (
    LONGEST_NAME,
    UNFINISHED,
    clean_name,
    export_name,
    numbered_name,
    shortened,
    with_ending,
)

#: The longest path that the system takes, in bytes, with some room to spare.
_LONGEST_PATH = {"win32": 250, "darwin": 1000}.get(sys.platform, 4000)
#: The shortest name that a file is cut to for the sake of its path, in bytes.
_SHORTEST_NAME = 40
#: The bytes that a path has beside the name at most: folder, number and ending.
_ADDED = len("/metadata/-12345.12345678901234567890")


class ExportPath(NamedTuple):
    """The two paths of a file within the folder; with slashes, on every system.

    Attributes:
        data: The path of its contents.
        metadata: The path of its metadata.
    """

    data: str
    metadata: str


class Layout:
    """The places of files in the folder of an export: the contents in ``data/``, the metadata in ``metadata/``.

    Attributes:
        top: The folder of all contents.
    """

    top = "data"

    def name(self, metadata: pb.BinaryMetadata) -> Tuple[str, str]:
        """Return the name of a file, and the ending that its contents get."""
        return export_name(metadata)

    def path(self, metadata: pb.BinaryMetadata, name: str, ending: str) -> ExportPath:
        """Return the paths of a file that has this name, which may be one with a number."""
        return ExportPath(f"{self.top}/{with_ending(name, ending)}", f"metadata/{name}.json")


#: The layout of ``export_binary_data``, which is that of the official command line.
DATA_LAYOUT = Layout()


class PathAllocator(ABC):
    """The allocator of the paths in a folder: it knows which are taken, and gives every file a path of its own.

    No path is outside of the folder. No two differ by their case alone, or by how Unicode composes a letter, since many
    disks do not tell such names apart.

    Args:
        taken: The paths of the files that are known already.
        longest: The longest path within the folder, in bytes.
        layout: The places of files in the folder.
    """

    def __init__(self, taken: Iterable[ExportPath], longest: int, layout: Layout = DATA_LAYOUT) -> None:
        self._longest = longest
        self._layout = layout
        #: The paths of files and of folders, folded: those that are there, and those that are allocated.
        self._files: Set[str] = set()
        self._folders: Set[str] = set()
        self._allocated: Set[str] = set()
        self._scanned: Set[str] = set()
        self._reserved: Dict[str, ExportPath] = {}
        #: The first number of each name that may be free.
        self._next_number: Dict[str, int] = {}
        for path in taken:
            self._take(path)

    def reserve(self, id: str, path: ExportPath) -> None:
        """Keep a path for the file with an ID, as another process may still write it there."""
        self._reserved[id] = path
        self._take(path)

    def allocate(self, metadata: pb.BinaryMetadata) -> ExportPath:
        """Return the path of a file; a file that was exported into the folder before keeps its own.

        Args:
            metadata: The metadata of the file, for which this is called once.

        Raises:
            OSError: If the file system's encoding cannot write its name.
        """
        reserved = self._reserved.get(metadata.binary_data_id or metadata.id)
        if reserved is not None:
            return reserved
        name, ending = self._layout.name(metadata)
        path = self._layout.path(metadata, name, ending)
        self.scan(path)
        if self._is_blocked(path) or max(len(each.encode()) for each in path) > self._longest:
            # A name without folders always has a way.
            longest = max(self._longest - _ADDED, _SHORTEST_NAME)
            name = shortened(clean_name(name.replace("/", "_")), min(longest, LONGEST_NAME))
        path = self._numbered(metadata, name, ending)
        self._take(path)
        return path

    def scan(self, path: ExportPath) -> None:
        """Look, once for each, into the folders that a path goes through.

        Raises:
            OSError: If the file system's encoding cannot write the path.
        """
        for each in path:
            self._require_encodable(each)
            for folder in _parents(each):
                if folder not in self._scanned:
                    self._scanned.add(folder)
                    self._scan_folder(folder)

    @abstractmethod
    def _scan_folder(self, folder: str) -> None:
        """Add the files and the folders in a folder to those that are there."""

    @abstractmethod
    def _require_encodable(self, path: str) -> None:
        """Refuse a path that cannot be written there, with an OSError."""

    @abstractmethod
    def _was_exported(self, path: ExportPath, ids: List[Optional[str]]) -> bool:
        """Tell whether the files at a path were exported before for the file with these IDs, None for one it lacks."""

    def _numbered(self, metadata: pb.BinaryMetadata, name: str, ending: str) -> ExportPath:
        """Return the first path of a name that is free."""
        ids = [metadata.binary_data_id or None, metadata.id or None]
        number = self._next_number.get(name, 1)
        all_allocated = True
        while True:
            path = self._layout.path(metadata, name if number == 1 else numbered_name(name, number), ending)
            folded = [folded_path(each) for each in path]
            is_allocated = any(each in self._allocated for each in folded)
            if not is_allocated and self._is_free(path, folded, ids):
                return path
            number += 1
            all_allocated = all_allocated and is_allocated
            if all_allocated:
                # Numbers that are allocated stay so, and need not be looked at again.
                self._next_number[name] = number

    def _is_free(self, path: ExportPath, folded: List[str], ids: List[Optional[str]]) -> bool:
        if any(each in self._folders for each in folded):
            return False
        if not any(each in self._files for each in folded):
            return True
        return self._was_exported(path, ids)

    def _is_blocked(self, path: ExportPath) -> bool:
        """Tell whether a file or a link is where a folder is needed."""
        return any(folded_path(folder) in self._files for each in path for folder in _parents(each))

    def _take(self, path: ExportPath) -> None:
        self._allocated.update(map(self._add_file, path))

    def _add_file(self, path: str) -> str:
        """Add a file to those that are there; return its path, folded, of which all sets have the same string."""
        folded = folded_path(path)
        self._files.add(folded)
        self._folders.update(_parents(folded))
        return folded


class ExportPaths(PathAllocator):
    """The allocator of the paths in a folder on the disk; no path goes through a link below its top.

    Args:
        folder: The folder.
        taken: The paths of the files that are known already.
        layout: The places of files in the folder.
        remove_unfinished: Whether to remove the files that an export left unfinished; only for the one export that is
            at work in the folder.
        may_be_torn: Whether an earlier run has flushed nothing, so that a power failure may have torn what it wrote.
        longest_path: The longest path that the system takes, in bytes.

    Example:
        >>> from viam_sync.proto.app.data import BinaryMetadata
        >>> from viam_sync.transfer.output.export_paths import ExportPaths
        >>> paths = ExportPaths(folder, [])
        >>> [paths.allocate(BinaryMetadata(id=name, file_name=f"pets/{name}")).data for name in ("cat", "Cat")]
        ['data/pets/cat', 'data/pets/Cat-2']
    """

    def __init__(
        self,
        folder: Path,
        taken: Iterable[ExportPath],
        *,
        layout: Layout = DATA_LAYOUT,
        remove_unfinished: bool = False,
        may_be_torn: bool = False,
        longest_path: int = _LONGEST_PATH,
    ) -> None:
        super().__init__(taken, longest_path - len(os.fsencode(folder.absolute())), layout)
        self._folder = folder
        self._remove_unfinished = remove_unfinished
        self._may_be_torn = may_be_torn

    def _scan_folder(self, folder: str) -> None:
        # A path that is no folder, or cannot be read, will be noticed when something is written there.
        with contextlib.suppress(OSError), os.scandir(self._folder / folder) as entries:
            for entry in entries:
                if self._remove_unfinished and entry.name.startswith(UNFINISHED) and entry.name.endswith(".part"):
                    with contextlib.suppress(OSError):
                        Path(entry.path).unlink()
                elif entry.is_dir(follow_symlinks=False):
                    self._folders.add(folded_path(f"{folder}/{entry.name}"))
                else:
                    self._files.add(folded_path(f"{folder}/{entry.name}"))

    def _require_encodable(self, path: str) -> None:
        try:
            os.fsencode(path)
        except UnicodeEncodeError:
            encoding = sys.getfilesystemencoding()
            advice = "set PYTHONUTF8=1, or a locale of UTF-8"
            text = f"The file system's encoding, {encoding}, cannot write this name; {advice}"
            raise OSError(errno.EILSEQ, text, path) from None

    def _was_exported(self, path: ExportPath, ids: List[Optional[str]]) -> bool:
        data, metadata = self._folder / path.data, self._folder / path.metadata
        if data.is_symlink() or metadata.is_symlink() or not metadata.is_file():
            return False
        try:
            contents = metadata.read_bytes()
        except OSError:
            return False
        return is_metadata_of(contents, ids) or (self._may_be_torn and _is_torn(contents))


def folded_path(path: str) -> str:
    """Return the form that all paths have in common which a disk may take for one.

    Example:
        >>> from viam_sync.transfer.output.export_paths import folded_path
        >>> folded_path("data/Cat.PNG")
        'data/cat.png'
    """
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _parents(path: str) -> Iterator[str]:
    """Yield the folders that a path goes through, the innermost first."""
    folder = path.rpartition("/")[0]
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]


def _is_torn(metadata: bytes) -> bool:
    """Tell whether metadata is what a power failure leaves of it: nothing, or zeros, which no JSON holds."""
    return not metadata or b"\0" in metadata


def is_metadata_of(contents: bytes, ids: List[Optional[str]]) -> bool:
    """Tell whether metadata was exported before for the file with these IDs.

    Args:
        contents: The contents of a file of metadata.
        ids: The ID of the binary data and the older one; None where there is none.
    """
    try:
        known = json.loads(contents)
    except (ValueError, RecursionError):
        return False
    return isinstance(known, dict) and any(ids) and [known.get("binaryDataId"), known.get("id")] == ids
