"""Prints the signatures of the installed viam-sdk that concern the cloud; ``> newest.json`` writes the table anew.

It keeps names, order, kinds and defaults of parameters, and annotations, and not one sentence.
"""

import enum
import importlib
import inspect
import json
from typing import Any, Callable, Dict, Iterator, Tuple

MODULES = (
    *("app.app_client", "app.billing_client", "app.data_client", "app.ml_training_client", "app.provisioning_client"),
    *("app.viam_client", "rpc.dial", "utils"),
)
#: What drives machines, or is no part of what a script calls.
LEFT_OUT = (
    *("app.viam_client.ViamClient.connect_to_machine", "rpc.dial.AuthenticatedChannel", "rpc.dial.ViamChannel"),
    *("rpc.dial.dial", "utils.PointerCounter", "utils.from_dm_from_extra", "utils.get_geometries"),
    *("utils.resource_names_for_resource", "utils.to_thread"),
    *("utils.sensor_readings_native_to_value", "utils.sensor_readings_value_to_native"),
)

Fact = Dict[str, Any]


def facts() -> Dict[str, Fact]:
    """Return the signature of each function, method and class, by its name below ``viam``."""
    found: Dict[str, Fact] = {}
    for module in MODULES:
        for name, function in _callables(importlib.import_module(f"viam.{module}"), module):
            if not name.startswith(LEFT_OUT):
                found[name] = _signature(function)
    return found


def _callables(owner: Any, scope: str) -> Iterator[Tuple[str, Callable[..., Any]]]:
    """Yield what of a module or class can be called, its own classes and what is in them included."""
    home = owner.__name__ if inspect.ismodule(owner) else owner.__module__
    for name, member in vars(owner).items():
        if name.startswith("_") or not callable(getattr(owner, name)) or getattr(owner, name).__module__ != home:
            continue
        if inspect.isfunction(member) or isinstance(member, (classmethod, staticmethod)) or _is_constructed(member):
            yield f"{scope}.{name}", getattr(owner, name)
        if inspect.isclass(member):
            yield from _callables(member, f"{scope}.{name}")


def _is_constructed(member: Any) -> bool:
    """Tell whether scripts call a class; an enum has the constructor of Python, and some are filled elsewhere."""
    return inspect.isclass(member) and not issubclass(member, enum.Enum) and bool(_signature(member)["parameters"])


def _signature(function: Callable[..., Any]) -> Fact:
    signature = inspect.signature(function)
    fact: Fact = {"parameters": [_parameter(each) for key, each in signature.parameters.items() if key != "self"]}
    if signature.return_annotation is not signature.empty:
        fact["returns"] = inspect.formatannotation(signature.return_annotation)
    return fact


def _parameter(parameter: inspect.Parameter) -> Fact:
    fact: Fact = {"name": parameter.name}
    if parameter.annotation is not parameter.empty:
        fact["type"] = inspect.formatannotation(parameter.annotation)
    if parameter.default is not parameter.empty:
        fact["default"] = repr(parameter.default)
    if parameter.kind is parameter.KEYWORD_ONLY:
        fact["keyword_only"] = True
    return fact


if __name__ == "__main__":
    lines = [f"{json.dumps(name)}: {json.dumps(fact)}" for name, fact in facts().items()]
    print("{\n" + ",\n".join(lines) + "\n}")
