"""The exception that ends a call with a gRPC status, and a function for each status that the sandbox uses."""

from __future__ import annotations

import grpc


class CallError(Exception):
    """A call ends with a status other than OK.

    Attributes:
        status: The status code.
        text: The details of the status: the problem and a remedy, never a key, a secret or a token.
    """

    def __init__(self, status: grpc.StatusCode, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text


def invalid_argument(text: str) -> CallError:
    """Return the error for a request that is invalid regardless of the state of the world."""
    return CallError(grpc.StatusCode.INVALID_ARGUMENT, text)


def not_found(text: str) -> CallError:
    """Return the error for a request that names a resource that does not exist."""
    return CallError(grpc.StatusCode.NOT_FOUND, text)


def permission_denied(text: str) -> CallError:
    """Return the error for a caller whose roles do not allow the call."""
    return CallError(grpc.StatusCode.PERMISSION_DENIED, text)


def already_exists(text: str) -> CallError:
    """Return the error for a resource that exists already."""
    return CallError(grpc.StatusCode.ALREADY_EXISTS, text)


def failed_precondition(text: str) -> CallError:
    """Return the error for a resource whose state does not allow the call."""
    return CallError(grpc.StatusCode.FAILED_PRECONDITION, text)


def unauthenticated(text: str) -> CallError:
    """Return the error for a call without valid credentials."""
    return CallError(grpc.StatusCode.UNAUTHENTICATED, text)


def unimplemented(text: str) -> CallError:
    """Return the error for an RPC that the sandbox does not implement."""
    return CallError(grpc.StatusCode.UNIMPLEMENTED, text)


def resource_exhausted(text: str) -> CallError:
    """Return the error for a call that exceeds a limit of time, memory or size."""
    return CallError(grpc.StatusCode.RESOURCE_EXHAUSTED, text)


def cancelled(text: str) -> CallError:
    """Return the error for a call that its client cancelled."""
    return CallError(grpc.StatusCode.CANCELLED, text)
