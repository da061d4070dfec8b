"""The Viam cloud on a laptop: a real gRPC server on loopback, with a sample world to try things on."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viam_sync.sandbox.faults.faults import Fault, Faults
    from viam_sync.sandbox.server import Sandbox

__all__ = ["Fault", "Faults", "Sandbox"]

_HOMES = {"Fault": "faults.faults", "Faults": "faults.faults", "Sandbox": "server"}


def __getattr__(name: str) -> Any:
    # The server needs grpc; naming this package does not.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
