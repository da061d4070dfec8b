"""One call to one service: its metadata, its policy, and its errors."""

import contextlib
import copy
import logging
import time
from dataclasses import replace
from typing import Any, Callable, Dict, Iterable, Mapping, NamedTuple, Optional, Tuple, TypeVar, Union

import grpc
from google.protobuf.message import Message
from typing_extensions import Protocol, Self, runtime_checkable

from viam_sync.checks import describe, require_seconds
from viam_sync.errors import ClosedError, GRPCError
from viam_sync.messages.pool import message, pool
from viam_sync.rpc import classification, decoding, retry, tracing
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.connection import CLOSED
from viam_sync.rpc.error_mapping import ambiguous_error, map_error
from viam_sync.rpc.request_stream import RequestStream
from viam_sync.rpc.streams import Stream, StreamOpener
from viam_sync.rpc.watchdog import Watchdog

LOGGER = logging.getLogger(__name__)

T = TypeVar("T")

#: How often a tail is taken up again on a channel that does not say.
_RECONNECTS = 3

#: How often one call may ask for a new token where tokens expire faster than it is made.
_RENEWALS = 5


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
        if not isinstance(metadata, Mapping):
            raise TypeError(f"metadata takes a mapping of names to texts, got {type(metadata).__name__}")
        self._channel = channel
        self._metadata = metadata
        self._budget = getattr(channel, "budget", None) or retry.RetryThrottle()
        self._stubs: Dict[str, _Stub] = {}
        self._timeout: Optional[float] = None
        self._retry: Optional[retry.Retry] = None

    def options(self, *, timeout: Optional[float] = None, retry: Union[retry.Retry, bool, None] = None) -> Self:
        """Return a copy of this client, on the same connection, whose calls have other limits.

        Args:
            timeout: Seconds that each call may take in all, where the call itself names none; None to leave that as it
                is. Tails of logs go on until they are closed all the same.
            retry: How often calls are tried; False for never again, None to leave that as it is.

        Returns:
            The copy.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``timeout`` is not above 0.

        Example:
            >>> hasty = client.app_client.options(timeout=5, retry=False)
            >>> hasty.get_location(sandbox.location_id).name
            'Workshop'
        """
        other = copy.copy(self)
        other._timeout, other._retry = limits(self._timeout, self._retry, timeout, retry)
        return other

    def _call(
        self,
        rpc: str,
        request: Message,
        policy: retry.Policy,
        timeout: Optional[float],
        cancellation: Optional[Cancellation] = None,
        look: str = "",
    ) -> Any:
        """Send one message, return the one that answers it; another thread may end it where it has a cancellation.

        Where it cannot be known whether it was carried out, the error tells to ``look`` with the method of that name.
        """
        stub = self._stub(rpc, "unary_unary")
        call = self._sender(stub, stub.make if cancellation is None else cancellation.around(stub.make), request)
        run = self._run if call.span is None else call.span.around(self._run)
        return run(stub, call, policy, timeout, cancellation, look)

    def _send(
        self,
        rpc: str,
        requests: Union[Iterable[Message], Callable[[], Iterable[Message]]],
        policy: retry.Policy,
        timeout: Optional[float],
        cancellation: Optional[Cancellation] = None,
        look: str = "",
    ) -> Any:
        """Send a stream of messages, return the one that answers them; another thread may end it, as in a call of one.

        Whatever ends it early, such as an error in ``requests`` or Ctrl-C, the service never sees the stream's end.
        It is only sent again if ``requests`` is a function, which gives them from the start.
        """
        stub = self._stub(rpc, "stream_unary")
        span = tracing.begin(stub.method, self._channel)
        upload = _Upload(stub, requests, self._metadata, span, cancellation or Cancellation(), policy.idle_timeout)
        if not callable(requests):
            policy = replace(policy, attempts=1)
        run = self._run if span is None else span.around(self._run)
        return run(stub, upload, policy, timeout, cancellation, look)

    def _receive(self, rpc: str, request: Message, policy: retry.Policy, timeout: Optional[float]) -> "Stream[Any]":
        """Send one message, return the stream of those that answer it."""
        require_seconds("timeout", timeout)
        stub = self._stub(rpc, "unary_stream")
        call = self._sender(stub, stub.make, request)
        send = call.send if call.span is None else call.span.around(call.send, whole=False)
        # What is followed until it is closed has no limit but one that is named for it.
        limit = timeout if timeout is not None or policy is retry.TAIL else self._timeout

        def run(attempt: Callable[[Optional[float]], T], cancellation: Cancellation) -> T:
            with contextlib.nullcontext() if call.span is None else call.span.current():
                found: T = self._run(stub, call, policy, limit, cancellation, attempt=attempt)
            return found

        begun = _checked(lambda: send(policy.total_timeout if limit is None else limit))
        return Stream(begun, stub.method, StreamOpener(call.send, run), policy.idle_timeout, call.span)

    def _exchange(
        self, rpc: str, requests: Iterable[Message], policy: retry.Policy, timeout: Optional[float]
    ) -> "Stream[Any]":
        """Send a stream of messages, return the stream of those that answer them."""
        require_seconds("timeout", timeout)
        stub = self._stub(rpc, "stream_stream")
        seconds = policy.total_timeout if timeout is None else timeout
        call = self._sender(stub, stub.make, iter(requests))
        send = call.send if call.span is None else call.span.around(call.send, whole=False)
        return Stream(_checked(lambda: send(seconds)), stub.method, span=call.span)

    def _sender(self, stub: "_Stub", make: Callable[..., Any], request: Any) -> "_Sender":
        call = _Sender(stub.method, make, self._metadata, tracing.begin(stub.method, self._channel))
        call.request = request
        return call

    def _run(
        self,
        stub: "_Stub",
        call: "_Sender",
        policy: retry.Policy,
        timeout: Optional[float],
        cancellation: Optional[Cancellation] = None,
        look: str = "",
        attempt: Optional[Callable[[Optional[float]], Any]] = None,
    ) -> Any:
        require_seconds("timeout", timeout)
        if timeout is None and policy is not retry.TAIL:
            timeout = self._timeout
        if self._retry is not None:
            policy = self._retry.applied_to(policy)
        try:
            return _checked(
                lambda: retry.run(
                    attempt or call.send,
                    policy,
                    timeout,
                    reconnects=getattr(self._channel, "max_reconnect_attempts", None),
                    budget=self._budget,
                    renew=call.renew,
                    gone=stub.answer if policy.gone_is_done else None,
                    method=stub.method,
                    observe=call.failed,
                    sleep=self._pause(cancellation),
                )
            )
        except retry.Failure as ended:
            failure = map_error(ended.error, stub.method, ended.attempts, self._where())
            cause = failure if ended.ambiguous and isinstance(failure, GRPCError) else None
        except grpc.RpcError as error:
            failure, cause = map_error(error, stub.method), None
        if cause is not None:
            raise ambiguous_error(cause, look) from cause
        raise failure

    def _pause(self, cancellation: Optional[Cancellation]) -> Callable[[float], None]:
        """Return what waits between two attempts, until the channel is closed or the call is ended."""
        own: Optional[Callable[..., None]] = getattr(self._channel, "sleep", None)
        if own is None:
            return time.sleep if cancellation is None else cancellation.sleep
        return own if cancellation is None else lambda seconds: own(seconds, cancellation)

    @property
    def _reconnects(self) -> int:
        """How often in a row a tail may be taken up again."""
        if self._retry is not None and self._retry.attempts is not None:
            return self._retry.attempts - 1
        return int(getattr(self._channel, "max_reconnect_attempts", _RECONNECTS))

    def _where(self) -> str:
        """Return what an error calls the service."""
        target: str = getattr(getattr(self._channel, "address", None), "target", "the service")
        return target

    def _stub(self, rpc: str, kind: str) -> "_Stub":
        """Return what calls an RPC of one kind."""
        known = self._stubs.get(rpc)
        if known is None:
            known = self._stubs[rpc] = _checked(lambda: self._new_stub(rpc, kind))
        return known

    def _new_stub(self, rpc: str, kind: str) -> "_Stub":
        for cls in type(self).__mro__:
            name = cls.__dict__.get("_service")
            described = self._pool().FindServiceByName(name).methods_by_name.get(rpc) if name else None
            if described is not None:
                make = getattr(self._channel, kind)
                request, response = message(described.input_type), message(described.output_type)
                method = f"{name}/{rpc}"
                return _Stub(
                    method, make(f"/{method}", request.SerializeToString, decoding.deserializer(response)), response
                )
        raise NotImplementedError(f"{type(self).__name__} is made of no service that has the RPC {rpc}")


