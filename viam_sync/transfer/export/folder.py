"""What an export needs of its folder, wherever that is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import BinaryIO, Optional, Protocol, Union

import grpc

from viam_sync.errors import CancelledError
from viam_sync.transfer.export.manifest import ManifestLines
from viam_sync.transfer.output.export_paths import ExportPath, PathAllocator

#: A place of an export: a path on the disk, or a URL of another store.
Place = Union[Path, str]


class UnfinishedFile(Protocol):
    """A file that appears, whole, when it is committed.

    Attributes:
        file: The open file, to write to.
        checksum: The checksum of what was written, in hexadecimal, if ``sync`` has left the flushing to the system;
            ``""`` if all is flushed.
    """

    file: BinaryIO

    @property
    def checksum(self) -> str:
        """The checksum of what was written, if that is not flushed."""
        raise NotImplementedError

    def sync(self) -> None:
        """Flush all of it to the disk, and close it."""

    def commit(self) -> None:
        """Let it appear; a file that is there is replaced."""

    def rollback(self) -> None:
        """Remove what is unfinished; after ``commit``, and a second time, this does nothing."""


class ExportFolder(ABC):
    """A folder that files are exported to; paths within it have slashes.

    Attributes:
        root: The folder.
        manifest: Its manifest, which no other export may write meanwhile.
        paths: The allocator of paths in it.
    """

    root: Place
    manifest: ManifestLines
    paths: PathAllocator

    @abstractmethod
    def begin(self) -> None:
        """Take note that files are written from now on.

        Raises:
            OSError: If that fails.
        """

    @abstractmethod
    def place(self, path: str) -> Place:
        """Return where a path within the folder is, for the caller."""

    @abstractmethod
    def size_of(self, path: str) -> Optional[int]:
        """Return the size of a file in bytes; None if there is no file, such as a link."""

    @abstractmethod
    def read(self, path: str) -> Optional[bytes]:
        """Return the contents of a small file; None if there is none that can be read."""

    @abstractmethod
    def unfinished_file(self, path: str) -> UnfinishedFile:
        """Return a file that appears under this path when it is committed.

        Raises:
            OSError: If it cannot be made.
        """

    @abstractmethod
    def begin_flush(self, unfinished: UnfinishedFile) -> None:
        """Have the system begin to write a file to the disk, where it can be told to, without waiting for it."""

    @abstractmethod
    def commit(self, unfinished: UnfinishedFile) -> None:
        """Let a file appear that is unfinished, unless the folder is closed.

        Raises:
            CancelledError: If the folder is closed.
            OSError: If that fails.
        """

    @abstractmethod
    def flush_if_whole(self, path: ExportPath, checksums: str) -> bool:
        """Flush a file that was written without it, and its metadata, to the disk.

        Args:
            path: Its paths.
            checksums: The checksums of the metadata and of the contents.

        Returns:
            Whether it is whole, and on the disk now.
        """

    @abstractmethod
    def flush_metadata(self, path: ExportPath) -> bool:
        """Flush the metadata of a file to the disk, unless no run can have left it unflushed.

        Args:
            path: The paths of the file.

        Returns:
            Whether it is on the disk now.
        """

    @abstractmethod
    def temporary_file(self, path: str) -> BinaryIO:
        """Return a file for contents on their way to a path, which is gone when it is closed.

        Raises:
            OSError: If it cannot be made.
        """

    @abstractmethod
    def is_of_one_file(self, error: OSError) -> bool:
        """Tell whether an error concerns a single file; all others stop the export."""

    @abstractmethod
    def remove(self, path: str) -> None:
        """Remove a file, and the folders that are empty without it; one that is not there is no error.

        Raises:
            OSError: If it cannot be removed.
        """

    @abstractmethod
    def finish(self) -> None:
        """Let the manifest have one line for each file.

        Raises:
            OSError: If that fails.
        """

    @abstractmethod
    def close(self) -> None:
        """Leave the folder to the next export, however this one ended; a late thread commits nothing any more."""


def closed_folder() -> CancelledError:
    """Return the error of a late thread."""
    return CancelledError(grpc.StatusCode.CANCELLED, "The export has ended.")
