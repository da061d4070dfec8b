"""The results of an export: one for each file, and one for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List, Optional

from viam_sync.checks.urls import redact_urls
from viam_sync.shown import ShortRepr, Shown
from viam_sync.transfer.export.folder import Place


@dataclass(frozen=True, repr=False)
class ExportedFile(ShortRepr):
    """The result for one file of an export.

    Attributes:
        id: Its ID, ``"organization/location/file"``.
        path: Its path on disk, or its URL as a str where the folder is one; None if it is not there.
        size: Its size there, in bytes.
        error: The reason why it is not there; None if it is, or if the export ended before its turn came.
        already_there: Whether an earlier run has exported its contents, so that this one has not.
        metadata_updated: Whether its contents were there, and its metadata had changed and was written anew.
    """

    id: str
    path: Optional[Place] = None
    size: int = 0
    error: Optional[Exception] = None
    already_there: bool = False
    metadata_updated: bool = False


@dataclass(frozen=True, repr=False)
class GoneFile(ShortRepr):
    """A file of an earlier run that does not match the filter any more.

    Attributes:
        id: Its ID, ``"organization/location/file"``.
        path: Its path on disk, or its URL as a str where the folder is one.
        removed: Whether this run has removed it, and its metadata.
        error: The reason why it was not removed, though that was asked.
    """

    id: str
    path: Place
    removed: bool = False
    error: Optional[Exception] = None


@dataclass(repr=False)
class ExportResult(Shown):
    """The result of an export.

    Attributes:
        folder: The folder: a path, or a URL as a str.
        files: One result for each file that was found, in their order.
        listed: Whether all files that match were found; False if the export ended before.
        gone: The files of earlier runs that do not match the filter any more; none unless all that match were found.

    Example:
        >>> from viam_sync.app.data_client import ExportedFile, ExportResult
        >>> result = ExportResult("s3://cats", [ExportedFile("f1", "s3://cats/1", 5), ExportedFile("f2")], listed=True)
        >>> [file.id for file in result.missing], result.complete
        (['f2'], False)
        >>> result
        ExportResult(folder='s3://cats', 2 files: 1 exported, 0 already there, 0 failed, not complete)
    """

    folder: Place
    files: List[ExportedFile] = field(default_factory=list)
    listed: bool = False
    gone: List[GoneFile] = field(default_factory=list)

    @property
    def exported(self) -> List[ExportedFile]:
        """The files whose contents this run has exported."""
        return [file for file in self.files if file.path is not None and not file.already_there]

    @property
    def already_there(self) -> List[ExportedFile]:
        """The files whose contents were there before this run."""
        return [file for file in self.files if file.already_there]

    @property
    def updated(self) -> List[ExportedFile]:
        """The files that were there, and whose metadata this run has written anew."""
        return [file for file in self.files if file.metadata_updated]

    @property
    def failed(self) -> List[ExportedFile]:
        """The files that could not be exported, each with its error."""
        return [file for file in self.files if file.error is not None]

    @property
    def missing(self) -> List[ExportedFile]:
        """The files that are not there: those that failed, and those whose turn did not come."""
        return [file for file in self.files if file.path is None]

    @property
    def complete(self) -> bool:
        """Whether all files that match are there."""
        return self.listed and not self.missing

    def __repr__(self) -> str:
        done = {"exported": len(self.exported), "already there": len(self.already_there), "failed": len(self.failed)}
        more = {"updated": len(self.updated), "gone": len(self.gone)}
        counts = [f"{count} {name}" for name, count in done.items()]
        counts += [f"{count} {name}" for name, count in more.items() if count]
        end = "complete" if self.complete else "not complete"
        folder = redact_urls(repr(str(self.folder)))
        return f"ExportResult(folder={folder}, {len(self.files)} files: {', '.join([*counts, end])})"
