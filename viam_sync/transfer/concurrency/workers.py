"""Doing the same with many things, a few of them at a time."""

from __future__ import annotations

import contextvars
import threading
import time
from queue import Empty, SimpleQueue
from typing import Any, Callable, Generic, Iterable, Iterator, Optional, TypeVar

from viam_sync.rpc.cancellation import Cancellation

T = TypeVar("T")

#: How long workers that were told to end are waited for, in seconds; one that does not heed it dies with the process.
_PATIENCE = 0.5
#: On Windows, a wait cannot be interrupted, so none lasts longer than this many seconds.
_NAP = 0.5


def for_each(items: Iterable[T], work: Callable[[T, Cancellation], None], workers: int) -> None:
    """Do something with each item, in up to so many threads; return when all is done.

    What ``work`` raises ends all of it, and so does Ctrl-C: calls that are under way are cancelled, and no more begin.

    Args:
        items: The items, taken in their order, each when a worker is free for it.
        work: Takes an item, and what to make its calls with so that they can be cancelled.
        workers: How many at a time.

    Example:
        >>> from viam_sync.transfer.concurrency.workers import for_each
        >>> done = []
        >>> for_each("abc", lambda item, cancellation: done.append(item), workers=2)
        >>> sorted(done)
        ['a', 'b', 'c']
    """
    _Crew(items, work).run(workers)


class _Crew(Generic[T]):
    """The threads that share items."""

    _END: Any = object()

    def __init__(self, items: Iterable[T], work: Callable[[T, Cancellation], None]) -> None:
        self._items = iter(items)
        self._work = work
        self._lock = threading.Lock()
        self._stopped = False
        #: What each worker ended with: the error, or None.
        self._ended: SimpleQueue[Optional[BaseException]] = SimpleQueue()

    def run(self, workers: int) -> None:
        cancellations = [Cancellation() for _ in range(workers)]
        # Calls that are made there belong to what the caller is at, such as a span of OpenTelemetry.
        threads = [
            threading.Thread(
                target=contextvars.copy_context().run, args=(self._run, each), name="viam-sync-worker", daemon=True
            )
            for each in cancellations
        ]
        try:
            for thread in threads:
                thread.start()
            for _ in threads:
                error = self._end_of_one()
                if error is not None:
                    raise error
        except BaseException:
            self._stopped = True
            for cancellation in cancellations:
                cancellation.cancel()
            end = time.monotonic() + _PATIENCE
            for thread in threads:
                if thread.ident is not None:
                    thread.join(max(end - time.monotonic(), 0))
            raise

    def _end_of_one(self) -> Optional[BaseException]:
        while True:
            try:
                return self._ended.get(timeout=_NAP)
            except Empty:
                continue

    def _run(self, cancellation: Cancellation) -> None:
        error: Optional[BaseException] = None
        try:
            for item in self._taken():
                self._work(item, cancellation)
        except BaseException as raised:
            error = raised
        self._ended.put(error)

    def _taken(self) -> Iterator[T]:
        while not self._stopped:
            with self._lock:
                item = next(self._items, self._END)
            if item is self._END:
                return
            yield item
