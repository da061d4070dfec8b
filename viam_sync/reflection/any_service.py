"""A service whose RPCs are called by their names."""

from typing import Any, Mapping, Optional, Sequence, Union

from google.protobuf.message import Message

from viam_sync.checks import wrong_type
from viam_sync.messages.pool import message
from viam_sync.reflection.requests import request_from
from viam_sync.reflection.rpcs import Rpc, find_rpc
from viam_sync.rpc.service import Service

#: A request: a message, or its fields as JSON has them; or several, for an RPC that takes a stream.
Request = Union[Message, Mapping[str, Any]]


class AnyService(Service):
    """Calls any RPC of the schema, as the method of this package that calls it does; one that none calls is sent once.

    Args:
        channel: An open channel to the service.
        metadata: Sent with each call.
    """

    def call(self, rpc: str, request: Union[Request, Sequence[Request], None], timeout: Optional[float]) -> Any:
        """Call an RPC; see :meth:`viam_sync.ViamClient.call_rpc`."""
        found = find_rpc(rpc)
        prepared = prepare_request(found, request)
        if found.takes_stream and found.gives_stream:
            return self._stream_stream(found.method, prepared, timeout)
        if found.takes_stream:
            return self._stream_unary(found.method, lambda: prepared, timeout)
        call = self._unary_stream if found.gives_stream else self._unary_unary
        return call(found.method, prepared, timeout)


def prepare_request(rpc: Rpc, request: Union[Request, Sequence[Request], None]) -> Any:
    """Return the message that an RPC takes; or the list of them, for one that takes a stream.

    Raises:
        TypeError: If the request is neither a dict nor a message of the right type; or no list of these, for a stream.
        ValueError: If something in it does not fit.
    """
    if not rpc.takes_stream:
        return _message(rpc, {} if request is None else request, "request")
    if isinstance(request, (str, Mapping, Message)) or not isinstance(request, Sequence):
        raise wrong_type("request", f"a list of requests, as {rpc.short_name} takes a stream of them", request)
    return [_message(rpc, each, f"request[{index}]") for index, each in enumerate(request)]


def _message(rpc: Rpc, request: Any, place: str) -> Message:
    descriptor = rpc.descriptor.input_type
    if isinstance(request, Mapping):
        return request_from(descriptor, request, place)
    if not (isinstance(request, Message) and request.DESCRIPTOR.full_name == descriptor.full_name):
        raise wrong_type(place, f"a dict, or a {descriptor.name}", request)
    # A message of another pool has the same fields on the wire.
    copy: Message = message(descriptor).FromString(request.SerializeToString())
    return copy
