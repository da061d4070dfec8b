"""The commands of the app, and ``ViamCommand``, the base of commands that make calls."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from viam_sync.django.management.base import ViamCommand

__all__ = ["ViamCommand"]


def __getattr__(name: str) -> Any:
    # Tools import all packages to list their modules, also where Django is not installed.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.base"), name)
