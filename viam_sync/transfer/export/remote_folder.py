"""The folder of an export in a bucket or on a server: whole objects, and one listing that tells what is there."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import tempfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Dict, Iterable, List, Optional

from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.export.exported_metadata import read_metadata
from viam_sync.transfer.export.folder import ExportFolder, UnfinishedFile, closed_folder
from viam_sync.transfer.export.local_folder import LocalFolder
from viam_sync.transfer.export.manifest import ManifestLines
from viam_sync.transfer.export.remote_manifest import RemoteManifest
from viam_sync.transfer.output.export_paths import ExportPath, PathAllocator
from viam_sync.transfer.output.named_errors import NamedFile, errors_of, temporary_file
from viam_sync.transfer.output.names import UNFINISHED
from viam_sync.transfer.output.remote import Location, Remote

#: The longest name of an object in S3, Google Cloud Storage and Azure, in bytes.
_LONGEST_KEY = 1024
#: How many files of metadata are read at a time.
_READERS = 16


class RemoteFiles(ExportFolder):
    """The objects in a folder.

    Contents gather in a temporary file of this computer, and are put as one object then. No call asks for a single
    object that is there: a listing knows them all.

    Args:
        location: The URL of the folder.
        remote: The folder.
        sizes: The sizes of the objects that are there, by their paths.
        manifest: The manifest.
        paths: The allocator of paths.
        temporary: The folder for temporary files; None for that of this computer.
    """

    def __init__(
        self,
        location: Location,
        remote: Remote,
        sizes: Dict[str, int],
        manifest: ManifestLines,
        paths: PathAllocator,
        temporary: Optional[Path] = None,
    ) -> None:
        self.root = root_of(location)
        self.manifest, self.paths = manifest, paths
        self._remote, self._sizes = remote, sizes
        self._closed = False
        self._temporary = tempfile.TemporaryDirectory(prefix="viam-export-", dir=temporary)

    def begin(self) -> None:
        """Do nothing, as objects are whole."""

    def place(self, path: str) -> str:
        """Return the URL of an object."""
        return f"{self.root}/{path}"

    def size_of(self, path: str) -> Optional[int]:
        """Return the size of an object in bytes, as the listing has it."""
        return self._sizes.get(path)

    def read(self, path: str) -> Optional[bytes]:
        """Return the contents of an object; None if there is none."""
        try:
            return self._remote.read(path)
        except FileNotFoundError:
            return None

    def unfinished_file(self, path: str) -> UnfinishedFile:
        """Return a temporary file of this computer."""
        # The ending tells the store the type of the contents.
        name = f"{secrets.token_hex(8)}{PurePosixPath(path).suffix}"
        return _UnfinishedObject(self, path, Path(self._temporary.name, name))

    def begin_flush(self, unfinished: UnfinishedFile) -> None:
        """Do nothing, as the store flushes."""

    def commit(self, unfinished: UnfinishedFile) -> None:
        """Put a file as an object, unless the folder is closed."""
        if self._closed:
            raise closed_folder()
        unfinished.commit()

    def flush_if_whole(self, path: ExportPath, checksums: str) -> bool:
        """Return False: objects are whole, so these lines of a manifest come from elsewhere."""
        return False

    def flush_metadata(self, path: ExportPath) -> bool:
        """Return True, as objects are whole."""
        return True

    def temporary_file(self, path: str) -> BinaryIO:
        """Return a temporary file of this computer."""
        folder = Path(self._temporary.name)
        return temporary_file(folder, folder)

    def is_of_one_file(self, error: OSError) -> bool:
        """Return False: a store that refuses one object is likely to refuse all."""
        return False

    def put(self, contents: Path, path: str) -> None:
        """Write a local file as an object."""
        self._remote.write(contents, path)
        self._sizes[path] = contents.stat().st_size

    def remove(self, path: str) -> None:
        """Remove an object."""
        self._remote.remove(path)
        self._sizes.pop(path, None)

    def finish(self) -> None:
        """Do nothing, as the manifest is written elsewhere."""

    def close(self) -> None:
        """Put nothing any more, and remove what is temporary."""
        self._closed = True
        # Windows removes no file that a late thread has open.
        with contextlib.suppress(OSError):
            self._temporary.cleanup()


class RemoteFolder(RemoteFiles):
    """A folder of objects.

    Args:
        location: The URL of the folder.

    Raises:
        ImportError: If a package for it is not installed; the text says which.
        OSError: If the store refuses to list it, or cannot be reached.
        ValueError: If there is no such scheme, or there is a query in the URL.

    Example:
        >>> from viam_sync.transfer.export.remote_folder import RemoteFolder
        >>> from viam_sync.transfer.output.remote import Location
        >>> objects = RemoteFolder(Location("folder", "memory://pets"))
        >>> unfinished = objects.unfinished_file("data/cat.png")
        >>> _ = unfinished.file.write(b"PNG")
        >>> unfinished.sync()
        >>> objects.commit(unfinished)
        >>> objects.size_of("data/cat.png"), objects.place("data/cat.png")
        (3, 'memory://pets/data/cat.png')
        >>> objects.remove("data/cat.png")
        >>> objects.close()
    """

    def __init__(self, location: Location) -> None:
        root = root_of(location)
        remote = location.connect()
        sizes = remote.sizes()
        self._manifest = RemoteManifest(remote, location.given)
        for path in [path for path in sizes if PurePosixPath(path).name.startswith(UNFINISHED)]:
            remote.remove(path)
            del sizes[path]
        taken = [entry.path for entry in self._manifest.entries.values()]
        paths = _RemotePaths(remote, sizes, taken, _LONGEST_KEY - len(root.encode()))
        super().__init__(location, remote, sizes, self._manifest, paths)

    def finish(self) -> None:
        """Write the manifest."""
        self._manifest.save(at_end=True)

    def close(self) -> None:
        """Write the manifest, if an error came before, and remove what is temporary."""
        self._closed = True
        # After an error the next run does without the last entries, if these cannot be written either.
        with contextlib.suppress(OSError):
            self._manifest.save()
        self._manifest.close()
        super().close()


def root_of(location: Location) -> str:
    """Return the URL of a folder without slashes at its end.

    Raises:
        ValueError: If there is a query in it.
    """
    if "?" in location.url:
        raise ValueError(f"{location.given}; the URL of a folder has no query")
    # The slashes after the scheme stay, also where nothing follows them, as in "hdfs:///".
    scheme, slashes, place = location.url.partition("://")
    return f"{scheme}{slashes}{place.rstrip('/')}"


def open_folder(location: Location, *, durable: bool = True) -> ExportFolder:
    """Return the folder of an export, which is made if it is not there.

    Args:
        location: Its path or URL.
        durable: Whether files on a disk are flushed before they get their names.

    Raises:
        ImportError: If a package for the URL is not installed; the text says which.
        OSError: If it cannot be written, or another export is at work in it.
        TypeError: If it is no path.
        ValueError: If nothing can be called so, or there is no such scheme.
    """
    return RemoteFolder(location) if location.is_remote else LocalFolder(location.path(), durable=durable)


class _UnfinishedObject(UnfinishedFile):
    """A temporary file that becomes an object when it is committed.

    Args:
        folder: The folder that gets the object.
        path: The path of the object in it.
        temporary: The path of the temporary file.
    """

    def __init__(self, folder: RemoteFiles, path: str, temporary: Path) -> None:
        self._folder = folder
        self._path = path
        self._temporary = temporary
        with errors_of(temporary):
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0), 0o600)
        self.file: BinaryIO = io.BufferedWriter(NamedFile(descriptor, temporary))

    @property
    def checksum(self) -> str:
        return ""

    def sync(self) -> None:
        self.file.close()

    def commit(self) -> None:
        self._folder.put(self._temporary, self._path)

    def rollback(self) -> None:
        with contextlib.suppress(OSError):
            self.file.close()
        with contextlib.suppress(OSError):
            self._temporary.unlink()


class _RemotePaths(PathAllocator):
    """The allocator of the paths of objects, by the same rules as on a disk, to which they may be copied."""

    def __init__(self, remote: Remote, there: Iterable[str], taken: List[ExportPath], longest: int) -> None:
        super().__init__(taken, longest)
        #: The IDs in metadata that the manifest does not have, as an export was killed before it wrote that.
        self._ids: Dict[str, List[Optional[str]]] = {}
        known = {path.metadata for path in taken}
        there = list(there)
        for path in there:
            self._add_file(path)

        def read_ids(path: str, _: Cancellation) -> None:
            row = read_metadata(remote.read(path))
            self._ids[path] = [row.get("binaryDataId"), row.get("id")]

        unknown = [path for path in there if path.startswith("metadata/") and path not in known]
        if unknown:
            for_each(unknown, read_ids, min(len(unknown), _READERS))

    def _scan_folder(self, folder: str) -> None:
        """Do nothing, as all objects are known."""

    def _require_encodable(self, path: str) -> None:
        """Do nothing, as the names of objects are UTF-8."""

    def _was_exported(self, path: ExportPath, ids: List[Optional[str]]) -> bool:
        return any(ids) and self._ids.get(path.metadata) == ids
