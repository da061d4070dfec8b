import gc
import threading
from typing import Any, Callable, Dict, List, Optional, Tuple

import grpc
import pytest

from viam_sync.errors import (
    CancelledError,
    DeadlineExceededError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    ResourceExhaustedError,
)
from viam_sync.transfer.paging.pages import ConvertedPage, Pages, PageSize

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

Answer = Tuple[Any, str]

TOO_LARGE = [
    (InvalidArgumentError, grpc.StatusCode.INVALID_ARGUMENT, "INCLUDE_BINARY_TOO_LARGE: 40 MB"),
    (ResourceExhaustedError, grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (70 vs. 64)"),
    (ResourceExhaustedError, grpc.StatusCode.RESOURCE_EXHAUSTED, "Answer too large"),
]


@pytest.fixture(params=[True, False], ids=["prefetch", "no prefetch"])
def prefetch(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def threads() -> List[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "viam-sync-prefetch"]


class Service:
    """A service with items in pages, whose cursors are the numbers of their first items.

    Each item has a size, and a page no more of them than ``most``, nor more than ``cap`` items.
    """

    def __init__(
        self, items: int, page: int = 3, sizes: Optional[Dict[int, int]] = None, most: int = 10**9, cap: int = 10**9
    ) -> None:
        self.items, self.page, self.sizes, self.most, self.cap = items, page, sizes or {}, most, cap
        self.calls: List[Tuple[str, int]] = []
        self.too_large = TOO_LARGE[0]

    def __call__(self, cursor: str, size: int) -> Tuple[List[int], str]:
        self.calls.append((cursor, size))
        first = int(cursor or 0)
        page = list(range(self.items))[first : first + min(size or self.page, self.cap)]
        if sum(self.sizes.get(item, 1) for item in page) > self.most:
            kind, status, text = self.too_large
            raise kind(status, text)
        after = first + len(page)
        return page, str(after) if after < self.items else ""


def drain(pages: Pages[int], seen: List[int]) -> None:
    for item in pages:
        seen.append(item)


def answers(*pages: Answer) -> Callable[[str, int], Answer]:
    left = iter(pages)
    return lambda cursor, size: next(left)


def test_the_items_of_all_pages_come_in_their_order(prefetch: bool) -> None:
    service = Service(10)
    assert list(Pages(service, prefetch=prefetch)) == list(range(10))
    assert service.calls == [("", 0), ("3", 0), ("6", 0), ("9", 0)]


def test_a_service_without_items_is_asked_once(prefetch: bool) -> None:
    service = Service(0)
    assert list(Pages(service, prefetch=prefetch)) == []
    assert service.calls == [("", 0)]


def test_no_page_is_fetched_before_the_first_item_is_asked_for(prefetch: bool) -> None:
    service = Service(10)
    with Pages(service, prefetch=prefetch):
        pass
    assert service.calls == []


def test_empty_pages_are_passed_over(prefetch: bool) -> None:
    fetch = answers(([], "a"), (["x"], "b"), ([], "c"), ([], "d"), (["y"], "e"), ([], ""))
    assert list(Pages(fetch, prefetch=prefetch)) == ["x", "y"]


def test_the_next_page_is_fetched_while_the_caller_works() -> None:
    second = threading.Event()

    def fetch(cursor: str, size: int) -> Answer:
        if cursor:
            second.set()
        return [cursor], "" if cursor else "p-2"

    pages = Pages(fetch)
    assert next(pages) == ""
    assert second.wait(60)
    assert list(pages) == ["p-2"]


def test_without_prefetch_there_is_no_thread() -> None:
    seen: List[threading.Thread] = []

    def fetch(cursor: str, size: int) -> Answer:
        seen.append(threading.current_thread())
        return [cursor], "" if cursor else "p-2"

    pages = Pages(fetch, prefetch=False)
    assert next(pages) == ""
    assert len(seen) == 1
    assert next(pages) == "p-2"
    assert set(seen) == {threading.current_thread()}
    pages.close()


def test_an_error_comes_after_all_items_before_it_and_ends_the_iteration(prefetch: bool) -> None:
    def fetch(cursor: str, size: int) -> Answer:
        if cursor:
            raise NotFoundError(grpc.StatusCode.NOT_FOUND, "gone")
        return [1, 2], "p-2"

    pages = Pages(fetch, prefetch=prefetch)
    assert [next(pages), next(pages)] == [1, 2]
    with pytest.raises(NotFoundError, match="gone"):
        next(pages)
    assert list(pages) == []


def test_an_item_that_cannot_be_converted_is_an_error_in_its_place(prefetch: bool) -> None:
    pages = Pages(answers((ConvertedPage(["1", "2", "x", "4"], int), "p-2"), ([5], "")), prefetch=prefetch)
    assert [next(pages), next(pages)] == [1, 2]
    with pytest.raises(ValueError, match="invalid literal"):
        next(pages)
    assert list(pages) == []


def test_a_cursor_that_comes_again_is_an_error_and_no_loop(prefetch: bool) -> None:
    seen: List[int] = []
    pages = Pages(answers(([1], "a"), ([2], "b"), ([3], "a")), prefetch=prefetch, method="demo/List")
    with pytest.raises(InternalError, match="demo/List: INTERNAL: The service gave the page token 'a' a second time"):
        drain(pages, seen)
    assert seen == [1, 2, 3]


def test_empty_pages_without_end_are_an_error(prefetch: bool) -> None:
    asked: List[str] = []

    def fetch(cursor: str, size: int) -> Answer:
        asked.append(cursor)
        return [], f"p-{len(asked)}"

    with pytest.raises(InternalError, match="sent 100 empty pages in a row"):
        list(Pages(fetch, prefetch=prefetch))
    assert len(asked) == 100


@pytest.mark.parametrize(
    ("limit", "calls"),
    [
        (0, []),
        (2, [("", 2)]),
        (3, [("", 3)]),
        (5, [("", 3), ("3", 2)]),
        (6, [("", 3), ("3", 3)]),
        (99, [("", 3), ("3", 3), ("6", 3), ("9", 3)]),
    ],
)
def test_a_limit_ends_the_items_and_no_page_beyond_it_is_asked_for(
    prefetch: bool, limit: int, calls: List[Tuple[str, int]]
) -> None:
    service = Service(10)
    assert list(Pages(service, page_size=3, limit=limit, prefetch=prefetch)) == list(range(min(limit, 10)))
    assert service.calls == calls


def test_a_limit_cuts_a_page_whose_size_the_service_decides(prefetch: bool) -> None:
    service = Service(10)
    assert list(Pages(service, limit=4, prefetch=prefetch)) == [0, 1, 2, 3]
    assert service.calls == [("", 0), ("3", 0)]


@pytest.mark.parametrize("too_large", TOO_LARGE)
def test_a_page_that_is_too_large_is_asked_for_in_smaller_ones(prefetch: bool, too_large: Any) -> None:
    service = Service(20, most=3)
    service.too_large = too_large
    assert list(Pages(service, page_size=16, prefetch=prefetch)) == list(range(20))
    assert service.calls[:5] == [("", 16), ("", 8), ("", 4), ("", 2), ("2", 2)]


def test_pages_grow_again_and_ever_more_carefully() -> None:
    service = Service(300, most=4)
    assert list(Pages(service, page_size=8)) == list(range(300))
    refused = [index for index, call in enumerate(service.calls[:-1]) if service.calls[index + 1][0] == call[0]]
    assert refused[0] == 0
    gaps = [after - before for before, after in zip(refused, refused[1:])]
    assert gaps[0] == 3
    assert all(after == 2 * before - 1 for before, after in zip(gaps, gaps[1:]))


def test_after_a_few_large_items_pages_are_as_large_as_before(prefetch: bool) -> None:
    service = Service(400, most=16, sizes={3: 15})
    assert list(Pages(service, page_size=16, prefetch=prefetch)) == list(range(400))
    assert [size for _, size in service.calls[-5:]] == [16] * 5


@pytest.mark.parametrize(
    ("cap", "sizes"),
    [(10**9, [10, 10, 20, 20, 40, 40, 80, 80, 80]), (30, [10, 10, 20, 20, 40, 30, 30]), (10, [10, 10, 20, 10, 10])],
)
def test_pages_grow_for_as_long_as_the_service_gives_what_is_asked_for(
    cap: int, sizes: List[int], prefetch: bool
) -> None:
    service = Service(400, cap=cap)
    assert list(Pages(service, size=PageSize(10, 80), prefetch=prefetch)) == list(range(400))
    asked = [size for _, size in service.calls]
    assert asked[: len(sizes)] == sizes
    assert asked[len(sizes) :] == [sizes[-1]] * (len(asked) - len(sizes))


def test_a_limit_is_kept_by_pages_that_grow(prefetch: bool) -> None:
    service = Service(400)
    assert list(Pages(service, size=PageSize(10, 80), limit=25, prefetch=prefetch)) == list(range(25))
    assert [size for _, size in service.calls] == [10, 10, 5]


REFUSED = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgumentError,
    grpc.StatusCode.OUT_OF_RANGE: OutOfRangeError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ResourceExhaustedError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
}


@pytest.mark.parametrize("status", REFUSED, ids=lambda status: status.name)
def test_a_larger_page_that_is_refused_is_asked_for_as_small_as_the_first_and_never_again(
    status: grpc.StatusCode, prefetch: bool
) -> None:
    service = Service(200, most=25)
    service.too_large = (REFUSED[status], status, "No.")
    assert list(Pages(service, size=PageSize(10, 80), prefetch=prefetch)) == list(range(200))
    asked = [size for _, size in service.calls]
    assert asked[:6] == [10, 10, 20, 20, 40, 10]
    assert set(asked[6:]) == {10}
    assert [cursor for cursor, _ in service.calls[4:6]] == ["60", "60"]


def test_an_error_that_does_not_come_of_the_size_is_raised(prefetch: bool) -> None:
    service = Service(200, most=15)
    service.too_large = (NotFoundError, grpc.StatusCode.NOT_FOUND, "Gone.")
    seen: List[int] = []
    with pytest.raises(NotFoundError):
        drain(Pages(service, size=PageSize(10, 80), prefetch=prefetch), seen)
    assert seen == list(range(20))
    assert service.calls[-1] == ("20", 20)


def test_an_item_that_is_too_large_alone_is_an_error_that_says_what_to_do(prefetch: bool) -> None:
    service = Service(10, most=5, sizes={4: 6})
    seen: List[int] = []
    pages = Pages(service, page_size=4, prefetch=prefetch, advice="Read less.")
    text = "A single item is too large for one message. Read less. INCLUDE_BINARY_TOO_LARGE: 40 MB"
    with pytest.raises(InvalidArgumentError, match=text) as caught:
        drain(pages, seen)
    assert seen == [0, 1, 2, 3]
    assert isinstance(caught.value.__cause__, InvalidArgumentError)
    assert service.calls[-1] == ("4", 1)


def test_a_page_whose_size_the_service_decides_cannot_be_smaller(prefetch: bool) -> None:
    service = Service(10, most=2)
    with pytest.raises(InvalidArgumentError, match=r"^INVALID_ARGUMENT: INCLUDE_BINARY"):
        next(Pages(service, prefetch=prefetch))
    assert service.calls == [("", 0)]


def test_another_error_of_the_same_kind_is_raised_as_it_is(prefetch: bool) -> None:
    service = Service(10, most=2)
    service.too_large = (ResourceExhaustedError, grpc.StatusCode.RESOURCE_EXHAUSTED, "The quota is used up.")
    with pytest.raises(ResourceExhaustedError, match="quota"):
        next(Pages(service, page_size=4, prefetch=prefetch))
    assert service.calls == [("", 4)]


def test_pages_that_are_closed_have_ended(prefetch: bool) -> None:
    with Pages(Service(10), prefetch=prefetch) as pages:
        assert next(pages) == 0
    assert threads() == []
    assert list(pages) == []
    pages.close()


class Blocked:
    """A service that answers only when it is cancelled."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.cancelled = threading.Event()

    def __call__(self, cursor: str, size: int) -> Answer:
        if not cursor:
            return [1], "p-2"
        self.begun.set()
        assert self.cancelled.wait(60)
        raise CancelledError(grpc.StatusCode.CANCELLED, "cancelled")


def test_closing_ends_a_fetch_under_way() -> None:
    service = Blocked()
    pages = Pages(service, cancel=service.cancelled.set)
    assert next(pages) == 1
    assert service.begun.wait(60)
    pages.close()
    assert threads() == []


def test_closing_in_another_thread_ends_a_next_that_waits(prefetch: bool) -> None:
    service = Blocked()
    pages = Pages(service, cancel=service.cancelled.set, prefetch=prefetch)
    seen: List[int] = []
    first, over = threading.Event(), threading.Event()

    def follow() -> None:
        for item in pages:
            seen.append(item)
            first.set()
        over.set()

    waiting = threading.Thread(target=follow)
    waiting.start()
    assert first.wait(60)
    assert service.begun.wait(60)
    pages.close()
    waiting.join(60)
    assert over.is_set()
    assert seen == [1]


def test_pages_that_are_garbage_collected_end_their_thread() -> None:
    service = Blocked()
    pages = Pages(service, cancel=service.cancelled.set)
    assert next(pages) == 1
    assert service.begun.wait(60)
    (thread,) = threads()
    del pages
    gc.collect()
    thread.join(60)
    assert service.cancelled.is_set()
    assert not thread.is_alive()


def test_many_iterators_in_turn_leave_no_thread() -> None:
    before = set(threading.enumerate())
    for count in range(200):
        with Pages(Service(10)) as pages:
            assert [next(pages) for _ in range(count % 10)] == list(range(count % 10))
    assert set(threading.enumerate()) <= before
