"""A blocking client for the Viam cloud: plain calls, no event loop.

Where to begin:
    ViamClient.create_from_env_vars()      connect, by VIAM_API_KEY and VIAM_API_KEY_ID; `with` closes it
    client.app_client                      organizations, locations, machines, parts, logs, fragments, roles, keys
    client.data_client                     readings, pictures, files, tags, queries, exports, uploads, datasets
    client.ml_training_client              training jobs; client.billing_client and client.provisioning_client
    print(client.app_client)               each of them says in a line what it is for
    help(client.app_client.list_robots)    what a method takes, returns and raises, with an example

To look at what they return:
    viam_sync.show(robots)                 a table, in a notebook or printed; secrets are hidden
    viam_sync.to_dict(robots)              what json.dumps takes
    viam_sync.tabular                      rows as tables of pandas, Polars and pyarrow
    viam_sync.utils                        times, filters, and dicts for messages, and back

To connect in another way, and when something fails:
    DialOptions, Credentials, Retry        how to connect, as whom, and how often a call is tried
    ViamError, GRPCError                   every error of this package; of a call, with a subclass for each status:
                                           NotFoundError, PermissionDeniedError, UnavailableError, …

To try things out, without an account:
    viam_sync.sandbox.Sandbox              the cloud on this computer; `python -m viam_sync.sandbox` runs one

Example:
    >>> import viam_sync
    >>> with viam_sync.ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
    ...     print([organization.name for organization in client.app_client.list_organizations()])
    ['Lesson Robotics']
"""

import importlib
import sys
from types import FrameType
from typing import TYPE_CHECKING, Any, List, Optional

from viam_sync import viam_sdk

if TYPE_CHECKING:
    from viam_sync.app.viam_client import ViamClient
    from viam_sync.display.json_form import to_dict
    from viam_sync.display.show import show
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
    from viam_sync.rpc.streams import StreamItems
    from viam_sync.transfer.paging.pages import Pages

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
    "Pages",
    "PermissionDeniedError",
    "PrecisionLossWarning",
    "ResourceExhaustedError",
    "Retry",
    "StreamItems",
    "UnauthenticatedError",
    "UnavailableError",
    "UnimplementedError",
    "UnknownError",
    "ViamClient",
    "ViamError",
    "__version__",
    "show",
    "to_dict",
]

_HOMES = {
    "Credentials": "viam_sync.rpc.options",
    "DialOptions": "viam_sync.rpc.dial",
    "Pages": "viam_sync.transfer.paging.pages",
    "PrecisionLossWarning": "viam_sync.messages.precision",
    "Retry": "viam_sync.rpc.policies",
    "StreamItems": "viam_sync.rpc.streams",
    "ViamClient": "viam_sync.app.viam_client",
    "show": "viam_sync.display.show",
    "to_dict": "viam_sync.display.json_form",
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
    # help() writes out all of every class that is named here, in thousands of lines; the docstring says what is where.
    return [] if _asked_by_help() else [*globals(), *__all__]


def _asked_by_help() -> bool:
    frame: Optional[FrameType] = sys._getframe()
    while frame is not None and frame.f_globals.get("__name__") in (__name__, "inspect"):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__") == "pydoc"
