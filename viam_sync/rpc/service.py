"""One call to one service: its metadata, its policy, and its errors."""

import threading
import time
from types import TracebackType
from typing import Any, Callable, Dict, Generic, Iterable, Iterator, Mapping, Optional, Tuple, Type, TypeVar, Union

import grpc
from google.protobuf.message import DecodeError, Message
from typing_extensions import Protocol, Self, runtime_checkable

from viam_sync.errors import ClosedError, GRPCError, grpc_error
from viam_sync.proto import google as google_pb
from viam_sync.proto._pool import message, pool
from viam_sync.rpc import retry
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.connection import CLOSED

T = TypeVar("T")

#: Seconds that it takes at most until a call that has begun is known.
_MOMENT = 1.0

#: How often one call may ask for a new token where tokens expire faster than it is made.
_RENEWALS = 5

#: What grpc says, among other words, of calls that were under way when their channel was closed.
_CHANNEL_CLOSED = "Channel closed!"


@runtime_checkable
class Refreshable(Protocol):
    """Metadata that can be made anew when the service refuses what is in it."""

    def refresh(self, refused: str, timeout: Optional[float]) -> bool:
        """Replace the token, unless another thread does; tell whether it was replaced here."""
        ...

    @property
    def was_accepted(self) -> bool:
        """Whether a token was ever good, so that the next one may be, too."""
        ...


class Service:
    """The base of the service classes: it makes their calls.

    Args:
        channel: An open channel to the service.
        metadata: Sent with each call; names are lowered. Holds the ``authorization`` of the caller.
    """

    #: The full name of the proto service, set by each service class.
    _service = ""
    #: Where the proto service is described; a class for a schema of another package names that one's pool.
    _pool = staticmethod(pool)

    def __init__(self, channel: grpc.Channel, metadata: Mapping[str, str]) -> None:
        if not isinstance(channel, grpc.Channel):
            raise TypeError(f"channel takes a grpc.Channel, got {type(channel).__name__}; see viam_sync.rpc.dial.dial")
        self._channel = channel
        self._metadata = metadata
        self._stubs: Dict[str, Tuple[str, Any]] = {}

    def _call(
        self,
        rpc: str,
        request: Message,
        policy: retry.Policy,
        timeout: Optional[float],
        cancellation: Optional[Cancellation] = None,
    ) -> Any:
        """Send one message, return the one that answers it; another thread may end it where it has a cancellation."""
        method, stub = self._stub(rpc, "unary_unary")
        if cancellation is None:
            call = _Unary(stub, request, self._metadata)
            return self._run(call.send, policy, timeout, method, call.renew)
        call = _Unary(cancellation.around(stub), request, self._metadata)
        return self._run(call.send, policy, timeout, method, call.renew, cancellation.sleep)

    def _send(
        self,
        rpc: str,
        requests: Iterable[Message],
        policy: retry.Policy,
        timeout: Optional[float],
        cancellation: Optional[Cancellation] = None,
    ) -> Any:
        """Send a stream of messages, return the one that answers them; another thread may end it, as in a call of one.

        Whatever ends it early, such as an error in ``requests`` or Ctrl-C, the service never sees the stream's end.
        """
        method, stub = self._stub(rpc, "stream_unary")
        metadata = _lowered(self._metadata)
        source = _Source(requests, stub)
        send = (cancellation or Cancellation()).around(source)

        def attempt(seconds: Optional[float]) -> Any:
            try:
                return send(timeout=seconds, metadata=metadata)
            except grpc.RpcError:
                # The call was cancelled because of what went wrong in an iterator of the caller's.
                if source.failure is not None:
                    raise source.failure from source.failure.__cause__
                raise
            finally:
                source.over = True

        return self._run(attempt, policy, timeout, method)

    def _receive(self, rpc: str, request: Message, policy: retry.Policy, timeout: Optional[float]) -> "Stream[Any]":
        """Send one message, return the stream of those that answer it."""
        method, stub = self._stub(rpc, "unary_stream")
        seconds = policy.total_timeout if timeout is None else timeout
        metadata = _lowered(self._metadata)
        return Stream(_checked(lambda: stub(request, timeout=seconds, metadata=metadata)), method)

    def _exchange(
        self, rpc: str, requests: Iterable[Message], policy: retry.Policy, timeout: Optional[float]
    ) -> "Stream[Any]":
        """Send a stream of messages, return the stream of those that answer them."""
        method, stub = self._stub(rpc, "stream_stream")
        seconds = policy.total_timeout if timeout is None else timeout
        metadata = _lowered(self._metadata)
        return Stream(_checked(lambda: stub(iter(requests), timeout=seconds, metadata=metadata)), method)

    def _run(
        self,
        attempt: Callable[[Optional[float]], Any],
        policy: retry.Policy,
        timeout: Optional[float],
        method: str,
        renew: Callable[[grpc.RpcError, Optional[float]], bool] = retry.never,
        sleep: Optional[Callable[[float], None]] = None,
    ) -> Any:
        # That of our channel ends when it is closed.
        wait: Callable[[float], None] = getattr(self._channel, "sleep", time.sleep) if sleep is None else sleep
        reconnects = getattr(self._channel, "max_reconnect_attempts", None)
        try:
            return _checked(lambda: retry.run(attempt, policy, timeout, reconnects, renew, method, sleep=wait))
        except grpc.RpcError as error:
            failure = _translated(error, method)
        raise failure

    def _stub(self, rpc: str, kind: str) -> Tuple[str, Any]:
        """Return the full name of an RPC, and the callable that grpc makes for one of its kind."""
        known = self._stubs.get(rpc)
        if known is None:
            known = self._stubs[rpc] = _checked(lambda: self._new_stub(rpc, kind))
        return known

    def _new_stub(self, rpc: str, kind: str) -> Tuple[str, Any]:
        for cls in type(self).__mro__:
            name = cls.__dict__.get("_service")
            described = self._pool().FindServiceByName(name).methods_by_name.get(rpc) if name else None
            if described is not None:
                make = getattr(self._channel, kind)
                request, response = message(described.input_type), message(described.output_type)
                method = f"{name}/{rpc}"
                return method, make(f"/{method}", request.SerializeToString, response.FromString)
        raise NotImplementedError(f"{type(self).__name__} is made of no service that has the RPC {rpc}")


