import threading
from typing import Callable, List

import grpc
import pytest

from viam_sync.errors import CancelledError, GRPCError, grpc_error
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.concurrency.throttle import Throttle, may_pass


class Waits(Cancellation):
    """Keeps the waits, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: List[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


def failing(code: str, times: int) -> Callable[[], str]:
    left = [times]

    def attempt() -> str:
        if left[0]:
            left[0] -= 1
            raise grpc_error(grpc.StatusCode[code], "not now")
        return "done"

    return attempt


def test_a_request_is_made_again_after_longer_and_longer_waits() -> None:
    waits = Waits()
    assert Throttle(8, share=lambda: 1).run(failing("UNAVAILABLE", 7), waits) == "done"
    assert waits.waits == [0.25, 0.5, 1, 2, 4, 8, 15]


def test_the_waits_are_of_a_random_length() -> None:
    waits = Waits()
    Throttle(8, share=iter([0.5, 0, 1]).__next__).run(failing("UNAVAILABLE", 3), waits)
    assert waits.waits == [0.125, 0, 1]


@pytest.mark.parametrize(("code", "times"), [("UNAVAILABLE", 8), ("INTERNAL", 1), ("INVALID_ARGUMENT", 1)])
def test_what_does_not_pass_is_raised(code: str, times: int) -> None:
    with pytest.raises(GRPCError, match="not now"):
        Throttle(8).run(failing(code, times), Waits())


def test_a_service_that_has_enough_gets_half_as_many_and_then_slowly_more() -> None:
    throttle = Throttle(8, share=lambda: 0)
    throttle.run(failing("RESOURCE_EXHAUSTED", 2), Waits())
    assert throttle.allowed == 2
    seen = []
    for _ in range(40):
        throttle.run(lambda: "done", Waits())
        seen.append(throttle.allowed)
    # One has come through before; then two for the next, three for that after it, and so on.
    assert [seen.count(allowed) for allowed in range(2, 8)] == [0, 3, 4, 5, 6, 7]
    assert seen[-1] == 8


def test_it_is_never_less_than_one() -> None:
    throttle = Throttle(8, share=lambda: 0)
    throttle.run(failing("RESOURCE_EXHAUSTED", 7), Waits())
    assert throttle.allowed in (1, 2)


def test_other_failures_cut_nothing() -> None:
    throttle = Throttle(8, share=lambda: 0)
    throttle.run(failing("UNAVAILABLE", 3), Waits())
    assert throttle.allowed == 8


def test_what_was_under_way_at_the_same_time_cuts_once() -> None:
    throttle = Throttle(8, share=lambda: 0)
    together = threading.Barrier(8, timeout=30)

    def work() -> None:
        first = [True]

        def attempt() -> None:
            if first.pop() if first else False:
                together.wait()
                raise grpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many")

        throttle.run(attempt, Waits())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert throttle.allowed >= 4


def test_no_more_are_under_way_than_are_allowed() -> None:
    throttle = Throttle(3)
    busy, most = [0], [0]
    lock = threading.Lock()

    def attempt() -> None:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        with lock:
            busy[0] -= 1

    threads = [threading.Thread(target=lambda: [throttle.run(attempt, Waits()) for _ in range(50)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] <= 3


def test_who_waits_for_others_can_be_ended() -> None:
    throttle = Throttle(1)
    inside, done = threading.Event(), threading.Event()
    first = threading.Thread(target=lambda: throttle.run(lambda: inside.set() or done.wait(30), Cancellation()))
    first.start()
    inside.wait(30)
    cancellation = Cancellation()
    raised: List[Exception] = []

    def wait() -> None:
        try:
            throttle.run(lambda: None, cancellation)
        except CancelledError as error:
            raised.append(error)

    second = threading.Thread(target=wait)
    second.start()
    cancellation.cancel()
    second.join(30)
    done.set()
    first.join(30)
    assert len(raised) == 1


def test_what_is_too_large_will_be_so_the_next_time() -> None:
    assert not may_pass(grpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max"))
    assert may_pass(grpc_error(grpc.StatusCode.RESOURCE_EXHAUSTED, "too many calls"))
