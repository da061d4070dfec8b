"""Single flight: work that several threads want at the same time is done once for all of them."""

import copy
import threading
from typing import Callable, Generic, Optional, Tuple, Type, TypeVar

import grpc

from viam_sync.clock import now
from viam_sync.errors import DeadlineExceededError
from viam_sync.rpc import forks

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Lets the first thread do some work, and hands its result to all threads that come meanwhile.

    Args:
        verdicts: The errors that hold for all threads. After another one, the next thread that waits does the work.

    Example:
        >>> from viam_sync.rpc.single_flight import SingleFlight
        >>> SingleFlight(verdicts=(ValueError,)).do(lambda seconds: "done", timeout=5)
        'done'
    """

    def __init__(self, verdicts: Tuple[Type[Exception], ...]) -> None:
        self._verdicts = verdicts
        self._lock = threading.RLock()  # a signal handler may come in between
        self._try: Optional[_Flight[T]] = None
        forks.watch(self)

    def do(self, act: Callable[[Optional[float]], T], timeout: Optional[float]) -> T:
        """Return the result of ``act``, or that of another thread which is at it.

        Args:
            act: Takes the seconds that are left, None for no limit.
            timeout: Seconds that it may take; None for no limit.

        Raises:
            DeadlineExceededError: If another thread was at it for all that time.
            Exception: The exception of ``act``.
        """
        end = None if timeout is None else now() + timeout
        while True:
            seconds = None if end is None else max(end - now(), 0)
            with self._lock:
                current = self._try
                if current is None or current.thread == threading.get_ident():
                    mine = self._try = _Flight()
                    break
            if not current.over.wait(seconds):
                raise DeadlineExceededError(
                    grpc.StatusCode.DEADLINE_EXCEEDED, "Connecting, which another thread began, took too long."
                )
            if current.result:
                return current.result[0]
            if current.failure is not None:
                raise copy.copy(current.failure)
        return self._do(mine, act, seconds)

    def _do(self, mine: "_Flight[T]", act: Callable[[Optional[float]], T], seconds: Optional[float]) -> T:
        try:
            result = act(seconds)
            mine.result = (result,)
            return result
        except Exception as failure:
            if isinstance(failure, self._verdicts):
                mine.failure = copy.copy(failure)
            raise
        finally:
            with self._lock:
                if self._try is mine:
                    self._try = None
            mine.over.set()

    def about_to_fork(self) -> int:
        """Return 0: the calls are the channel's."""
        return 0

    def forked(self) -> None:
        """Forget, in a child process, the flights of its parent's threads."""
        self._lock = threading.RLock()
        self._try = None


class _Flight(Generic[T]):
    """The work of one thread."""

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.over = threading.Event()
        self.result: Tuple[T, ...] = ()
        self.failure: Optional[Exception] = None
