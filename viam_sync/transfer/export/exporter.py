"""The export of files: contents are fetched in parallel, each file appears when it is whole, and each has a result."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import sys
import threading
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import (
    TYPE_CHECKING,
    BinaryIO,
    Callable,
    Iterable,
    Iterator,
    List,
    Optional,
    Sequence,
    Set,
    Tuple,
    Type,
)

import grpc
from typing_extensions import Self

from viam_sync.errors import CancelledError, GRPCError, ViamError, grpc_error
from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.export.batch_fetch import BatchFetch, Outcome
from viam_sync.transfer.export.contents import ContentsFetcher
from viam_sync.transfer.export.limits import ExportLimits
from viam_sync.transfer.export.manifest import Entry, Manifest
from viam_sync.transfer.export.pending import PendingFile
from viam_sync.transfer.export.results import ExportedFile, ExportResult
from viam_sync.transfer.output.atomic import AtomicFile
from viam_sync.transfer.output.export_paths import ExportPaths
from viam_sync.transfer.output.gzipped import is_unzipped, unzip
from viam_sync.transfer.output.named_errors import temporary_file
from viam_sync.transfer.output.names import UNFINISHED
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.rows import NO_JSON, binary_metadata_row

if TYPE_CHECKING:
    from viam_sync.transfer.export.http_download import Downloader

#: The errors of the disk that concern a single file; all others stop the export.
_OF_ONE_FILE = {
    *(errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EFBIG, errno.ELOOP),
    *(errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOENT),
}

#: A file that is there, and its size.
_Done = Tuple[PendingFile, int]
#: Writes the contents of a file, and returns their size in bytes.
Write = Callable[[BinaryIO], int]


class Export:
    """A run of an export, which is the only one in its folder.

    Args:
        folder: The folder, which must exist.
        contents: Asks for the contents of files.
        downloader: Downloads the contents of large files.
        progress: Counts the files that are there, or have failed.
        limits: How much is asked for at a time, and how many files are open.

    Attributes:
        result: The results so far.

    Raises:
        OSError: If nothing can be written in the folder, or another export is at work there.
    """

    def __init__(
        self,
        folder: Path,
        contents: ContentsFetcher,
        downloader: Downloader,
        progress: Progress,
        limits: ExportLimits = ExportLimits(),  # noqa: B008 (it is frozen)
    ) -> None:
        self.result = ExportResult(folder)
        self._folder = folder
        self._batch_fetch = BatchFetch(contents)
        self._downloader = downloader
        self._progress = progress
        self._limits = limits
        self._group_size = 1
        self._manifest = Manifest(folder)
        taken = (entry.path for entry in self._manifest.entries.values())
        self._paths = ExportPaths(folder, taken, remove_unfinished=True)
        self._lock = threading.Lock()
        self._unfinished: Set[AtomicFile] = set()
        self._ended = False

    def run(self, listed: Iterable[pb.BinaryData], workers: int) -> None:
        """Export the files of a list.

        Args:
            listed: The files, without their contents.
            workers: The number of calls that may be under way at a time.

        Raises:
            OSError: If the disk is full, or fails in another way that does not concern a single file.
            GRPCError: If the list cannot be fetched to its end, or the service no longer knows the caller.
        """
        self._group_size = self._limits.group_size(workers)
        for_each(self._batches(listed), self._export_batch, workers)
        self.result.listed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with self._lock:
            # A late thread sees the flag, and commits nothing any more.
            self._ended = True
            unfinished = list(self._unfinished)
        for atomic in unfinished:
            atomic.rollback()
        self._manifest.__exit__(kind, error, trace)

    def _batches(self, listed: Iterable[pb.BinaryData]) -> Iterator[List[PendingFile]]:
        """Yield the files that are not there in batches, each of which one call asks for."""
        limits = self._limits
        batch: List[PendingFile] = []
        total = 0
        for file in self._pending(listed):
            if file.is_large:
                yield [file]
                continue
            size = limits.size_of(file.metadata.file_size_bytes)
            if batch and (total + size > self._batch_fetch.batch_bytes or len(batch) == limits.batch_files):
                yield batch
                batch, total = [], 0
            batch.append(file)
            total += size
        if batch:
            yield batch

    def _pending(self, listed: Iterable[pb.BinaryData]) -> Iterator[PendingFile]:
        """Yield the files that are not there."""
        seen: Set[str] = set()
        for found in listed:
            metadata = found.metadata
            id = metadata.binary_data_id or metadata.id
            # A file that moves from one page to another while they are fetched comes twice.
            if id and id in seen:
                continue
            seen.add(id)
            number = len(self.result.files)
            self.result.files.append(ExportedFile(id))
            if not id:
                text = "The service gave a file without an ID, so it cannot be asked for."
                self._set_failed(number, id, grpc_error(grpc.StatusCode.INTERNAL, text))
                continue
            entry = self._manifest.entries.get(id)
            try:
                path = self._paths.allocate(metadata) if entry is None else entry.path
                self._paths.scan(path)
            except NO_JSON as error:
                self._set_failed(number, id, _unwritable(error))
                continue
            except OSError as error:  # its name cannot be written
                self._set_failed(number, id, error)
                continue
            is_large = metadata.file_size_bytes > self._limits.large_file and bool(metadata.uri)
            file = PendingFile(number, id, metadata, path, is_large)
            if not self._is_there(file, entry):
                yield file

    def _is_there(self, file: PendingFile, entry: Optional[Entry]) -> bool:
        """Tell whether an earlier run has exported a file, even if it crashed before the manifest had it."""
        if file.id in self._manifest.disputed:
            return False
        # The size of what is gzipped tells nothing about the file on the disk.
        told = 0 if is_unzipped(file.metadata, file.path.data) else file.metadata.file_size_bytes
        size = told if entry is None else entry.size
        if told and told != size:
            return False
        try:
            found = [(self._folder / path).lstat() for path in file.path]
        except OSError:
            return False
        if not all(stat.S_ISREG(each.st_mode) for each in found) or found[0].st_size != size:
            return False
        if entry is None:
            self._manifest.add([Entry(file.id, file.path, size)])
        path = self._folder / file.path.data
        self._set_result(file.number, ExportedFile(file.id, path, size, already_there=True))
        return True

    def _export_batch(self, files: Sequence[PendingFile], cancellation: Cancellation) -> None:
        """Export the files of a batch, and add those that are there to the manifest, whatever happens."""
        done: List[_Done] = []
        try:
            if files[0].is_large:
                done.extend(self._downloaded(files[0], cancellation))
            else:
                self._batch_fetch.fetch(files, cancellation, partial(self._take, cancellation, done))
        finally:
            try:
                if done:
                    self._manifest.add([Entry(file.id, file.path, size) for file, size in done])
            finally:
                for file, size in done:
                    self._set_result(file.number, ExportedFile(file.id, self._folder / file.path.data, size))

    def _take(self, cancellation: Cancellation, done: List[_Done], outcome: Outcome) -> bool:
        """Save the files that a request has brought, and add them to ``done``; tell whether all of them are there."""
        before = len(done)
        if outcome.error is None:
            done.extend(self._saved_in_groups(outcome))
        elif outcome.needs_download:
            done.extend(self._downloaded(outcome.files[0], cancellation))
        else:
            for file in outcome.files:
                self._set_failed(file.number, file.id, outcome.error)
        return len(done) - before == len(outcome.files)

    def _saved_in_groups(self, outcome: Outcome) -> Iterator[_Done]:
        files, found = outcome.files, outcome.found
        for start in range(0, len(files), self._group_size):
            group = []
            for file in files[start : start + self._group_size]:
                contents = found.get(file.metadata.binary_data_id) or found.get(file.metadata.id)
                group.append((file, partial(_write_contents, file.metadata, contents)))
            yield from self._saved(group)

    def _downloaded(self, file: PendingFile, cancellation: Cancellation) -> Iterator[_Done]:
        size = file.metadata.file_size_bytes or None
        uri = file.metadata.uri
        return self._saved([(file, lambda out: self._downloader.fetch(uri, out, size, cancellation))])

    def _saved(self, group: Sequence[Tuple[PendingFile, Write]]) -> Iterator[_Done]:
        """Write files and their metadata, and yield each that is there; an error of one file becomes its result.

        A file gets its name after all of it was flushed to the disk, so not even a power failure leaves half a file
        under a final name. A name, or a line of the manifest, that a power failure loses does no harm: the next run
        looks whether the file is there, and fetches it again. Flushing many files at once costs the disk little more
        than one, if the system knows of all of them before the first is waited for.
        """
        failure: Optional[OSError] = None
        written: List[Tuple[PendingFile, int, AtomicFile, AtomicFile]] = []
        with contextlib.ExitStack() as stack:
            for file, write in group:
                try:
                    with self._failure_of(file):
                        data = stack.enter_context(self._unfinished_file(file.path.data))
                        size = self._written(file, write, data.file)
                        metadata = stack.enter_context(self._unfinished_file(file.path.metadata))
                        metadata.file.write(_metadata_json(file.metadata))
                        _begin_flush(data)
                        _begin_flush(metadata)
                        written.append((file, size, data, metadata))
                except OSError as error:
                    # The files before it may still have found room.
                    failure = error
                    break
            for file, size, data, metadata in written:
                is_there = False
                with self._failure_of(file):
                    data.sync()
                    metadata.sync()
                    self._commit(metadata)
                    # The data comes last, so that data without metadata is never ours.
                    self._commit(data)
                    is_there = True
                if is_there:
                    yield file, size
        if failure is not None:
            raise failure

    def _written(self, file: PendingFile, write: Write, out: BinaryIO) -> int:
        """Write the contents of a file, unzipped if need be, and return their size."""
        if not is_unzipped(file.metadata, file.path.data):
            return write(out)
        with temporary_file(self._folder, self._folder / file.path.data) as zipped:
            write(zipped)
            zipped.seek(0)
            return unzip(zipped, out)

    @contextlib.contextmanager
    def _failure_of(self, file: PendingFile) -> Iterator[None]:
        """Let an error that concerns a single file become its result."""
        try:
            yield
        except CancelledError:
            raise
        except OSError as error:
            if error.errno not in _OF_ONE_FILE:
                raise
            self._set_failed(file.number, file.id, error)
        except (ViamError, ValueError) as error:  # a name may have no form on the disk
            self._set_failed(file.number, file.id, error)

    @contextlib.contextmanager
    def _unfinished_file(self, path: str) -> Iterator[AtomicFile]:
        """Make an unfinished file, which is removed at the end unless it was committed."""
        target = self._folder / path
        try:
            atomic = AtomicFile(target, prefix=UNFINISHED)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            atomic = AtomicFile(target, prefix=UNFINISHED)
        try:
            with self._lock:
                self._unfinished.add(atomic)
            yield atomic
        finally:
            atomic.rollback()
            with self._lock:
                self._unfinished.discard(atomic)

    def _commit(self, atomic: AtomicFile) -> None:
        with self._lock:
            if self._ended:
                raise CancelledError(grpc.StatusCode.CANCELLED, "The export has ended.")
            atomic.commit()

    def _set_failed(self, number: int, id: str, error: Exception) -> None:
        # The traceback would keep alive all that was in memory then.
        self._set_result(number, ExportedFile(id, error=error.with_traceback(None)))

    def _set_result(self, number: int, file: ExportedFile) -> None:
        if not self._ended:
            self.result.files[number] = file
            self._progress.advance(1)


def _begin_flush(atomic: AtomicFile) -> None:
    """Have the system begin to write a file to the disk, where it can be told to, without waiting for it."""
    atomic.file.flush()
    if sys.platform == "linux":
        # The advice is that nobody will read the file soon; its effect is that the system begins to write it.
        os.posix_fadvise(atomic.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _write_contents(metadata: pb.BinaryMetadata, file: Optional[pb.BinaryData], out: BinaryIO) -> int:
    if file is None:
        text = "The service listed this file, and does not know it any more; it may have been deleted meanwhile."
        raise grpc_error(grpc.StatusCode.NOT_FOUND, text)
    told = file.metadata.file_size_bytes or metadata.file_size_bytes
    if told and told != len(file.binary):
        text = f"The file should have {told} bytes, and came with {len(file.binary)}, so it is not kept."
        raise grpc_error(grpc.StatusCode.DATA_LOSS, text)
    return out.write(file.binary)


def _metadata_json(metadata: pb.BinaryMetadata) -> bytes:
    try:
        return (json.dumps(binary_metadata_row(metadata), indent=4) + "\n").encode()
    except NO_JSON as error:
        raise _unwritable(error) from error


def _unwritable(error: Exception) -> GRPCError:
    text = f"The metadata of this file has no form in JSON, so it is not kept: {error}"
    return grpc_error(grpc.StatusCode.INTERNAL, text)
