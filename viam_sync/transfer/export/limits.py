"""The sizes and times that an export keeps to."""

from __future__ import annotations

from dataclasses import dataclass

#: The most bytes that come in one message.
_LARGEST_MESSAGE = 32 << 20


@dataclass(frozen=True)
class ExportLimits:
    """How much an export asks for at a time, has in memory and keeps open, and how long it waits for responses.

    Attributes:
        batch_bytes: The size of the contents that one call asks for, in bytes.
        batch_files: The number of files that one call asks for.
        large_file: The size above which contents come by HTTP, in bytes.
        unknown_file: The size that a file counts for if the service does not tell its size, in bytes.
        group_files: The number of files that a worker writes before it waits until they are on the disk.
        open_files: The number of files that all workers together write before they wait; each is two files on the disk.
        first_bytes: The size of the contents that all calls together ask for while the speed of the line is not known.
        good_time: Seconds in which a response should come; one that takes longer makes for less at a time.
        patience: Seconds that a response may take, beside the time for its bytes.
        slowest_line: Bytes a second of the slowest line on which a response may still come in one piece.

    Example:
        >>> from viam_sync.transfer.export.limits import ExportLimits
        >>> ExportLimits().group_size(workers=8), ExportLimits().group_size(workers=64)
        (16, 2)
        >>> ExportLimits().attempt_timeout(1 << 20)
        152.0
    """

    batch_bytes: int = 1 << 20
    batch_files: int = 100
    large_file: int = 16 << 20
    unknown_file: int = 1 << 20
    group_files: int = 16
    open_files: int = 128
    first_bytes: int = 2 << 20
    good_time: float = 30
    patience: float = 120
    slowest_line: int = 32 << 10

    def group_size(self, workers: int) -> int:
        """Return how many files each of so many workers may write before it waits until they are on the disk."""
        return max(min(self.group_files, self.open_files // workers), 1)

    def size_of(self, file_size: int) -> int:
        """Return the size that a file counts for, whose size is 0 if the service does not tell it."""
        return min(file_size or self.unknown_file, _LARGEST_MESSAGE)

    def attempt_timeout(self, size: int) -> float:
        """Return the seconds that the response with contents of that size may take."""
        return self.patience + size / self.slowest_line
