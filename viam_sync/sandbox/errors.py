"""The one exception that a call of the sandbox ends with, and a constructor for each status it uses."""

from __future__ import annotations

import grpc


class CallError(Exception):
    """A call is refused.

    Attributes:
        status: The status that the caller sees.
        text: What is wrong and what to do about it. It never holds a key, a secret or a token.
    """

    def __init__(self, status: grpc.StatusCode, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text


def invalid_argument(text: str) -> CallError:
    """Return the error for a request that is wrong whatever the state of the world."""
    return CallError(grpc.StatusCode.INVALID_ARGUMENT, text)


def not_found(text: str) -> CallError:
    """Return the error for a request that names something that does not exist."""
    return CallError(grpc.StatusCode.NOT_FOUND, text)


def permission_denied(text: str) -> CallError:
    """Return the error for a caller whose role does not allow this."""
    return CallError(grpc.StatusCode.PERMISSION_DENIED, text)


def already_exists(text: str) -> CallError:
    """Return the error for something that would be there twice."""
    return CallError(grpc.StatusCode.ALREADY_EXISTS, text)


def failed_precondition(text: str) -> CallError:
    """Return the error for something whose state does not allow this."""
    return CallError(grpc.StatusCode.FAILED_PRECONDITION, text)


def unauthenticated(text: str) -> CallError:
    """Return the error for a caller who does not prove who it is."""
    return CallError(grpc.StatusCode.UNAUTHENTICATED, text)


def unimplemented(text: str) -> CallError:
    """Return the error for an RPC that the sandbox does not have."""
    return CallError(grpc.StatusCode.UNIMPLEMENTED, text)


def resource_exhausted(text: str) -> CallError:
    """Return the error for a call that takes more time or memory than it may."""
    return CallError(grpc.StatusCode.RESOURCE_EXHAUSTED, text)


def cancelled(text: str) -> CallError:
    """Return the error for a call whose client went away."""
    return CallError(grpc.StatusCode.CANCELLED, text)
