"""The messages of an upload, on their way from the caller's iterator to grpc."""

import threading
from typing import Any, Generic, Iterable, Iterator, Optional, TypeVar

from viam_sync.rpc.watchdog import Watchdog

T = TypeVar("T")

#: Seconds that it takes at most until a call that has begun is known, or one item is read.
_MOMENT = 1.0


class RequestStream(Generic[T]):
    """An iterator over another, for one call, which is cancelled if that one breaks off.

    grpc takes the messages in a thread of its own. What is raised there it writes to its log, and the caller never sees
    it: so it is kept here, and to grpc it is the end of the messages of a call that is cancelled already.
    """

    watchdog: Watchdog

    def __init__(self, items: Iterable[T], stub: Any) -> None:
        self.items = iter(items)
        self.stub = stub
        self.call: Any = None
        self.called = threading.Event()
        self._over = False
        self._turn = threading.Lock()
        self.failure: Optional[BaseException] = None

    def future(self, **options: Any) -> Any:
        """Start the call."""
        self.call = self.stub.future(self, **options)
        self.called.set()
        return self.call

    def cancel(self) -> None:
        """End the call."""
        if self.call is not None:
            self.call.cancel()

    def leave(self) -> None:
        """Take no more items, and wait a moment for the one that grpc may be taking, as another call may want it."""
        self._over = True
        if self._turn.acquire(timeout=_MOMENT):
            self._turn.release()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        # While the caller's own source is slow, it is not the service that is waited for.
        self.watchdog.rest()
        try:
            with self._turn:
                if self._over:
                    raise RuntimeError("the call is over")
                item = next(self.items)
            self.watchdog.moved()
            return item
        except StopIteration:
            self.watchdog.moved()
            raise
        except BaseException as failure:
            self.failure = failure
        # Messages may be wanted a moment before the call is known here; where it never is, grpc cancels it.
        if not self.called.wait(_MOMENT):
            raise self.failure
        self.call.cancel()
        raise StopIteration
