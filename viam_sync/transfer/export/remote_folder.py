"""The folder of an export in a bucket or on a server: whole objects, and one listing that tells what is there."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Dict, Iterable, List, Optional

from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.export.exported_metadata import read_metadata
from viam_sync.transfer.export.folder import ExportFolder, UnfinishedFile, closed_folder
from viam_sync.transfer.export.remote_manifest import RemoteManifest
from viam_sync.transfer.output.export_paths import ExportPath, PathAllocator
from viam_sync.transfer.output.names import UNFINISHED
from viam_sync.transfer.output.remote import Remote

#: The longest name of an object in S3, Google Cloud Storage and Azure, in bytes.
_LONGEST_KEY = 1024
#: How many files of metadata are read at a time.
_READERS = 16


class RemoteFolder(ExportFolder):
    """A folder of objects.

    Contents gather in a temporary file of this computer, and are put as one object then. No call asks for a single
    object that is there: one listing knows them all.

    Args:
        remote: The folder.
        url: Its URL as the caller gave it.

    Raises:
        OSError: If the store refuses to list it.

    Example:
        >>> from viam_sync.transfer.export.remote_folder import RemoteFolder
        >>> from viam_sync.transfer.output.remote import Remote
        >>> objects = RemoteFolder(Remote("folder", "memory://pets"), "memory://pets")
        >>> unfinished = objects.unfinished_file("data/cat.png")
        >>> _ = unfinished.file.write(b"PNG")
        >>> unfinished.sync()
        >>> objects.commit(unfinished)
        >>> objects.size_of("data/cat.png"), objects.place("data/cat.png")
        (3, 'memory://pets/data/cat.png')
        >>> objects.remove("data/cat.png")
        >>> objects.close()
    """

    root: str

    def __init__(self, remote: Remote, url: str) -> None:
        self.root = url.rstrip("/")
        self._remote = remote
        self._closed = False
        self._sizes = remote.sizes()
        self._manifest = self.manifest = RemoteManifest(remote)
        for path in [path for path in self._sizes if PurePosixPath(path).name.startswith(UNFINISHED)]:
            self.remove(path)
        self.paths = _RemotePaths(remote, self._sizes, [entry.path for entry in self.manifest.entries.values()])
        self._temporary = tempfile.TemporaryDirectory(prefix="viam-export-")

    def place(self, path: str) -> str:
        return f"{self.root}/{path}"

    def size_of(self, path: str) -> Optional[int]:
        return self._sizes.get(path)

    def read(self, path: str) -> Optional[bytes]:
        try:
            return self._remote.read(path)
        except FileNotFoundError:
            return None

    def unfinished_file(self, path: str) -> UnfinishedFile:
        return _UnfinishedObject(self, path)

    def begin_flush(self, unfinished: UnfinishedFile) -> None:
        """Do nothing, as the store flushes."""

    def commit(self, unfinished: UnfinishedFile) -> None:
        if self._closed:
            raise closed_folder()
        unfinished.commit()

    def temporary_file(self, path: str) -> BinaryIO:
        # The ending tells fsspec the type of the contents.
        name = self._temporary.name
        return tempfile.NamedTemporaryFile(dir=name, suffix=PurePosixPath(path).suffix, delete=False)

    def is_of_one_file(self, error: OSError) -> bool:
        """Return False: a store that refuses one object is likely to refuse all."""
        return False

    def put(self, contents: Path, path: str) -> None:
        """Write a local file as an object."""
        self._remote.write(contents, path)
        self._sizes[path] = contents.stat().st_size

    def remove(self, path: str) -> None:
        self._remote.remove(path)
        self._sizes.pop(path, None)

    def finish(self) -> None:
        self._manifest.save(at_end=True)

    def close(self) -> None:
        self._closed = True
        # After an error the next run does without the last entries, if these cannot be written either.
        with contextlib.suppress(OSError):
            self._manifest.save()
        self._manifest.close()
        self._temporary.cleanup()


class _UnfinishedObject(UnfinishedFile):
    """A temporary file that becomes an object when it is committed."""

    def __init__(self, folder: RemoteFolder, path: str) -> None:
        self._folder = folder
        self._path = path
        self.file = folder.temporary_file(path)

    def sync(self) -> None:
        self.file.close()

    def commit(self) -> None:
        self._folder.put(Path(self.file.name), self._path)

    def rollback(self) -> None:
        with contextlib.suppress(OSError):
            self.file.close()
            Path(self.file.name).unlink()


class _RemotePaths(PathAllocator):
    """The allocator of the paths of objects, by the same rules as on a disk, to which they may be copied."""

    def __init__(self, remote: Remote, there: Iterable[str], taken: List[ExportPath]) -> None:
        super().__init__(taken, _LONGEST_KEY - len(remote.shown.encode()))
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
        for_each(unknown, read_ids, min(len(unknown), _READERS))

    def _scan_folder(self, folder: str) -> None:
        """Do nothing, as all objects are known."""

    def _require_encodable(self, path: str) -> None:
        """Do nothing, as the names of objects are UTF-8."""

    def _was_exported(self, path: ExportPath, ids: List[Optional[str]]) -> bool:
        return any(ids) and self._ids.get(path.metadata) == ids
