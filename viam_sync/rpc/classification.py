"""The failures of calls, classified: whether the service may have acted, and whether another attempt may succeed."""

from __future__ import annotations

import re
from typing import Any, Optional

import grpc

from viam_sync.errors import GRPCError

#: The statuses with which a service rejects a request that it has looked at, so that it has no effect.
_REJECTIONS = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.UNAUTHENTICATED,
    }
)
#: The rejections that end a stream for good, however often it is resumed.
_FINAL = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)

# The texts of grpc, in its versions from 1.32 to 1.85; nothing else tells these failures apart. They are matched from
# their start, so that a text which a service quotes from a call of its own does not match.
_WRAPPED = r"(?:Stream removed \()?(?:RST_STREAM \()?"
_CONNECTING = r"failed to connect to all addresses|DNS resolution failed |errors resolving "
_RESET = _WRAPPED + r"Received RST_STREAM with error code \d"
_UNPROCESSED = (
    rf"{_CONNECTING}|{_WRAPPED}(?:Received RST_STREAM with error code 7\b|GOAWAY received)"
    r"|Received http2 header with status: 429\b"
)
_LOST = (
    rf"{_WRAPPED}(?:GOAWAY received|Socket closed|recvmsg:|sendmsg:|Connection reset by peer|Broken pipe"
    r"|Delayed close due to in-progress write|keepalive watchdog timeout|ping timeout)"
)
_OUT_OF_TIME = rf"{_WRAPPED}Deadline Exceeded"
_RESPONSE_TOO_LARGE = r"(?<!grpc: )(?<!SERVER: )[Rr]eceived message larger than max"
#: The text of Envoy, a proxy, for a service that is away, and also for a response that is too large for it.
_ENVOY_FAILURE = "upstream connect error or disconnect/reset before headers"
# The words of services, as there is no status for these: the first are those of the cloud's MongoDB and of the sandbox.
_COSTLY = r"(?i)memory|time limit|took longer than|longer than \d+ bytes|nested too deep|narrow it"
_FULL = r"(?i)no space left|(?:disk|storage) (?:is )?full|full disk|disk quota|free some room"
_PUSHBACK = r"-?[0-9]{1,10}"


class AttemptError(GRPCError):
    """A failure that this side found out and not grpc: a stream that stalled, a response that cannot be decoded."""


class NotConnectedError(AttemptError):
    """No connection could be made for an attempt that is not one of grpc."""


def status_of(error: Any) -> grpc.StatusCode:
    """Return the status of a failed call; UNKNOWN where it has none that is known."""
    status = error.code() if hasattr(error, "code") else None
    return status if isinstance(status, grpc.StatusCode) else grpc.StatusCode.UNKNOWN


def is_of_grpc(error: BaseException) -> bool:
    """Tell whether an error is that of an attempt as grpc raises it, and none of ours, which are calls, too."""
    return isinstance(error, grpc.Call) and not isinstance(error, GRPCError)


def text_of(error: Any) -> str:
    """Return the text of a failed call."""
    return (error.details() if isinstance(error, grpc.Call) else "") or ""


def is_too_large(status: Optional[grpc.StatusCode], text: str) -> bool:
    """Tell whether a call failed because its answer, or its request, is too large for one message.

    Example:
        >>> from viam_sync.rpc.classification import is_too_large
        >>> is_too_large(grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (70 vs. 64)")
        True
    """
    if "INCLUDE_BINARY_TOO_LARGE" in text:
        return True
    return status is grpc.StatusCode.RESOURCE_EXHAUSTED and ("larger than max" in text or "too large" in text.lower())


def may_be_too_large(status: Optional[grpc.StatusCode], text: str) -> bool:
    """Tell whether a proxy says that the service is away, as it also does where the answer is too large for it."""
    return status is grpc.StatusCode.UNAVAILABLE and _ENVOY_FAILURE in text


def is_too_costly(error: Any) -> bool:
    """Tell whether a request took more than the service spends on one, as a query does that joins all readings.

    Such a refusal is about the request alone, and comes again however long the caller waits; one that names a time to
    wait is none.
    """
    if status_of(error) is not grpc.StatusCode.RESOURCE_EXHAUSTED or (pushback(error) or 0) > 0:
        return False
    return re.search(_COSTLY, text_of(error)) is not None


def is_out_of_room(error: Any) -> bool:
    """Tell whether the service has no room left for what was sent."""
    return status_of(error) is grpc.StatusCode.RESOURCE_EXHAUSTED and re.search(_FULL, text_of(error)) is not None


def is_transient(error: Any) -> bool:
    """Tell whether an idempotent request may succeed at another attempt."""
    status, text = status_of(error), text_of(error)
    if status is grpc.StatusCode.INTERNAL:
        return is_reset(text)
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return not is_too_large(status, text) and not is_too_costly(error)
    return status in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def can_resume(error: Any) -> bool:
    """Tell whether a stream that failed may go on after it is opened anew."""
    return status_of(error) not in _FINAL


def is_reset(text: str) -> bool:
    """Tell whether a call ended because its stream was reset, by the server or a proxy."""
    return re.match(_RESET, text) is not None


def is_connection_lost(error: Any) -> bool:
    """Tell whether a call ended because its connection was lost."""
    return status_of(error) is grpc.StatusCode.UNAVAILABLE and re.match(_LOST, text_of(error)) is not None


def is_unreachable(error: Any) -> bool:
    """Tell whether a call ended because no connection could be made."""
    if isinstance(error, NotConnectedError):
        return True
    return status_of(error) is grpc.StatusCode.UNAVAILABLE and re.match(_CONNECTING, text_of(error)) is not None


def is_out_of_time(error: Any) -> bool:
    """Tell whether the deadline of a call passed on this side, whatever the service did."""
    return status_of(error) is grpc.StatusCode.DEADLINE_EXCEEDED and re.match(_OUT_OF_TIME, text_of(error)) is not None


def is_unavailable(error: Any) -> bool:
    """Tell whether a call ended because the service was unavailable, as itself or a proxy in front of it said."""
    if status_of(error) is not grpc.StatusCode.UNAVAILABLE:
        return False
    return not (re.match(_LOST, text_of(error)) or re.match(_UNPROCESSED, text_of(error)))


def was_not_processed(error: Any) -> bool:
    """Tell whether it is certain that the service did not process a request."""
    status, text = status_of(error), text_of(error)
    if status is grpc.StatusCode.UNAVAILABLE:
        return re.match(_UNPROCESSED, text) is not None
    asked_to_wait = status is grpc.StatusCode.RESOURCE_EXHAUSTED and pushback(error) is not None
    return asked_to_wait and not is_too_large(status, text)


def had_no_effect(error: Any) -> bool:
    """Tell whether it is certain that a request that failed had no effect."""
    if was_not_processed(error):
        return True
    status, text = status_of(error), text_of(error)
    if is_reset(text):
        return False
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        # A response that is too large for this side was sent by a service that had acted.
        return re.search(_RESPONSE_TOO_LARGE, text) is None
    return status in _REJECTIONS


def pushback(error: Any) -> Optional[float]:
    """Return the seconds to wait before the next attempt, as the service asked for; below 0 for no other attempt.

    Returns:
        The seconds; None if the service asked for nothing.
    """
    if isinstance(error, GRPCError):
        return error.retry_after
    for name, value in (error.trailing_metadata() or ()) if isinstance(error, grpc.Call) else ():
        if name == "grpc-retry-pushback-ms":
            # A value that cannot be read means the same as a negative number, as gRPC defines it.
            return int(value) / 1000 if re.fullmatch(_PUSHBACK, str(value)) else -1
    return None
