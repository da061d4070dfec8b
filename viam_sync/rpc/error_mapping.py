"""Error mapping: the failures of calls as the exceptions of viam_sync."""

from typing import Any, Tuple

import grpc
from google.protobuf.message import DecodeError

from viam_sync.errors import AmbiguousResultError, CallMetadata, ClosedError, GRPCError, Metadatum, grpc_error
from viam_sync.proto import google as google_pb
from viam_sync.rpc import classification
from viam_sync.rpc.connection import CLOSED

#: The text of grpc, among other words, for calls that were under way when their channel was closed.
_CHANNEL_CLOSED = "Channel closed!"
#: The text of grpc, among other words, for calls that begin or read on after their channel was closed.
_NOT_INVOKED = "Cannot invoke RPC"
#: The text of grpc where the deadline of a call passes on this side.
_TOO_LATE = "Deadline Exceeded"


def map_error(error: Exception, method: str, attempts: int = 1, where: str = "the service") -> Exception:
    """Return our exception for one of grpc's; its text names the service as ``where``.

    A ValueError of grpc says that the channel is closed; any other is that of an argument or a source, and is returned.
    """
    if isinstance(error, ValueError):
        return ClosedError(CLOSED) if _NOT_INVOKED in str(error) else error
    if isinstance(error, classification.AttemptError):
        return grpc_error(error.status, error.message, None, method, attempts, error.retry_after)
    if isinstance(error, GRPCError):
        return error
    if not isinstance(error, grpc.Call):
        return grpc_error(grpc.StatusCode.UNKNOWN, str(error), None, method, attempts)
    status, text = classification.status_of(error), classification.text_of(error)
    if status is grpc.StatusCode.CANCELLED and _CHANNEL_CLOSED in text:
        return ClosedError(CLOSED)
    advised, metadata = _advised(error, status, text, where), _metadata(error)
    details = _details(metadata.trailing)
    return grpc_error(status, advised, details, method, attempts, classification.pushback(error), text, metadata)


def _advised(error: Any, status: grpc.StatusCode, text: str, where: str) -> str:
    """Return the text of a failure; where it is grpc's, with its meaning and what to do."""
    own = f" ({text})" if text else ""
    if classification.is_unreachable(error):
        return f"{where} cannot be reached. Check the network; the client connects again by itself.{own}"
    if classification.is_connection_lost(error):
        return f"The connection to {where} was lost during the call. Check the network.{own}"
    if status is grpc.StatusCode.DEADLINE_EXCEEDED and text == _TOO_LATE:
        return f"No answer from {where} in the time that the call may take. Give it a longer timeout, or do less in it."
    return _exhausted(error, text, own) if status is grpc.StatusCode.RESOURCE_EXHAUSTED else text


def _exhausted(error: Any, text: str, own: str) -> str:
    """Return the text of a RESOURCE_EXHAUSTED, which has several meanings, each with a way out of its own."""
    if "larger than max" in text:
        return f"A message is larger than it may be. Ask for less at a time, or send less.{own}"
    if classification.is_too_large(grpc.StatusCode.RESOURCE_EXHAUSTED, text):
        return text
    if classification.is_out_of_room(error):
        return f"The service has no room left for this. Free some, or send less.{own}"
    if classification.is_too_costly(error):
        return f"This asks for more than the service does in one call. Narrow it down, or ask for less at a time.{own}"
    return f"A limit of the service is reached. Wait before you call again, or call less often.{own}"


def ambiguous_error(cause: GRPCError, verify_with: str) -> GRPCError:
    """Return the error of a call that may or may not have been carried out."""
    rpc = cause.method.rpartition("/")[2]
    how = f", with {verify_with} for example," if verify_with else ""
    text = f"{rpc} may or may not have been carried out. Look{how} before you call it again. ({cause.message})"
    return cause.restated(text, AmbiguousResultError)


def _metadata(error: Any) -> CallMetadata:
    """Return the metadata of a call that has failed."""
    return CallMetadata(_pairs(error.initial_metadata()), _pairs(error.trailing_metadata()))


def _pairs(metadata: Any) -> Tuple[Metadatum, ...]:
    return tuple(Metadatum(*pair) for pair in metadata or ())


def _details(trailing: Tuple[Any, ...]) -> Tuple[Any, ...]:
    """Return the messages of a rich error; none where they cannot be read."""
    for name, value in trailing:
        if name == "grpc-status-details-bin":
            try:
                return tuple(google_pb.Status.FromString(value).details)
            except DecodeError:
                return ()
    return ()
