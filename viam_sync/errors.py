"""The exceptions of viam_sync, as one tree.

    ViamError
    ├── GRPCError                     the service answered with an error, or could not be reached
    │   ├── CancelledError            ├── FailedPreconditionError   ├── UnavailableError
    │   ├── UnknownError              ├── AbortedError              ├── DataLossError
    │   ├── InvalidArgumentError      ├── OutOfRangeError           └── UnauthenticatedError
    │   ├── DeadlineExceededError     ├── UnimplementedError
    │   ├── NotFoundError             ├── InternalError
    │   ├── AlreadyExistsError        ├── PermissionDeniedError
    │   ├── ResourceExhaustedError
    │   └── AmbiguousResultError      nobody knows whether the call was carried out; look before calling again
    ├── InsecureConnectionError       the server speaks no TLS, or offers a certificate that cannot be trusted
    ├── ClosedError                   a call after the client was closed
    ├── LabelsError                   labels on disk are wrong, so that nothing was sent; a ValueError, too
    └── NotSupportedError             something of a machine was asked for

Further names of the official SDK are here for scripts that have them in ``except`` clauses: ``ViamGRPCError``, which is
``GRPCError`` itself, ``Status``, which is ``grpc.StatusCode``, and the errors of machines, which nothing here raises.

A wrong argument that is found before anything is sent is a ``ValueError`` or a ``TypeError``.
"""

from typing import TYPE_CHECKING, Any, Callable, Dict, Iterable, NamedTuple, Optional, Sequence, Tuple, Type

import grpc

from viam_sync.error_details import NO_METADATA, CallMetadata, Details, Metadatum, as_messages, as_status

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ClosedError", "InsecureConnectionError", "LabelsError", "NotSupportedError", "ViamError"]
__all__ += ["AbortedError", "AlreadyExistsError", "AmbiguousResultError", "CancelledError", "DataLossError"]
__all__ += ["DeadlineExceededError", "FailedPreconditionError", "GRPCError", "InternalError", "InvalidArgumentError"]
__all__ += ["NotFoundError", "OutOfRangeError", "PermissionDeniedError", "ResourceExhaustedError"]
__all__ += ["UnauthenticatedError", "UnavailableError", "UnimplementedError", "UnknownError"]
__all__ += ["DuplicateResourceError", "MethodNotImplementedError", "NoCaptureToStoreError", "ResourceNotFoundError"]
__all__ += ["ValidationError"]
__all__ += ["CallMetadata", "Details", "LabelProblem", "Metadatum", "Status", "ViamGRPCError"]


class ViamError(Exception):
    """The base of every exception that this package defines."""


