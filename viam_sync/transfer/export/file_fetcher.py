"""Fetching the files of an export into its folder: by this process, or by others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import partial
from typing import TYPE_CHECKING, Iterator, List, Sequence, Tuple

from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.export.batch_fetch import BatchFetch, Outcome
from viam_sync.transfer.export.contents import ContentsFetcher
from viam_sync.transfer.export.folder import ExportFolder
from viam_sync.transfer.export.limits import ExportLimits
from viam_sync.transfer.export.pending import PendingFile
from viam_sync.transfer.export.saving import Fail, SavedFile, Saver, Write, write_contents

if TYPE_CHECKING:
    from viam_sync.transfer.export.http_download import Downloader


class FileFetcher(ABC):
    """Fetches files and saves them in the folder of an export, several batches at a time."""

    @property
    @abstractmethod
    def batch_bytes(self) -> float:
        """The size of the contents of the next batch, in bytes."""

    @abstractmethod
    def fetch(
        self, files: Sequence[PendingFile], cancellation: Cancellation, done: List[SavedFile], fail: Fail
    ) -> None:
        """Fetch the files of a batch, and save them.

        Args:
            files: The files; a large one comes alone.
            cancellation: Ends the requests.
            done: Gets each file once it is there, also where an error ends all of it.
            fail: Takes a file that cannot be fetched or saved, and the error.

        Raises:
            OSError: If the disk is full, or fails in another way that does not concern a single file.
            GRPCError: If the service no longer knows the caller.
        """

    @abstractmethod
    def begin(self, workers: int) -> None:
        """Take note of how many batches may be under way at a time."""

    @abstractmethod
    def rollback(self) -> None:
        """Remove all that is unfinished."""


class DirectFetcher(FileFetcher):
    """Fetches files in this process.

    Args:
        folder: The folder.
        contents: Asks for the contents of files.
        downloader: Downloads the contents of large files.
        limits: How many files are open.
    """

    def __init__(
        self, folder: ExportFolder, contents: ContentsFetcher, downloader: Downloader, limits: ExportLimits
    ) -> None:
        self._batch_fetch = BatchFetch(contents)
        self._downloader = downloader
        self._saver = Saver(folder)
        self._limits = limits
        self._group_size = 1

    @property
    def batch_bytes(self) -> float:
        """The size of the contents of the next batch, in bytes."""
        return self._batch_fetch.batch_bytes

    def begin(self, workers: int) -> None:
        """Take note of how many batches may be under way at a time, which share the files that may be open."""
        self._group_size = self._limits.group_size(workers)

    def fetch(
        self, files: Sequence[PendingFile], cancellation: Cancellation, done: List[SavedFile], fail: Fail
    ) -> None:
        """Fetch the files of a batch in some requests, or a large one by HTTP, and save them."""
        if files[0].is_large:
            self._download(files[0], cancellation, done, fail)
        else:
            self._batch_fetch.fetch(files, cancellation, partial(self._take, cancellation, done, fail))

    def rollback(self) -> None:
        """Remove all that is unfinished."""
        self._saver.rollback()

    def _take(self, cancellation: Cancellation, done: List[SavedFile], fail: Fail, outcome: Outcome) -> bool:
        """Save the files that a request has brought, and add them to ``done``; tell whether all of them are there."""
        before = len(done)
        if outcome.error is None:
            done.extend(self._saved_in_groups(outcome, fail))
        elif outcome.needs_download:
            self._download(outcome.files[0], cancellation, done, fail)
        else:
            for file in outcome.files:
                fail(file, outcome.error)
        return len(done) - before == len(outcome.files)

    def _saved_in_groups(self, outcome: Outcome, fail: Fail) -> Iterator[SavedFile]:
        files, found = outcome.files, outcome.found
        for start in range(0, len(files), self._group_size):
            group: List[Tuple[PendingFile, Write]] = []
            for file in files[start : start + self._group_size]:
                contents = found.get(file.metadata.binary_data_id) or found.get(file.metadata.id)
                group.append((file, partial(write_contents, file.metadata, contents)))
            yield from self._saver.save(group, fail)

    def _download(self, file: PendingFile, cancellation: Cancellation, done: List[SavedFile], fail: Fail) -> None:
        size = file.metadata.file_size_bytes or None
        uri = file.metadata.uri
        group: List[Tuple[PendingFile, Write]] = [
            (file, lambda out: self._downloader.fetch(uri, out, size, cancellation))
        ]
        done.extend(self._saver.save(group, fail, in_memory=False))
