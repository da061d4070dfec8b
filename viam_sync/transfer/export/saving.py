"""Saving files: each appears in the folder when it is whole, its metadata before its contents."""

from __future__ import annotations

import contextlib
import threading
from typing import BinaryIO, Callable, ContextManager, Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

import grpc

from viam_sync.errors import CancelledError, ViamError, grpc_error
from viam_sync.proto.app import data as pb
from viam_sync.transfer.export.exported_metadata import MetadataWriter
from viam_sync.transfer.export.folder import ExportFolder, UnfinishedFile
from viam_sync.transfer.export.pending import PendingFile
from viam_sync.transfer.output.gzipped import is_unzipped, unzip

#: Writes the contents of a file, and returns their size in bytes.
Write = Callable[[BinaryIO], int]
#: Takes a file, and the error that is its result.
Fail = Callable[[PendingFile, Exception], None]


class SavedFile(NamedTuple):
    """A file that is there.

    Attributes:
        file: The file.
        size: The size of its contents in the folder, in bytes.
        metadata_updated: Whether its contents were there, and its metadata was written anew.
        already_there: Whether its contents were there.
        checksums: The checksums of what was written, if that is not flushed; ``""`` if it is.
    """

    file: PendingFile
    size: int
    already_there: bool = False
    metadata_updated: bool = False
    checksums: str = ""


class Saver:
    """Saves files in a folder; workers share it.

    Args:
        folder: The folder.
    """

    def __init__(self, folder: ExportFolder) -> None:
        self._folder = folder
        self._metadata = MetadataWriter()
        self._lock = threading.Lock()
        #: Held by the worker that writes contents which are in memory. Between the calls of the system, of which each
        #: gives the interpreter away, several would keep each other from it, and take longer than one after the other.
        self._writing = threading.Lock()
        self._unfinished: Set[UnfinishedFile] = set()

    def save(
        self, group: Sequence[Tuple[PendingFile, Write]], fail: Fail, *, in_memory: bool = True
    ) -> Iterator[SavedFile]:
        """Write files and their metadata, and yield each that is there; an error of one file becomes its result.

        A file gets its name after all of it was flushed to the disk, so not even a power failure leaves half a file
        under a final name. A name, or a line of the manifest, that a power failure loses does no harm: the next run
        looks whether the file is there, and fetches it again. Flushing many files at once costs the disk little more
        than one, if the system knows of all of them before the first is waited for.

        Args:
            group: The files, and the functions that write their contents.
            fail: Takes a file that cannot be saved, and the error.
            in_memory: Whether the contents are in memory, so that nothing but the disk is waited for.
        """
        turn = self._writing if in_memory else contextlib.nullcontext()
        return self._save([(file, write, 0) for file, write in group], fail, turn)

    def save_metadata(self, group: Sequence[Tuple[PendingFile, int]], fail: Fail) -> Iterator[SavedFile]:
        """Write the metadata of files whose contents, of these sizes, are there, and yield each when it is done."""
        return self._save([(file, None, size) for file, size in group], fail, self._writing)

    def rollback(self) -> None:
        """Remove all that is unfinished."""
        with self._lock:
            unfinished = list(self._unfinished)
        for each in unfinished:
            each.rollback()

    def _save(
        self,
        group: Sequence[Tuple[PendingFile, Optional[Write], int]],
        fail: Fail,
        turn: ContextManager[object],
    ) -> Iterator[SavedFile]:
        failure: Optional[OSError] = None
        written: List[Tuple[SavedFile, List[UnfinishedFile]]] = []
        with contextlib.ExitStack() as stack:
            with turn:
                for file, write, known_size in group:
                    try:
                        with self._failure_of(file, fail):
                            parts, size = self._written(file, write, known_size, stack)
                            is_there = write is None
                            written.append((SavedFile(file, size, is_there, metadata_updated=is_there), parts))
                    except OSError as error:
                        # The files before it may still have found room.
                        failure = error
                        break
            for saved, parts in written:
                is_committed = False
                with self._failure_of(saved.file, fail):
                    for part in reversed(parts):
                        part.sync()
                    for part in parts:
                        self._folder.commit(part)
                    is_committed = True
                if is_committed:
                    yield saved._replace(checksums="".join(part.checksum for part in parts))
        if failure is not None:
            raise failure

    def _written(
        self, file: PendingFile, write: Optional[Write], known_size: int, stack: contextlib.ExitStack
    ) -> Tuple[List[UnfinishedFile], int]:
        """Write a file under temporary names, which it loses with the stack; return its parts, and its size."""
        parts = [stack.enter_context(self._unfinished_file(file.path.metadata))]
        size = known_size
        parts[0].file.write(self._metadata.json(file.metadata))
        if write is not None:
            # The data comes last, so that data without metadata is never ours.
            parts.append(stack.enter_context(self._unfinished_file(file.path.data)))
            size = self._write(file, write, parts[1].file)
        for part in parts:
            self._folder.begin_flush(part)
        return parts, size

    def _write(self, file: PendingFile, write: Write, out: BinaryIO) -> int:
        """Write the contents of a file, unzipped if need be, and return their size."""
        if not is_unzipped(file.metadata, file.path.data):
            return write(out)
        with self._folder.temporary_file(file.path.data) as zipped:
            write(zipped)
            zipped.seek(0)
            return unzip(zipped, out)

    @contextlib.contextmanager
    def _failure_of(self, file: PendingFile, fail: Fail) -> Iterator[None]:
        """Let an error that concerns a single file become its result."""
        try:
            yield
        except CancelledError:
            raise
        except OSError as error:
            if not self._folder.is_of_one_file(error):
                raise
            fail(file, error)
        except (ViamError, ValueError) as error:  # a name may have no form on the disk
            fail(file, error)

    @contextlib.contextmanager
    def _unfinished_file(self, path: str) -> Iterator[UnfinishedFile]:
        """Make an unfinished file, which is removed at the end unless it was committed."""
        unfinished = self._folder.unfinished_file(path)
        try:
            with self._lock:
                self._unfinished.add(unfinished)
            yield unfinished
        finally:
            unfinished.rollback()
            with self._lock:
                self._unfinished.discard(unfinished)


def write_contents(metadata: pb.BinaryMetadata, file: Optional[pb.BinaryData], out: BinaryIO) -> int:
    """Write the contents that the service gave for a file, and return their size.

    Args:
        metadata: The metadata of the file as it was listed.
        file: The response for it; None if the service does not know it.
        out: The file to write to.

    Raises:
        GRPCError: If there are none, or they are not of the size that the service tells.
    """
    if file is None:
        text = "The service listed this file, and does not know it any more; it may have been deleted meanwhile."
        raise grpc_error(grpc.StatusCode.NOT_FOUND, text)
    told = file.metadata.file_size_bytes or metadata.file_size_bytes
    if told and told != len(file.binary):
        text = f"The file should have {told} bytes, and came with {len(file.binary)}, so it is not kept."
        raise grpc_error(grpc.StatusCode.DATA_LOSS, text)
    return out.write(file.binary)
