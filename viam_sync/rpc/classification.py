"""What the failure of a call proves: whether the service acted, and whether another try could fare better."""

from __future__ import annotations

import re
from typing import Any, Optional

import grpc

#: What the service says when it has looked at a request and turned it down, so that nothing came of it.
_REFUSALS = frozenset(
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


# What grpc says, in its versions from 1.32 to 1.85; nothing but its text tells these apart. It is compared from its
# start, so that what a service quotes from a call of its own is not taken for it.
_WRAPPED = r"(?:Stream removed \()?(?:RST_STREAM \()?"
_CONNECTING = r"failed to connect to all addresses|DNS resolution failed |errors resolving "
_RESET = re.compile(_WRAPPED + r"Received RST_STREAM with error code \d")
_UNPROCESSED = re.compile(
    rf"{_CONNECTING}|{_WRAPPED}(?:Received RST_STREAM with error code 7\b|GOAWAY received)"
    r"|Received http2 header with status: 429\b"
)
_LOST = re.compile(
    rf"{_CONNECTING}|{_WRAPPED}(?:GOAWAY received|Socket closed|recvmsg:|sendmsg:|Connection reset by peer|Broken pipe"
    r"|Delayed close due to in-progress write|keepalive watchdog timeout|ping timeout)"
)
_ANSWER_TOO_LARGE = re.compile(r"(?<!grpc: )(?<!SERVER: )[Rr]eceived message larger than max")
_PUSHBACK = re.compile(r"-?[0-9]{1,10}")


def status_of(error: Any) -> grpc.StatusCode:
    """Return the status of a failed call; UNKNOWN where it has none that is known."""
    status = error.code() if hasattr(error, "code") else None
    return status if isinstance(status, grpc.StatusCode) else grpc.StatusCode.UNKNOWN


def text_of(error: Any) -> str:
    """Return what is said of a failed call."""
    said = error.details() if isinstance(error, grpc.Call) else getattr(error, "message", "")
    return said or ""


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


def is_transient(error: Any) -> bool:
    """Tell whether a request that may be repeated could fare better the next time."""
    status, text = status_of(error), text_of(error)
    if status is grpc.StatusCode.INTERNAL:
        return is_reset(text)
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return not is_too_large(status, text)
    return status in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def is_reset(text: str) -> bool:
    """Tell whether a call ended since its stream was reset, by a server or something on the way to it."""
    return _RESET.match(text) is not None


def is_connection_lost(error: Any) -> bool:
    """Tell whether a call ended since the connection was lost, or could not be made."""
    return status_of(error) is grpc.StatusCode.UNAVAILABLE and _LOST.match(text_of(error)) is not None


def is_unreachable(error: Any) -> bool:
    """Tell whether a call ended since no connection could be made."""
    return status_of(error) is grpc.StatusCode.UNAVAILABLE and re.match(_CONNECTING, text_of(error)) is not None


def was_not_processed(error: Any) -> bool:
    """Tell whether it is proved that a request did not get as far as to be processed."""
    status, text = status_of(error), text_of(error)
    if status is grpc.StatusCode.UNAVAILABLE:
        return _UNPROCESSED.match(text) is not None
    asked_to_wait = status is grpc.StatusCode.RESOURCE_EXHAUSTED and pushback(error) is not None
    return asked_to_wait and not is_too_large(status, text)


def had_no_effect(error: Any) -> bool:
    """Tell whether nothing came of a request that failed."""
    if was_not_processed(error):
        return True
    status, text = status_of(error), text_of(error)
    if is_reset(text):
        return False
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        # The service had acted where it is the answer that is too large, which only this side can say.
        return _ANSWER_TOO_LARGE.search(text) is None
    return status in _REFUSALS


def pushback(error: Any) -> Optional[float]:
    """Return the seconds to wait before another try, as the service said; below 0 for no other try.

    Returns:
        The seconds; None if it said nothing.
    """
    for name, value in (error.trailing_metadata() or ()) if isinstance(error, grpc.Call) else ():
        if name == "grpc-retry-pushback-ms":
            # What cannot be read means the same as a negative number, as gRPC has it.
            return int(value) / 1000 if _PUSHBACK.fullmatch(str(value)) else -1
    return None
