"""The idle limit: ends a call in which no message moves any more."""

from __future__ import annotations

import threading
import weakref
from types import TracebackType
from typing import Any, Callable, Optional, Type

import grpc
from typing_extensions import Self

from viam_sync.clock import now
from viam_sync.rpc.classification import AttemptError


class Watchdog:
    """Ends a call when no message has moved in it for too long; it watches within a ``with`` statement.

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
        >>> with Watchdog(0.01, ended.set) as watchdog:
        ...     ended.wait(5)
        True
        >>> watchdog.fired
        True
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
            watch = threading.Thread(target=self._watch, args=(self._over, self._seconds), daemon=True)
            watch.name = "viam-sync watchdog"
            watch.start()

    def stop(self) -> None:
        """Watch no more."""
        over, self._over = self._over, None
        if over is not None:
            over.set()

    def _watch(self, over: threading.Event, seconds: float) -> None:
        left = seconds
        while not over.wait(left):
            end, moved = self._end(), self._moved
            if end is None:
                return
            left = seconds if moved is None else moved + seconds - self._clock()
            if left <= 0:
                self.fired = True
                end()
                # A call that begins only after this is ended by the next look.
                left = seconds

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.stop()