class _Unary:
    """A request, sent with the metadata of the moment, which is refreshed the first time it is refused."""

    def __init__(self, stub: Any, request: Message, metadata: Mapping[str, str]) -> None:
        self.stub = stub
        self.request = request
        self.metadata = metadata
        self.sent: Tuple[Tuple[str, str], ...] = ()
        self.renewals = 0
        self.renewed = False

    def send(self, seconds: Optional[float]) -> Any:
        self.sent = _lowered(self.metadata)
        return self.stub(self.request, timeout=seconds, metadata=self.sent)

    def renew(self, error: grpc.RpcError, seconds: Optional[float]) -> bool:
        if _status(error) is not grpc.StatusCode.UNAUTHENTICATED or not isinstance(self.metadata, Refreshable):
            return False
        refused = dict(self.sent).get("authorization", "")
        if self.renewed and (self.renewals == _RENEWALS or not self.metadata.was_accepted):
            return False
        self.renewed = True
        self.renewals += self.metadata.refresh(refused, seconds)
        return True


class _Source(Generic[T]):
    """An iterator over another, for one call, which is cancelled if that one breaks off.

    grpc takes the messages in a thread of its own. What is raised there it writes to its log, and the caller never sees
    it: so it is kept here, and to grpc it is the end of the messages of a call that is cancelled already.
    """

    def __init__(self, items: Iterable[T], stub: Any) -> None:
        self.items = iter(items)
        self.stub = stub
        self.call: Any = None
        self.called = threading.Event()
        self.over = False
        self.failure: Optional[BaseException] = None

    def future(self, **options: Any) -> Any:
        """Start the call."""
        self.call = self.stub.future(self, **options)
        self.called.set()
        return self.call

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            if self.over:
                raise RuntimeError("the call is over")
            return next(self.items)
        except StopIteration:
            raise
        except BaseException as failure:
            self.failure = failure
        # Messages may be wanted a moment before the call is known here; where it never is, grpc cancels it.
        if not self.called.wait(_MOMENT):
            raise self.failure
        self.call.cancel()
        raise StopIteration


class Stream(Generic[T]):
    """The messages that a service sends, one after the other, until it ends or is closed.

    It can be closed from another thread, which ends a waiting ``next`` at once.

    Example:
        >>> from viam_sync.rpc.service import Stream
        >>> with Stream(iter(["first", "second"]), "demo/Count") as stream:
        ...     print(next(stream))
        first
    """

    def __init__(self, call: Any, method: str) -> None:
        self._call = call
        self._method = method
        self._closed = threading.Event()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        if self._closed.is_set():
            raise StopIteration
        try:
            item: T = next(self._call)
        except grpc.RpcError as error:
            if self._closed.is_set():
                raise StopIteration from None
            failure = _translated(error, self._method)
        else:
            return item
        raise failure

    def close(self) -> None:
        """End the stream; closing it again does nothing."""
        self._closed.set()
        cancel = getattr(self._call, "cancel", None)
        if cancel is not None:
            cancel()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.close()


def _lowered(metadata: Mapping[str, str]) -> Tuple[Tuple[str, str], ...]:
    return tuple((name.lower(), value) for name, value in metadata.items())


def _checked(step: Callable[[], T]) -> T:
    """Do ``step``; where grpc says that the channel is closed, say it in our words."""
    try:
        return step()
    except ValueError as error:
        if "Cannot invoke RPC" not in str(error):
            raise
    raise ClosedError(CLOSED)


def _status(error: grpc.RpcError) -> grpc.StatusCode:
    status = error.code() if isinstance(error, (grpc.Call, GRPCError)) else grpc.StatusCode.UNKNOWN
    return status if isinstance(status, grpc.StatusCode) else grpc.StatusCode.UNKNOWN


def _translated(error: grpc.RpcError, method: str) -> Union[GRPCError, ClosedError]:
    """Return our exception for one of grpc's."""
    if isinstance(error, GRPCError):
        return error
    if not isinstance(error, grpc.Call):
        return grpc_error(grpc.StatusCode.UNKNOWN, str(error), None, method)
    if _status(error) is grpc.StatusCode.CANCELLED and _CHANNEL_CLOSED in (error.details() or ""):
        return ClosedError(CLOSED)
    return grpc_error(_status(error), error.details() or "", _details(error), method)


def _details(error: Any) -> Optional[Tuple[Any, ...]]:
    """Return the messages of a rich error, None where there are none or they cannot be read."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            try:
                return tuple(google_pb.Status.FromString(value).details)
            except DecodeError:
                return None
    return None
