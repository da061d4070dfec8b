"""Waiting for conditions that no event announces, such as what another thread is doing."""

import sys
import threading
import time
from types import FrameType
from typing import Any, Callable, Iterator

#: Seconds after which a test fails rather than waits on.
LONG = 60
#: Seconds between two looks.
_PAUSE = 0.002


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
    while frame is not None:
        yield frame
        frame = frame.f_back
