"""The window of bytes that requests may ask for at a time: as many as the line brings in good time."""

from __future__ import annotations

import math

#: The smallest window, in bytes. A request that asks for more than the window is made alone.
_LEAST = 128 << 10


class ByteWindow:
    """Limits how many bytes the requests under way ask for together, so that each is answered in good time.

    A response of one message comes whole or not at all, and nobody sees it move. Eight of them on a slow line would all
    come late, or too late, where one after the other would come in time. So the window grows while responses come fast,
    and shrinks to what the line brings in good time where they come late.

    Args:
        first: The size of the window at first, in bytes.
        seconds: The time in which a response should be there.

    Attributes:
        size: The size of the window now, in bytes.

    Example:
        >>> from viam_sync.transfer.concurrency.byte_window import ByteWindow
        >>> window = ByteWindow(first=2_000_000, seconds=30)
        >>> window.answered(1_000_000, under_way=2_000_000, seconds=5)
        >>> window.size
        3000000
        >>> window.answered(1_000_000, under_way=3_000_000, seconds=60)
        >>> window.size
        1500000
    """

    def __init__(self, first: float = math.inf, seconds: float = math.inf) -> None:
        self.size = first
        self._seconds = seconds

    def fits(self, size: int, under_way: int) -> bool:
        """Tell whether a request for ``size`` bytes may be made while others ask for ``under_way``."""
        return under_way == 0 or under_way + size <= self.size

    def answered(self, size: int, under_way: int, seconds: float) -> None:
        """Take note of a response.

        Args:
            size: The bytes that the request asked for.
            under_way: The bytes that all requests asked for at the time, this one too.
            seconds: The time that it took.
        """
        if seconds > self._seconds:
            self._shrink(under_way * self._seconds / seconds)
        elif seconds <= self._seconds / 2 and under_way >= self.size / 2:
            # A window that is not used tells nothing about the line.
            self.size += size

    def timed_out(self, under_way: int) -> None:
        """Take note of a response that did not come in time."""
        self._shrink(min(self.size, under_way) / 2)

    def _shrink(self, size: float) -> None:
        self.size = min(self.size, max(int(size), _LEAST))
