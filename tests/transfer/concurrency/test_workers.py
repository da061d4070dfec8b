import threading
from typing import Iterator, List

import pytest

from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.concurrency.workers import for_each


def test_no_more_workers_are_at_work_than_were_asked_for() -> None:
    both = threading.Barrier(2, timeout=30)
    at_work: List[int] = [0]
    most: List[int] = [0]
    lock = threading.Lock()

    def work(item: int, cancellation: Cancellation) -> None:
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        both.wait()
        with lock:
            at_work[0] -= 1

    for_each(range(20), work, 2)
    assert most == [2]


def test_items_are_taken_only_when_a_worker_is_free() -> None:
    taken: List[int] = []

    def items() -> Iterator[int]:
        for item in range(10):
            taken.append(item)
            yield item

    def work(item: int, cancellation: Cancellation) -> None:
        assert len(taken) == item + 1

    for_each(items(), work, 1)
    assert len(taken) == 10


def test_an_error_ends_all_workers_and_wakes_those_that_wait() -> None:
    waiting = threading.Event()
    done: List[int] = []

    def work(item: int, cancellation: Cancellation) -> None:
        if item == 0:
            waiting.set()
            cancellation.sleep(30)
        else:
            assert waiting.wait(30)
            raise LookupError("broken")
        done.append(item)

    with pytest.raises(LookupError, match="broken"):
        for_each(range(100), work, 2)
    assert done == [0]


def test_an_error_among_the_items_comes_out() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise StopAsyncIteration

    with pytest.raises(StopAsyncIteration):
        for_each(items(), lambda item, cancellation: None, 3)


def test_a_stop_iteration_that_the_work_raises_is_an_error_and_no_end() -> None:
    def work(item: int, cancellation: Cancellation) -> None:
        raise StopIteration

    with pytest.raises(StopIteration):
        for_each([1], work, 1)
