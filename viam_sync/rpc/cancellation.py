"""Ending a call from another thread than the one that waits for its answer."""

from __future__ import annotations

import contextlib
from queue import Empty, SimpleQueue
from typing import Any, Callable, Iterator

import grpc

from viam_sync.errors import CancelledError
from viam_sync.rpc.off_main_thread import run_off_main_thread

_ENDED = "The call was ended from within the program."


class Cancellation:
    """Ends the call that it was given to, and each that it is given to later; it serves one at a time.

    Example:
        >>> from viam_sync.rpc.cancellation import Cancellation
        >>> cancellation = Cancellation()
        >>> cancellation.cancel()
        >>> cancellation.sleep(60)  # is over at once
    """

    def __init__(self) -> None:
        self._asked = False
        # The garbage collector may cancel at any moment, even amid a wait of the same thread; this queue stands that.
        self._waker: SimpleQueue[None] = SimpleQueue()
        # Up to Python 3.12, the first wait of such a queue may last for ever if it is shorter than some microseconds.
        with contextlib.suppress(Empty):
            self._waker.get_nowait()
        self._call: Any = None

    def cancel(self) -> None:
        """End the call that is under way, in whatever thread; it raises CancelledError there."""
        self._asked = True
        self._waker.put(None)
        # Whoever starts a call keeps it before it looks whether this was asked for, so one of the two sees the other.
        call = self._call
        if call is not None:
            call.cancel()

    @property
    def cancelled(self) -> bool:
        """Whether ``cancel`` was called."""
        return self._asked

    @contextlib.contextmanager
    def ending(self, call: Any) -> Iterator[None]:
        """Let what is under way in a ``with`` block be ended by the ``cancel`` of ``call``."""
        self._call = call
        try:
            if self._asked:
                call.cancel()
            yield
        finally:
            self._call = None

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds, or until the call is ended."""
        with contextlib.suppress(Empty):
            self._waker.get(timeout=seconds)
            # So that the next one is over at once, too.
            self._waker.put(None)

    def around(self, stub: Any) -> Callable[..., Any]:
        """Return what calls a stub of grpc as the stub itself does, and can be ended."""

        def send(*args: Any, **kwargs: Any) -> Any:
            if self._asked:
                raise CancelledError(grpc.StatusCode.CANCELLED, _ENDED)
            sending = CancellableCall(lambda: stub.future(*args, **kwargs))
            self._call = sending
            try:
                if self._asked:
                    sending.cancel()
                return run_off_main_thread(lambda: sending.call().result(), sending.cancel)
            except grpc.FutureCancelledError:
                raise CancelledError(grpc.StatusCode.CANCELLED, _ENDED) from None
            finally:
                self._call = None

        return send


class CancellableCall:
    """A call that can be cancelled at any time, also before it has begun.

    Args:
        begin: Begins it.
    """

    def __init__(self, begin: Callable[[], Any]) -> None:
        self._begin = begin
        self._call: Any = None
        self._cancelled = False

    def call(self) -> Any:
        """Begin the call, and return it."""
        self._call = self._begin()
        # Cancelling looks at the call after it has left its word, and here it is the other way round.
        if self._cancelled:
            self._call.cancel()
        return self._call

    def cancel(self) -> None:
        """End the call."""
        self._cancelled = True
        if self._call is not None:
            self._call.cancel()
