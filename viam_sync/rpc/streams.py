"""Streams: the messages that a service sends, as an iterator that can be closed."""

from typing import Any, Callable, Generic, NamedTuple, Optional, TypeVar

import grpc
from typing_extensions import Self

from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.closing import Closing
from viam_sync.rpc.decoding import require_message
from viam_sync.rpc.error_mapping import map_error
from viam_sync.rpc.tracing import Span
from viam_sync.rpc.watchdog import Watchdog

T = TypeVar("T")


class StreamOpener(NamedTuple):
    """How the first message of a stream is got: until it is there, the request may be sent again."""

    begin: Callable[[Optional[float]], Any]
    run: Callable[[Callable[[Optional[float]], Any], Cancellation], Any]


#: What stands for the first message of a stream that has none.
_NOTHING = object()


class Stream(Closing, Generic[T]):
    """The messages that a service sends, one after the other, until it ends or is closed.

    It can be closed from another thread, which ends a waiting ``next`` at once.

    Attributes:
        restarts: How often its request was sent again before the first message.

    Example:
        >>> from viam_sync.rpc.streams import Stream
        >>> with Stream(iter(["first", "second"]), "demo/Count") as stream:
        ...     print(next(stream))
        first
    """

    def __init__(
        self,
        call: Any,
        method: str,
        opening: Optional[StreamOpener] = None,
        idle_timeout: Optional[float] = None,
        span: Optional[Span] = None,
    ) -> None:
        self._call = call
        self._span = span
        self._method = method
        self._opening = opening
        self.restarts = 0
        self._cancellation = Cancellation()
        self._watchdog = Watchdog(idle_timeout, self._cancel)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._cancellation.cancelled:
            raise StopIteration
        self._watchdog.start()
        self._watchdog.moved()
        try:
            opening, self._opening = self._opening, None
            item: Any = self._next() if opening is None else self._first(opening)
        except grpc.RpcError as error:
            self._watchdog.stop()
            if self._cancellation.cancelled:
                raise StopIteration from None
            failure = map_error(error, self._method)
        except BaseException as error:
            self._watchdog.stop()
            self._over(error)
            raise
        else:
            self._watchdog.rest()
            if item is _NOTHING:
                self._over(None)
                raise StopIteration
            found: T = item
            return found
        self._over(failure)
        raise failure

    def _over(self, error: Optional[BaseException]) -> None:
        if self._span is not None:
            self._span.end(None if isinstance(error, StopIteration) else error)

    def _first(self, opening: StreamOpener) -> Any:
        def attempt(seconds: Optional[float]) -> Any:
            if self._call is None:
                self._call = opening.begin(seconds)
                self.restarts += 1
                self._watchdog.start()
                # Closing looks at the call after it has left its word, and here it is the other way round.
                if self._cancellation.cancelled:
                    self._cancel()
            try:
                return self._next()
            except StopIteration:
                return _NOTHING
            except grpc.RpcError:
                self._call = None
                raise

        return opening.run(attempt, self._cancellation)

    def _next(self) -> Any:
        try:
            return require_message(next(self._call))
        except grpc.RpcError:
            if self._watchdog.fired:
                raise self._watchdog.stalled(self._method) from None
            raise

    def _cancel(self) -> None:
        cancel = getattr(self._call, "cancel", None)
        if cancel is not None:
            cancel()

    def close(self) -> None:
        """End the stream; closing it again does nothing."""
        if self._span is not None:
            self._span.leave()
        self._cancellation.cancel()
        self._watchdog.stop()
        self._cancel()
