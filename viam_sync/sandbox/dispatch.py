"""From a call on the wire to the method that answers it, and back."""

from __future__ import annotations

import collections
import contextlib
import errno
import logging
import sqlite3
import threading
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple, TypeVar

import grpc
from google.protobuf.descriptor_pb2 import MethodDescriptorProto
from google.protobuf.message import DecodeError

from viam_sync.messages.pool import message, pool
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.auth import Authentication, refuse_header
from viam_sync.sandbox.calls import Call, Calls
from viam_sync.sandbox.errors import CallError, cancelled, invalid_argument, unimplemented
from viam_sync.sandbox.faults import Faults
from viam_sync.sandbox.mishaps import Mishaps
from viam_sync.sandbox.world import World

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]

Answer = TypeVar("Answer", bound=Callable[..., Any])

_LOGGER = logging.getLogger("viam_sync.sandbox")

AUTH_SERVICE = "proto.rpc.v1.AuthService"
_PROVISIONING_SERVICE = "viam.provisioning.v1.ProvisioningService"

# To grpcio, a client that goes away can look for a moment like one that has sent everything. In 600 trials
# it took less than a millisecond until the truth was known.
_MOMENT = 0.01

# A status travels in a header, and clients take headers of 8 KiB; a character may take 9 bytes of it.
_LONGEST = 800

# The mark of a method that opens transactions of its own.
_OWN = "opens_transactions"

_SHORTAGES = {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE}


def opens_transactions(answer: Answer) -> Answer:
    """Mark the method of a unary RPC that opens transactions of its own, since it takes long between them."""
    setattr(answer, _OWN, True)
    return answer


