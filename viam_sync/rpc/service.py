"""One call to one service: its stub, its metadata, its policy, and its errors."""

import contextlib
import logging
from datetime import tzinfo
from functools import cached_property
from typing import Any, Callable, ContextManager, Iterable, List, Mapping, Optional, Tuple, Union

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message

from viam_sync.checks.numbers import require_seconds
from viam_sync.clock import grpc_timeout
from viam_sync.errors import GRPCError
from viam_sync.messages.pool import message, schema_service
from viam_sync.rpc import classification, retry, tracing
from viam_sync.rpc.cancellation import CancellableCall, Cancellation
from viam_sync.rpc.channel import ServiceChannel, service_channel
from viam_sync.rpc.client_options import ClientOptions, Configurable
from viam_sync.rpc.connection import Place
from viam_sync.rpc.decoding import deserializer, require_message
from viam_sync.rpc.error_mapping import ambiguous_error, map_error
from viam_sync.rpc.late_channel import LateAttribute, LateChannel
from viam_sync.rpc.metadata import Header, Metadata, token_of
from viam_sync.rpc.method import Method
from viam_sync.rpc.off_main_thread import ThreadedStream
from viam_sync.rpc.policies import TAIL, Lane, Policy
from viam_sync.rpc.renewal import Renewal
from viam_sync.rpc.request_stream import RequestStream
from viam_sync.rpc.retry_limits import RetryLimit
from viam_sync.rpc.streams import NO_MESSAGE, Stream
from viam_sync.rpc.threads import can_start_threads, require_threads
from viam_sync.rpc.watchdog import Watchdog

LOGGER = logging.getLogger(__name__)

#: The messages of an upload: an iterable, which can be sent once, or a function that returns one anew for each attempt.
Requests = Union[Iterable[Message], Callable[[], Iterable[Message]]]

#: Bytes above which a request is one for the connection of uploads.
_LARGE = 256 << 10

_NO_SPAN: ContextManager[None] = contextlib.nullcontext()


