"""The limit on concurrent requests: lower when the service is overloaded, and slowly higher again."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from typing import Any, Callable, Deque, Iterator, Optional

import grpc

from viam_sync import clock
from viam_sync.errors import CancelledError
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.classification import status_of
from viam_sync.transfer.concurrency.byte_window import ByteWindow

#: Seconds between two looks of a waiting request at whether it was cancelled.
_POLL = 0.1


class ConcurrencyLimit:
    """Limits how many requests are under way at a time, and how many bytes they ask for together.

    When the service answers RESOURCE_EXHAUSTED, or a response does not come in time, half as many may be under way as
    before; whenever as many as are allowed have succeeded, one more is allowed. Requests get their slots in the order
    in which they ask for them.

    Args:
        most: The number of requests that may be under way at most.
        window: Limits the bytes that they ask for; None for no limit.
        now: The clock, in seconds from any origin.

    Attributes:
        most: The number of requests that may be under way at most.
        allowed: The number of requests that may be under way now.

    Example:
        >>> from viam_sync.rpc.cancellation import Cancellation
        >>> from viam_sync.transfer.concurrency.concurrency_limit import ConcurrencyLimit
        >>> limit = ConcurrencyLimit(8)
        >>> with limit.slot(Cancellation()) as slot:
        ...     slot.succeeded()
    """

    def __init__(self, most: int, window: Optional[ByteWindow] = None, now: Callable[[], float] = clock.now) -> None:
        self.allowed = most
        self.now = now
        self.most = most
        self._window = window or ByteWindow()
        self._busy = 0
        self._bytes = 0
        self._good = 0
        self._cuts = 0
        self._queue: Deque[Slot] = deque()
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def slot(self, cancellation: Cancellation, size: int = 0, *, divisible: bool = False) -> Iterator[Slot]:
        """Wait until one more request may be under way, which counts for the length of a ``with`` block.

        Args:
            cancellation: Ends the wait.
            size: The bytes that the request asks for, 0 for one that sees them come.
            divisible: Whether smaller requests can take its place, so that one which took too long is not sent again.

        Raises:
            CancelledError: If it was cancelled before.
        """
        slot = Slot(self, cancellation, size, divisible)
        slot.enter()
        try:
            yield slot
        finally:
            slot.leave()

    @property
    def window_size(self) -> float:
        """The bytes that requests may ask for together now."""
        return self._window.size

    @property
    def cuts(self) -> int:
        """The number of times that the limit was cut."""
        return self._cuts

    def enter(self, slot: Slot, cancellation: Cancellation) -> int:
        """Wait until one more request may be under way, and count it; return the bytes that are asked for then."""
        with self._changed:
            self._queue.append(slot)
            try:
                while not self._is_next(slot):
                    self._changed.wait(_POLL)
                    if cancellation.cancelled:
                        raise CancelledError(grpc.StatusCode.CANCELLED, "The request was ended before it began.")
                self._busy += 1
                self._bytes += slot.size
                return self._bytes
            finally:
                self._queue.remove(slot)
                self._changed.notify_all()

    def _is_next(self, slot: Slot) -> bool:
        has_room = self._busy < self.allowed and self._window.fits(slot.size, self._bytes)
        return has_room and self._queue[0] is slot

    def leave(self, slot: Slot) -> None:
        """Count one request less."""
        with self._changed:
            self._busy -= 1
            self._bytes -= slot.size
            self._changed.notify_all()

    def grow(self, slot: Slot, under_way: int, seconds: float) -> None:
        """Take note of a success: how many bytes were asked for at its beginning, and how long it took."""
        with self._changed:
            self._good += 1
            if self._good >= self.allowed and self.allowed < self.most:
                self.allowed += 1
                self._good = 0
            if slot.size:
                self._window.answered(slot.size, max(under_way, self._bytes), seconds)
            self._changed.notify_all()

    def cut(self, known: int, *, late: bool = False) -> int:
        """Allow half as many, unless there was a cut since the ``known`` one; return the number of cuts.

        Args:
            known: The number of cuts before the request was sent.
            late: Whether a response did not come in time, so that half as many bytes are allowed, too.
        """
        with self._changed:
            if known == self._cuts:
                self.allowed = max(self.allowed // 2, 1)
                self._cuts += 1
                self._good = 0
                if late:
                    self._window.timed_out(self._bytes)
            return self._cuts


class Slot:
    """The slot of one request, which the retry loop tells of each failure and of the success.

    The limit on concurrency protects an overloaded service, so there is none on the number of retries. A request that
    waits for its next attempt is not under way, so that it gives its slot back meanwhile.

    Attributes:
        size: The bytes that the request asks for.
    """

    def __init__(self, limit: ConcurrencyLimit, cancellation: Cancellation, size: int, divisible: bool) -> None:
        self.size = size
        self._limit = limit
        self._cancellation = cancellation
        self._divisible = divisible
        self._cuts = limit.cuts
        self._held = False
        self._under_way = 0
        self._began = 0.0

    def enter(self) -> None:
        """Wait for a slot, and take it."""
        self._under_way = self._limit.enter(self, self._cancellation)
        self._held = True
        self._began = self._limit.now()

    def leave(self) -> None:
        """Give the slot back, if it is held."""
        if self._held:
            self._held = False
            self._limit.leave(self)

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Give the slot back in a ``with`` block, and take one again after it."""
        self.leave()
        yield
        self.enter()

    def succeeded(self) -> None:
        """Take note of a success."""
        self._limit.grow(self, self._under_way, self._limit.now() - self._began)

    def failed(self, error: Any) -> bool:
        """Take note of a failure; tell whether the same request may be sent again."""
        status = status_of(error)
        late = self.size > 0 and status is grpc.StatusCode.DEADLINE_EXCEEDED
        # A failure of an attempt that began before the last cut is no news.
        if late or status is grpc.StatusCode.RESOURCE_EXHAUSTED:
            self._cuts = self._limit.cut(self._cuts, late=late)
        else:
            self._cuts = self._limit.cuts
        return not (late and self._divisible)
