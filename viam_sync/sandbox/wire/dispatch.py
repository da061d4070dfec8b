"""Dispatch: from a call on the wire to the servicer method that answers it, and back."""

from __future__ import annotations

import contextlib
import errno
import logging
import sqlite3
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import grpc
from google.protobuf.descriptor_pb2 import MethodDescriptorProto
from google.protobuf.message import DecodeError

from viam_sync import clock
from viam_sync.messages.pool import message, pool
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import CallError, cancelled, invalid_argument, unimplemented
from viam_sync.sandbox.core.transactions import has_own_transactions
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.faults.faults import Faults
from viam_sync.sandbox.faults.injection import Injection
from viam_sync.sandbox.wire.authentication import Authentication, reject_header
from viam_sync.sandbox.wire.call_log import CallLog, LoggedCall

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]

_LOGGER = logging.getLogger("viam_sync.sandbox")

AUTH_SERVICE = "proto.rpc.v1.AuthService"
_PROVISIONING_SERVICE = "viam.provisioning.v1.ProvisioningService"

# Seconds to wait for a cancellation after the last request: grpcio may report the end of a cancelled stream as a normal
# end first. In 600 trials the cancellation followed within a millisecond. A wait that comes back late shows a busy
# computer, on which the cancellation may be late, too: so many waits in a row have to come back in time, of at most so
# many.
_CANCELLATION_DELAY, _PROMPT_WAITS, _CANCELLATION_WAITS = 0.004, 3, 300

# The most characters of status details: they are sent as a header, which clients limit to 8 KiB, and a character may
# take 9 bytes of it.
_MOST_DETAILS = 800

_EXHAUSTED = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}