class Service(Configurable):
    """The base of the service classes: it makes their calls.

    Args:
        channel: An open channel to the service; one that ``dial`` did not open is wrapped. A late one is opened by the
            first call.
        metadata: Sent with each call, its names in lower case; it holds the ``authorization`` of the caller.
        tz: The time zone of the times in results; None for UTC without a time zone.
    """

    #: The full name of the proto service, set by each service class.
    _service = ""
    #: What its methods are about, for its ``repr``.
    _subjects = ""
    #: Returns the descriptor of a proto service by its full name.
    _find_service = staticmethod(schema_service)

    _channel: ServiceChannel = LateAttribute()  # type: ignore[assignment]
    _metadata: Metadata = LateAttribute()  # type: ignore[assignment]

    def __init__(self, channel: grpc.Channel, metadata: Mapping[str, str], *, tz: Optional[tzinfo] = None) -> None:
        if not isinstance(metadata, (Mapping, Metadata)):
            raise TypeError(f"metadata takes a mapping of names to texts, got {type(metadata).__name__}")
        if isinstance(channel, LateChannel):
            self._late_channel = channel
        else:
            self._connected(channel, metadata)
        self._options = ClientOptions().override(tz=tz)

    def _connect(self) -> None:
        self._connected(*self._late_channel.get())

    def _connected(self, channel: grpc.Channel, metadata: Mapping[str, str]) -> None:
        self._channel = service_channel(channel)
        self._metadata = metadata if isinstance(metadata, Metadata) else Metadata(metadata)

    @classmethod
    def service_descriptors(cls) -> List[ServiceDescriptor]:
        """Return the descriptors of the proto services that this client calls, as ``grpc_testing.channel`` takes them.

        Example:
            >>> from viam_sync.app.app_client import AppClient
            >>> [descriptor.full_name for descriptor in AppClient.service_descriptors()]
            ['viam.app.v1.AppService']
        """
        names = [base.__dict__["_service"] for base in cls.__mro__ if base.__dict__.get("_service")]
        return [cls._find_service(name) for name in names]

    def __repr__(self) -> str:
        where = f" at {self._channel.target}" if "_channel" in vars(self) else ", not connected yet"
        return f"<{type(self).__name__}{where}{self._subjects and f': {self._subjects}'}>"

    def _unary_unary(
        self,
        method: Method,
        request: Message,
        timeout: Optional[float],
        cancellation: Optional[Cancellation] = None,
        throttle: Optional[RetryLimit] = None,
    ) -> Any:
        """Send one message, return the one that answers it.

        With a cancellation, another thread may cancel it; ``throttle`` limits its retries in place of the channel's
        throttle and of the channel's limit on lost connections.
        """
        call = _UnaryCall(self, method, request, cancellation)
        if throttle is not None:
            call.throttle, call.max_reconnects = throttle, None
        if call.span is None:
            return self._run(call, method.policy, timeout, method.verify_with)
        with call.span.active(whole=True):
            return self._run(call, method.policy, timeout, method.verify_with)

    def _stream_unary(
        self, method: Method, requests: Requests, timeout: Optional[float], cancellation: Optional[Cancellation] = None
    ) -> Any:
        """Send a stream of messages, return the one that answers them.

        With a cancellation, another thread may cancel it. Where it ends early, by an exception of ``requests`` or
        Ctrl-C, the service never sees the stream's end.
        """
        policy = method.policy if callable(requests) else method.policy._replace(attempts=1)
        call = _UploadCall(self, method, requests, cancellation or Cancellation())
        with call.traced():
            return self._run(call, policy, timeout, method.verify_with)

    def _unary_stream(self, method: Method, request: Message, timeout: Optional[float]) -> "Stream[Any]":
        """Send one message, return the stream of those that answer it."""
        timeout = require_seconds("timeout", timeout)
        policy = method.policy
        limit = self._options.timeout if timeout is None and not policy.resumes else timeout
        call = _StreamCall(self, method, request, Cancellation())

        def open() -> Any:
            with call.traced(whole=False):
                return self._run(call, policy, limit)

        self._start(call, policy.total_timeout if limit is None else limit)
        return Stream(call, open, call.cancellation)

    def _stream_stream(self, method: Method, requests: Iterable[Message], timeout: Optional[float]) -> "Stream[Any]":
        """Send a stream of messages, return the stream of those that answer them; it is sent once."""
        timeout = require_seconds("timeout", timeout)
        call = _StreamCall(self, method, iter(requests), Cancellation())
        self._start(call, method.policy.total_timeout if timeout is None else timeout)
        return Stream(call, call.read, call.cancellation)

    def _start(self, call: "_StreamCall", seconds: Optional[float]) -> None:
        """Send the request of a stream."""
        with call.traced(whole=False):
            try:
                call.start(seconds)
                return
            except ValueError as error:
                failure = map_error(error, call.name)
            raise failure

    def _run(self, call: "retry.Call[Any]", policy: Policy, timeout: Optional[float], verify_with: str = "") -> Any:
        """Make a call as its policy and the options of this client say, and map its errors."""
        options = self._options
        if timeout is not None:
            timeout = require_seconds("timeout", timeout)
        elif not policy.resumes:
            timeout = options.timeout
        if options.retry is not None:
            policy, call.max_reconnects = policy.changed_by(options.retry), None
        try:
            response = retry.run(call, policy, timeout)
        except retry.CallFailed as failed:
            failure = map_error(failed.error, call.name, call.attempts, self._channel.target)
            cause = failure if failed.ambiguous and isinstance(failure, GRPCError) else None
        except (grpc.RpcError, ValueError) as error:
            failure, cause = map_error(error, call.name), None
        else:
            self._channel.was_reached = True
            return response
        if cause is not None:
            raise ambiguous_error(cause, verify_with) from cause
        raise failure

    def _tail_policy(self) -> Policy:
        """Return how often in a row a tail may be resumed."""
        attempts = 1 + self._channel.max_reconnect_attempts
        if self._options.retry is None:
            return TAIL._replace(attempts=attempts)
        return TAIL._replace(attempts=max(attempts, 2)).changed_by(self._options.retry)

    def _make_stub(self, channel: grpc.Channel, method: Method) -> Any:
        make = getattr(channel, method.kind)
        return make(method.path, *self._codec(method))

    def _codec(self, method: Method) -> Tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
        """Return the functions that encode requests and decode responses."""
        described = self._described(method)
        request, response = message(described.input_type), message(described.output_type)
        return request.SerializeToString, deserializer(response)

    def _described(self, method: Method) -> MethodDescriptor:
        service, _, rpc = method.name.rpartition("/")
        return self._find_service(service).methods_by_name[rpc]


