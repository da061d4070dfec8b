"""Worker threads that share the items of an iterable."""

from __future__ import annotations

import contextvars
import threading
from queue import Empty, SimpleQueue
from typing import Any, Callable, Generic, Iterable, Iterator, Optional, TypeVar

from viam_sync.clock import now
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.threads import can_start_threads

T = TypeVar("T")

#: Seconds after which a wait is begun anew, as Windows cannot interrupt one.
_POLL = 0.5
#: The name of the threads.
_NAME = "viam-sync-worker"


def for_each(
    items: Iterable[T], work: Callable[[T, Cancellation], None], workers: int, *, patience: float = 0.5
) -> None:
    """Call a function with each item, in several threads; return when all items are done.

    An error of ``work`` ends all of it, and so does Ctrl-C: calls that are under way are cancelled, and no more begin.
    Where no thread can be started, as when the interpreter shuts down, the caller does the work.

    Args:
        items: The items, taken in their order, each when a worker is free for it.
        work: Takes an item, and the cancellation to make its calls with.
        workers: The number of threads.
        patience: Seconds that cancelled workers are waited for; one that takes longer ends with the process.

    Example:
        >>> from viam_sync.transfer.concurrency.workers import for_each
        >>> done = []
        >>> for_each("abc", lambda item, cancellation: done.append(item), workers=2)
        >>> sorted(done)
        ['a', 'b', 'c']
    """
    if can_start_threads():
        _WorkerPool(items, work, patience).run(workers)
    else:
        for item in items:
            work(item, Cancellation())


class _WorkerPool(Generic[T]):
    """The threads that share the items."""

    _END: Any = object()

    def __init__(self, items: Iterable[T], work: Callable[[T, Cancellation], None], patience: float) -> None:
        self._items = iter(items)
        self._work = work
        self._patience = patience
        self._lock = threading.Lock()
        self._stopped = False
        #: The error that each worker ended with, or None.
        self._ended: SimpleQueue[Optional[BaseException]] = SimpleQueue()

    def run(self, workers: int) -> None:
        cancellations = [Cancellation() for _ in range(workers)]
        # The calls of the threads belong to the caller's context, such as a span of OpenTelemetry.
        threads = [
            threading.Thread(
                target=contextvars.copy_context().run, args=(self._run_worker, each), name=_NAME, daemon=True
            )
            for each in cancellations
        ]
        try:
            for thread in threads:
                thread.start()
            for _ in threads:
                error = self._next_end()
                if error is not None:
                    raise error
        except BaseException:
            self._stopped = True
            for cancellation in cancellations:
                cancellation.cancel()
            end = now() + self._patience
            for thread in threads:
                if thread.ident is not None:
                    thread.join(max(end - now(), 0))
            raise

    def _next_end(self) -> Optional[BaseException]:
        while True:
            try:
                return self._ended.get(timeout=_POLL)
            except Empty:
                continue

    def _run_worker(self, cancellation: Cancellation) -> None:
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
