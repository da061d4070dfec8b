"""An app of Django: ``INSTALLED_APPS = [..., "viam_sync.django"]``, and a client by the settings of the project.

It takes ``pip install Django``. Nothing of it talks to the network before a call is made.
"""

import importlib
from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from viam_sync.django.account_clients import client, clients
    from viam_sync.django.json_encoder import MessageEncoder
    from viam_sync.django.testing import SandboxMixin, SandboxTestCase
    from viam_sync.django.views import MachineStatus

__all__ = ["MachineStatus", "MessageEncoder", "SandboxMixin", "SandboxTestCase", "client", "clients"]

_HOMES = {
    "MachineStatus": "views",
    "MessageEncoder": "json_encoder",
    "SandboxMixin": "testing",
    "SandboxTestCase": "testing",
    "client": "account_clients",
    "clients": "account_clients",
}


def __getattr__(name: str) -> Any:
    # Django imports this module before its settings are complete, and other modules of ours read them.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "django":
            raise
        raise ImportError("viam_sync.django takes Django, which is not installed: pip install Django") from None


def __dir__() -> List[str]:
    return [*globals(), *__all__]