class _Stub(NamedTuple):
    """An RPC: its full name, the callable that grpc makes for it, and the class of its answers."""

    method: str
    make: Any
    answer: Any


class _Sender:
    """Sends a request with the metadata of the moment, which is refreshed the first time it is refused."""

    request: Any = None

    def __init__(
        self, method: str, stub: Callable[..., Any], metadata: Mapping[str, str], span: Optional[tracing.Span]
    ) -> None:
        self.method = method
        self.stub = stub
        self.metadata = metadata
        self.span = span
        self.attempts = 0
        self.sent: Tuple[Tuple[str, str], ...] = ()
        self.renewals = 0
        self.renewed = False

    def headers(self) -> Tuple[Tuple[str, str], ...]:
        self.attempts += 1
        sent = self.sent = _lowered(self.metadata)
        return sent if self.span is None else sent + self.span.headers(self.attempts)

    def send(self, seconds: Optional[float]) -> Any:
        return decoding.require_message(self.stub(self.request, timeout=seconds, metadata=self.headers()))

    def failed(self, error: Any, wait: float) -> None:
        if self.span is not None:
            self.span.failed(classification.status_of(error), wait)

    def renew(self, error: grpc.RpcError, seconds: Optional[float]) -> bool:
        if classification.status_of(error) is not grpc.StatusCode.UNAUTHENTICATED:
            return False
        if not isinstance(self.metadata, Refreshable):
            return False
        refused = dict(self.sent).get("authorization", "")
        if self.renewed and (self.renewals == _RENEWALS or not self.metadata.was_accepted):
            return False
        self.renewed = True
        self.failed(error, 0)
        self.renewals += self.metadata.refresh(refused, seconds)
        text = "%s: attempt %d ended with UNAUTHENTICATED; trying again at once with a new token"
        LOGGER.info(text, self.method, self.attempts)
        if self.span is not None:
            self.span.renewed()
        return True


