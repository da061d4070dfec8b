"""The upload of many files: which they are, which of them are there already, and a result for each."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence

from viam_sync.checks import path_from
from viam_sync.errors import ViamError
from viam_sync.messages.file_id import FileID
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.shown import ShortRepr
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.upload.journal import FileVersion, Intent, Journal, JournalError
from viam_sync.transfer.upload.source import FileSource, ProgressChunks


@dataclass(frozen=True, repr=False)
class UploadResult(ShortRepr):
    """The result for one file of an upload.

    Attributes:
        path: The path of the file.
        id: Its ID in the cloud, a `FileID`; None if it is not there.
        error: The reason why it is not there, or why that is not known; None if it is.
        already_sent: Whether an earlier run has sent it, so that this one has not.
    """

    path: Path
    id: Optional[FileID] = None
    error: Optional[Exception] = None
    already_sent: bool = False


class Found(NamedTuple):
    """A file to upload, or a folder that cannot be looked into.

    Attributes:
        path: Its path.
        name: Its name in the journal: its path in the folder, or its whole path where there is no folder.
        stem: Its name at the service: ``name`` or the last part of it, without the last extension.
        status: Its status on the disk; None if there is an error.
        error: The error.
    """

    path: Path
    name: str
    stem: str
    status: Optional[os.stat_result]
    error: Optional[OSError] = None

    @property
    def version(self) -> Optional[FileVersion]:
        """Its version in the journal; None if there is an error."""
        return None if self.status is None else FileVersion(self.name, self.status.st_size, self.status.st_mtime_ns)


#: Uploads a file: takes it, its chunks, the mark to give it, if any, and the cancellation of its call; returns its ID.
Send = Callable[[Found, ProgressChunks, Optional[str], Cancellation], FileID]
#: Asks the service for uploads by their marks; returns the IDs of those that it has.
LookUp = Callable[[Sequence[Intent]], Dict[str, FileID]]


def files_in(folder: Path, pattern: Optional[str], journal: Optional[Path]) -> List[Found]:
    """Return the files in a folder and in those below it, by name; no hidden ones, links, or anything but files.

    Args:
        folder: The folder.
        pattern: A pattern that their paths must match, such as ``"*.jpg"``; None for all.
        journal: The path of the journal, which is left out.

    Example:
        >>> from viam_sync.transfer.upload.batch import files_in
        >>> for name in ("cat.jpg", "dog.png", ".hidden.jpg"):
        ...     _ = (folder / name).write_bytes(b"")
        >>> [found.name for found in files_in(folder, "*.jpg", None)]
        ['cat.jpg']
    """
    left_out = None if journal is None else _without_links(journal)
    found: List[Found] = []

    def unreadable(error: OSError) -> None:
        path = Path(error.filename)
        found.append(Found(path, path.relative_to(folder).as_posix(), "", None, error))

    for parent, folders, names in os.walk(folder, onerror=unreadable):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if name.startswith(".") or (left_out and name == left_out.name and _without_links(path) == left_out):
                continue
            inside = path.relative_to(folder).as_posix()
            if pattern is None or PurePosixPath(inside).match(pattern):
                found += _regular(path, inside)
    return sorted(found, key=lambda each: each.name)


def _without_links(path: Path) -> Path:
    # Before Python 3.13, resolve() raises a RuntimeError for links in a circle.
    return Path(os.path.realpath(path))


def _regular(path: Path, inside: str) -> Iterator[Found]:
    stem = inside[: len(inside) - len(path.suffix)]
    try:
        status = path.lstat()
    except OSError as error:  # it was there a moment ago
        yield Found(path, inside, stem, None, error)
        return
    if stat.S_ISREG(status.st_mode):
        yield Found(path, inside, stem, status)


def files_of(paths: Iterable[StrPath]) -> List[Found]:
    """Return files by their paths, in order; a path that comes twice counts once.

    Raises:
        TypeError: If something among them is no path.

    Example:
        >>> from viam_sync.transfer.upload.batch import files_of
        >>> [found.path.name for found in files_of(["a.txt", "b.txt", "./a.txt"])]
        ['a.txt', 'b.txt']
    """
    found: Dict[str, Found] = {}
    for index, given in enumerate(paths):
        path = path_from(f"paths[{index}]", given)
        name = Path(os.path.abspath(path)).as_posix()  # noqa: PTH100 (resolve would follow links)
        if name not in found:
            found[name] = _named(path, name)
    return list(found.values())


def _named(path: Path, name: str) -> Found:
    try:
        status = path.stat()
    except OSError as error:
        return Found(path, name, path.stem, None, error)
    if stat.S_ISREG(status.st_mode):
        return Found(path, name, path.stem, status)
    kind = "a folder; give it alone, as paths, to upload what is in it" if stat.S_ISDIR(status.st_mode) else "no file"
    return Found(path, name, path.stem, None, OSError(f"{str(path)!r} is {kind}"))


class BatchUpload:
    """The upload of many files.

    Args:
        files: The files.
        journal: The journal; None for no journal.
        send: Uploads a file.
        look_up: Asks the service for uploads that are in doubt.
        progress: Counts the bytes that are sent.
    """

    def __init__(
        self, files: Sequence[Found], journal: Optional[Journal], send: Send, look_up: LookUp, progress: Progress
    ) -> None:
        self._files = files
        self._journal = journal
        self._send = send
        self._look_up = look_up
        self._progress = progress
        self._results: Dict[int, UploadResult] = {}

    def run(self, workers: int) -> List[UploadResult]:
        """Upload the files that are not there yet.

        Args:
            workers: The number of files at a time.

        Returns:
            A result for each file, in their order.

        Raises:
            JournalError: If the journal cannot be written; the results until then are its attribute ``result``.
        """
        try:
            self._find_results()
            missing = [index for index in range(len(self._files)) if index not in self._results]
            self._progress.begin(sum(_size(self._files[index]) for index in missing))
            if missing:
                for_each(missing, self._upload_one, min(workers, len(missing)))
            if self._journal is not None:
                self._journal.flush()
        except JournalError as error:
            error.result = self.results()  # type: ignore[attr-defined]
            raise
        return self.results()

    def results(self) -> List[UploadResult]:
        """Return the results that are there by now."""
        return [self._results[index] for index in sorted(self._results)]

    def _find_results(self) -> None:
        """Find the results of the files that need not be sent, or cannot be."""
        doubtful: Dict[int, Intent] = {}
        for index, file in enumerate(self._files):
            version = file.version
            if version is None:
                self._results[index] = UploadResult(file.path, error=file.error)
            elif self._journal is not None:
                if version in self._journal.sent:
                    self._results[index] = UploadResult(file.path, self._journal.sent[version], already_sent=True)
                elif version in self._journal.doubtful:
                    doubtful[index] = self._journal.doubtful[version]
        if doubtful and self._journal is not None:
            self._resolve(doubtful, self._journal)

    def _resolve(self, doubtful: Dict[int, Intent], journal: Journal) -> None:
        """Ask the service which of the files in doubt it has."""
        try:
            ids = self._look_up(list(doubtful.values()))
        except ViamError as error:
            # If they were sent again they might be there twice, and if not they might be missing.
            for index in doubtful:
                self._results[index] = UploadResult(self._files[index].path, error=error)
            return
        for index, intent in doubtful.items():
            if intent.mark in ids:
                journal.acknowledge(intent, ids[intent.mark])
                self._results[index] = UploadResult(self._files[index].path, ids[intent.mark], already_sent=True)

    def _upload_one(self, index: int, cancellation: Cancellation) -> None:
        file, sent = self._files[index], [0]
        try:
            id = self._upload(file, sent, cancellation)
        except (ViamError, OSError, ValueError) as error:
            if isinstance(error, JournalError) or error is self._progress.failure:
                raise
            self._results[index] = UploadResult(file.path, error=error)
        else:
            self._results[index] = UploadResult(file.path, id)
        # A file that failed counts as done, too.
        self._progress.advance(_size(file) - sent[0])

    def _upload(self, file: Found, sent: List[int], cancellation: Cancellation) -> FileID:
        with FileSource(file.path) as source:
            chunks = ProgressChunks(source, lambda count: self._advance(sent, count))
            if self._journal is None:
                return self._send(file, chunks, None, cancellation)
            # The file that is open may be another than the one that was found.
            intent = self._journal.begin(FileVersion(file.name, source.size or 0, source.changed))
            id = self._send(file, chunks, intent.mark, cancellation)
        self._journal.acknowledge(intent, id)
        return id

    def _advance(self, sent: List[int], count: int) -> None:
        sent[0] += count
        self._progress.advance(count)


def _size(file: Found) -> int:
    return 0 if file.status is None else file.status.st_size
