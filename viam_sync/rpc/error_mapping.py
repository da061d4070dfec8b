"""The failures of calls as our exceptions."""

from typing import Any, Optional, Tuple, Union

import grpc
from google.protobuf.message import DecodeError

from viam_sync.errors import AmbiguousResultError, ClosedError, GRPCError, grpc_error
from viam_sync.proto import google as google_pb
from viam_sync.rpc import classification
from viam_sync.rpc.connection import CLOSED
from viam_sync.rpc.decoding import UndecodableError
from viam_sync.rpc.retry import Stalled

#: What grpc says, among other words, of calls that were under way when their channel was closed.
_CHANNEL_CLOSED = "Channel closed!"
#: What grpc says where the time of a call is over on this side.
_TOO_LATE = "Deadline Exceeded"


def map_error(
    error: grpc.RpcError, method: str, attempts: int = 1, where: str = "the service"
) -> Union[GRPCError, ClosedError]:
    """Return our exception for one of grpc's; ``where`` is what it calls the service."""
    if isinstance(error, (Stalled, UndecodableError)):
        return grpc_error(error.status, error.message, None, method, attempts)
    if isinstance(error, GRPCError):
        return error
    if not isinstance(error, grpc.Call):
        return grpc_error(grpc.StatusCode.UNKNOWN, str(error), None, method, attempts)
    status, text = classification.status_of(error), classification.text_of(error)
    if status is grpc.StatusCode.CANCELLED and _CHANNEL_CLOSED in text:
        return ClosedError(CLOSED)
    return grpc_error(status, _advised(error, status, text, where), _details(error), method, attempts)


def _advised(error: grpc.RpcError, status: grpc.StatusCode, text: str, where: str) -> str:
    """Return what is said of a failure; where that is grpc's alone, with what it means and what to do."""
    own = f" ({text})" if text else ""
    if classification.is_unreachable(error):
        return f"{where} cannot be reached. Check the network; the client connects again by itself.{own}"
    if classification.is_connection_lost(error):
        return f"The connection to {where} was lost during the call. Check the network.{own}"
    if status is grpc.StatusCode.DEADLINE_EXCEEDED and text == _TOO_LATE:
        return f"No answer from {where} in the time that the call may take. Give it a longer timeout, or do less in it."
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in text:
        return f"A message is larger than it may be. Ask for less at a time, or send less.{own}"
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED and not classification.is_too_large(status, text):
        return f"A limit of the service is reached. Wait before you call again, or call less often.{own}"
    return text


def ambiguous_error(cause: GRPCError, look: str) -> AmbiguousResultError:
    """Return the error that says that nobody knows whether a call was carried out."""
    rpc = cause.method.rpartition("/")[2]
    how = f", with {look} for example," if look else ""
    text = f"{rpc} may or may not have been carried out. Look{how} before you call it again. ({cause.message})"
    return AmbiguousResultError(cause.status, text, cause.details, cause.method, cause.attempts)


def _details(error: Any) -> Optional[Tuple[Any, ...]]:
    """Return the messages of a rich error, None where there are none or they cannot be read."""
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            try:
                return tuple(google_pb.Status.FromString(value).details)
            except DecodeError:
                return None
    return None
