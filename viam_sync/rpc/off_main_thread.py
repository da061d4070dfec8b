"""Keeping signals out of grpc: what a handler raises amid its steps would leave its locks taken for ever."""

from __future__ import annotations

import contextlib
import contextvars
import threading
import weakref
from queue import Empty, SimpleQueue
from typing import Any, Callable, Generic, Optional, Tuple, TypeVar

from typing_extensions import Self

T = TypeVar("T")

#: Seconds between two looks at whether a signal has come.
_LOOK = 0.2
#: How many messages of a stream may be waiting to be taken.
_AHEAD = 16


def run_off_main_thread(work: Callable[[], T], give_up: Callable[[], Any]) -> T:
    """Return what ``work`` returns, done where no signal comes in between.

    Python handles signals in the main thread, wherever that is. What a handler raises there, as the one for Ctrl-C
    does, can come after a lock was taken and before the statement that gives it back. So in the main thread this waits,
    in steps of C, for another thread that does the work.

    Args:
        work: What to do.
        give_up: Makes ``work`` end soon; called when a handler of a signal raises.

    Raises:
        BaseException: What ``work`` raises, or a handler of a signal.

    Example:
        >>> from viam_sync.rpc.off_main_thread import run_off_main_thread
        >>> run_off_main_thread(lambda: 6 * 7, give_up=lambda: None)
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
        result, error = _awaited(outcome)
    except BaseException:
        give_up()
        raise
    if error is not None:
        raise error
    found: T = result
    return found


class ThreadedStream(Generic[T]):
    """The messages of a call, which another thread takes from it where the main thread asks for them.

    Args:
        call: The call, as grpc has it.

    Example:
        >>> from viam_sync.rpc.off_main_thread import ThreadedStream
        >>> list(ThreadedStream(iter("ab")))
        ['a', 'b']
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._wanted: Optional[SimpleQueue[bool]] = None
        self._came: SimpleQueue[Tuple[Any, Optional[BaseException]]] = SimpleQueue()
        self._over: Optional[BaseException] = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._over is not None:
            raise self._over
        if self._wanted is None:
            if threading.current_thread() is not threading.main_thread():
                message: T = next(self._call)
                return message
            self._wanted = self._start()
        item, self._over = _awaited(self._came)
        if self._over is not None:
            raise self._over
        self._wanted.put(True)
        found: T = item
        return found

    def _start(self) -> SimpleQueue[bool]:
        wanted: SimpleQueue[bool] = SimpleQueue()
        for _ in range(_AHEAD):
            wanted.put(True)
        # Until the thread is known to run, nothing more is to come.
        self._over = StopIteration()
        weakref.finalize(self, _stop, self._call, wanted).atexit = False
        name = "viam-sync stream"
        threading.Thread(target=_take, args=(self._call, wanted, self._came), name=name, daemon=True).start()
        self._over = None
        return wanted

    def cancel(self) -> None:
        """End the call."""
        cancel = getattr(self._call, "cancel", None)
        if cancel is not None:
            cancel()


def _take(call: Any, wanted: SimpleQueue[bool], came: SimpleQueue[Any]) -> None:
    """Hand over the messages of a call as they are wanted; its ``Messages`` may be gone meanwhile."""
    while wanted.get():
        try:
            came.put((next(call), None))
        except BaseException as error:
            came.put((None, error))
            return


def _stop(call: Any, wanted: SimpleQueue[bool]) -> None:
    wanted.put(False)
    cancel = getattr(call, "cancel", None)
    if cancel is not None:
        cancel()


def _awaited(queue: SimpleQueue[T]) -> T:
    while True:
        # A signal that comes just before a wait does not end it.
        with contextlib.suppress(Empty):
            return queue.get(timeout=_LOOK)