class Dispatcher(grpc.GenericRpcHandler):  # type: ignore[misc, unused-ignore]
    """Answers every RPC of the schema: with the servicer method of the same name, or with UNIMPLEMENTED.

    Args:
        world: The state of the sandbox; each unary call is one transaction of its store.
        authentication: AuthService, which also checks the tokens of all other calls.
        servicers: For the full name of a service, the objects whose methods answer its RPCs.
        faults: The planned faults.
        port: The port of the server.

    Attributes:
        calls: The log of the last calls.
    """

    def __init__(
        self,
        world: World,
        authentication: Authentication,
        servicers: Mapping[str, Sequence[object]],
        faults: Faults,
        port: int,
    ) -> None:
        self._world = world
        self._authentication = authentication
        self._servicers = {AUTH_SERVICE: [authentication], **servicers}
        self._faults = faults
        self._port = port
        self._handlers: Dict[str, Optional[Handler]] = {}
        self._active: Dict[grpc.ServicerContext, LoggedCall] = {}
        self.calls = CallLog(world.microseconds)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Optional[Handler]:
        """Return the handler of a path such as ``/viam.app.v1.AppService/GetRobot``, or None if no RPC has it."""
        path = handler_call_details.method
        try:
            method = pool().FindMethodByName(path[1:].replace("/", "."))
        except KeyError:
            return None
        if path != f"/{method.containing_service.full_name}/{method.name}":
            return None
        if path not in self._handlers:
            self._handlers[path] = self._handler(method)
        return self._handlers[path]

    def active_calls(self) -> List[LoggedCall]:
        """Return the active calls, oldest first."""
        return list(self._active.values())

    def end_calls(self) -> None:
        """Cancel all active calls, and wait until they have ended."""
        active = list(self._active.items())
        for context, _ in active:
            context.cancel()
        for _, call in active:
            call.ended.wait()

    def _handler(self, method: Any) -> Handler:
        # Requests are decoded here rather than by grpc: after the token was checked, and with an error of our own.
        takes_stream, sends_stream = _streaming(method)
        answer = self._answer_upload if takes_stream else self._answer_stream if sends_stream else self._answer_unary

        def behaviour(data: Any, context: grpc.ServicerContext) -> Any:
            return answer(method, data, context)

        request, response = ("stream" if streaming else "unary" for streaming in (takes_stream, sends_stream))
        handler: Handler = getattr(grpc, f"{request}_{response}_rpc_method_handler")(behaviour)
        return handler

    def _answer_unary(self, method: Any, data: bytes, context: grpc.ServicerContext) -> bytes:
        with self._active_call(method, context) as injection:
            injection.before()
            with self._world.store.transaction():
                caller = self._caller(method, context)
                answer = self._method(method)
                response = None if has_own_transactions(answer) else answer(_decode_request(method, data), caller)
            if response is None:
                response = answer(_decode_request(method, data), caller)
            answered: bytes = response.SerializeToString()
            injection.after()
            return answered

    def _answer_upload(self, method: Any, messages: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        with self._active_call(method, context) as injection:
            injection.before()
            with self._world.store.transaction():
                caller = self._caller(method, context)
            answer = self._method(method)
            requests = injection.stream(_requests(method, messages, context))
            response: bytes = answer(requests, caller).SerializeToString()
            injection.after()
            return response

    def _answer_stream(self, method: Any, data: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        with self._active_call(method, context) as injection:
            injection.before()
            with self._world.store.transaction():
                caller = self._caller(method, context)
            answer = self._method(method)
            for response in injection.stream(answer(_decode_request(method, data), caller, context)):
                yield response.SerializeToString()
            injection.after()

    @contextlib.contextmanager
    def _active_call(self, method: Any, context: grpc.ServicerContext) -> Iterator[Injection]:
        """Register an active call, and end it with the status of the error that is raised."""
        self._active[context] = call = self.calls.begin(_name(method))
        try:
            faults = Injection(self._faults, _name(method), context, self._port)
            with _error_status(method, context, call), faults as injection:
                yield injection
        finally:
            del self._active[context]
            self.calls.end(call)

    def _caller(self, method: Any, context: grpc.ServicerContext) -> Optional[Caller]:
        if method.containing_service.full_name == AUTH_SERVICE:
            reject_header(context.invocation_metadata())
            return None
        if method.containing_service.full_name == _PROVISIONING_SERVICE:
            return None  # a device on its own hotspot takes no credentials
        caller = self._authentication.caller(context.invocation_metadata())
        self._active[context].caller = caller
        return caller

    def _method(self, method: Any) -> Callable[..., Any]:
        for servicer in self._servicers.get(method.containing_service.full_name, ()):
            answer: Optional[Callable[..., Any]] = getattr(servicer, method.name, None)
            if answer is not None:
                return answer
        raise unimplemented(f"{_name(method)} is not part of the sandbox yet.")


@contextlib.contextmanager
def _error_status(method: Any, context: grpc.ServicerContext, call: LoggedCall) -> Iterator[None]:
    """End a call with the status of the error that is raised in the block."""
    try:
        yield
        call.status = "OK" if context.is_active() else "CANCELLED"
        return
    except CallError as error:
        status, text = error.status, error.text
    except Exception as error:
        if _is_out_of_space(error):
            status = grpc.StatusCode.RESOURCE_EXHAUSTED
            text = f"The sandbox cannot keep this: {error}. Nothing of it was kept; free some room, then try again."
        else:
            _LOGGER.exception("%s failed", method.full_name)
            status = grpc.StatusCode.INTERNAL
            text = f"The sandbox failed at {_name(method)}; its log (logger 'viam_sync.sandbox') says how."
    call.status = status.name
    # Details that are not Unicode cannot be sent, and a client rejects a status whose details are too long.
    context.abort(status, text[:_MOST_DETAILS].encode("utf-8", "replace").decode())


def _is_out_of_space(error: Exception) -> bool:
    """Return whether an error means that the disk is full or that there are too many open files."""
    if isinstance(error, sqlite3.OperationalError):
        return "full" in str(error)
    return isinstance(error, OSError) and error.errno in _EXHAUSTED


def _requests(method: Any, messages: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
    """Yield the requests of a stream; raise CANCELLED if the client cancels it."""
    ended = threading.Event()
    context.add_callback(ended.set)
    try:
        for data in messages:
            yield _decode_request(method, data)
    except grpc.RpcError:
        raise cancelled(f"The client ended {_name(method)} before it had sent everything.") from None
    if _cancellation_follows(ended) or not context.is_active():
        raise cancelled(f"The client ended {_name(method)} before it had sent everything.")


def _cancellation_follows(ended: threading.Event) -> bool:
    """Tell whether a call is cancelled within the time that a cancellation may come after the last request."""
    prompt = 0
    for _ in range(_CANCELLATION_WAITS):
        start = clock.now()
        if ended.wait(_CANCELLATION_DELAY):
            return True
        prompt = prompt + 1 if clock.now() - start < 2 * _CANCELLATION_DELAY else 0
        if prompt == _PROMPT_WAITS:
            break
    return False


def _decode_request(method: Any, data: bytes) -> Any:
    try:
        return message(method.input_type).FromString(data)
    except (DecodeError, UnicodeDecodeError, RecursionError):  # the last two are raised by the runtime in pure Python
        text = f"What was sent to {_name(method)} is not a {method.input_type.full_name}."
        raise invalid_argument(text) from None


def _streaming(method: Any) -> Tuple[bool, bool]:
    """Return whether the request is a stream, and whether the response is."""
    if not hasattr(method, "client_streaming"):  # older runtimes have these only in the descriptor's message
        proto = MethodDescriptorProto()
        method.CopyToProto(proto)
        method = proto
    return bool(method.client_streaming), bool(method.server_streaming)


def _name(method: Any) -> str:
    return f"{method.containing_service.full_name}/{method.name}"
