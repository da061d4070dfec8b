"""How many requests are under way at a time: fewer when the service has enough of them, and slowly more again."""

from __future__ import annotations

import random
import threading
from typing import Callable, TypeVar

import grpc

from viam_sync.errors import CancelledError, GRPCError
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.classification import is_too_large

T = TypeVar("T")

#: How often a request is made.
_ATTEMPTS = 8
#: The longest waits before the second attempt, and before any, in seconds.
_FIRST_WAIT, _LONGEST_WAIT = 0.25, 15.0
#: How often those that wait for others look whether they are to end, in seconds.
_NAP = 0.1

_PASSING = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.DEADLINE_EXCEEDED,
)


class Throttle:
    """Makes requests, several at a time, each again if it fails in a way that may pass.

    When the service says RESOURCE_EXHAUSTED, only half as many may be under way as there were; whenever so many as are
    allowed have come through, it may be one more. Between attempts there is a wait of a random length, up to twice as
    long each time.

    Args:
        most: How many requests may be under way at most.
        share: Returns a random number from 0 to 1: which share of the longest wait a wait lasts.

    Attributes:
        allowed: How many may be under way now.
    """

    def __init__(self, most: int, share: Callable[[], float] = random.random) -> None:
        self.allowed = most
        self._most = most
        self._share = share
        self._busy = 0
        self._good = 0
        self._cuts = 0
        self._changed = threading.Condition()

    def run(self, attempt: Callable[[], T], cancellation: Cancellation) -> T:
        """Make a request, and return its answer.

        Args:
            attempt: Makes it once.
            cancellation: What ends it, and the waits.

        Raises:
            GRPCError: The last failure, or the first that will not pass.
        """
        number = 1
        while True:
            try:
                return self._once(attempt, cancellation)
            except GRPCError as error:
                if number == _ATTEMPTS or not may_pass(error):
                    raise
            longest: float = min(_FIRST_WAIT * 2 ** (number - 1), _LONGEST_WAIT)
            cancellation.sleep(longest * self._share())
            number += 1

    def _once(self, attempt: Callable[[], T], cancellation: Cancellation) -> T:
        cuts = self._enter(cancellation)
        good = False
        try:
            answer = attempt()
            good = True
            return answer
        except GRPCError as error:
            if error.status is grpc.StatusCode.RESOURCE_EXHAUSTED and may_pass(error):
                self._cut(cuts)
            raise
        finally:
            self._leave(good)

    def _enter(self, cancellation: Cancellation) -> int:
        with self._changed:
            while self._busy >= self.allowed:
                self._changed.wait(_NAP)
                if cancellation.cancelled:
                    raise CancelledError(grpc.StatusCode.CANCELLED, "The request was ended before it began.")
            self._busy += 1
            return self._cuts

    def _leave(self, good: bool) -> None:
        with self._changed:
            self._busy -= 1
            self._good += good
            if self._good >= self.allowed and self.allowed < self._most:
                self.allowed += 1
                self._good = 0
            self._changed.notify_all()

    def _cut(self, cuts: int) -> None:
        with self._changed:
            # Those that were under way when it was cut last are no news.
            if cuts == self._cuts:
                self.allowed = max(self.allowed // 2, 1)
                self._cuts += 1
                self._good = 0


def may_pass(error: GRPCError) -> bool:
    """Tell whether a request that failed may fare better the next time.

    Example:
        >>> from viam_sync.errors import grpc_error
        >>> from viam_sync.transfer.concurrency.throttle import may_pass
        >>> may_pass(grpc_error(grpc.StatusCode.UNAVAILABLE, "The service is down."))
        True
    """
    return error.status in _PASSING and not is_too_large(error.status, error.message)