class _RpcCall(retry.Call[Any]):
    """The call of an RPC, with metadata of the moment, whose token is renewed when it is rejected."""

    def __init__(self, service: Service, method: Method, request: Any, cancellation: Optional[Cancellation]) -> None:
        self.channel = channel = service._channel
        self.name = name = method.name
        self.throttle = channel.retry_throttle
        self.max_reconnects = channel.max_reconnect_attempts
        self.service = service
        self.method = method
        self.request = request
        self.cancellation = cancellation
        self.span = tracing.begin(name, channel.address)
        self._sent: Tuple[Header, ...] = ()
        self.now = channel.time.time  # type: ignore[method-assign]

    def traced(self, whole: bool = True) -> ContextManager[None]:
        """Return the context in which the call is made; with ``whole``, its end is the end of the span."""
        return _NO_SPAN if self.span is None else self.span.active(whole)

    def place(self) -> Place:
        """Take a place for the call on the connection of its lane."""
        is_large = isinstance(self.request, Message) and self.request.ByteSize() > _LARGE
        lane = Lane.UPLOADS if is_large else self.method.policy.lane
        return self.channel.lanes[lane].with_room()

    def headers(self) -> Tuple[object, ...]:
        self._sent = sent = self.service._metadata.headers()
        return sent if self.span is None else (*sent, *self.span.headers(self.attempts or 1))

    @cached_property
    def _renewal(self) -> Renewal:
        return Renewal(self.service._metadata)

    def renew(self, error: Any, seconds: Optional[float]) -> bool:
        if not self._renewal.is_worth_it(error):
            return False
        self.will_retry(error, 0)
        self._renewal.renew(token_of(self._sent), seconds)
        text = "%s: attempt %d ended with UNAUTHENTICATED; trying again at once with a new token"
        LOGGER.info(text, self.name, self.attempts)
        if self.span is not None:
            self.span.renewed()
        return True

    def may_outlast_outages(self) -> bool:
        return self.channel.was_reached

    def will_retry(self, error: Any, wait: float) -> None:
        if self.span is not None:
            self.span.failed(classification.status_of(error), wait)

    def empty_response(self) -> Any:
        return message(self.service._described(self.method).output_type)()

    def sleep(self, seconds: float) -> None:
        self.channel.sleep(seconds, self.cancellation)


class _UnaryCall(_RpcCall):
    """Sends one message, and waits for the one that answers it."""

    def attempt(self, seconds: Optional[float]) -> Any:
        with self.place() as place:
            stub = place.connection.stub(type(self.service), self.method, self.service._make_stub)
            headers = self.headers()
            # A call that can be cancelled needs threads of grpc; without, it goes on to its end.
            if self.cancellation is not None and can_start_threads():
                return self._cancellable(
                    self.cancellation,
                    lambda: place.begin(stub.future, self.request, seconds, headers),
                )
            response = stub(self.request, timeout=grpc_timeout(seconds), metadata=headers)
        if not self.channel.token_accepted:
            self.channel.token_accepted = token_of(self._sent) is not None
        return require_message(response)

    def _cancellable(self, cancellation: Cancellation, start: Callable[[], Any]) -> Any:
        try:
            return require_message(cancellation.result_of(start))
        except RuntimeError as error:
            # The interpreter has begun to shut down at just this moment; the request may have been sent.
            raise classification.AttemptError(grpc.StatusCode.UNAVAILABLE, str(error), None, self.name) from None


