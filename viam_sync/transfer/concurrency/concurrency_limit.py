"""The limit on concurrent requests: lower when the service is overloaded, and slowly higher again."""

from __future__ import annotations

import contextlib
import threading
from typing import Any, Iterator

import grpc

from viam_sync.errors import CancelledError
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.classification import status_of

#: Seconds between two looks of a waiting request at whether it was cancelled.
_POLL = 0.1


class ConcurrencyLimit:
    """Limits how many requests are under way at a time.

    When the service answers RESOURCE_EXHAUSTED, half as many may be under way as before; whenever as many as are
    allowed have succeeded, one more is allowed.

    Args:
        most: The number of requests that may be under way at most.

    Attributes:
        allowed: The number of requests that may be under way now.

    Example:
        >>> from viam_sync.rpc.cancellation import Cancellation
        >>> from viam_sync.transfer.concurrency.concurrency_limit import ConcurrencyLimit
        >>> limit = ConcurrencyLimit(8)
        >>> with limit.slot(Cancellation()) as slot:
        ...     slot.succeeded()
    """

    def __init__(self, most: int) -> None:
        self.allowed = most
        self._most = most
        self._busy = 0
        self._good = 0
        self._cuts = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def slot(self, cancellation: Cancellation) -> Iterator[Slot]:
        """Wait until one more request may be under way, which counts for the length of a ``with`` block.

        Args:
            cancellation: Ends the wait.

        Raises:
            CancelledError: If it was cancelled before.
        """
        slot = Slot(self, cancellation)
        slot.enter()
        try:
            yield slot
        finally:
            slot.leave()

    def enter(self, cancellation: Cancellation) -> None:
        """Wait until one more request may be under way, and count it."""
        with self._changed:
            while self._busy >= self.allowed:
                self._changed.wait(_POLL)
                if cancellation.cancelled:
                    raise CancelledError(grpc.StatusCode.CANCELLED, "The request was ended before it began.")
            self._busy += 1

    def leave(self) -> None:
        """Count one request less."""
        with self._changed:
            self._busy -= 1
            self._changed.notify_all()

    def grow(self) -> None:
        """Take note of a success."""
        with self._changed:
            self._good += 1
            if self._good >= self.allowed and self.allowed < self._most:
                self.allowed += 1
                self._good = 0
                self._changed.notify_all()

    def cut(self, known: int) -> int:
        """Allow half as many, unless there was a cut since the ``known`` one; return the number of cuts."""
        with self._changed:
            if known == self._cuts:
                self.allowed = max(self.allowed // 2, 1)
                self._cuts += 1
                self._good = 0
            return self._cuts

    @property
    def cuts(self) -> int:
        """The number of times that the limit was cut."""
        return self._cuts


class Slot:
    """The slot of one request, which the retry loop tells of each failure and of the success.

    The limit on concurrency protects an overloaded service, so there is none on the number of retries. A request that
    waits for its next attempt is not under way, so that it gives its slot back meanwhile.
    """

    def __init__(self, limit: ConcurrencyLimit, cancellation: Cancellation) -> None:
        self._limit = limit
        self._cancellation = cancellation
        self._cuts = limit.cuts
        self._held = False

    def enter(self) -> None:
        """Wait for a slot, and take it."""
        self._limit.enter(self._cancellation)
        self._held = True

    def leave(self) -> None:
        """Give the slot back, if it is held."""
        if self._held:
            self._held = False
            self._limit.leave()

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Give the slot back in a ``with`` block, and take one again after it."""
        self.leave()
        yield
        self.enter()

    def succeeded(self) -> None:
        """Take note of a success."""
        self._limit.grow()

    def failed(self, error: Any) -> bool:
        """Take note of a failure; tell whether the request may be sent again, which it always may."""
        # A rejection of an attempt that began before the last cut is no news.
        if status_of(error) is grpc.StatusCode.RESOURCE_EXHAUSTED:
            self._cuts = self._limit.cut(self._cuts)
        else:
            self._cuts = self._limit.cuts
        return True
