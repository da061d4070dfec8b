"""Keeping signal handlers out of grpc: a handler that raises amid its steps would leave its locks taken for ever.

Python runs signal handlers in the main thread. The exception of one, as that of Ctrl-C, can come after a lock was taken
and before the statement that gives it back. So the main thread lets another one do the work, and waits for it in steps
of C, which an exception ends cleanly.
"""

from __future__ import annotations

import contextlib
import contextvars
import threading
import time
import weakref
from collections import deque
from queue import Empty, SimpleQueue
from typing import Any, Callable, Deque, Generic, Optional, Tuple, TypeVar

from typing_extensions import Self

from viam_sync.clock import now

T = TypeVar("T")

#: Seconds between two looks at whether a signal has come.
_LOOK = 0.2
#: How many messages of a stream may be waiting to be taken.
_BUFFER = 16
#: Seconds to wait for more messages where several came at once: to be woken for each costs more than the message.
_NAP = 0.0005


def run_off_main_thread(work: Callable[[], T], cancel: Callable[[], Any]) -> T:
    """Return the result of ``work``, which another thread does if this is the main thread.

    Args:
        work: The work.
        cancel: Makes ``work`` end soon; called when a signal handler raises.

    Raises:
        BaseException: The exception of ``work``, or of a signal handler.

    Example:
        >>> from viam_sync.rpc.off_main_thread import run_off_main_thread
        >>> run_off_main_thread(lambda: 6 * 7, cancel=lambda: None)
        42
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: SimpleQueue[Tuple[Any, Optional[BaseException]]] = SimpleQueue()

    def act() -> None:
        try:
            outcome.put((work(), None))
        except BaseException as error:
            outcome.put((None, error))

    context = contextvars.copy_context()
    try:
        threading.Thread(target=context.run, args=(act,), name="viam-sync call", daemon=True).start()
        result, error = _wait_for(outcome)
    except BaseException:
        cancel()
        raise
    if error is not None:
        raise error
    found: T = result
    return found


class ThreadedStream(Generic[T]):
    """The messages of a call, which another thread reads where the main thread asks for them.

    Args:
        call: The call of grpc.

    Example:
        >>> from viam_sync.rpc.off_main_thread import ThreadedStream
        >>> list(ThreadedStream(iter("ab")))
        ['a', 'b']
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._reader: Optional[_Reader] = None
        self._end: Optional[BaseException] = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._end is not None:
            raise self._end
        if self._reader is None:
            if threading.current_thread() is not threading.main_thread():
                message: T = next(self._call)
                return message
            self._reader = self._start()
        item, self._end = self._reader.take()
        if self._end is not None:
            raise self._end
        found: T = item
        return found

    def _start(self) -> _Reader:
        reader = _Reader(self._call)
        # Until the thread is known to run, no message will come.
        self._end = StopIteration()
        weakref.finalize(self, reader.stop).atexit = False
        threading.Thread(target=reader.run, name="viam-sync stream", daemon=True).start()
        self._end = None
        return reader

    def cancel(self) -> None:
        """End the call."""
        _cancel(self._call)


class _Reader:
    """Reads a call in a thread of its own, a few messages ahead; it does not keep its stream alive."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._credits: SimpleQueue[bool] = SimpleQueue()
        for _ in range(_BUFFER):
            self._credits.put(True)
        self._messages: Deque[Tuple[Any, Optional[BaseException]]] = deque()
        self._awaited = False
        self._waker: SimpleQueue[None] = SimpleQueue()
        #: Whether messages follow each other within the time of a nap.
        self._flows = False

    def run(self) -> None:
        """Read until the call ends or the reader is stopped."""
        end: Optional[BaseException] = None
        while end is None and self._credits.get():
            message = None
            try:
                message = next(self._call)
            except BaseException as error:
                end = error
            self._messages.append((message, end))
            # take() sets the flag, then looks for a message; this adds the message, then reads the flag: one of the
            # two sees the other.
            if self._awaited:
                self._awaited = False
                self._waker.put(None)

    def take(self) -> Tuple[Any, Optional[BaseException]]:
        """Wait for the next message, and return it; or None, and the exception that ended the call."""
        if not self._messages:
            self._wait()
        self._credits.put(True)
        return self._messages.popleft()

    def _wait(self) -> None:
        # A thread that is woken for each message costs more than the message: in a stream that flows, a nap gathers
        # some.
        if self._flows:
            time.sleep(_NAP)
            self._flows = bool(self._messages)
        since = now()
        while not self._messages:
            self._awaited = True
            if not self._messages:
                # A signal that comes just before a wait does not end it, so no wait is long.
                with contextlib.suppress(Empty):
                    self._waker.get(timeout=_LOOK)
            self._flows = now() - since < 2 * _NAP

    def stop(self) -> None:
        """Read no more, and end the call."""
        self._credits.put(False)
        _cancel(self._call)


def _cancel(call: Any) -> None:
    cancel = getattr(call, "cancel", None)
    if cancel is not None:
        cancel()


def _wait_for(queue: SimpleQueue[T]) -> T:
    while True:
        # A signal that comes just before a wait does not end it, so no wait is long.
        with contextlib.suppress(Empty):
            return queue.get(timeout=_LOOK)
