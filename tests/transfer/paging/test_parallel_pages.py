"""Several workers fetch items that are ordered by time: each item comes once, and in order."""

import gc
import os
import random
import threading
from typing import Any, Dict, List, Optional, Sequence, Tuple

import grpc
import pytest

from viam_sync.errors import (
    CancelledError,
    ClosedError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
    ViamError,
    grpc_error,
)
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.paging.pages import Pages
from viam_sync.transfer.paging.parallel_pages import ParallelPages
from viam_sync.transfer.paging.time_ranges import TimeRange

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

#: An item is its number; its tick is that of its place in the list.
Answer = Tuple[List[int], Sequence[Optional[int]], str]


class FakeTimeline:
    """A timeline of items with these ticks, which keeps the requests for its pages.

    Args:
        ticks: The ticks of the items.
        slack: The number of ticks beyond a time range in which it gives items.
    """

    def __init__(self, ticks: Sequence[Optional[int]], slack: int = 0) -> None:
        self.ticks = ticks
        self.slack = slack
        self.asked: List[Tuple[TimeRange, str, int]] = []
        self.most = 100
        self.cancelled: List[Cancellation] = []
        #: Fails where an item with this number is to be given.
        self.errors: Dict[int, Exception] = {}
        self.last_error: Optional[Exception] = None

    def page(self, time_range: TimeRange, cursor: str, size: int, cancellation: Cancellation) -> Answer:
        self.asked.append((time_range, cursor, size))
        numbers = [number for number in range(int(cursor or -1) + 1, len(self.ticks)) if self.is_in(number, time_range)]
        numbers = numbers[:size]
        for number in numbers:
            if number in self.errors:
                raise self.errors[number]
        if len(numbers) > self.most:
            raise InvalidArgumentError(grpc.StatusCode.INVALID_ARGUMENT, "INCLUDE_BINARY_TOO_LARGE: 40 MB")
        return numbers, [self.ticks[number] for number in numbers], str(numbers[-1]) if numbers else ""

    def is_in(self, number: int, time_range: TimeRange) -> bool:
        tick = self.ticks[number]
        if tick is None:
            return time_range == (None, None)
        return (time_range.start is None or time_range.start - self.slack <= tick) and (
            time_range.end is None or tick < time_range.end + self.slack
        )

    def last(self, cancellation: Cancellation) -> Optional[int]:
        if self.last_error is not None:
            raise self.last_error
        return self.ticks[-1] if self.ticks else None


def parallel(
    timeline: Any, page_size: int = 10, limit: Optional[int] = None, workers: int = 4, **more: Any
) -> Pages[int]:
    source: ParallelPages[int] = ParallelPages(timeline, page_size, limit, workers, **more)
    return Pages(lambda cursor, size: ([], ""), source=source)


