"""The folder of an export on the disk: files are flushed before they get their names, and one export has it open."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
import threading
import zlib
from pathlib import Path
from typing import BinaryIO, Iterator, Optional, Type, Union, cast

from viam_sync.transfer.export.folder import ExportFolder, UnfinishedFile, closed_folder
from viam_sync.transfer.export.manifest import Manifest, ManifestLines
from viam_sync.transfer.output.atomic import AtomicFile
from viam_sync.transfer.output.export_paths import DATA_LAYOUT, ExportPath, ExportPaths, Layout, PathAllocator
from viam_sync.transfer.output.named_errors import ChecksumFile, temporary_file
from viam_sync.transfer.output.names import UNFINISHED

#: The errors of the disk that concern a single file.
_OF_ONE_FILE = {
    *(errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EFBIG, errno.ELOOP),
    *(errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOENT),
}

#: The hexadecimal digits of a checksum, and the bytes that are read at a time for one.
_DIGITS, _BLOCK = 8, 1 << 20


class _FlushedFile(AtomicFile):
    """An unfinished file that is flushed to the disk."""

    @property
    def checksum(self) -> str:
        return ""


class _UnflushedFile(AtomicFile):
    """An unfinished file that the system flushes when it likes."""

    file_type = ChecksumFile

    def sync(self) -> None:
        self.close()

    @property
    def checksum(self) -> str:
        return _digits_of(cast(ChecksumFile, cast(io.BufferedWriter, self.file).raw).checksum)


class LocalFiles(ExportFolder):
    """The files in a folder on the disk.

    Args:
        root: The folder.
        manifest: The manifest.
        paths: The allocator of paths.
        durable: Whether files are flushed before they get their names.
    """

    def __init__(self, root: Path, manifest: ManifestLines, paths: PathAllocator, *, durable: bool = True) -> None:
        self.root = self._root = root
        self._durable = durable
        self._new_file: Type[Union[_FlushedFile, _UnflushedFile]] = _FlushedFile if durable else _UnflushedFile
        self._prefix = os.path.join(root, "")
        self.manifest, self.paths = manifest, paths
        self._lock = threading.Lock()
        self._closed = False

    def begin(self) -> None:
        """Do nothing, as another process has the manifest."""

    def place(self, path: str) -> Path:
        """Return the path on the disk."""
        return self._root / path

    def size_of(self, path: str) -> Optional[int]:
        """Return the size of a file in bytes; None for a link, and for all else that is no file."""
        try:
            status = os.lstat(self._at(path))
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def read(self, path: str) -> Optional[bytes]:
        """Return the contents of a file; None if it cannot be read, or is a link or a pipe, which may not end."""
        if self.size_of(path) is None:
            return None
        try:
            with open(self._at(path), "rb") as file:
                return file.read()
        except OSError:
            return None

    def unfinished_file(self, path: str) -> UnfinishedFile:
        """Return a file beside the path, in a folder that is made if need be; nothing is written through a link."""
        self._require_no_links(path)
        target = self._at(path)
        try:
            return self._new_file(target, prefix=UNFINISHED)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            return self._new_file(target, prefix=UNFINISHED)

    def begin_flush(self, unfinished: UnfinishedFile) -> None:
        """Have Linux begin to write a file to the disk, if it is flushed later."""
        if not self._durable:
            return
        unfinished.file.flush()
        if sys.platform == "linux":
            # The advice is that nobody will read the file soon; its effect is that the system begins to write it.
            os.posix_fadvise(unfinished.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    def commit(self, unfinished: UnfinishedFile) -> None:
        """Give a file its name, unless the folder is closed."""
        with self._lock:
            if self._closed:
                raise closed_folder()
            unfinished.commit()

    def flush_if_whole(self, path: ExportPath, checksums: str) -> bool:
        """Read a file and its metadata, and flush both if they are whole."""
        try:
            return all(
                _flush_if_same(self._at(each), checksum)
                for each, checksum in ((path.metadata, checksums[:_DIGITS]), (path.data, checksums[_DIGITS:]))
            )
        except OSError:
            return False

    def flush_metadata(self, path: ExportPath) -> bool:
        """Flush the metadata of a file, if a run has flushed nothing."""
        if not self.manifest.may_be_torn:
            return True
        try:
            with open(self._at(path.metadata), "r+b", buffering=0) as file:
                os.fsync(file.fileno())
        except OSError:
            return False
        return True

    def temporary_file(self, path: str) -> BinaryIO:
        """Return a file on the same disk."""
        return temporary_file(self._root, self.place(path))

    def is_of_one_file(self, error: OSError) -> bool:
        """Tell whether an error of the disk concerns a single file."""
        return error.errno in _OF_ONE_FILE

    def remove(self, path: str) -> None:
        """Remove a file, and the folders that are empty without it; nothing is removed through a link."""
        self._require_no_links(path)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._at(path))
        # A folder that is not empty is in use.
        with contextlib.suppress(OSError):
            for parent in self._parents(path):
                os.rmdir(parent)

    def _at(self, path: str) -> str:
        """Return the path on the disk as a text, which takes the system a tenth of the time that a Path takes."""
        return f"{self._prefix}{path}"

    def _parents(self, path: str) -> Iterator[str]:
        """Yield the folders that a path goes through, the innermost first, but for the one that all go through."""
        folder = path.rpartition("/")[0]
        while "/" in folder:
            yield self._at(folder)
            folder = folder.rpartition("/")[0]

    def _require_no_links(self, path: str) -> None:
        """Refuse a path through a link; the folder itself, and those at its top, may be links."""
        if any(map(os.path.islink, self._parents(path))):
            raise OSError(errno.ELOOP, "its path goes through a link, which no export has made", self._at(path))

    def finish(self) -> None:
        """Do nothing, as the manifest has its lines."""

    def close(self) -> None:
        """Commit nothing any more."""
        with self._lock:
            self._closed = True


class LocalFolder(LocalFiles):
    """A folder on the disk.

    Args:
        root: The folder; it is made if it is not there.
        layout: The places of files in it.
        durable: Whether files are flushed before they get their names; otherwise, the manifest has their checksums.

    Raises:
        OSError: If nothing can be written in the folder, or another export is at work there.

    Example:
        >>> from viam_sync.transfer.export.local_folder import LocalFolder
        >>> local = LocalFolder(folder / "new")
        >>> unfinished = local.unfinished_file("data/pets/cat.png")
        >>> _ = unfinished.file.write(b"PNG")
        >>> unfinished.sync()
        >>> local.size_of("data/pets/cat.png") is None
        True
        >>> local.commit(unfinished)
        >>> local.size_of("data/pets/cat.png")
        3
    """

    def __init__(self, root: Path, layout: Layout = DATA_LAYOUT, *, durable: bool = True) -> None:
        if root.is_file():
            raise FileExistsError(f"folder is {str(root)!r}, a file; name a folder, which need not exist yet")
        root.mkdir(parents=True, exist_ok=True)
        self._manifest = Manifest(root, layout.top)
        taken = (entry.path for entry in self._manifest.entries.values())
        may_be_torn = self._manifest.may_be_torn
        paths = ExportPaths(root, taken, layout=layout, remove_unfinished=True, may_be_torn=may_be_torn)
        super().__init__(root, self._manifest, paths, durable=durable)
        for unfinished in root.glob(f"{UNFINISHED}*.part"):
            unfinished.unlink()

    def begin(self) -> None:
        """Let the manifest tell if files are not flushed."""
        if not self._durable:
            self._manifest.leave_unflushed()

    def finish(self) -> None:
        """Let the manifest have one line for each file."""
        self._manifest.tidy()

    def close(self) -> None:
        """Leave the folder to the next export."""
        super().close()
        self._manifest.close()


def _flush_if_same(path: str, checksum: str) -> bool:
    """Flush a file, if its contents have a checksum; tell whether they do."""
    found = 0
    with open(path, "r+b", buffering=0) as file:
        for block in iter(lambda: file.read(_BLOCK), b""):
            found = zlib.crc32(block, found)
        if _digits_of(found) != checksum:
            return False
        os.fsync(file.fileno())
    return True


def _digits_of(checksum: int) -> str:
    return f"{checksum:0{_DIGITS}x}"
