"""A blocking client for the Viam cloud: plain calls, no event loop.

Example:
    >>> import viam_sync
    >>> with viam_sync.ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
    ...     print([organization.name for organization in client.app_client.list_organizations()])
    ['Lesson Robotics']
"""

import importlib
from typing import TYPE_CHECKING, Any, List

from viam_sync import viam_sdk

if TYPE_CHECKING:
    from viam_sync.app.viam_client import ViamClient
    from viam_sync.errors import (
        AbortedError,
        AlreadyExistsError,
        AmbiguousResultError,
        CancelledError,
        ClosedError,
        DataLossError,
        DeadlineExceededError,
        FailedPreconditionError,
        GRPCError,
        InsecureConnectionError,
        InternalError,
        InvalidArgumentError,
        NotFoundError,
        OutOfRangeError,
        PermissionDeniedError,
        ResourceExhaustedError,
        UnauthenticatedError,
        UnavailableError,
        UnimplementedError,
        UnknownError,
        ViamError,
    )
    from viam_sync.messages.precision import PrecisionLossWarning
    from viam_sync.rpc.dial import DialOptions
    from viam_sync.rpc.options import Credentials
    from viam_sync.rpc.policies import Retry

__version__ = "0.2.0.dev0"

__all__ = [
    "AbortedError",
    "AlreadyExistsError",
    "AmbiguousResultError",
    "CancelledError",
    "ClosedError",
    "Credentials",
    "DataLossError",
    "DeadlineExceededError",
    "DialOptions",
    "FailedPreconditionError",
    "GRPCError",
    "InsecureConnectionError",
    "InternalError",
    "InvalidArgumentError",
    "NotFoundError",
    "OutOfRangeError",
    "PermissionDeniedError",
    "PrecisionLossWarning",
    "ResourceExhaustedError",
    "Retry",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "ViamClient",
    "ViamError",
    "__version__",
]

_HOMES = {
    "Credentials": "viam_sync.rpc.options",
    "DialOptions": "viam_sync.rpc.dial",
    "PrecisionLossWarning": "viam_sync.messages.precision",
    "Retry": "viam_sync.rpc.policies",
    "ViamClient": "viam_sync.app.viam_client",
}


#: The modules that scripts of the official SDK use without importing them.
_MODULES = ("gen", "logging")

viam_sdk.install()


def __getattr__(name: str) -> Any:
    # grpc and protobuf are loaded with the first name that needs them, not with the package.
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name not in __all__:
        raise viam_sdk.missing_in_root(name)
    value = getattr(importlib.import_module(_HOMES.get(name, "viam_sync.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> List[str]:
    return [*globals(), *__all__]
