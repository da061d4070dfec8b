"""Prefetching: a thread takes the next step of an iterator while the caller works on the result of the last."""

from __future__ import annotations

import contextvars
import os
import threading
from queue import Empty, SimpleQueue
from typing import Callable, Iterator, NamedTuple, Optional, TypeVar, Union

from viam_sync.rpc.threads import can_start_threads

T = TypeVar("T")

#: Seconds after which a wait is begun anew, as Windows cannot interrupt one.
_POLL = 0.5


class _End(NamedTuple):
    """The error, or the StopIteration, that ended the steps; it comes in place of a result."""

    error: BaseException


class Prefetch(Iterator[T]):
    """Another iterator, whose next step is taken in a background thread while the caller works on the last.

    The thread is never more than one step ahead. It begins with the first step and ends with the last, or with an
    error, which is raised in the place of its step; a caller that stops before that closes the iterator. Where no
    thread can be started, as when the interpreter shuts down, the caller takes the steps.

    Args:
        steps: The iterator; it is used in the thread alone.
        cancel: Makes a step that is under way fail soon; it is called from another thread.
        patience: Seconds that ``close`` waits for the thread; a thread that takes longer ends with the process.

    Example:
        >>> from viam_sync.transfer.concurrency.prefetch import Prefetch
        >>> list(Prefetch(iter("abc")))
        ['a', 'b', 'c']
    """

    def __init__(self, steps: Iterator[T], cancel: Callable[[], None] = lambda: None, *, patience: float = 1.0) -> None:
        self._steps = steps
        self._cancel = cancel
        self._patience = patience
        self._process = os.getpid()
        # A SimpleQueue may be put to at any moment, even by the garbage collector amid another put.
        self._wanted: SimpleQueue[bool] = SimpleQueue()
        self._taken: SimpleQueue[None] = SimpleQueue()
        self._done: SimpleQueue[Union[_End, T]] = SimpleQueue()
        self._stopped = False
        self._thread: Optional[threading.Thread] = None

    def __next__(self) -> T:
        if not self._is_same_process():
            raise RuntimeError("This iterator began in another process, and its thread is there; begin a new one here.")
        if self._stopped:
            raise StopIteration
        try:
            if self._thread is None and not can_start_threads():
                return next(self._steps)
            result = self._result()
            if self._stopped:
                raise StopIteration
            if isinstance(result, _End):
                raise result.error
            self._ask()
        except BaseException:  # a KeyboardInterrupt, too
            self.close()
            raise
        return result

    def stop(self) -> None:
        """Tell the thread to end, and do not wait for it; a ``next`` that waits in another thread ends at once."""
        if self._is_same_process() and not self._stopped:
            self._stopped = True
            self._wanted.put(False)
            self._taken.put(None)
            self._done.put(_End(StopIteration()))
            self._cancel()

    def close(self) -> None:
        """End the thread, and wait until it has ended; closing it again does nothing."""
        self.stop()
        thread = self._thread
        if thread is None or thread.ident is None:
            return
        if self._is_same_process() and thread is not threading.current_thread():
            thread.join(self._patience)

    def _result(self) -> Union[_End, T]:
        if self._thread is None:
            # The calls of the thread belong to the caller's context, such as a span of OpenTelemetry.
            run = contextvars.copy_context().run
            self._thread = threading.Thread(target=run, args=(self._work,), name="viam-sync-prefetch", daemon=True)
            self._thread.start()
            self._ask()
        while True:
            try:
                return self._done.get(timeout=_POLL)
            except Empty:
                continue

    def _ask(self) -> None:
        """Let the thread begin its next step."""
        self._wanted.put(True)
        # A thread that does not wait may keep the interpreter for milliseconds. So this one waits until the other has
        # begun; else the caller would be through with this step before the next one has even begun.
        self._taken.get()

    def _work(self) -> None:
        while self._wanted.get() and not self._stopped:
            self._taken.put(None)
            try:
                result = next(self._steps)
            except BaseException as error:
                self._done.put(_End(error))
                return
            self._done.put(result)
            # The result that the caller works on is not kept alive during the next step.
            del result

    def _is_same_process(self) -> bool:
        """Tell whether this is the process that it began in; a forked one has no thread."""
        return self._process == os.getpid()