class Dispatcher(grpc.GenericRpcHandler):  # type: ignore[misc, unused-ignore]
    """Answers every RPC of the schema: by the method of a servicer that has its name, else by UNIMPLEMENTED.

    Args:
        world: What the servicers work on; each unary call is one transaction of its store.
        authentication: The AuthService, which also checks the token of every other call.
        servicers: For the full name of a service, the objects whose methods are its RPCs.
        faults: What is to go wrong.
        port: Where the calls come in.

    Attributes:
        calls: The last calls.
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
        self._running: Dict[grpc.ServicerContext, Call] = {}
        self.calls = Calls(world.microseconds)

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Optional[Handler]:
        """Return what handles a path such as ``/viam.app.v1.AppService/GetRobot``; None if it is not in the schema."""
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

    def end_calls(self) -> None:
        """End all calls that are under way, and return when they have ended."""
        running = list(self._running.items())
        for context, _ in running:
            context.cancel()
        for _, call in running:
            call.ended.wait()

    def _handler(self, method: Any) -> Handler:
        # Requests arrive as bytes, so that junk is refused as such, and only after the token was checked.
        takes_stream, sends_stream = _streaming(method)
        answer = self._take if takes_stream else self._send if sends_stream else self._answer

        def behaviour(data: Any, context: grpc.ServicerContext) -> Any:
            return answer(method, data, context)

        request, response = ("stream" if streaming else "unary" for streaming in (takes_stream, sends_stream))
        handler: Handler = getattr(grpc, f"{request}_{response}_rpc_method_handler")(behaviour)
        return handler

    def _answer(self, method: Any, data: bytes, context: grpc.ServicerContext) -> bytes:
        with self._under_way(method, context) as mishaps:
            mishaps.before()
            with self._world.store.transaction():
                caller = self._caller(method, context)
                answer = self._method(method)
                response = None if hasattr(answer, _OWN) else answer(_decoded(method, data), caller)
            if response is None:
                response = answer(_decoded(method, data), caller)
            answered: bytes = response.SerializeToString()
            mishaps.after()
            return answered

    def _take(self, method: Any, pieces: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        with self._under_way(method, context) as mishaps:
            try:
                mishaps.before()
                with self._world.store.transaction():
                    caller = self._caller(method, context)
                answer = self._method(method)
                requests = mishaps.passing(_requests(method, pieces, context))
                response: bytes = answer(requests, caller).SerializeToString()
                mishaps.after()
                return response
            except Exception:
                # A client that is still sending when it is refused sees a broken connection instead of the reason.
                with contextlib.suppress(grpc.RpcError):
                    collections.deque(pieces, maxlen=0)
                raise

    def _send(self, method: Any, data: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        with self._under_way(method, context) as mishaps:
            mishaps.before()
            with self._world.store.transaction():
                caller = self._caller(method, context)
            answer = self._method(method)
            for response in mishaps.passing(answer(_decoded(method, data), caller, context)):
                yield response.SerializeToString()
            mishaps.after()

    @contextlib.contextmanager
    def _under_way(self, method: Any, context: grpc.ServicerContext) -> Iterator[Mishaps]:
        """Keep a call among those that are under way, and end it with the status of what is raised."""
        self._running[context] = call = self.calls.begin(_name(method))
        try:
            with _ending(method, context, call), Mishaps(self._faults, _name(method), context, self._port) as mishaps:
                yield mishaps
        finally:
            del self._running[context]
            self.calls.end(call)

    def _caller(self, method: Any, context: grpc.ServicerContext) -> Optional[Caller]:
        if method.containing_service.full_name == AUTH_SERVICE:
            refuse_header(context.invocation_metadata())
            return None
        if method.containing_service.full_name == _PROVISIONING_SERVICE:
            return None  # a device on its own hotspot asks nobody who they are
        caller = self._authentication.caller(context.invocation_metadata())
        self._running[context].caller = caller
        return caller

    def _method(self, method: Any) -> Callable[..., Any]:
        for servicer in self._servicers.get(method.containing_service.full_name, ()):
            answer: Optional[Callable[..., Any]] = getattr(servicer, method.name, None)
            if answer is not None:
                return answer
        raise unimplemented(f"{_name(method)} is not part of the sandbox yet.")


@contextlib.contextmanager
def _ending(method: Any, context: grpc.ServicerContext, call: Call) -> Iterator[None]:
    """End the call with the status of what is raised."""
    try:
        yield
        call.status = "OK" if context.is_active() else "CANCELLED"
        return
    except CallError as error:
        status, text = error.status, error.text
    except Exception as error:
        if _is_shortage(error):
            status = grpc.StatusCode.RESOURCE_EXHAUSTED
            text = f"The sandbox cannot keep this: {error}. Nothing of it was kept; free some room, then try again."
        else:
            _LOGGER.exception("%s failed", method.full_name)
            status = grpc.StatusCode.INTERNAL
            text = f"The sandbox failed at {_name(method)}; its log (logger 'viam_sync.sandbox') says how."
    call.status = status.name
    # A text that is not Unicode could not be sent, and one that is too long would hide the status from the client.
    context.abort(status, text[:_LONGEST].encode("utf-8", "replace").decode())


def _is_shortage(error: Exception) -> bool:
    """Tell whether the computer has no room left, be it on its disk or for open files."""
    if isinstance(error, sqlite3.OperationalError):
        return "full" in str(error)
    return isinstance(error, OSError) and error.errno in _SHORTAGES


def _requests(method: Any, pieces: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
    """Yield the messages of a stream; raise if the client goes away before its last one."""
    gone = threading.Event()
    context.add_callback(gone.set)
    try:
        for piece in pieces:
            yield _decoded(method, piece)
    except grpc.RpcError:
        raise cancelled(f"The client ended {_name(method)} before it had sent everything.") from None
    if gone.wait(_MOMENT) or not context.is_active():
        raise cancelled(f"The client ended {_name(method)} before it had sent everything.")


def _decoded(method: Any, data: bytes) -> Any:
    try:
        return message(method.input_type).FromString(data)
    except (DecodeError, UnicodeDecodeError, RecursionError):  # the last two from the runtime in pure Python
        text = f"What was sent to {_name(method)} is not a {method.input_type.full_name}."
        raise invalid_argument(text) from None


def _streaming(method: Any) -> Tuple[bool, bool]:
    """Tell whether the request is a stream, and whether the response is."""
    if not hasattr(method, "client_streaming"):  # in the first runtimes of our range, only its message tells
        proto = MethodDescriptorProto()
        method.CopyToProto(proto)
        method = proto
    return bool(method.client_streaming), bool(method.server_streaming)


def _name(method: Any) -> str:
    return f"{method.containing_service.full_name}/{method.name}"
