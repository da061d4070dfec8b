"""Single flight: of threads that want the same thing at the same time, one gets it for all."""

import threading
from typing import Any, Callable, List

from waiting import LONG, ended, is_blocked, start, until

from viam_sync.rpc.single_flight import SingleFlight


def meanwhile(
    together: "SingleFlight[str]", first: Callable[[Any], str], others: int, timeout: float = LONG
) -> List[str]:
    """Return the results of a first thread, which does ``first``, and of others that come meanwhile and do "own"."""
    begun, go_on = threading.Event(), threading.Event()
    got: List[str] = []

    def slow(seconds: Any) -> str:
        begun.set()
        go_on.wait(LONG)
        return first(seconds)

    def ask(act: Callable[[Any], str], limit: float) -> None:
        try:
            got.append(together.do(act, limit))
        except Exception as error:
            got.append(f"{type(error).__name__}: {error}")

    threads = start(lambda: ask(slow, LONG))
    assert begun.wait(LONG)
    followers = start(lambda: ask(lambda seconds: "own", timeout), others)
    if timeout < LONG:
        assert ended(followers)
    else:
        until(lambda: all(map(is_blocked, followers)))
    go_on.set()
    assert ended(threads + followers)
    return sorted(got)


def fail(error: Exception) -> Callable[[Any], str]:
    def act(seconds: Any) -> str:
        raise error

    return act


def test_the_result_of_one_thread_is_for_all_that_waited() -> None:
    together: SingleFlight[str] = SingleFlight(verdicts=(KeyError,))
    assert meanwhile(together, lambda seconds: "first", 3) == ["first"] * 4
    assert together.do(lambda seconds: "again", None) == "again"


def test_a_verdict_is_for_all_that_waited() -> None:
    assert meanwhile(SingleFlight(verdicts=(KeyError,)), fail(KeyError("no")), 2) == ["KeyError: 'no'"] * 3


def test_another_failure_is_of_the_thread_that_met_it_alone() -> None:
    got = meanwhile(SingleFlight(verdicts=(KeyError,)), fail(OSError("mine")), 2)
    assert got == ["OSError: mine", "own", "own"]


def test_a_thread_waits_no_longer_than_it_may() -> None:
    got = meanwhile(SingleFlight(verdicts=()), lambda seconds: "first", 2, timeout=0.01)
    late = "DeadlineExceededError: DEADLINE_EXCEEDED: Connecting, which another thread began, took too long."
    assert got == [late, late, "first"]


def test_a_thread_that_comes_back_amid_its_own_try_does_not_wait_for_itself() -> None:
    together: SingleFlight[str] = SingleFlight(verdicts=())
    assert together.do(lambda seconds: together.do(lambda left: "inner", 1), 1) == "inner"
