"""The folder of an export as a worker sees it: another process has given each file its path, and has the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Collection, List, Mapping, Optional

from viam_sync.transfer.export.folder import ExportFolder
from viam_sync.transfer.export.local_folder import LocalFiles
from viam_sync.transfer.export.manifest import Entry, ManifestLines
from viam_sync.transfer.export.remote_folder import RemoteFiles
from viam_sync.transfer.output.export_paths import ExportPath, PathAllocator
from viam_sync.transfer.output.remote import Location


def assigned_folder(
    location: Location, paths: Mapping[str, ExportPath], temporary: Optional[Path] = None
) -> ExportFolder:
    """Return a folder in which each file has a path already, and which any number of processes may have open.

    Args:
        location: The location of the folder.
        paths: The path of each file, by its ID.
        temporary: The folder for temporary files; None for that of this computer.

    Raises:
        ImportError: If a package for a URL is not installed; the text says which.
        OSError: If the store refuses the connection.
    """
    manifest, allocator = _AssignedManifest(paths), _AssignedPaths()
    if not location.is_remote:
        return LocalFiles(location.path(), manifest, allocator)
    return RemoteFiles(location, location.connect(), {}, manifest, allocator, temporary)


class _AssignedManifest(ManifestLines):
    """The entries of files, none of which counts as being there."""

    def __init__(self, paths: Mapping[str, ExportPath]) -> None:
        super().__init__()
        self.entries = {id: Entry(id, path, 0) for id, path in paths.items()}
        self._ids = list(paths)

    @property
    def disputed(self) -> Collection[str]:
        """All IDs, as the process that has the manifest wants all of the files to be fetched."""
        return self._ids

    def _append(self, lines: bytes, *, flush: bool) -> None:
        """Do nothing, as the results tell that process which files are there."""


class _AssignedPaths(PathAllocator):
    """An allocator that nobody asks for a path, and that has nothing to look for."""

    def __init__(self) -> None:
        super().__init__([], 0)

    def _scan_folder(self, folder: str) -> None:
        """Do nothing, as all files have their paths."""

    def _require_encodable(self, path: str) -> None:
        """Do nothing, as the process that gave the path has done it."""

    def _was_exported(self, path: ExportPath, ids: List[Optional[str]]) -> bool:
        return False