def bursts(chance: random.Random, count: int) -> List[int]:
    """Return ticks of which some are dense, some far apart, and some the same."""
    ticks, tick = [], chance.randint(-(10**6), 10**6)
    while len(ticks) < count:
        step = chance.choice([0, 1, 1, 2, 100, 10**6])
        for _ in range(chance.randint(1, count // 3)):
            tick += chance.randint(0, step)
            ticks.append(tick)
        tick += chance.choice([0, 10**3, 10**9])
    return ticks[:count]


def drain(pages: Pages[int], seen: List[int]) -> None:
    for item in pages:
        seen.append(item)


def threads() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "viam-sync-prefetch"]


@pytest.mark.parametrize("slack", [0, 1, 2])
@pytest.mark.parametrize("workers", [2, 5])
def test_all_items_come_once_and_in_order_however_they_lie_in_time(workers: int, slack: int) -> None:
    chance = random.Random(workers * 10 + slack)
    for _ in range(15):
        count = chance.choice([5, 60, 400])
        timeline = FakeTimeline(bursts(chance, count), slack)
        segment_pages = chance.choice([1, 2, 8])
        assert list(
            parallel(timeline, chance.choice([1, 7, 20]), workers=workers, segment_pages=segment_pages)
        ) == list(range(count))


@pytest.mark.parametrize("ticks", [[], [5], [0] * 200, [-3] * 100 + [7] * 100], ids=["none", "one", "same", "two"])
def test_items_that_cannot_be_cut_are_there_all_the_same(ticks: List[int]) -> None:
    assert list(parallel(FakeTimeline(ticks))) == list(range(len(ticks)))


def test_one_item_long_before_all_others_costs_few_pages() -> None:
    timeline = FakeTimeline([-(10**11), *range(3000)], slack=1)
    assert list(parallel(timeline, segment_pages=8)) == list(range(3001))
    time_ranges = {time_range for time_range, _, _ in timeline.asked}
    assert len(time_ranges) > 30
    # A serial walk asks for 302 pages.
    assert len(timeline.asked) < 500


def test_several_pages_are_asked_for_at_a_time() -> None:
    together = threading.Barrier(4, timeout=60)

    class Met(FakeTimeline):
        def page(self, time_range: TimeRange, cursor: str, size: int, cancellation: Cancellation) -> Answer:
            # The last ranges may be too few to fill the barrier.
            if None not in time_range and not cursor and len(self.asked) < 60 and not together.broken:
                together.wait()
            return super().page(time_range, cursor, size, cancellation)

    pages = parallel(Met(range(6_000)))
    assert [next(pages) for _ in range(300)] == list(range(300))
    together.abort()
    pages.close()


class Watched(FakeTimeline):
    """A timeline that knows how many of its pages were ahead of the caller at most."""

    def __init__(self, ticks: Sequence[Optional[int]]) -> None:
        super().__init__(ticks)
        self.fetched = self.given = self.most_ahead = 0
        self.changed = threading.Condition()

    def page(self, time_range: TimeRange, cursor: str, size: int, cancellation: Cancellation) -> Answer:
        answer = super().page(time_range, cursor, size, cancellation)
        with self.changed:
            self.fetched += bool(answer[0])
            self.most_ahead = max(self.most_ahead, self.fetched - self.given)
            self.changed.notify_all()
        return answer

    def take(self, pages: "ParallelPages[int]", ahead: int) -> None:
        """Take a page, and wait until so many are ahead again."""
        next(pages)
        with self.changed:
            self.given += 1
            assert self.changed.wait_for(lambda: self.fetched - self.given >= ahead, timeout=60)


def test_no_more_pages_are_ahead_of_the_caller_than_is_said() -> None:
    timeline = Watched(range(6_000))
    pages: ParallelPages[int] = ParallelPages(timeline, 10, None, workers=3, segment_pages=4)
    for _ in range(300):
        timeline.take(pages, ahead=8)
    pages.close()
    assert timeline.most_ahead <= 2 * 3 * 4 + 3


def test_of_items_that_cannot_be_cut_no_more_pages_are_ahead_of_the_caller_either() -> None:
    timeline = Watched([0] * 6_000)
    pages: ParallelPages[int] = ParallelPages(timeline, 10, None, workers=3, segment_pages=4)
    for _ in range(300):
        timeline.take(pages, ahead=4)
    pages.close()
    assert timeline.most_ahead <= 4 + 1


@pytest.mark.parametrize("limit", [0, 1, 10, 11, 250, 9999])
def test_a_limit_ends_the_items(limit: int) -> None:
    timeline = FakeTimeline(range(500), slack=1)
    assert list(parallel(timeline, limit=limit)) == list(range(min(limit, 500)))
    assert timeline.asked or limit == 0


def test_no_page_is_fetched_before_the_first_item_is_asked_for() -> None:
    timeline = FakeTimeline(range(500))
    with parallel(timeline):
        pass
    assert timeline.asked == []


def test_pages_that_are_too_large_are_asked_for_in_smaller_ones_by_all() -> None:
    timeline = FakeTimeline(range(500), slack=1)
    timeline.most = 3
    assert list(parallel(timeline, page_size=64)) == list(range(500))
    too_large = sum(1 for _, _, size in timeline.asked if size > 3)
    assert 5 <= too_large < 80


@pytest.mark.parametrize("number", [0, 3, 205, 499])
def test_an_error_comes_after_all_items_before_its_page(number: int) -> None:
    timeline = FakeTimeline(range(500))
    timeline.errors[number] = grpc_error(grpc.StatusCode.NOT_FOUND, "gone")
    seen: List[int] = []
    pages = parallel(timeline)
    with pytest.raises(NotFoundError, match="gone"):
        drain(pages, seen)
    assert seen == list(range(len(seen)))
    assert number - 10 < len(seen) <= number
    assert list(pages) == []


@pytest.mark.parametrize("error", [UnavailableError(grpc.StatusCode.UNAVAILABLE, "down"), ClosedError("closed")])
def test_if_the_last_item_cannot_be_fetched_the_pages_come_one_after_the_other(error: ViamError) -> None:
    timeline = FakeTimeline(range(500))
    timeline.last_error = error
    assert list(parallel(timeline)) == list(range(500))
    assert {time_range for time_range, _, _ in timeline.asked} == {TimeRange(None, None)}
    assert len(timeline.asked) == 51


@pytest.mark.parametrize("ticks", [[*range(300), None], [None] * 300])
def test_where_the_last_item_has_no_time_the_pages_come_one_after_the_other(ticks: Sequence[Optional[int]]) -> None:
    timeline = FakeTimeline(ticks)
    assert list(parallel(timeline)) == list(range(len(ticks)))
    assert {time_range for time_range, _, _ in timeline.asked} == {TimeRange(None, None)}


@pytest.mark.parametrize("count", [1, 10, 25])
def test_items_without_a_time_that_come_first_are_there_too(count: int) -> None:
    assert list(parallel(FakeTimeline([*[None] * count, *range(300)]))) == list(range(300 + count))


class Odd(FakeTimeline):
    """A service that does not go by the ticks that its items have, from a place on."""

    def __init__(self, kind: str) -> None:
        super().__init__(range(500))
        self.kind = kind

    def page(self, time_range: TimeRange, cursor: str, size: int, cancellation: Cancellation) -> Answer:
        if self.kind == "range":
            return super().page(TimeRange(None, None), cursor, size, cancellation)
        numbers, ticks, after = super().page(time_range, cursor, size, cancellation)
        if time_range.start is not None and self.kind == "order":
            ticks = list(reversed(ticks))
        if time_range.start is not None and self.kind == "time":
            ticks = [None for _ in ticks]
        return numbers, ticks, after


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("range", "an item of another time than was asked for"),
        ("order", "items in another order than was asked for"),
        ("time", "an item without a time"),
    ],
)
def test_a_service_that_does_not_go_by_the_time_is_an_error_and_no_loss(kind: str, text: str) -> None:
    seen: List[int] = []
    text = f"demo/List: INTERNAL: The service gave {text}.*; use workers=1"
    with pytest.raises(InternalError, match=text) as caught:
        drain(parallel(Odd(kind), method="demo/List"), seen)
    assert caught.value.method == "demo/List"
    assert seen == list(range(len(seen)))


