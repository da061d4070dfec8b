"""Streams: the messages that a service sends, as an iterator that can be closed."""

from typing import Any, Callable, Optional, Type, TypeVar

import grpc
from typing_extensions import Protocol, Self

from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.closing import HOW_TO_ITERATE, ClosingIterator
from viam_sync.rpc.error_mapping import map_error
from viam_sync.rpc.tracing import Span

T = TypeVar("T")

#: Stands for the first message of a stream that has none.
NO_MESSAGE = object()


def iterator_repr(iterator: object, item_type: Optional[type], closed: bool) -> str:
    """Return the ``repr`` of an iterator; people who print one in place of its items learn how to get them.

    Example:
        >>> client.data_client.iter_tabular_data()
        <Pages of TabularData: go through it by a for loop, or give it to list()>
    """
    items = "" if item_type is None else f" of {item_type.__name__}"
    return f"<{type(iterator).__name__}{items}: {'closed' if closed else HOW_TO_ITERATE}>"


class StreamCall(Protocol):
    """The call that a stream reads."""

    name: str
    span: Optional[Span]

    restarts: int

    def read(self) -> Any:
        """Return the next message."""
        ...

    def cancel(self) -> None:
        """End the call."""
        ...


class Stream(ClosingIterator[T]):
    """The messages that a service sends, one after the other, until it ends or is closed.

    It can be closed from another thread, which ends a waiting ``next`` at once.

    Args:
        call: The call, which has begun.
        open: Returns the first message, and sends the request again where that is allowed; ``NO_MESSAGE`` if the stream
            has none.
        cancellation: Cancels the call and the waits of ``open``.

    Example:
        >>> from viam_sync.proto.app import data as pb
        >>> from viam_sync.services import methods
        >>> request = pb.ExportTabularDataRequest(part_id=sandbox.robot_part_id, resource_name="greenhouse")
        >>> with client.data_client._unary_stream(methods.EXPORT_TABULAR_DATA, request, None) as stream:
        ...     type(stream).__name__
        'Stream'
    """

    def __init__(self, call: StreamCall, open: Callable[[], Any], cancellation: Cancellation) -> None:
        self._call = call
        self._open: Optional[Callable[[], Any]] = open
        self._cancellation = cancellation
        self._failure: Optional[Exception] = None

    @property
    def restarts(self) -> int:
        """How often the request was sent again before the first message."""
        return self._call.restarts

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._cancellation.cancelled:
            raise StopIteration
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        try:
            message = self._read()
        except StopIteration:
            self._end(None)
            raise
        except (grpc.RpcError, ValueError) as error:
            if self._cancellation.cancelled:
                raise StopIteration from None
            failure = map_error(error, self._call.name)
        except BaseException as error:
            self._end(error)
            raise
        else:
            found: T = message
            return found
        self._failure = failure
        self._end(failure)
        raise failure

    def __repr__(self) -> str:
        return iterator_repr(self, None, self._cancellation.cancelled)

    def _read(self) -> Any:
        if self._open is None:
            return self._call.read()
        message = self._open()
        # Ctrl-C while it is opened leaves it to be opened by the next read.
        self._open = None
        if message is NO_MESSAGE:
            raise StopIteration
        return message

    def _end(self, error: Optional[BaseException]) -> None:
        if self._call.span is not None:
            self._call.span.end(error)

    def close(self) -> None:
        """End the stream; closing it again does nothing."""
        if self._call.span is not None:
            self._call.span.leave()
        self._cancellation.cancel()
        self._call.cancel()


class StreamItems(ClosingIterator[T]):
    """The messages of a stream as other objects, one after the other, until it ends or is closed.

    The request is sent when the first item is asked for. An item is made when it is asked for, and none is kept, so
    memory stays constant. An error ends the iteration: it comes after all items that were there before it.

    A caller that stops before the end closes it, best by a ``with`` statement; one that is not closed ends when it is
    garbage collected. It can be closed from another thread, which ends a waiting ``next``.

    Attributes:
        item_type: The type of an item.

    Example:
        >>> (row,), _, _ = client.data_client.tabular_data_by_filter(limit=1)
        >>> with client.data_client.iter_export_tabular_data(
        ...     row.metadata.part_id, "air", "rdk:component:sensor", "Readings") as points:
        ...     warm = next(point for point in points if point.payload["readings"]["temperature"] > 25)
        >>> list(points)
        []
    """

    def __init__(self, open: Callable[[], Stream[Any]], convert: Callable[[Any], T], item_type: Type[T]) -> None:
        """Take what it is made of; only the package makes one.

        Args:
            open: Sends the request, and returns its stream.
            convert: Makes an item of a message.
            item_type: The type of an item.
        """
        self.item_type = item_type
        self._open = open
        self._convert = convert
        self._stream: Optional[Stream[Any]] = None
        self._closed = False

    def __next__(self) -> T:
        if self._closed:
            raise StopIteration
        try:
            return self._convert(next(self._stream or self._opened()))
        except BaseException:  # a KeyboardInterrupt, too
            self.close()
            raise

    def __repr__(self) -> str:
        return iterator_repr(self, self.item_type, self._closed)

    def _opened(self) -> Stream[Any]:
        self._stream = stream = self._open()
        # close() sets the flag, then reads the stream; this stores the stream, then reads the flag: one sees the other.
        if self._closed:
            stream.close()
        return stream

    def close(self) -> None:
        """End the iteration, and the stream; closing it again does nothing.

        Example:
            >>> points = client.data_client.iter_export_tabular_data(sandbox.robot_part_id, "air", "sensor", "Readings")
            >>> points.close()
            >>> next(points, "closed")
            'closed'
        """
        self._closed = True
        if self._stream is not None:
            self._stream.close()