class _Upload(_Sender):
    """Sends a stream of messages; only what can be had from the start again is sent again."""

    def __init__(
        self,
        stub: _Stub,
        requests: Union[Iterable[Message], Callable[[], Iterable[Message]]],
        metadata: Mapping[str, str],
        span: Optional[tracing.Span],
        cancellation: Cancellation,
        idle: Optional[float],
    ) -> None:
        super().__init__(stub.method, stub.make, metadata, span)
        self.requests = requests
        self.cancellation = cancellation
        self.idle = idle

    def send(self, seconds: Optional[float]) -> Any:
        metadata = self.headers()
        source = RequestStream(self.requests() if callable(self.requests) else self.requests, self.stub)
        watchdog = source.watchdog = Watchdog(self.idle, source.cancel)
        try:
            with watchdog:
                return decoding.require_message(self.cancellation.around(source)(timeout=seconds, metadata=metadata))
        except grpc.RpcError:
            # The call was cancelled because of what went wrong in an iterator of the caller's.
            if source.failure is not None:
                raise source.failure from source.failure.__cause__
            if watchdog.fired:
                raise watchdog.stalled(self.method) from None
            raise
        finally:
            source.leave()

    def renew(self, error: grpc.RpcError, seconds: Optional[float]) -> bool:
        return callable(self.requests) and super().renew(error, seconds)


def limits(
    known: Optional[float],
    known_retry: Optional[retry.Retry],
    timeout: Optional[float],
    given: Union[retry.Retry, bool, None],
) -> Tuple[Optional[float], Optional[retry.Retry]]:
    """Return the limits that are known, with those that are given in their place.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If ``timeout`` is not above 0.
    """
    if timeout is not None:
        require_seconds("timeout", timeout)
        if timeout <= 0:
            raise ValueError(f"timeout takes a number of seconds above 0, got {describe(timeout)}")
    found = retry.retry_from(given)
    return known if timeout is None else timeout, known_retry if found is None else found


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
