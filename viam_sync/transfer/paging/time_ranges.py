"""Time ranges of a timeline, and the segments that workers fetch of it."""

from __future__ import annotations

from collections import deque
from itertools import compress
from typing import Deque, Generic, Iterator, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

from typing_extensions import Protocol

from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.paging.pages import PageItems

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class TimeRange(NamedTuple):
    """A range of times in ticks, which grow in the direction of the order.

    Attributes:
        start: The first tick; None if the range begins with the first item.
        end: The tick after the last one; None if the range ends with the last item.
    """

    start: Optional[int]
    end: Optional[int]


class Timeline(Protocol[T_co]):
    """Items that are ordered by time, and can be fetched by ranges of it."""

    def page(
        self, time_range: TimeRange, cursor: str, size: int, cancellation: Cancellation
    ) -> Tuple[PageItems[T_co], Sequence[Optional[int]], str]:
        """Return a page of a time range, its ticks, None where an item has no time, and the cursor of the next page.

        The page may hold items a little before and after the range, and leaves out none within it.
        """
        ...

    def last(self, cancellation: Cancellation) -> Optional[int]:
        """Return the tick of the last of all items; None if there is none, or it has no time."""
        ...


class _PartialPage(Generic[T]):
    """Some of the items of a page."""

    def __init__(self, items: PageItems[T], is_within: List[bool]) -> None:
        self._items = items
        self._is_within = is_within

    def __len__(self) -> int:
        return sum(self._is_within)

    def __iter__(self) -> Iterator[T]:
        return compress(self._items, self._is_within)


class TimedPage(Generic[T]):
    """A page with the ticks of its items.

    Args:
        items: The items.
        ticks: The ticks of the items; None where an item has no time.

    Attributes:
        items: The items.
        ticks: The ticks of the items that have a time.
        is_timed: Whether all items have a time.

    Example:
        >>> from viam_sync.transfer.paging.time_ranges import TimeRange, TimedPage
        >>> list(TimedPage(["a", "b", "c"], [7, 8, 9]).within(TimeRange(None, 8)))
        ['a']
    """

    def __init__(self, items: PageItems[T], ticks: Sequence[Optional[int]]) -> None:
        self.items = items
        self.ticks = [tick for tick in ticks if tick is not None]
        self.is_timed = len(self.ticks) == len(ticks)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def within(self, time_range: TimeRange) -> PageItems[T]:
        """Return the items whose ticks are in a time range."""
        start, end = time_range
        is_within = [(start is None or start <= tick) and (end is None or tick < end) for tick in self.ticks]
        return self.items if all(is_within) else _PartialPage(self.items, is_within)


class Segment(Generic[T]):
    """A time range that one worker fetches, and the pages that it has fetched.

    Attributes:
        time_range: The range; it may still be made to end earlier while it is fetched.
        length: The number of ticks that are good for one worker, of a segment that is not begun; None if not known.
        begun: Whether a worker has begun with it.
        over: Whether all its pages have come.
        error: The error that ended it.
        pages: The pages that have come, and are still to be given to the caller.
        first: The first tick that came.
        latest: The last tick that came.
        count: The number of pages that came.
        full_pages: The number of pages that this would have been if all had been full.
    """

    def __init__(self, time_range: TimeRange, length: Optional[int] = None) -> None:
        self.time_range = time_range
        self.length = length
        self.begun = False
        self.over = False
        self.error: Optional[BaseException] = None
        self.pages: Deque[PageItems[T]] = deque()
        self.first: Optional[int] = None
        self.latest: Optional[int] = None
        self.count = 0
        self.full_pages = 0.0
