"""The export of files: contents are fetched in parallel, each file appears when it is whole, and each has a result."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Callable, Iterable, Iterator, List, Optional, Sequence, Set, Tuple, Union

import grpc
from typing_extensions import Self

from viam_sync.errors import grpc_error
from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.export.contents import ContentsFetcher
from viam_sync.transfer.export.earlier_runs import GoneFiles, size_there
from viam_sync.transfer.export.exported_metadata import (
    metadata_digest,
    read_metadata,
    tells_the_same,
    unwritable_metadata,
)
from viam_sync.transfer.export.file_fetcher import DirectFetcher, FileFetcher
from viam_sync.transfer.export.folder import ExportFolder
from viam_sync.transfer.export.limits import ExportLimits
from viam_sync.transfer.export.local_folder import LocalFolder
from viam_sync.transfer.export.manifest import Entry
from viam_sync.transfer.export.pending import PendingFile
from viam_sync.transfer.export.results import ExportedFile, ExportResult
from viam_sync.transfer.export.saving import SavedFile, Saver
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.rows import NO_JSON

if TYPE_CHECKING:
    from viam_sync.transfer.export.http_download import Downloader

#: A file whose contents are there, and their size; what is new of its metadata is not known.
_Present = Tuple[PendingFile, int]
#: Does the work for a batch: takes the cancellation of its calls, and adds the files that are there to a list.
_Work = Callable[[Cancellation, List[SavedFile]], None]


class ExportRun:
    """A run of an export, which is the only one in its folder, wherever the files are fetched.

    Args:
        folder: The folder.
        fetcher: Fetches files into the folder.
        progress: Counts the files that are there, or have failed.
        limits: How much is fetched at a time, and how many files are open.

    Attributes:
        result: The results so far.
    """

    def __init__(self, folder: ExportFolder, fetcher: FileFetcher, progress: Progress, limits: ExportLimits) -> None:
        self._folder = folder
        self.result = ExportResult(folder.root)
        self._fetcher = fetcher
        self._progress = progress
        self._limits = limits
        self._group_size = 1
        self._saver = Saver(folder)
        self._listed: Set[str] = set()
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
        self._folder.begin()
        self._fetcher.begin(workers)
        for_each(self._batches(listed), self._do, workers)
        self.result.listed = True

    def finish(self, workers: int, *, remove_gone: bool) -> None:
        """Find the files of earlier runs that are not in the list, which was fetched to its end.

        Args:
            workers: The number of files that may be removed at a time.
            remove_gone: Whether to remove them.

        Raises:
            OSError: If the disk or the store fails in a way that does not concern a single file.
        """
        gone = GoneFiles(self._folder, self._listed)
        self.result.gone = gone.results
        if remove_gone:
            gone.remove(workers)
        self._folder.finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._ended = True
        self._folder.close()
        self._fetcher.rollback()
        self._saver.rollback()

    def _batches(self, listed: Iterable[pb.BinaryData]) -> Iterator[_Work]:
        """Yield the work for batches of files: contents that one call asks for, or metadata that is compared."""
        limits = self._limits
        batch: List[PendingFile] = []
        present: List[_Present] = []
        total = 0
        for file, known_size in self._to_do(listed):
            if known_size is not None:
                present.append((file, known_size))
                if len(present) == limits.batch_files:
                    yield partial(self._compare, present)
                    present = []
                continue
            if file.is_large:
                yield partial(self._fetch, [file])
                continue
            size = limits.size_of(file.metadata.file_size_bytes)
            if batch and (total + size > self._fetcher.batch_bytes or len(batch) == limits.batch_files):
                yield partial(self._fetch, batch)
                batch, total = [], 0
            batch.append(file)
            total += size
        if batch:
            yield partial(self._fetch, batch)
        if present:
            yield partial(self._compare, present)

    def _to_do(self, listed: Iterable[pb.BinaryData]) -> Iterator[Tuple[PendingFile, Optional[int]]]:
        """Yield the files whose contents or metadata may not be there, with the size of contents that are."""
        for found in listed:
            metadata = found.metadata
            id = metadata.binary_data_id or metadata.id
            # A file that moves from one page to another while they are fetched comes twice.
            if id and id in self._listed:
                continue
            self._listed.add(id)
            file = self._pending(metadata, id)
            if file is None:
                continue
            entry = self._folder.manifest.entries.get(id)
            size = size_there(self._folder, file, entry)
            if size is not None and entry is not None and (entry.digest, entry.checksums) == (file.digest, ""):
                self._set_done(SavedFile(file, size, already_there=True))
            else:
                yield file, size

    def _pending(self, metadata: pb.BinaryMetadata, id: str) -> Optional[PendingFile]:
        """Return a file that was found; None if it cannot be exported, which is its result."""
        number = len(self.result.files)
        self.result.files.append(ExportedFile(id))
        entry = self._folder.manifest.entries.get(id)
        error: Optional[Exception] = None
        try:
            if id:
                path = self._folder.paths.allocate(metadata) if entry is None else entry.path
                self._folder.paths.scan(path)
                is_large = metadata.file_size_bytes > self._limits.large_file and bool(metadata.uri)
                return PendingFile(number, id, metadata, path, is_large, metadata_digest(metadata))
            text = "The service gave a file without an ID, so it cannot be asked for."
            error = grpc_error(grpc.StatusCode.INTERNAL, text)
        except NO_JSON as raised:
            error = unwritable_metadata(raised)
        except OSError as raised:  # its name cannot be written
            error = raised
        self._set_result(number, ExportedFile(id, error=error.with_traceback(None)))
        return None

    def _do(self, work: _Work, cancellation: Cancellation) -> None:
        """Do the work for a batch, and add the files that are there to the manifest, whatever happens."""
        done: List[SavedFile] = []
        try:
            work(cancellation, done)
        finally:
            try:
                if done:
                    self._folder.manifest.add(map(_entry_of, done))
            finally:
                for saved in done:
                    self._set_done(saved)

    def _compare(self, present: Sequence[_Present], cancellation: Cancellation, done: List[SavedFile]) -> None:
        """Write the metadata of files anew that is not what the service has, and fetch the files that are torn."""
        changed: List[_Present] = []
        for file, size in present:
            if not self._is_whole(file):
                self._fetch([file], cancellation, done)
            elif self._is_up_to_date(file):
                done.append(SavedFile(file, size, already_there=True))
            else:
                changed.append((file, size))
        self._doubt([file for file, _ in changed])
        for start in range(0, len(changed), self._group_size):
            done.extend(self._saver.save_metadata(changed[start : start + self._group_size], self._set_failed))

    def _is_whole(self, file: PendingFile) -> bool:
        """Tell whether a file is on the disk as it was written; one that was left unflushed is flushed now."""
        entry = self._folder.manifest.entries.get(file.id)
        if entry is None or not entry.checksums:
            return True
        return self._folder.flush_if_whole(entry.path, entry.checksums)

    def _is_up_to_date(self, file: PendingFile) -> bool:
        """Tell whether the metadata that is written is what the service has; if so, it is on the disk now."""
        if not tells_the_same(read_metadata(self._folder.read(file.path.metadata)), file.metadata):
            return False
        entry = self._folder.manifest.entries.get(file.id)
        # With checksums, it was flushed together with the contents. Metadata alone that is written anew has none.
        has_checksums = entry is not None and entry.checksums != ""
        return has_checksums or self._folder.flush_metadata(file.path)

    def _doubt(self, files: Sequence[PendingFile], *, contents: bool = False) -> None:
        entries = (self._folder.manifest.entries.get(file.id) for file in files)
        doubtful = [entry for entry in entries if entry is not None]
        if doubtful:
            self._folder.manifest.doubt(doubtful, contents=contents)

    def _fetch(self, files: Sequence[PendingFile], cancellation: Cancellation, done: List[SavedFile]) -> None:
        self._doubt(files, contents=True)
        self._fetcher.fetch(files, cancellation, done, self._set_failed)

    def _set_failed(self, file: PendingFile, error: Exception) -> None:
        # The traceback would keep alive all that was in memory then.
        self._set_result(file.number, ExportedFile(file.id, error=error.with_traceback(None)))

    def _set_done(self, saved: SavedFile) -> None:
        file = saved.file
        done = ExportedFile(
            file.id,
            self._folder.place(file.path.data),
            saved.size,
            already_there=saved.already_there,
            metadata_updated=saved.metadata_updated,
        )
        self._set_result(file.number, done)

    def _set_result(self, number: int, file: ExportedFile) -> None:
        if not self._ended:
            self.result.files[number] = file
            self._progress.advance(1)


class Export(ExportRun):
    """A run of an export whose files this process fetches.

    Args:
        folder: The folder, or the path of one, which is made if it is not there.
        contents: Asks for the contents of files.
        downloader: Downloads the contents of large files.
        progress: Counts the files that are there, or have failed.
        limits: How much is asked for at a time, and how many files are open.

    Raises:
        OSError: If nothing can be written in the folder, or another export is at work there.
    """

    def __init__(
        self,
        folder: Union[Path, ExportFolder],
        contents: ContentsFetcher,
        downloader: Downloader,
        progress: Progress,
        limits: ExportLimits = ExportLimits(),  # noqa: B008 (it is frozen)
    ) -> None:
        opened = LocalFolder(folder) if isinstance(folder, Path) else folder
        super().__init__(opened, DirectFetcher(opened, contents, downloader, limits), progress, limits)


def _entry_of(saved: SavedFile) -> Entry:
    file = saved.file
    entry = Entry(file.id, file.path, saved.size, file.metadata.file_size_bytes, file.digest, saved.checksums)
    # The next run reads metadata that is not flushed; the contents beside it are as they were.
    return entry._replace(digest="", checksums="") if saved.metadata_updated and saved.checksums else entry
