"""The names of the official SDK that belong to the cloud, and those that belong to machines."""

from __future__ import annotations

import functools
from typing import FrozenSet

from viam_sync.app import _clients
from viam_sync.migrate.official_names import is_of_machines
from viam_sync.viam_sdk import why_missing

#: The package of the official SDK, and this one, as a half-migrated script may name both.
PACKAGES = ("viam", "viam_sync")

#: The attributes of a ViamClient that are clients, too.
CLIENTS = frozenset(_clients.CLIENTS)

#: The constructors of ViamClient that are awaited.
CONSTRUCTORS = frozenset({"create_from_api_key", "create_from_dial_options", "create_from_env_vars"})

#: The method of ViamClient whose result is a machine.
CONNECT_TO_MACHINE = "connect_to_machine"

#: What both SDKs call without `await`.
_PLAIN = frozenset({"close", "create_filter", "from_proto", "to_proto"})


@functools.lru_cache(maxsize=None)
def cloud_methods() -> FrozenSet[str]:
    """Return the names of the methods that the official SDK's clients of the cloud await."""
    names = {name for attribute in CLIENTS for name in dir(_clients.client_class(attribute)) if name[0].islower()}
    return frozenset(names - _PLAIN | {"next_page"}) | CONSTRUCTORS


def is_viam(name: str) -> bool:
    """Whether a dotted name is one of the official SDK, or of this package."""
    return name.partition(".")[0] in PACKAGES


def is_cloud(name: str) -> bool:
    """Whether a dotted name of Viam's stands for a client of the cloud, or for something below one."""
    parts = name.split(".")
    return is_viam(name) and (parts[1:2] == ["app"] or parts[1:2] == ["ViamClient"])


def is_machine(name: str) -> bool:
    """Whether a dotted name of Viam's stands for something that drives machines."""
    package, _, rest = name.partition(".")
    return is_of_machines(name) if package == "viam" else package == "viam_sync" and bool(why_missing(rest))
