"""Bringing files home: their contents in parallel, each in its place when it is whole, and one result for each."""

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
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
    Type,
)

import grpc
from typing_extensions import Self

from viam_sync.errors import CancelledError, GRPCError, UnauthenticatedError, ViamError, grpc_error
from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.classification import is_too_large, is_transient
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.export.export_paths import ExportPath, ExportPaths
from viam_sync.transfer.export.manifest import Entry, Manifest
from viam_sync.transfer.export.results import ExportedFile, ExportResult
from viam_sync.transfer.output.atomic import AtomicFile
from viam_sync.transfer.output.binary_folder import UNFINISHED
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.rows import NO_JSON, binary_metadata_row

if TYPE_CHECKING:
    from viam_sync.transfer.export.http_download import Downloads

#: The contents of how many bytes, and of how many files, are asked for at once.
_BATCH, _MOST_IN_BATCH = 4 << 20, 100
#: Contents larger than this come from their URI, in pieces.
_LARGE = 16 << 20
#: What a file counts whose size the service does not tell.
_GUESS = 1 << 20

#: How many files a worker brings to the disk at once, and all of them together; each is open, and its metadata too.
_MOST_IN_GROUP, _MOST_OPEN = 16, 128

#: Errors of the disk that say something of a single file; all others stop the export.
_OF_ONE_FILE = {
    *(errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ, errno.EFBIG, errno.ELOOP),
    *(errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOENT),
}

#: Writes the contents of a file, and returns how many bytes these are.
Write = Callable[[BinaryIO], int]
#: Asks for the contents of files; returns those that the service knows.
Fetch = Callable[[Sequence["pb.BinaryMetadata"], Cancellation], Iterable["pb.BinaryData"]]


class _Item(NamedTuple):
    """A file that is to be brought.

    Attributes:
        number: Its number among the results.
        id: Its ID.
        metadata: What is known of it.
        place: Where it goes.
    """

    number: int
    id: str
    metadata: pb.BinaryMetadata
    place: ExportPath

    @property
    def is_large(self) -> bool:
        return self.metadata.file_size_bytes > _LARGE and bool(self.metadata.uri)