class _UploadCall(_RpcCall):
    """Sends a stream of messages, and waits for the one that answers them."""

    cancellation: Cancellation

    def attempt(self, seconds: Optional[float]) -> Any:
        require_threads("An upload")
        requests: Requests = self.request
        stream = RequestStream(requests() if callable(requests) else requests, self.method.policy.idle_timeout)
        try:
            with self.place() as place:
                start = self._start_of(stream, place, seconds)
                return require_message(self.cancellation.result_of(start, stream.watchdog.result_of))
        except grpc.RpcError as error:
            # The call was cancelled because of an exception in an iterator of the caller's.
            if stream.failure is not None:
                raise stream.failure from stream.failure.__cause__
            if stream.watchdog.fired:
                raise stream.watchdog.stalled(self.name) from None
            if not stream.is_complete and classification.is_out_of_time(error):
                raise stream.starved(self.name) from None
            raise
        finally:
            stream.leave()

    def _start_of(self, stream: RequestStream[Message], place: Place, seconds: Optional[float]) -> Callable[[], Any]:
        stub = place.connection.stub(type(self.service), self.method, self.service._make_stub)
        headers = self.headers()
        return lambda: stream.sent_by(place.begin(stub.future, stream, seconds, headers))

    def renew(self, error: Any, seconds: Optional[float]) -> bool:
        return callable(self.request) and super().renew(error, seconds)


class _StreamCall(_RpcCall):
    """Reads the messages that a service sends; until the first is there, the request may be sent again."""

    cancellation: Cancellation

    def __init__(self, service: Service, method: Method, request: Any, cancellation: Cancellation) -> None:
        super().__init__(service, method, request, cancellation)
        self.restarts = 0
        self._reading: Optional[ThreadedStream[Any]] = None
        self._read_ahead: List[Message] = []
        self._watchdog = Watchdog(method.policy.idle_timeout, self._cancel)

    def start(self, seconds: Optional[float]) -> None:
        """Send the request."""
        require_threads("A stream")
        with self.place() as place:
            stub = place.connection.stub(type(self.service), self.method, self.service._make_stub)
            headers = self.headers()
            call = CancellableCall(lambda: place.begin(stub, self.request, seconds, headers))
            self._reading = ThreadedStream(call.start())
        # close() sets the flag, then reads the call; this stores the call, then reads the flag: one sees the other.
        if self.cancellation.cancelled:
            self._cancel()

    def attempt(self, seconds: Optional[float]) -> Any:
        if self._reading is None:
            self.start(seconds)
            self.restarts += 1
        try:
            return self._first()
        except StopIteration:
            return NO_MESSAGE
        except grpc.RpcError:
            self._reading = None
            raise

    def _first(self) -> Any:
        """Wait for the first message, and return it.

        An empty one proves nothing: where a proxy answers with an HTTP error and a body, grpcio hands over an empty
        message before the error, about once in a thousand times. The next one shows whether the stream has begun.
        """
        first = self.read()
        if first.ByteSize() == 0:
            with contextlib.suppress(StopIteration):
                self._read_ahead.append(self.read())
        return first

    def read(self) -> Any:
        """Wait for the next message, and return it."""
        if self._read_ahead:
            return self._read_ahead.pop()
        assert self._reading is not None
        self._watchdog.start()
        try:
            message = require_message(next(self._reading))
        except BaseException as error:
            self._watchdog.stop()
            if self._watchdog.fired and isinstance(error, grpc.RpcError):
                raise self._watchdog.stalled(self.name) from None
            raise
        self._watchdog.rest()
        return message

    def cancel(self) -> None:
        """End the call for good."""
        self._watchdog.stop()
        self._cancel()

    def _cancel(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
