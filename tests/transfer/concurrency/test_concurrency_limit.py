import contextlib
import threading
from typing import Iterator, List

import grpc
import pytest
from waiting import is_blocked, until

from viam_sync.errors import CancelledError, grpc_error
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.concurrency.byte_window import ByteWindow
from viam_sync.transfer.concurrency.concurrency_limit import ConcurrencyLimit, Slot

OVERLOADED = grpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down")
DOWN = grpc_error(grpc.StatusCode.UNAVAILABLE, "not now")


def request(limit: ConcurrencyLimit, *failures: Exception) -> None:
    """Make a request that fails so often, and then succeeds."""
    with limit.slot(Cancellation()) as slot:
        for failure in failures:
            assert slot.failed(failure)
        slot.succeeded()


def test_an_overloaded_service_gets_half_as_many_and_then_slowly_more() -> None:
    limit = ConcurrencyLimit(8)
    request(limit, OVERLOADED, OVERLOADED)
    assert limit.allowed == 2
    seen = []
    for _ in range(40):
        request(limit)
        seen.append(limit.allowed)
    # One has come through before; then two for the next, three for that after it, and so on.
    assert [seen.count(allowed) for allowed in range(2, 8)] == [0, 3, 4, 5, 6, 7]
    assert seen[-1] == 8


def test_it_is_never_less_than_one() -> None:
    limit = ConcurrencyLimit(8)
    with limit.slot(Cancellation()) as slot:
        for _ in range(7):
            slot.failed(OVERLOADED)
        assert limit.allowed == 1


def test_other_failures_cut_nothing() -> None:
    limit = ConcurrencyLimit(8)
    request(limit, DOWN, DOWN, DOWN)
    assert limit.allowed == 8


def test_requests_under_way_at_the_same_time_cut_once() -> None:
    limit = ConcurrencyLimit(8)
    together = threading.Barrier(8, timeout=30)

    def work() -> None:
        with limit.slot(Cancellation()) as slot:
            together.wait()
            slot.failed(OVERLOADED)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert limit.allowed == 4


def test_a_request_that_fails_in_another_way_learns_of_the_cut() -> None:
    limit = ConcurrencyLimit(8)
    with limit.slot(Cancellation()) as early:
        request(limit, OVERLOADED)
        early.failed(DOWN)
        early.failed(OVERLOADED)
        assert limit.allowed == 2


def test_no_more_are_under_way_than_are_allowed() -> None:
    limit = ConcurrencyLimit(3)
    busy, most = [0], [0]
    lock = threading.Lock()

    def work() -> None:
        for _ in range(50):
            with limit.slot(Cancellation()):
                with lock:
                    busy[0] += 1
                    most[0] = max(most[0], busy[0])
                with lock:
                    busy[0] -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= most[0] <= 3


def test_a_request_that_waits_for_others_can_be_cancelled() -> None:
    limit = ConcurrencyLimit(1)
    cancellation = Cancellation()
    raised: List[Exception] = []

    def wait() -> None:
        try:
            with limit.slot(cancellation):
                raised.append(AssertionError("it did not wait"))
        except CancelledError as error:
            raised.append(error)

    with limit.slot(Cancellation()):
        second = threading.Thread(target=wait)
        second.start()
        cancellation.cancel()
        second.join(30)
    with pytest.raises(CancelledError, match="ended before it began"):
        raise raised[0]


def test_a_request_that_waits_for_its_next_attempt_gives_its_slot_back() -> None:
    limit = ConcurrencyLimit(1)
    with limit.slot(Cancellation()) as slot:
        with slot.waiting():
            request(limit)
        second = threading.Thread(target=request, args=(limit,), daemon=True)
        second.start()
        second.join(0.2)
        assert second.is_alive()  # the slot is held again
    second.join(30)
    assert not second.is_alive()


def test_a_request_that_is_cancelled_while_it_waits_holds_no_slot() -> None:
    limit = ConcurrencyLimit(1)
    cancellation = Cancellation()
    with pytest.raises(CancelledError), limit.slot(cancellation) as slot, limit_taken(limit, slot):
        cancellation.cancel()
    request(limit)


@contextlib.contextmanager
def limit_taken(limit: ConcurrencyLimit, slot: Slot) -> Iterator[None]:
    """Let another request take the slot of one that waits, for as long as that one waits and tries to come back."""
    other = limit.slot(Cancellation())
    try:
        with slot.waiting():
            other.__enter__()
            yield
    finally:
        other.__exit__(None, None, None)


LATE = grpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, "too late")


def test_requests_together_ask_for_no_more_bytes_than_the_window_has() -> None:
    limit = ConcurrencyLimit(8, ByteWindow(first=1000))
    began = threading.Event()

    def work() -> None:
        with limit.slot(Cancellation(), 600):
            began.set()

    second = threading.Thread(target=work)
    with limit.slot(Cancellation(), 600), limit.slot(Cancellation(), 400), limit.slot(Cancellation()):
        second.start()
        assert not began.wait(0.2)
    assert began.wait(30)
    second.join()


def test_a_request_for_more_than_the_window_is_made_alone() -> None:
    with ConcurrencyLimit(8, ByteWindow(first=1000)).slot(Cancellation(), 5000) as slot:
        slot.succeeded()


def test_a_response_that_comes_too_late_makes_for_fewer_requests_and_fewer_bytes() -> None:
    limit = ConcurrencyLimit(8, ByteWindow(first=10_000_000))
    with limit.slot(Cancellation(), 1_000_000) as first, limit.slot(Cancellation(), 1_000_000) as second:
        assert first.failed(LATE)
        assert second.failed(LATE)
        assert (limit.allowed, limit.window_size) == (4, 1_000_000)


def test_a_request_that_came_too_late_is_sent_again_only_if_none_can_take_its_place() -> None:
    limit = ConcurrencyLimit(8)
    with limit.slot(Cancellation(), 5, divisible=True) as slot:
        assert slot.failed(DOWN)
        assert not slot.failed(LATE)


def test_a_request_for_many_bytes_is_not_passed_by_later_ones() -> None:
    limit = ConcurrencyLimit(8, ByteWindow(first=1000))
    order: List[int] = []

    def work(size: int) -> None:
        with limit.slot(Cancellation(), size):
            order.append(size)

    threads = [threading.Thread(target=work, args=(size,)) for size in (1000, 10)]
    with limit.slot(Cancellation(), 100):
        threads[0].start()
        until(lambda: is_blocked(threads[0]))
        threads[1].start()
        until(lambda: is_blocked(threads[1]))
    for thread in threads:
        thread.join()
    assert order == [1000, 10]