class GRPCError(ViamError, grpc.RpcError):  # type: ignore[misc, unused-ignore]
    """A call failed with a gRPC status; one subclass stands for each status.

    It has what the exceptions of grpclib have, ``status``, ``message`` and ``details``, and the methods of grpc's:
    ``code()``, ``details()``, ``trailing_metadata()`` and the like. It is a ``grpc.RpcError`` and a ``grpc.Call``.

    Attributes:
        status: The status, a ``grpc.StatusCode``.
        message: The text of the service, or why it could not be reached, with advice.
        details: The ``google.protobuf.Any`` messages of a rich error, an empty tuple where there are none;
            ``details()`` is the ``text``.
        method: The full name of the RPC, such as ``viam.app.v1.AppService/GetRobot``.
        attempts: How often the request was sent.
        retry_after: Seconds that the service asked to wait before another attempt, below 0 for no other; None if it
            asked for nothing.
        text: The text of the service or of grpc as it came, without advice.

    Example:
        >>> from viam_sync.errors import NotFoundError
        >>> error = NotFoundError(grpc.StatusCode.NOT_FOUND, "No such machine.")
        >>> error.message == error.details()
        True
        >>> str(error)
        'NOT_FOUND: No such machine.'
    """

    # The stubs of grpc give every RpcError the methods of a Call, of which details is one.
    details: Details  # type: ignore[assignment, unused-ignore] # pyright: ignore

    def __init__(
        self,
        status: grpc.StatusCode,
        message: str = "",
        details: Optional[Iterable[Any]] = None,
        method: str = "",
        attempts: int = 1,
        retry_after: Optional[float] = None,
        text: Optional[str] = None,
        metadata: CallMetadata = NO_METADATA,
    ) -> None:
        status = as_status(status)
        self.text = message if text is None else text
        self.details = Details(as_messages(details), self.text)  # pyright: ignore[reportIncompatibleMethodOverride]
        super().__init__(status, message, self.details, method)
        self.status = status
        self.message = message
        self.method = method
        self.attempts = attempts
        self.retry_after = retry_after
        self._metadata = metadata

    def restated(self, message: str, kind: Optional[Type["GRPCError"]] = None) -> "GRPCError":
        """Return this error with another message, and of another class if one is given."""
        other = (kind or type(self))(self.status, message, self.details, self.method)
        vars(other).update({**vars(self), "message": message})
        return other

    def code(self) -> grpc.StatusCode:
        """Return the status."""
        return self.status

    def initial_metadata(self) -> Tuple[Metadatum, ...]:
        """Return the metadata that the service sent before its answer; empty where none came."""
        return self._metadata.initial

    def trailing_metadata(  # type: ignore[override, unused-ignore] # pyright: ignore
        self,
    ) -> Tuple[Metadatum, ...]:
        """Return the metadata that the service sent with the status; empty where none came."""
        return self._metadata.trailing

    def debug_error_string(self) -> str:
        """Return the method, the status and the text in one line, and none of what grpc notes for its developers."""
        # To ask a stream of grpc that was cancelled for its own would wait for ever.
        return f"{self.method}: {self.status.name}: {self.text}"

    def is_active(self) -> bool:
        """Return False: the call is over."""
        return False

    def time_remaining(self) -> Optional[float]:
        """Return None: the call is over, and waits for no deadline."""
        return None

    def cancel(self) -> bool:
        """Return False: a call that is over cannot be cancelled."""
        return False

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Return False: the call is over, so the callback will not be called."""
        return False

    def __str__(self) -> str:
        where = f"{self.method}: " if self.method else ""
        return f"{where}{self.status.name}: {self.message}"


# What grpc raises is an instance of both, and scripts tell by grpc.Call whether an RpcError has a code.
grpc.Call.register(GRPCError)


class CancelledError(GRPCError):
    """The call was cancelled, by its caller or by closing the client (CANCELLED)."""


class UnknownError(GRPCError):
    """The service failed and did not say how (UNKNOWN)."""


class InvalidArgumentError(GRPCError):
    """The service rejected an argument, whatever state it is in (INVALID_ARGUMENT)."""


class DeadlineExceededError(GRPCError):
    """No answer came in time (DEADLINE_EXCEEDED)."""


class NotFoundError(GRPCError):
    """The thing that the request names does not exist (NOT_FOUND)."""


class AlreadyExistsError(GRPCError):
    """The thing that the request would create is there already (ALREADY_EXISTS)."""


class PermissionDeniedError(GRPCError):
    """The caller's role does not allow this (PERMISSION_DENIED)."""


class ResourceExhaustedError(GRPCError):
    """A quota is used up, a message is too large, or a query asks for too much (RESOURCE_EXHAUSTED).

    The message tells which, and what to do: wait, send or ask for less, or free some room.
    """


class FailedPreconditionError(GRPCError):
    """The thing is in a state that does not allow this (FAILED_PRECONDITION)."""


class AbortedError(GRPCError):
    """Another request got in between (ABORTED)."""


class OutOfRangeError(GRPCError):
    """The request reaches past the end of something (OUT_OF_RANGE)."""


class UnimplementedError(GRPCError):
    """The service does not have this method (UNIMPLEMENTED)."""


class InternalError(GRPCError):
    """Something in the service broke (INTERNAL)."""


class UnavailableError(GRPCError):
    """The service could not be reached, or is down for the moment (UNAVAILABLE)."""


class DataLossError(GRPCError):
    """Data was lost for good (DATA_LOSS)."""


class UnauthenticatedError(GRPCError):
    """The credentials are missing, wrong, or no longer valid (UNAUTHENTICATED)."""


class AmbiguousResultError(GRPCError):
    """Nobody knows whether the call was carried out, and to send it again could do it twice.

    The connection was lost, the time was up, or the service broke, after the request had left. The ``status`` tells
    which; the error that it stands for is the ``__cause__``. Look whether it was done before calling again.

    Example:
        >>> from viam_sync.errors import AmbiguousResultError
        >>> fault = sandbox.faults.fail("CreateDataset", "UNAVAILABLE", after=True)
        >>> try:
        ...     client.data_client.create_dataset("leaves", sandbox.organization_id)
        ... except AmbiguousResultError:
        ...     datasets = client.data_client.list_datasets_by_organization_id(sandbox.organization_id)
        ...     print("leaves" in [dataset.name for dataset in datasets])
        True
    """


