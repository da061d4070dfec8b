"""The clients of a ViamClient, and the error of a method that one does not have: it names the client that has it."""

import importlib
from typing import TYPE_CHECKING, Any, List

from viam_sync.checks.near_names import any_of, near_names

#: The clients, by their attributes of a ViamClient; their modules are called so, too, and each is imported when it is
#: first named, as most scripts use one client.
CLIENTS = {
    "app_client": "AppClient",
    "billing_client": "BillingClient",
    "data_client": "DataClient",
    "ml_training_client": "MLTrainingClient",
    "provisioning_client": "ProvisioningClient",
}


def client_class(attribute: str) -> Any:
    """Return the class of a client by the attribute of a ViamClient that holds it.

    Example:
        >>> from viam_sync.app._clients import client_class
        >>> client_class("app_client").__name__
        'AppClient'
    """
    return getattr(importlib.import_module(f"viam_sync.app.{attribute}"), CLIENTS[attribute])


class NamedMethods:
    """The base of clients: a method that one does not have gets an error with those that may have been meant."""

    if not TYPE_CHECKING:  # a type checker goes on saying that there is none

        def __getattr__(self, name: str) -> Any:
            if hasattr(type(self), name):  # a property that failed at a missing attribute of something else
                return object.__getattribute__(self, name)
            raise AttributeError(_missing_method(type(self), name))


def _missing_method(cls: type, name: str) -> str:
    # Tools ask every object for methods of theirs, which begin so; to import all clients for them takes too long.
    if name.startswith("_"):
        return f"{cls.__name__!r} object has no attribute {name!r}"
    missing = f"{cls.__name__} has no attribute {name!r}"
    methods = {attribute: _methods(client_class(attribute)) for attribute in CLIENTS}
    owner = next((attribute for attribute in methods if name in methods[attribute]), None)
    if owner is not None:
        return f"{missing}; the {owner} of a ViamClient has it"
    places = {each: f"{attribute}." for attribute in methods for each in methods[attribute]}
    places = {**dict.fromkeys(_methods(cls), ""), **places, **dict.fromkeys(_methods(cls), "")}
    near = [f"{places[each]}{each}" for each in near_names(name, places)]
    return f"{missing}; {f'did you mean {any_of(near)}?' if near else f'help({cls.__name__}) shows what it has'}"


def _methods(cls: type) -> List[str]:
    return [name for name in dir(cls) if name[0].islower()]