class Blocked(FakeTimeline):
    """A timeline whose calls end only when they are cancelled, from a place on."""

    def __init__(self, first: int = 1) -> None:
        super().__init__(range(1000))
        self.begun = threading.Event()
        self.first = first

    def page(self, time_range: TimeRange, cursor: str, size: int, cancellation: Cancellation) -> Answer:
        if len(self.asked) >= self.first:
            self.begun.set()
            cancellation.sleep(60)
            raise CancelledError(grpc.StatusCode.CANCELLED, "cancelled")
        return super().page(time_range, cursor, size, cancellation)


def test_closing_ends_all_fetches_under_way() -> None:
    timeline = Blocked()
    pages = parallel(timeline)
    assert next(pages) == 0
    assert timeline.begun.wait(60)
    pages.close()
    assert threads() == []
    assert list(pages) == []
    pages.close()


def test_closing_in_another_thread_ends_a_next_that_waits() -> None:
    timeline = Blocked(first=0)
    pages = parallel(timeline)
    seen: List[List[int]] = []
    waiting = threading.Thread(target=lambda: seen.append(list(pages)))
    waiting.start()
    assert timeline.begun.wait(60)
    pages.close()
    waiting.join(60)
    assert seen == [[]]


def test_pages_that_are_garbage_collected_end_their_threads() -> None:
    timeline = Blocked()
    pages = parallel(timeline)
    assert next(pages) == 0
    assert timeline.begun.wait(60)
    left = threads()
    assert len(left) == 4
    del pages
    gc.collect()
    for thread in left:
        thread.join(60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_forked_process_is_told_that_the_iterator_began_in_another() -> None:
    with parallel(FakeTimeline(range(6_000))) as pages:
        items = [next(pages) for _ in range(9)]
        child = os.fork()
        if child == 0:
            try:
                list(pages)
            except RuntimeError as error:
                os._exit(0 if "began in another process" in str(error) else 2)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert [*items, *pages] == list(range(6_000))
