"""The idle limit: ends a call in which no message moves any more."""

from __future__ import annotations

import threading
import weakref
from inspect import signature
from typing import Any, Callable, Optional

import grpc

from viam_sync.clock import now
from viam_sync.rpc.classification import AttemptError


class Watchdog:
    """Ends a call when no message has moved in it for too long.

    It watches from `start` to `stop`, in a thread of its own; or within `result_of`, in the thread that waits anyway.

    Args:
        seconds: Seconds in which nothing may move; None for no limit.
        end: A method that ends the call. Its object is not kept alive: when it goes, the watch is over.
        clock: Tells the time in seconds.

    Attributes:
        fired: Whether it has ended the call.

    Example:
        >>> import threading
        >>> from viam_sync.rpc.watchdog import Watchdog
        >>> ended = threading.Event()
        >>> watchdog = Watchdog(0.01, ended.set)
        >>> watchdog.start()
        >>> ended.wait(5), watchdog.fired
        (True, True)
        >>> watchdog.stop()
    """

    def __init__(self, seconds: Optional[float], end: Callable[[], Any], clock: Callable[[], float] = now) -> None:
        self._seconds = seconds
        self._end = weakref.WeakMethod(end)
        self._clock = clock
        self._moved: Optional[float] = None
        self._over: Optional[threading.Event] = None
        self.fired = False

    def moved(self) -> None:
        """Take note that a message moves: the time starts afresh."""
        self._moved = self._clock()

    def rest(self) -> None:
        """Do not watch until a message moves again, as the service is not waited for."""
        self._moved = None

    def stalled(self, method: str) -> AttemptError:
        """Return the error of a call that it has ended."""
        text = f"Nothing moved for {self._seconds:g} s, so the call was ended; the connection may be lost or too slow."
        return AttemptError(grpc.StatusCode.DEADLINE_EXCEEDED, text, None, method)

    def start(self) -> None:
        """Begin to watch."""
        self.fired = False
        self.moved()
        if self._seconds is not None and self._over is None:
            self._over = threading.Event()
            watch = threading.Thread(target=self._watch, args=(self._over,), daemon=True)
            watch.name = "viam-sync watchdog"
            watch.start()

    def stop(self) -> None:
        """Watch no more."""
        over, self._over = self._over, None
        if over is not None:
            over.set()

    def result_of(self, call: Any) -> Any:
        """Return the response of a call of grpc, and watch until it is there."""
        if "timeout" not in signature(call.result).parameters:
            # A call of grpc_testing, which does what a test says, and cannot stall by itself.
            return call.result()
        while True:
            try:
                return call.result(self._left())
            except grpc.FutureTimeoutError:
                self._look()

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(self._left()):
            if self._end() is None:
                return
            self._look()

    def _left(self) -> Optional[float]:
        """Return the seconds until it is worth looking again; None for never."""
        moved = self._moved
        # A call that begins only after it was ended is ended by the next look.
        if self._seconds is None or moved is None or self.fired:
            return self._seconds
        return max(moved + self._seconds - self._clock(), 0)

    def _look(self) -> None:
        """End the call if nothing has moved for too long."""
        end, moved = self._end(), self._moved
        if end is None or moved is None or self._seconds is None or moved + self._seconds > self._clock():
            return
        self.fired = True
        end()
