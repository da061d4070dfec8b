"""A timeline that is gone through in several places: its stretches, and what has come of each."""

from __future__ import annotations

from collections import deque
from itertools import compress
from typing import Deque, Generic, Iterator, List, NamedTuple, Optional, Sequence, Tuple, TypeVar

from typing_extensions import Protocol

from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.paging.pages import Items

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class TimeRange(NamedTuple):
    """A part of the order, in ticks, which grow in the direction of the order.

    Attributes:
        start: Its first tick; None if it begins with the first item.
        end: The tick after its last one; None if it ends with the last item.
    """

    start: Optional[int]
    end: Optional[int]


class Timeline(Protocol[T_co]):
    """What is gone through: items that are ordered by time."""

    def page(
        self, stretch: TimeRange, cursor: str, size: int, cancellation: Cancellation
    ) -> Tuple[Items[T_co], Sequence[Optional[int]], str]:
        """Return a page of a stretch, its ticks, None where an item has no time, and where the next page begins.

        Items a little before and after the stretch may be among them, but none within it may be left out.
        """
        ...

    def last(self, cancellation: Cancellation) -> Optional[int]:
        """Return the tick of the last of all items; None if there is none, or it has no time."""
        ...


class _Picked(Generic[T]):
    """Some of the items of a page."""

    def __init__(self, items: Items[T], picked: List[bool]) -> None:
        self._items = items
        self._picked = picked

    def __len__(self) -> int:
        return sum(self._picked)

    def __iter__(self) -> Iterator[T]:
        return compress(self._items, self._picked)


class TimedPage(Generic[T]):
    """A page as it came, with the ticks of its items.

    Args:
        items: The items.
        ticks: Their ticks; None where an item has no time.

    Attributes:
        items: The items.
        ticks: The ticks of those that have a time.
        is_timed: Whether all have.

    Example:
        >>> from viam_sync.transfer.paging.time_ranges import TimeRange, TimedPage
        >>> list(TimedPage(["a", "b", "c"], [7, 8, 9]).within(TimeRange(None, 8)))
        ['a']
    """

    def __init__(self, items: Items[T], ticks: Sequence[Optional[int]]) -> None:
        self.items = items
        self.ticks = [tick for tick in ticks if tick is not None]
        self.is_timed = len(self.ticks) == len(ticks)

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def within(self, stretch: TimeRange) -> Items[T]:
        """Return those of the items that are in a stretch."""
        start, end = stretch
        picked = [(start is None or start <= tick) and (end is None or tick < end) for tick in self.ticks]
        return self.items if all(picked) else _Picked(self.items, picked)


class Segment(Generic[T]):
    """A stretch, and what has come of it.

    Attributes:
        stretch: Its ends; it may end earlier until it is over.
        length: While nobody has begun with it, how many ticks are good for one worker; None if that is not known.
        begun: Whether somebody has.
        over: Whether all has come.
        error: What ended it.
        pages: What has come, and is still to be given.
        first: The first tick that came.
        latest: The last tick that came.
        count: How many pages came.
        share: How many pages that would have been if all had been full.
    """

    def __init__(self, stretch: TimeRange, length: Optional[int] = None) -> None:
        self.stretch = stretch
        self.length = length
        self.begun = False
        self.over = False
        self.error: Optional[BaseException] = None
        self.pages: Deque[Items[T]] = deque()
        self.first: Optional[int] = None
        self.latest: Optional[int] = None
        self.count = 0
        self.share = 0.0
