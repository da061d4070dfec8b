"""Names that are not here, such as those of machines and stubs in viam-sdk, and what to use in their place."""

import sys
from typing import Any, Optional, Sequence

#: Said wherever something of a machine is asked for.
MACHINES = (
    "machines are driven by viam-sdk (pip install viam-sdk), which can be imported in the same process;"
    " see docs/migrating.md"
)

_STUBS = "the stubs of viam-sdk are for asyncio; each RPC has a method of a client, such as ViamClient.app_client"
#: The names of stubs, and of what a server is made of, beside the messages.
_STUB = ("ServiceStub", "ServiceBase")

_SERVICES = ("discovery", "generic", "mlmodel", "motion", "navigation", "slam", "vision", "worldstatestore")
_OF_BOTH = ("component", "module", "opentelemetry", "robot", "service", "stream", "tagger")

#: The modules of the official SDK, below its root, that only programs for machines need, each with all below it.
_MODULES = (
    *("components", "media", "module", "operations", "resource", "robot", "sessions_client", "spatialmath", "streams"),
    *("rpc.server", "rpc.signaling", "rpc.types", "services.service_base", "services.service_client_base"),
    *(f"services.{name}" for name in _SERVICES),
    *(f"{folder}.{name}" for folder in ("gen", "proto") for name in _OF_BOTH),
)


def why_missing(name: str) -> str:
    """Return why this package lacks a module of the official SDK; an empty text for any other name.

    Args:
        name: The module's name, below ``viam_sync``.

    Example:
        >>> from viam_sync.viam_sdk import why_missing
        >>> why_missing("components.arm").partition(";")[0]
        'machines are driven by viam-sdk (pip install viam-sdk), which can be imported in the same process'
    """
    if any(name == module or name.startswith(f"{module}.") for module in _MODULES):
        return MACHINES
    return _STUBS if name.startswith("gen.") and name.endswith("_grpc") else ""


def missing_name(module: str, name: str) -> ImportError:
    """Return the error of a name of machines in a module that has others of the official SDK.

    It is no AttributeError, as an import would replace that by an error that does not say why.
    """
    return ImportError(f"cannot import name {name!r} from {module!r}: {MACHINES}")


#: Names that are looked for in ``viam_sync`` itself, and the modules that have them.
_ELSEWHERE = {
    "AppClient": "viam_sync.app.app_client",
    "BillingClient": "viam_sync.app.billing_client",
    "DataClient": "viam_sync.app.data_client",
    "Filter": "viam_sync.proto.app.data",
    "MLTrainingClient": "viam_sync.app.ml_training_client",
    "ProvisioningClient": "viam_sync.app.provisioning_client",
    "Sandbox": "viam_sync.sandbox",
    "create_filter": "viam_sync.utils",
}


def missing_in_root(name: str) -> Exception:
    """Return the error of a name that ``viam_sync`` itself does not have; it says where it is, if it is anywhere.

    Example:
        >>> from viam_sync.viam_sdk import missing_in_root
        >>> missing_in_root("Sandbox")
        ImportError("cannot import name 'Sandbox' from 'viam_sync'; write: from viam_sync.sandbox import Sandbox")
    """
    if name == "RobotClient":
        return missing_name("viam_sync", name)
    if name in _ELSEWHERE:
        home = _ELSEWHERE[name]
        return ImportError(f"cannot import name {name!r} from 'viam_sync'; write: from {home} import {name}")
    reason = why_missing(name)
    return AttributeError(f"module 'viam_sync' has no attribute {name!r}{reason and f': {reason}'}")


def missing_attribute(module: str, name: str, near: Sequence[str] = ()) -> Exception:
    """Return the error of a name that a module of messages does not have, with those near to it.

    For a stub, it says what to call.

    Example:
        >>> from viam_sync.viam_sdk import missing_attribute
        >>> missing_attribute("viam_sync.proto.app", "AppServiceStub")
        ImportError("cannot import name 'AppServiceStub' from 'viam_sync.proto.app': the stubs of viam-sdk are for ...
        >>> missing_attribute("viam_sync.proto.app", "Robots")
        AttributeError("module 'viam_sync.proto.app' has no attribute 'Robots'")
    """
    if name.endswith(_STUB):
        return ImportError(f"cannot import name {name!r} from {module!r}: {_STUBS}")
    meant = f"; did you mean {', '.join(near)}?" if near else ""
    return AttributeError(f"module {module!r} has no attribute {name!r}{meant}")


class MissingModules:
    """A finder of modules that finds none: it is asked last, and tells where those of machines are."""

    def find_spec(self, fullname: str, path: Optional[Sequence[str]] = None, target: Any = None) -> None:
        """Raise where a module of ``viam_sync`` is asked for that only the official SDK has.

        Raises:
            ModuleNotFoundError: If it is one of those.
        """
        package, _, name = fullname.partition(".")
        reason = why_missing(name) if package == "viam_sync" else ""
        if reason:
            # The error has no name: where it does, `from viam_sync import components` swallows it and says less.
            raise ModuleNotFoundError(f"No module named {fullname!r}: {reason}")


def install() -> None:
    """Let imports ask a `MissingModules` when nobody else has found a module."""
    if not any(isinstance(finder, MissingModules) for finder in sys.meta_path):
        sys.meta_path.append(MissingModules())  # type: ignore[arg-type, unused-ignore]
