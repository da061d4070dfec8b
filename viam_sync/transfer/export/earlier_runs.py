"""The files of earlier runs: which of them are there still, and which do not match the filter any more."""

from __future__ import annotations

import errno
from dataclasses import replace
from typing import Collection, List, Optional, Tuple

from viam_sync.checks.urls import redact_urls
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.export.exported_metadata import read_metadata
from viam_sync.transfer.export.folder import ExportFolder
from viam_sync.transfer.export.manifest import Entry
from viam_sync.transfer.export.pending import PendingFile
from viam_sync.transfer.export.results import GoneFile
from viam_sync.transfer.output.gzipped import is_unzipped


def size_there(folder: ExportFolder, file: PendingFile, entry: Optional[Entry]) -> Optional[int]:
    """Return the size of contents that an earlier run has exported, even if it crashed before the manifest had them.

    Args:
        folder: The folder.
        file: The file, as the service lists it now.
        entry: Its entry in the manifest, if it has one.

    Returns:
        Their size in bytes; None if they are not there, or others are there than the service has now.
    """
    if file.id in folder.manifest.disputed or (entry is None and folder.manifest.may_be_torn):
        return None
    told = file.metadata.file_size_bytes
    unzipped = is_unzipped(file.metadata, file.path.data)
    if entry is None:
        # The size of what is gzipped tells nothing about the file on the disk.
        size = 0 if unzipped else told
    else:
        size = entry.size
        source_size = _source_size(folder, entry) if unzipped else size
        if told and source_size is not None and source_size != told:
            return None
    is_there = folder.size_of(file.path.metadata) is not None and folder.size_of(file.path.data) == size
    return size if is_there else None


def _source_size(folder: ExportFolder, entry: Entry) -> Optional[int]:
    """Return the size that the service told when contents were unzipped; None if that is not known."""
    if entry.source_size is not None:
        return entry.source_size
    told = str(read_metadata(folder.read(entry.path.metadata)).get("fileSizeBytes", ""))
    return int(told) if told.isdecimal() else None


class GoneFiles:
    """The files of earlier runs that do not match the filter any more.

    Args:
        folder: The folder, whose manifest has them.
        listed: The IDs of all files that match.

    Attributes:
        results: A result for each that is there still.
    """

    def __init__(self, folder: ExportFolder, listed: Collection[str]) -> None:
        self._folder = folder
        self._entries: List[Entry] = []
        #: The IDs of those whose files somebody has removed already.
        self._lost: List[str] = []
        for id, entry in folder.manifest.entries.items():
            if id not in listed:
                if any(folder.size_of(path) is not None for path in entry.path):
                    self._entries.append(entry)
                else:
                    self._lost.append(id)
        self.results = [GoneFile(entry.id, folder.place(entry.path.data)) for entry in self._entries]

    def remove(self, workers: int) -> None:
        """Remove those that are as the export has left them, with their metadata and their entries in the manifest.

        Args:
            workers: The number of files that are removed at a time.

        Raises:
            OSError: If the disk or the store fails in a way that does not concern a single file.
        """
        self._folder.manifest.remove(self._lost)
        if self._entries:
            for_each(enumerate(self._entries), self._remove, min(workers, len(self._entries)))

    def _remove(self, numbered: Tuple[int, Entry], _: Cancellation) -> None:
        number, entry = numbered
        error = self._doubt(entry)
        if error is None:
            error = self._failure_to_remove(entry)
        if error is None:
            self._folder.manifest.remove([entry.id])
        self.results[number] = replace(self.results[number], removed=error is None, error=error)

    def _doubt(self, entry: Entry) -> Optional[OSError]:
        """Return why a file may be somebody else's."""
        size = self._folder.size_of(entry.path.data)
        if size not in (None, entry.size):
            why = f"it was exported with {entry.size} bytes and has {size}, so somebody has changed it"
            return self._kept(entry.path.data, why)
        row = read_metadata(self._folder.read(entry.path.metadata))
        if entry.id not in (row.get("binaryDataId"), row.get("id")):
            return self._kept(entry.path.metadata, "it does not name the ID of the file that was exported with it")
        return None

    def _kept(self, path: str, why: str) -> OSError:
        return FileExistsError(errno.EEXIST, f"{why}; it is not removed", redact_urls(str(self._folder.place(path))))

    def _failure_to_remove(self, entry: Entry) -> Optional[OSError]:
        try:
            # The metadata comes last, as it tells whose file the other is.
            for path in entry.path:
                # A link, which has no size here, was put there by somebody else.
                if self._folder.size_of(path) is not None:
                    self._folder.remove(path)
        except OSError as error:
            if not self._folder.is_of_one_file(error):
                raise
            return error.with_traceback(None)
        return None
