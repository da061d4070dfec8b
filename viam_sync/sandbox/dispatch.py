"""From a call on the wire to the method that answers it, and back."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Callable, Dict, Optional, Sequence, Tuple

import grpc
from google.protobuf.descriptor_pb2 import MethodDescriptorProto
from google.protobuf.message import DecodeError

from viam_sync.proto._pool import message, pool
from viam_sync.sandbox.auth import Authentication, refuse_header
from viam_sync.sandbox.errors import CallError, invalid_argument, unimplemented
from viam_sync.sandbox.world import World

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any]

_LOGGER = logging.getLogger("viam_sync.sandbox")

_AUTH_SERVICE = "proto.rpc.v1.AuthService"

#: What answers an RPC: it gets the request and the caller, and returns the response.
Answer = Callable[[Any, Any], Any]


class Dispatcher(grpc.GenericRpcHandler):  # type: ignore[misc, unused-ignore]
    """Answers every RPC of the schema: by the method of a servicer that has its name, else by UNIMPLEMENTED.

    Args:
        world: What the servicers work on; each call is one transaction of its store.
        authentication: The AuthService, which also checks the token of every other call.
        servicers: For the full name of a service, the objects whose methods are its RPCs.
    """

    def __init__(self, world: World, authentication: Authentication, servicers: Dict[str, Sequence[object]]) -> None:
        self._world = world
        self._authentication = authentication
        self._servicers = {_AUTH_SERVICE: [authentication], **servicers}
        self._handlers: Dict[str, Optional[Handler]] = {}

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

    def _handler(self, method: Any) -> Handler:
        # Requests arrive as bytes, so that junk is refused as such, and only after the token was checked.
        def behaviour(data: Any, context: grpc.ServicerContext) -> Any:
            return self._answer(method, data, context)

        request, response = ("stream" if streaming else "unary" for streaming in _streaming(method))
        handler: Handler = getattr(grpc, f"{request}_{response}_rpc_method_handler")(behaviour)
        return handler

    def _answer(self, method: Any, data: Any, context: grpc.ServicerContext) -> bytes:
        try:
            with self._world.store.transaction():
                response: bytes = self._response(method, data, context).SerializeToString()
                return response
        except CallError as error:
            status, text = error.status, error.text
        except Exception:
            _LOGGER.exception("%s failed", method.full_name)
            status = grpc.StatusCode.INTERNAL
            text = f"The sandbox failed at {_name(method)}; its log (logger 'viam_sync.sandbox') says how."
        context.abort(status, text)
        raise AssertionError("abort raises")

    def _response(self, method: Any, data: Any, context: grpc.ServicerContext) -> Any:
        caller = None
        if method.containing_service.full_name == _AUTH_SERVICE:
            refuse_header(context.invocation_metadata())
        else:
            caller = self._authentication.caller(context.invocation_metadata())
        answer = self._method(method)
        try:
            request = message(method.input_type).FromString(data)
        except DecodeError:
            raise invalid_argument(
                f"What was sent to {_name(method)} is not a {method.input_type.full_name}."
            ) from None
        return answer(request, caller)

    def _method(self, method: Any) -> Answer:
        for servicer in self._servicers.get(method.containing_service.full_name, ()):
            answer: Optional[Answer] = getattr(servicer, method.name, None)
            if answer is not None:
                return answer
        raise unimplemented(f"{_name(method)} is not part of the sandbox yet.")


def _streaming(method: Any) -> Tuple[bool, bool]:
    """Tell whether the request is a stream, and whether the response is."""
    if not hasattr(method, "client_streaming"):  # in the first runtimes of our range, only its message tells
        proto = MethodDescriptorProto()
        method.CopyToProto(proto)
        method = proto
    return bool(method.client_streaming), bool(method.server_streaming)


def _name(method: Any) -> str:
    return f"{method.containing_service.full_name}/{method.name}"
