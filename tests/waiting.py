"""Threads of tests, and waiting for conditions that no event announces."""

import sys
import threading
import time
from types import FrameType
from typing import Any, Callable, Iterator, List

#: Seconds after which a test fails rather than waits on.
LONG = 60
#: Seconds between two looks.
_PAUSE = 0.002


def start(act: Callable[[], Any], times: int = 1) -> List[threading.Thread]:
    """Start threads that all do the same; they do not outlive the tests."""
    threads = [threading.Thread(target=act, daemon=True) for _ in range(times)]
    for thread in threads:
        thread.start()
    return threads


def ended(threads: List[threading.Thread]) -> bool:
    """Wait for threads; tell whether all have ended."""
    for thread in threads:
        thread.join(20 * LONG)
    return not [thread for thread in threads if thread.is_alive()]


def until(condition: Callable[[], Any], seconds: float = LONG) -> None:
    """Wait until a condition holds.

    Raises:
        AssertionError: It does not hold after that many seconds.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"it took longer than {seconds} s"
        time.sleep(_PAUSE)


def is_calling(thread: threading.Thread) -> bool:
    """Tell whether a thread is in a function of viam_sync."""
    return any(frame.f_globals.get("__name__", "").startswith("viam_sync.") for frame in _frames(thread))


def is_blocked(thread: threading.Thread) -> bool:
    """Tell whether a thread waits for an event, or for another primitive of ``threading``."""
    top = next(_frames(thread), None)
    return top is not None and top.f_globals.get("__name__") == "threading" and top.f_code.co_name == "wait"


def _frames(thread: threading.Thread) -> Iterator[FrameType]:
    frame = sys._current_frames().get(thread.ident or 0)
    # The thread runs on, and what is taken for its frames may come round in a circle; the next look finds others.
    for _ in range(sys.getrecursionlimit()):
        if frame is None:
            return
        yield frame
        frame = frame.f_back
