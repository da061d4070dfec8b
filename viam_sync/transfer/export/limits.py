"""The sizes that an export keeps to."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExportLimits:
    """How much an export asks for at a time, has in memory and keeps open.

    Attributes:
        batch_bytes: The size of the contents that one call asks for, in bytes.
        batch_files: The number of files that one call asks for.
        large_file: The size above which contents come by HTTP, in bytes.
        unknown_file: The size that a file counts for if the service does not tell its size, in bytes.
        group_files: The number of files that a worker writes before it waits until they are on the disk.
        open_files: The number of files that all workers together write before they wait; each is two files on the disk.

    Example:
        >>> from viam_sync.transfer.export.limits import ExportLimits
        >>> ExportLimits().group_size(workers=8), ExportLimits().group_size(workers=64)
        (16, 2)
    """

    batch_bytes: int = 4 << 20
    batch_files: int = 100
    large_file: int = 16 << 20
    unknown_file: int = 1 << 20
    group_files: int = 16
    open_files: int = 128

    def group_size(self, workers: int) -> int:
        """Return how many files each of so many workers may write before it waits until they are on the disk."""
        return max(min(self.group_files, self.open_files // workers), 1)
