"""Cancelling a call from another thread than the one that waits for its response."""

from __future__ import annotations

import contextlib
from queue import Empty, SimpleQueue
from typing import Any, Callable, Iterator

import grpc
from typing_extensions import Protocol

from viam_sync.errors import CancelledError
from viam_sync.rpc.off_main_thread import run_off_main_thread

_CANCELLED = "The call was ended from within the program."


class Cancellable(Protocol):
    """Something under way that can be ended from another thread."""

    def cancel(self) -> Any:
        """End it."""
        ...


def _response_of(call: Any) -> Any:
    return call.result()


class CancellableCall:
    """A call that can be cancelled at any moment, also before it has begun.

    Args:
        start: Starts it, and returns the call of grpc.
        wait: Waits for the response of the call that it is given, and returns it.
    """

    def __init__(self, start: Callable[[], Any], wait: Callable[[Any], Any] = _response_of) -> None:
        self._start = start
        self._wait = wait
        self._call: Any = None
        self._cancelled = False

    def start(self) -> Any:
        """Start the call, and return it.

        In the main thread, another one starts it: a signal handler that raised amid grpc's steps would leave its locks
        taken.
        """
        return run_off_main_thread(self._started, self.cancel)

    def result(self) -> Any:
        """Start the call, and return its response."""
        return run_off_main_thread(lambda: self._wait(self._started()), self.cancel)

    def _started(self) -> Any:
        self._call = self._start()
        # cancel() sets the flag, then reads the call; this stores the call, then reads the flag: one sees the other.
        if self._cancelled:
            self._call.cancel()
        return self._call

    def cancel(self) -> None:
        """End the call."""
        self._cancelled = True
        if self._call is not None:
            self._call.cancel()


class Cancellation:
    """Cancels the call that is under way, and each later one; it serves one call at a time.

    Example:
        >>> from viam_sync.rpc.cancellation import Cancellation
        >>> cancellation = Cancellation()
        >>> cancellation.cancel()
        >>> cancellation.sleep(60)  # is over at once
    """

    def __init__(self) -> None:
        self._cancelled = False
        # The garbage collector may cancel at any moment, even amid a wait of the same thread; this queue stands that.
        self._waker: SimpleQueue[None] = SimpleQueue()
        # Up to Python 3.12, the first wait of such a queue may last for ever if it is shorter than some microseconds.
        with contextlib.suppress(Empty):
            self._waker.get_nowait()
        self._running: Any = None

    def cancel(self) -> None:
        """Cancel the call that is under way, in whatever thread; it raises CancelledError there."""
        self._cancelled = True
        self._waker.put(None)
        # running() stores the call, then reads the flag: one of the two sees the other.
        running = self._running
        if running is not None:
            running.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._cancelled

    @contextlib.contextmanager
    def running(self, call: Cancellable) -> Iterator[None]:
        """Let ``cancel`` cancel ``call`` in a ``with`` block."""
        self._running = call
        try:
            if self._cancelled:
                call.cancel()
            yield
        finally:
            self._running = None

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds, or until the call is cancelled."""
        with contextlib.suppress(Empty):
            self._waker.get(timeout=seconds)
            # The next wait is over at once, too.
            self._waker.put(None)

    def result_of(self, start: Callable[[], Any], wait: Callable[[Any], Any] = _response_of) -> Any:
        """Start a call, and return its response.

        Args:
            start: Starts it, and returns the call of grpc.
            wait: Waits for the response of the call that it is given, and returns it.

        Raises:
            CancelledError: If it was cancelled.
        """
        if self._cancelled:
            raise CancelledError(grpc.StatusCode.CANCELLED, _CANCELLED)
        call = CancellableCall(start, wait)
        try:
            with self.running(call):
                return call.result()
        except grpc.FutureCancelledError:
            raise CancelledError(grpc.StatusCode.CANCELLED, _CANCELLED) from None
