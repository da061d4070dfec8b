"""The results of an export: one for each file, and one for all."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import List, Optional


@dataclass(frozen=True)
class ExportedFile:
    """The result for one file of an export.

    Attributes:
        id: Its ID, ``"organization/location/file"``.
        path: Its path on disk; None if it is not there.
        size: Its size on disk, in bytes.
        error: The reason why it is not there; None if it is, or if the export ended before its turn came.
        already_there: Whether an earlier run has exported it, so that this one has not.
    """

    id: str
    path: Optional[Path] = None
    size: int = 0
    error: Optional[Exception] = None
    already_there: bool = False


@dataclass
class ExportResult:
    """The result of an export.

    Attributes:
        folder: The folder.
        files: One result for each file that was found, in their order.
        listed: Whether all files that match were found; False if the export ended before.

    Example:
        >>> from viam_sync.transfer.export.results import ExportedFile, ExportResult
        >>> result = ExportResult(folder, [ExportedFile("f1", folder / "cat.png", 5), ExportedFile("f2")], listed=True)
        >>> [file.id for file in result.missing], result.complete
        (['f2'], False)
    """

    folder: Path
    files: List[ExportedFile] = field(default_factory=list)
    listed: bool = False

    @property
    def exported(self) -> List[ExportedFile]:
        """The files that this run has exported."""
        return [file for file in self.files if file.path is not None and not file.already_there]

    @property
    def already_there(self) -> List[ExportedFile]:
        """The files that were there before this run."""
        return [file for file in self.files if file.already_there]

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
