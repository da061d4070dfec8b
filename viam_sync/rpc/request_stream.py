"""The request stream of an upload: the messages on their way from the caller's iterator to grpc."""

import threading
from typing import Any, Generic, Iterable, Iterator, Optional, TypeVar

import grpc

from viam_sync.errors import GRPCError, grpc_error
from viam_sync.rpc.watchdog import Watchdog

T = TypeVar("T")

#: Seconds that it takes at most until a call that has begun is known, or one item is read.
_MOMENT = 1.0


class RequestStream(Generic[T]):
    """An iterator over another, for one call, which is cancelled if that one raises, or if nothing moves any more.

    grpc takes the messages in a thread of its own. An exception there goes into its log, and the caller never sees it:
    so it is kept here, and grpc sees the end of the messages of a call that is cancelled already.

    Args:
        items: The messages.
        idle_timeout: Seconds that may pass without a message being taken; None for no limit.

    Attributes:
        failure: The exception of ``items``; None if there was none.
        is_complete: Whether grpc has been told of the end of the messages, without which no service acts on them.
    """

    def __init__(self, items: Iterable[T], idle_timeout: Optional[float]) -> None:
        self._items = iter(items)
        self._call: Any = None
        self._called = threading.Event()
        self._over = False
        self._turn = threading.Lock()
        self.failure: Optional[BaseException] = None
        self.is_complete = False
        self.watchdog = Watchdog(idle_timeout, self.cancel)
        # Not later: grpc may be waiting for the caller's own source as soon as the call has begun.
        self.watchdog.moved()

    def sent_by(self, call: Any) -> Any:
        """Take note of the call that sends the messages, and return it."""
        self._call = call
        self._called.set()
        return call

    def cancel(self) -> None:
        """End the call."""
        if self._call is not None:
            self._call.cancel()

    def starved(self, method: str) -> GRPCError:
        """Return the error of a call whose time ran out before the end of the messages."""
        text = "The contents did not come, or not leave, in the time that the call may take, so nothing was uploaded."
        return grpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, text, None, method)

    def leave(self) -> None:
        """Take no more items, and wait a moment for the one that grpc may be taking, as another call may want it."""
        self._over = True
        if self._turn.acquire(timeout=_MOMENT):
            self._turn.release()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        # The idle limit is the service's: it does not count the time that the caller's own source takes.
        self.watchdog.rest()
        try:
            with self._turn:
                if self._over:
                    raise RuntimeError("the call is over")
                item = next(self._items)
            self.watchdog.moved()
            return item
        except StopIteration:
            self.is_complete = True
            self.watchdog.moved()
            raise
        except BaseException as failure:
            self.failure = failure
        # grpc may take messages a moment before the call is known here; where it never is, grpc cancels it.
        if not self._called.wait(_MOMENT):
            raise self.failure
        self._call.cancel()
        raise StopIteration
