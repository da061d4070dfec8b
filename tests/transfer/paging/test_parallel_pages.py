"""Several workers go through what is ordered by time: all is there once, in the order that one of them gives."""

import gc
import os
import random
import threading
from typing import Any, Dict, List, Optional, Sequence, Tuple

import grpc
import pytest

from viam_sync.errors import (
    CancelledError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    UnavailableError,
    grpc_error,
)
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.paging.pages import Pages
from viam_sync.transfer.paging.parallel_pages import ParallelPages
from viam_sync.transfer.paging.time_ranges import TimeRange

#: An item is its number; its tick is that of its place in the list.
Answer = Tuple[List[int], Sequence[Optional[int]], str]


class Line:
    """A timeline of items with these ticks, which counts what it was asked for.

    Args:
        ticks: When they are.
        slack: How far beyond a stretch it gives items.
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

    def page(self, stretch: TimeRange, cursor: str, size: int, cancellation: Cancellation) -> Answer:
        self.asked.append((stretch, cursor, size))
        numbers = [number for number in range(int(cursor or -1) + 1, len(self.ticks)) if self.is_in(number, stretch)]
        numbers = numbers[:size]
        for number in numbers:
            if number in self.errors:
                raise self.errors[number]
        if len(numbers) > self.most:
            raise InvalidArgumentError(grpc.StatusCode.INVALID_ARGUMENT, "INCLUDE_BINARY_TOO_LARGE: 40 MB")
        return numbers, [self.ticks[number] for number in numbers], str(numbers[-1]) if numbers else ""

    def is_in(self, number: int, stretch: TimeRange) -> bool:
        tick = self.ticks[number]
        if tick is None:
            return stretch == (None, None)
        return (stretch.start is None or stretch.start - self.slack <= tick) and (
            stretch.end is None or tick < stretch.end + self.slack
        )

    def last(self, cancellation: Cancellation) -> Optional[int]:
        if self.last_error is not None:
            raise self.last_error
        return self.ticks[-1] if self.ticks else None


def spread(line: Any, page_size: int = 10, limit: Optional[int] = None, workers: int = 4, **more: Any) -> Pages[int]:
    source: ParallelPages[int] = ParallelPages(line, page_size, limit, workers, **more)
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


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Any:
    yield
    assert threads() == []


def threads() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "viam-sync-ahead"]


@pytest.mark.parametrize("slack", [0, 1, 2])
@pytest.mark.parametrize("workers", [2, 5])
def test_all_is_there_once_and_in_order_however_it_lies_in_time(workers: int, slack: int) -> None:
    chance = random.Random(workers * 10 + slack)
    for _ in range(15):
        count = chance.choice([5, 60, 400])
        line = Line(bursts(chance, count), slack)
        longest = chance.choice([1, 2, 8])
        assert list(spread(line, chance.choice([1, 7, 20]), workers=workers, longest=longest)) == list(range(count))


@pytest.mark.parametrize("ticks", [[], [5], [0] * 200, [-3] * 100 + [7] * 100], ids=["none", "one", "same", "two"])
def test_what_cannot_be_cut_is_there_all_the_same(ticks: List[int]) -> None:
    assert list(spread(Line(ticks))) == list(range(len(ticks)))


def test_one_item_long_before_all_others_does_not_make_it_slow() -> None:
    line = Line([-(10**11), *range(3000)], slack=1)
    assert list(spread(line, longest=8)) == list(range(3001))
    stretches = {stretch for stretch, _, _ in line.asked}
    assert len(stretches) > 30
    # A serial walk asks for 302 pages.
    assert len(line.asked) < 500


def test_several_pages_are_asked_for_at_a_time() -> None:
    together = threading.Barrier(4, timeout=60)

    class Met(Line):
        def page(self, stretch: TimeRange, cursor: str, size: int, cancellation: Cancellation) -> Answer:
            # The last stretches may be too few.
            if None not in stretch and not cursor and len(self.asked) < 60 and not together.broken:
                together.wait()
            return super().page(stretch, cursor, size, cancellation)

    pages = spread(Met(range(6_000)))
    assert [next(pages) for _ in range(300)] == list(range(300))
    together.abort()
    pages.close()


def test_no_more_is_fetched_ahead_than_is_said() -> None:
    line = Line(range(6_000))
    with spread(line, workers=3, longest=4) as pages:
        next(pages)
        settled = threading.Event()
        before = -1
        while len(line.asked) != before:
            before = len(line.asked)
            settled.wait(0.3)
        given = {(stretch.start, cursor) for stretch, cursor, _ in line.asked}
        assert 8 < len(given) <= 2 * 3 * 4 + 6


def test_what_cannot_be_cut_is_not_fetched_ahead_without_end() -> None:
    line = Line([0] * 6_000)
    with spread(line, workers=3, longest=4) as pages:
        next(pages)
        settled = threading.Event()
        before = -1
        while len(line.asked) != before:
            before = len(line.asked)
            settled.wait(0.3)
        assert 3 < before <= 6


@pytest.mark.parametrize("limit", [0, 1, 10, 11, 250, 9999])
def test_a_limit_ends_it(limit: int) -> None:
    line = Line(range(500), slack=1)
    assert list(spread(line, limit=limit)) == list(range(min(limit, 500)))
    assert line.asked or limit == 0


def test_nothing_is_asked_before_the_first_item_is() -> None:
    line = Line(range(500))
    with spread(line):
        pass
    assert line.asked == []


def test_pages_that_are_too_large_are_asked_for_in_smaller_ones_by_all() -> None:
    line = Line(range(500), slack=1)
    line.most = 3
    assert list(spread(line, page_size=64)) == list(range(500))
    too_large = sum(1 for _, _, size in line.asked if size > 3)
    assert 5 <= too_large < 80


@pytest.mark.parametrize("number", [0, 3, 205, 499])
def test_an_error_comes_after_all_items_before_its_page(number: int) -> None:
    line = Line(range(500))
    line.errors[number] = grpc_error(grpc.StatusCode.NOT_FOUND, "gone")
    seen: List[int] = []
    pages = spread(line)
    with pytest.raises(NotFoundError, match="gone"):
        drain(pages, seen)
    assert seen == list(range(len(seen)))
    assert number - 10 < len(seen) <= number
    assert list(pages) == []


def test_if_the_last_one_cannot_be_had_the_pages_come_one_after_the_other() -> None:
    line = Line(range(500))
    line.last_error = UnavailableError(grpc.StatusCode.UNAVAILABLE, "down")
    assert list(spread(line)) == list(range(500))
    assert {stretch for stretch, _, _ in line.asked} == {TimeRange(None, None)}
    assert len(line.asked) == 51


@pytest.mark.parametrize("ticks", [[*range(300), None], [None] * 300])
def test_where_the_last_item_has_no_time_the_pages_come_one_after_the_other(ticks: Sequence[Optional[int]]) -> None:
    line = Line(ticks)
    assert list(spread(line)) == list(range(len(ticks)))
    assert {stretch for stretch, _, _ in line.asked} == {TimeRange(None, None)}


@pytest.mark.parametrize("count", [1, 10, 25])
def test_items_without_a_time_that_come_first_are_there_too(count: int) -> None:
    assert list(spread(Line([*[None] * count, *range(300)]))) == list(range(300 + count))


class Odd(Line):
    """A service that does not go by the ticks that its items have, from a place on."""

    def __init__(self, kind: str) -> None:
        super().__init__(range(500))
        self.kind = kind

    def page(self, stretch: TimeRange, cursor: str, size: int, cancellation: Cancellation) -> Answer:
        if self.kind == "range":
            return super().page(TimeRange(None, None), cursor, size, cancellation)
        numbers, ticks, after = super().page(stretch, cursor, size, cancellation)
        if stretch.start is not None and self.kind == "order":
            ticks = list(reversed(ticks))
        if stretch.start is not None and self.kind == "time":
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
        drain(spread(Odd(kind), method="demo/List"), seen)
    assert caught.value.method == "demo/List"
    assert seen == list(range(len(seen)))


class Blocked(Line):
    """A timeline whose calls end only when they are cancelled, from a place on."""

    def __init__(self, first: int = 1) -> None:
        super().__init__(range(1000))
        self.begun = threading.Event()
        self.first = first

    def page(self, stretch: TimeRange, cursor: str, size: int, cancellation: Cancellation) -> Answer:
        if len(self.asked) >= self.first:
            self.begun.set()
            cancellation.sleep(60)
            raise CancelledError(grpc.StatusCode.CANCELLED, "cancelled")
        return super().page(stretch, cursor, size, cancellation)


def test_closing_ends_all_fetches_under_way() -> None:
    line = Blocked()
    pages = spread(line)
    assert next(pages) == 0
    assert line.begun.wait(60)
    pages.close()
    assert threads() == []
    assert list(pages) == []
    pages.close()


def test_closing_in_another_thread_ends_a_next_that_waits() -> None:
    line = Blocked(first=0)
    pages = spread(line)
    seen: List[List[int]] = []
    waiting = threading.Thread(target=lambda: seen.append(list(pages)))
    waiting.start()
    assert line.begun.wait(60)
    pages.close()
    waiting.join(60)
    assert seen == [[]]


def test_one_that_is_forgotten_ends_its_threads() -> None:
    line = Blocked()
    pages = spread(line)
    assert next(pages) == 0
    assert line.begun.wait(60)
    left = threads()
    assert len(left) == 4
    del pages
    gc.collect()
    for thread in left:
        thread.join(60)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_in_a_forked_process_it_says_that_it_began_in_another() -> None:
    with spread(Line(range(6_000))) as pages:
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
