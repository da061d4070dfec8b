import gc
import os
import signal
import subprocess
import sys
import threading
import weakref
from typing import Any, Iterator, List

import pytest

from viam_sync.transfer.concurrency.prefetch import Prefetch


class Blocked:
    """An iterator whose steps end only when they are cancelled."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.cancelled = threading.Event()
        self.thread: Any = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.thread = threading.current_thread()
        self.begun.set()
        assert self.cancelled.wait(60)
        raise ValueError("cancelled")


def ended(thread: threading.Thread) -> bool:
    thread.join(60)
    return not thread.is_alive()


def test_the_steps_come_in_their_order() -> None:
    assert list(Prefetch(iter(range(1000)))) == list(range(1000))
    assert list(Prefetch(iter(()))) == []


def test_all_steps_are_taken_in_one_daemon_thread_that_ends_with_the_last() -> None:
    threads = set(Prefetch(threading.current_thread() for _ in range(5)))
    (thread,) = threads
    assert thread is not threading.current_thread()
    assert thread.daemon
    assert not thread.is_alive()


def test_there_is_no_thread_before_the_first_step() -> None:
    before = set(threading.enumerate())
    prefetch = Prefetch(iter("abc"))
    assert set(threading.enumerate()) <= before
    prefetch.close()
    assert set(threading.enumerate()) <= before
    assert list(prefetch) == []


def test_the_next_step_is_taken_while_the_caller_works_and_none_beyond_it() -> None:
    begun = [threading.Event() for _ in range(4)]
    asked = 0
    hasty: List[int] = []

    def steps() -> Iterator[int]:
        for number, event in enumerate(begun):
            if asked < number:
                hasty.append(number)
            event.set()
            yield number

    prefetch = Prefetch(steps())
    for number in range(3):
        asked = number + 1
        assert next(prefetch) == number
        assert begun[number + 1].wait(60)
    prefetch.close()
    assert hasty == []


def test_an_error_comes_in_the_place_of_its_step_and_ends_all() -> None:
    def steps() -> Iterator[str]:
        yield "a"
        raise OSError("torn")

    prefetch = Prefetch(steps())
    assert next(prefetch) == "a"
    with pytest.raises(OSError, match="torn"):
        next(prefetch)
    assert list(prefetch) == []


def test_closing_cancels_the_step_under_way_and_ends_the_thread() -> None:
    steps = Blocked()
    prefetch = Prefetch(iter(steps), steps.cancelled.set)
    waiting = threading.Thread(target=lambda: seen.append(list(prefetch)))
    seen: List[List[str]] = []
    waiting.start()
    assert steps.begun.wait(60)
    prefetch.close()
    assert not steps.thread.is_alive()
    assert ended(waiting)
    assert seen == [[]]
    prefetch.close()


def test_a_step_that_cannot_be_cancelled_does_not_hold_up_closing() -> None:
    steps = Blocked()
    prefetch = Prefetch(iter(steps), patience=0.01)
    waiting = threading.Thread(target=lambda: list(prefetch))
    waiting.start()
    assert steps.begun.wait(60)
    prefetch.close()
    assert ended(waiting)
    assert steps.thread.is_alive()
    steps.cancelled.set()
    assert ended(steps.thread)


def test_a_result_that_is_there_is_dropped_by_closing() -> None:
    second = threading.Event()

    def steps() -> Iterator[str]:
        yield "a"
        second.set()
        yield "b"

    prefetch = Prefetch(steps())
    assert next(prefetch) == "a"
    assert second.wait(60)
    prefetch.close()
    assert list(prefetch) == []


def test_a_result_is_not_kept_by_the_thread() -> None:
    class Page:
        pass

    second = threading.Event()

    def steps() -> Iterator[Page]:
        yield Page()
        second.set()
        yield Page()

    prefetch = Prefetch(steps())
    kept = weakref.ref(next(prefetch))
    assert second.wait(60)
    gc.collect()
    assert kept() is None
    prefetch.close()


def test_the_last_step_may_close_it_itself() -> None:
    def steps() -> Iterator[str]:
        prefetch.close()
        yield "a"

    prefetch = Prefetch(steps())
    assert list(prefetch) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal")
def test_ctrl_c_ends_the_wait_and_the_thread() -> None:
    steps = Blocked()

    def cancel() -> None:
        steps.cancelled.set()

    def interrupt() -> None:
        assert steps.begun.wait(60)
        os.kill(os.getpid(), signal.SIGINT)

    prefetch = Prefetch(iter(steps), cancel)
    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        next(prefetch)
    thread.join()
    assert not steps.thread.is_alive()
    assert list(prefetch) == []


def run(script: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    return done.stdout


def test_the_process_can_end_amid_a_step() -> None:
    script = """
import threading
from viam_sync.transfer.concurrency.prefetch import Prefetch
def steps():
    yield "first"
    threading.Event().wait()
prefetch = Prefetch(steps())
print(next(prefetch))
"""
    assert run(script) == "first\n"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_forked_process_is_told_that_the_thread_is_elsewhere() -> None:
    script = """
import os
from viam_sync.transfer.concurrency.prefetch import Prefetch
prefetch = Prefetch(iter("abc"))
print(next(prefetch), flush=True)
child = os.fork()
if not child:
    try:
        next(prefetch)
    except RuntimeError as error:
        print(error, flush=True)
    prefetch.close()
    os._exit(0)
os.waitpid(child, 0)
print(next(prefetch))
"""
    told = "This iterator began in another process, and its thread is there; begin a new one here."
    assert run(script) == f"a\n{told}\nb\n"
