"""The names of the official SDK: which have a counterpart here, and which belong to machines."""

from __future__ import annotations

import re
from typing import Optional

#: The packages.
_ROOTS = ("viam", "grpclib")
#: Modules that only the cloud has.
_CLOUD = ("viam.app", "viam.gen.app", "viam.gen.provisioning", "viam.proto.app", "viam.proto.provisioning")
#: Modules that the cloud shares with machines. What is made with the official ones is good for both.
_SHARED = (
    "viam.errors",
    "viam.gen.common",
    "viam.gen.proto.rpc",
    "viam.logging",
    "viam.proto.common",
    "viam.proto.rpc",
    "viam.rpc.dial",
    "viam.utils",
)
#: Names in those modules that are about machines alone, and stubs of the library beneath the SDK.
_OF_MACHINES = re.compile(
    r"""viam\.rpc\.dial\.(?!DialOptions\b|Credentials\b)
      | viam\.utils\.(SensorReading|from_dm|get_geometries|resource_names|sensor_readings)
      | viam\.proto\.rpc\.examples
      | viam\.gen\..*_grpc\b""",
    re.VERBOSE,
)
#: Packages of which modules and names of both kinds are used.
_PACKAGES = ("viam", "viam.gen", "viam.proto", "viam.rpc", "viam.robot", "viam.robot.client")
_ERRORS = {
    "grpclib.GRPCError": "viam_sync.GRPCError",
    "grpclib.Status": "grpc.StatusCode",
    "grpclib.const.Status": "grpc.StatusCode",
    "grpclib.exceptions.GRPCError": "viam_sync.GRPCError",
    "grpclib.exceptions.StreamTerminatedError": "viam_sync.UnavailableError",
    "viam.errors.GRPCError": "viam_sync.GRPCError",
    "viam.errors.Status": "grpc.StatusCode",
}
_RENAMED = {**_ERRORS, "viam.robot.client.DialOptions": "viam_sync.rpc.dial.DialOptions"}


def is_in(name: str, *modules: str) -> bool:
    """Tell whether a full name is that of one of some modules, or of something in them."""
    return any(f"{name}.".startswith(f"{each}.") for each in modules)


def is_official(name: str) -> bool:
    """Tell whether a full name is one of the official SDK, or of grpclib, which its errors come from."""
    return is_in(name, *_ROOTS)


def may_be_named_in(text: str) -> bool:
    """Tell whether a file may have official names in it: most have none, and their scopes need not be looked at."""
    return any(root in text for root in _ROOTS)


def is_package(name: str) -> bool:
    """Tell whether a full name stands for names of both kinds: what is used of it decides."""
    return name in _PACKAGES


def is_error(name: str) -> bool:
    """Tell whether a full name is an error, or a status of it, that machines and the cloud do not share."""
    return name in _ERRORS


def is_of_machines(name: str) -> bool:
    """Tell whether a full name is about machines, which the official SDK alone drives."""
    return is_in(name, "viam") and counterpart(name, machines=False) is None


def renamed_part(name: str) -> str:
    """Return the part of a full name that has another name here; an empty text if only its package has."""
    return next((old for old in _RENAMED if is_in(name, old)), "")


def counterpart(name: str, *, machines: bool) -> Optional[str]:
    """Return the full name here of an official one.

    Args:
        name: The full name, such as ``viam.app.viam_client.ViamClient``.
        machines: Whether the file drives machines as well. Then names that both need stay the official ones.

    Returns:
        The name; None where the official one stays.

    Example:
        >>> from viam_sync.migrate.official_names import counterpart
        >>> counterpart("grpclib.const.Status", machines=False)
        'grpc.StatusCode'
    """
    ours = f"viam_sync{name[len('viam') :]}"
    if _OF_MACHINES.match(name):
        return None
    if is_in(name, *_CLOUD):
        return ours
    if machines:
        return None
    old = renamed_part(name)
    if old:
        return _RENAMED[old] + name[len(old) :]
    return ours if is_in(name, *_SHARED) or name in _PACKAGES or name == "viam.__version__" else None