class Export:
    """A run of an export, which is the only one in its folder.

    Args:
        folder: The folder, which must exist.
        fetch: Asks for the contents of files.
        downloads: Gets those of large ones.
        progress: Told of each file that is there, or has failed.

    Attributes:
        result: What has become of it so far.

    Raises:
        OSError: If nothing can be written in the folder, or another export is at work there.
    """

    def __init__(self, folder: Path, fetch: Fetch, downloads: Downloads, progress: Progress) -> None:
        self.result = ExportResult(folder)
        self._folder = folder
        self._fetch = fetch
        self._downloads = downloads
        self._progress = progress
        self._manifest = Manifest(folder)
        self._places = ExportPaths(folder, (entry.place for entry in self._manifest.entries.values()))
        self._lock = threading.Lock()
        self._unfinished: Set[AtomicFile] = set()
        self._ended = False
        #: How many files a worker writes before it waits until they are on the disk.
        self._group = 1

    def run(self, listed: Iterable[pb.BinaryData], workers: int) -> None:
        """Bring the files of a list.

        Args:
            listed: The files, without their contents.
            workers: How many calls may be under way at a time.

        Raises:
            OSError: If the disk is full, or fails in another way that is not that of a single file.
            GRPCError: If the list cannot be had to its end, or the service no longer knows the caller.
        """
        self._group = max(min(_MOST_IN_GROUP, _MOST_OPEN // workers), 1)
        for_each(self._batches(listed), self._bring, workers)
        self.result.listed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        with self._lock:
            # A thread that is late finds that there is nothing left to finish.
            self._ended = True
            unfinished = list(self._unfinished)
        for part in unfinished:
            part.discard()
        self._manifest.__exit__(kind, error, trace)

    def _batches(self, listed: Iterable[pb.BinaryData]) -> Iterator[List[_Item]]:
        """Yield the files that are not there, so many at a time as go into one message."""
        batch: List[_Item] = []
        total = 0
        for item in self._wanted(listed):
            if item.is_large:
                yield [item]
                continue
            size = item.metadata.file_size_bytes or _GUESS
            if batch and (total + size > _BATCH or len(batch) == _MOST_IN_BATCH):
                yield batch
                batch, total = [], 0
            batch.append(item)
            total += size
        if batch:
            yield batch

    def _wanted(self, listed: Iterable[pb.BinaryData]) -> Iterator[_Item]:
        """Yield the files that are not there."""
        seen: Set[str] = set()
        for found in listed:
            metadata = found.metadata
            id = metadata.binary_data_id or metadata.id
            # A file that moves from one page to another while they are asked for comes twice.
            if id and id in seen:
                continue
            seen.add(id)
            number = len(self.result.files)
            self.result.files.append(ExportedFile(id))
            if not id:
                text = "The service gave a file without an ID, so it cannot be asked for."
                self._fail(number, id, grpc_error(grpc.StatusCode.INTERNAL, text))
                continue
            entry = self._manifest.entries.get(id)
            try:
                place = self._places.of(metadata) if entry is None else entry.place
            except NO_JSON as error:
                self._fail(number, id, _unwritable(error))
                continue
            self._places.look_at(place)
            item = _Item(number, id, metadata, place)
            if not self._is_there(item, entry):
                yield item

    def _is_there(self, item: _Item, entry: Optional[Entry]) -> bool:
        """Tell whether a run before this one has brought a file, even if it did not live to write that down."""
        told = item.metadata.file_size_bytes
        size = told if entry is None else entry.size
        if told and told != size:
            return False
        try:
            found = [(self._folder / path).lstat() for path in item.place]
        except OSError:
            return False
        if not all(stat.S_ISREG(each.st_mode) for each in found) or found[0].st_size != size:
            return False
        if entry is None:
            self._manifest.add([Entry(item.id, item.place, size)])
        path = self._folder / item.place.data
        self._settle(item.number, ExportedFile(item.id, path, size, already_there=True))
        return True

    def _bring(self, items: Sequence[_Item], cancellation: Cancellation) -> None:
        """Bring the files of a batch, and write down which are there, whatever happens."""
        done: List[Tuple[_Item, int]] = []
        try:
            for each in self._brought(items, cancellation):
                done.append(each)
        finally:
            try:
                if done:
                    self._manifest.add([Entry(item.id, item.place, size) for item, size in done])
            finally:
                for item, size in done:
                    self._settle(item.number, ExportedFile(item.id, self._folder / item.place.data, size))

    def _brought(self, items: Sequence[_Item], cancellation: Cancellation) -> Iterator[Tuple[_Item, int]]:
        """Bring files, and yield each that is there, and its size."""
        if len(items) == 1 and items[0].is_large:
            yield from self._downloaded(items[0], cancellation)
            return
        try:
            wanted = [item.metadata for item in items]
            found = self._fetch(wanted, cancellation)
        except (CancelledError, UnauthenticatedError):
            raise
        except GRPCError as error:
            yield from self._brought_otherwise(items, error, cancellation)
            return
        by_id = {id: file for file in found for id in (file.metadata.binary_data_id, file.metadata.id) if id}
        for at in range(0, len(items), self._group):
            group = []
            for item in items[at : at + self._group]:
                file = by_id.get(item.metadata.binary_data_id) or by_id.get(item.metadata.id)
                group.append((item, partial(_write_contents, item.metadata, file)))
            yield from self._saved(group)

    def _brought_otherwise(
        self, items: Sequence[_Item], error: GRPCError, cancellation: Cancellation
    ) -> Iterator[Tuple[_Item, int]]:
        """Bring files that could not be had together."""
        too_large = is_too_large(error.status, error.message)
        if len(items) > 1 and (too_large or not is_transient(error)):
            # It may be the fault of one of them.
            middle = len(items) // 2
            yield from self._brought(items[:middle], cancellation)
            yield from self._brought(items[middle:], cancellation)
        elif len(items) == 1 and too_large and items[0].metadata.uri:
            yield from self._downloaded(items[0], cancellation)
        else:
            for item in items:
                self._fail(item.number, item.id, error)

    def _downloaded(self, item: _Item, cancellation: Cancellation) -> Iterator[Tuple[_Item, int]]:
        size = item.metadata.file_size_bytes or None
        return self._saved([(item, lambda out: self._downloads.fetch(item.metadata.uri, out, size, cancellation))])

    def _saved(self, group: Sequence[Tuple[_Item, Write]]) -> Iterator[Tuple[_Item, int]]:
        """Write files and their metadata, and yield each that is there; what is wrong with one becomes its result.

        Nothing gets its name before all of it is on the disk, so not even a power failure leaves half a file under a
        final name. A name, or a line of the manifest, that is lost in one is no harm: the next run looks whether the
        file is there, and brings it again. The disk keeps many files at once for little more than one, if it is told
        of them before anybody waits for the first.
        """
        failure: Optional[OSError] = None
        written: List[Tuple[_Item, int, AtomicFile, AtomicFile]] = []
        with contextlib.ExitStack() as stack:
            for item, write in group:
                try:
                    with self._failing_alone(item):
                        data = stack.enter_context(self._part(item.place.data))
                        size = write(data.file)
                        metadata = stack.enter_context(self._part(item.place.metadata))
                        metadata.file.write(_metadata_json(item.metadata))
                        _send_off(data)
                        _send_off(metadata)
                        written.append((item, size, data, metadata))
                except OSError as error:
                    # Those before it may still have found room.
                    failure = error
                    break
            for item, size, data, metadata in written:
                is_there = False
                with self._failing_alone(item):
                    data.settle()
                    metadata.settle()
                    self._put_in_place(metadata)
                    # Last, so that data without metadata is never ours.
                    self._put_in_place(data)
                    is_there = True
                if is_there:
                    yield item, size
        if failure is not None:
            raise failure

    @contextlib.contextmanager
    def _failing_alone(self, item: _Item) -> Iterator[None]:
        """Let what is wrong with one file alone become its result."""
        try:
            yield
        except CancelledError:
            raise
        except OSError as error:
            if error.errno not in _OF_ONE_FILE:
                raise
            self._fail(item.number, item.id, error)
        except (ViamError, ValueError) as error:  # a name may have no form on the disk
            self._fail(item.number, item.id, error)

    @contextlib.contextmanager
    def _part(self, path: str) -> Iterator[AtomicFile]:
        """Give a file in the making, which is gone at the end unless it was put in its place."""
        target = self._folder / path
        try:
            part = AtomicFile(target, prefix=UNFINISHED)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            part = AtomicFile(target, prefix=UNFINISHED)
        try:
            with self._lock:
                self._unfinished.add(part)
            yield part
        finally:
            part.discard()
            with self._lock:
                self._unfinished.discard(part)

    def _put_in_place(self, part: AtomicFile) -> None:
        with self._lock:
            if self._ended:
                raise CancelledError(grpc.StatusCode.CANCELLED, "The export has ended.")
            part.place()

    def _fail(self, number: int, id: str, error: Exception) -> None:
        # What led to it would keep all that was in memory then.
        self._settle(number, ExportedFile(id, error=error.with_traceback(None)))

    def _settle(self, number: int, file: ExportedFile) -> None:
        if not self._ended:
            self.result.files[number] = file
            self._progress.advance(1)


def _send_off(part: AtomicFile) -> None:
    """Have the system begin to write a file to the disk, where it can be told to; nobody waits for it here."""
    part.file.flush()
    if sys.platform == "linux":
        # It says that nobody will read this soon, and its effect is that what is not on the disk is begun with.
        os.posix_fadvise(part.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


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
    text = f"What the service says of this file has no form in JSON, so it is not kept: {error}"
    return grpc_error(grpc.StatusCode.INTERNAL, text)