class InsecureConnectionError(ViamError):
    """The connection would not be secure, and the dial options do not allow that."""


class ClosedError(ViamError):
    """The client was closed; nothing can be called through it any more."""


class NotSupportedError(ViamError):
    """Something of a machine was asked for, which viam-sdk does."""


class LabelProblem(NamedTuple):
    """Something that is wrong in the labels of a folder: its file, its line from 1, if there is one, and what it is."""

    path: "Path"
    line: Optional[int]
    text: str

    def __str__(self) -> str:
        return f"{self.path.as_posix()}{'' if self.line is None else f':{self.line}'}: {self.text}"


class LabelsError(ViamError, ValueError):
    """The labels in a folder are wrong, so that nothing of it was sent.

    Attributes:
        problems: All that is wrong; each is a `LabelProblem`, with ``path``, ``line`` and ``text``.

    Example:
        >>> from viam_sync.errors import LabelProblem, LabelsError
        >>> LabelsError([LabelProblem(folder / "cat.txt", 3, "the box has no area")]).problems[0].line
        3
    """

    def __init__(self, problems: Sequence[LabelProblem]) -> None:
        super().__init__(problems)
        self.problems = list(problems)

    def __str__(self) -> str:
        count = len(self.problems)
        lines = [f"Nothing was sent, as the labels have {count} problem{'s' * (count != 1)}:", *self.problems[:10]]
        return "\n".join(map(str, lines + [f"and {count - 10} more, in the error's problems"] * (count > 10)))


class ValidationError(ViamError):
    """The configuration of a resource of a machine is wrong; an error of modules, which nothing here raises."""


class DuplicateResourceError(ViamError):
    """A machine has a resource of this name already; an error of machines, which nothing here raises.

    Args:
        name: The name.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)

    def __str__(self) -> str:
        return f"There is a resource named {self.args[0]!r} already."


class ResourceNotFoundError(ViamError):
    """A machine has no such resource; an error of machines, which nothing here raises.

    Args:
        resource: The kind of resource.
        name: Its name.
    """

    def __init__(self, resource: str, name: str) -> None:
        super().__init__(resource, name)

    def __str__(self) -> str:
        return f"There is no {self.args[0]} named {self.args[1]!r}."


class MethodNotImplementedError(ViamError):
    """A resource of a machine lacks a method; an error of machines, which nothing here raises.

    Args:
        method_name: The name of the method.
    """

    def __init__(self, method_name: str) -> None:
        super().__init__(method_name)

    def __str__(self) -> str:
        return f"The method {self.args[0]} is not implemented."


class NoCaptureToStoreError(ViamError):
    """A filter of captured data keeps nothing; an error of modules, which nothing here raises."""

    def __str__(self) -> str:
        return "There is nothing to store."


#: The official SDK's name of the same error.
ViamGRPCError = GRPCError
#: The official SDK's name of the statuses of gRPC.
Status = grpc.StatusCode


#: The class of each status, which has its name: InvalidArgumentError for INVALID_ARGUMENT.
_BY_STATUS: Dict[grpc.StatusCode, Type[GRPCError]] = {
    status: each
    for status in grpc.StatusCode
    for each in GRPCError.__subclasses__()
    if each.__name__ == f"{status.name.title().replace('_', '')}Error"
}


def grpc_error(
    status: grpc.StatusCode,
    message: str = "",
    details: Optional[Iterable[Any]] = None,
    method: str = "",
    attempts: int = 1,
    retry_after: Optional[float] = None,
    text: Optional[str] = None,
    metadata: CallMetadata = NO_METADATA,
) -> GRPCError:
    """Return the exception that stands for a status.

    Example:
        >>> from viam_sync.errors import grpc_error
        >>> type(grpc_error(grpc.StatusCode.NOT_FOUND, "No such machine.")).__name__
        'NotFoundError'
    """
    return _BY_STATUS.get(status, GRPCError)(status, message, details, method, attempts, retry_after, text, metadata)
