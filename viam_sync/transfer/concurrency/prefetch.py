"""Doing the next step of something in a thread, while the caller works on the result of this one."""

from __future__ import annotations

import contextvars
import os
import threading
from queue import Empty, SimpleQueue
from typing import Callable, Iterator, NamedTuple, Optional, TypeVar, Union

T = TypeVar("T")

#: How long a thread that was told to end is waited for, in seconds; one that does not heed it dies with the process.
_PATIENCE = 1.0
#: On Windows, a wait cannot be interrupted, so none lasts longer than this many seconds.
_NAP = 0.5


class _End(NamedTuple):
    """What comes in place of a result: the error, or the StopIteration, that ended the steps."""

    error: BaseException


class Prefetch(Iterator[T]):
    """Another iterator, whose next step is done in one background thread while the caller works on the last.

    It is never more than one step ahead. The thread begins with the first step and ends with the last, or with an
    error, which is raised in the place of its step; who ends before that closes it.

    Args:
        steps: The iterator; it is used in the thread alone.
        cancel: Called from another thread, makes a step that is under way fail soon.

    Example:
        >>> from viam_sync.transfer.concurrency.prefetch import Prefetch
        >>> list(Prefetch(iter("abc")))
        ['a', 'b', 'c']
    """

    def __init__(self, steps: Iterator[T], cancel: Callable[[], None] = lambda: None) -> None:
        self._steps = steps
        self._cancel = cancel
        self._process = os.getpid()
        # Queues of this kind may be put to at any moment, even by the garbage collector amid another put.
        self._wanted: SimpleQueue[bool] = SimpleQueue()
        self._taken: SimpleQueue[None] = SimpleQueue()
        self._done: SimpleQueue[Union[_End, T]] = SimpleQueue()
        self._stopped = False
        self._thread: Optional[threading.Thread] = None

    def __next__(self) -> T:
        if not self._is_here():
            raise RuntimeError("This iterator began in another process, and its thread is there; begin a new one here.")
        if self._stopped:
            raise StopIteration
        try:
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
        if self._is_here() and not self._stopped:
            self._stopped = True
            self._wanted.put(False)
            self._taken.put(None)
            self._done.put(_End(StopIteration()))
            self._cancel()

    def close(self) -> None:
        """End the thread, and wait until it has ended; closing it again does nothing."""
        self.stop()
        thread = self._thread
        if self._is_here() and thread is not None and thread is not threading.current_thread() and thread.is_alive():
            thread.join(_PATIENCE)

    def _result(self) -> Union[_End, T]:
        if self._thread is None:
            # Calls that are made there belong to what the caller is at, such as a span of OpenTelemetry.
            run = contextvars.copy_context().run
            self._thread = threading.Thread(target=run, args=(self._work,), name="viam-sync-ahead", daemon=True)
            self._thread.start()
            self._ask()
        while True:
            try:
                return self._done.get(timeout=_NAP)
            except Empty:
                continue

    def _ask(self) -> None:
        """Have the thread begin its next step."""
        self._wanted.put(True)
        # A thread that does not wait may run on for milliseconds before another gets its turn. So this one waits, or
        # the caller would be through with this step before the next one has even begun.
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
            # What the caller works on is not kept alive by the next step.
            del result

    def _is_here(self) -> bool:
        """Tell whether this is the process that it began in: no thread comes along into a forked one."""
        return self._process == os.getpid()
