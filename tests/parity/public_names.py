"""Prints what each public module of the official SDK has: for each name the kind, and what tells it from others."""

import importlib
import json
import pkgutil
import types
import warnings
from typing import Any, Dict, Tuple


def described(value: Any) -> Tuple[str, str]:
    """Return the kind of a value, and its full name on the wire, its number, or the module that it comes from."""
    descriptor = getattr(value, "DESCRIPTOR", None)
    if hasattr(descriptor, "full_name"):
        return ("message" if isinstance(value, type) else "enum"), descriptor.full_name
    if isinstance(value, types.ModuleType):
        return "module", value.__name__
    if type(value) is int:
        return "number", str(value)
    return type(value).__name__, str(getattr(value, "__module__", None) or type(value).__module__)


def public(module: Any) -> Dict[str, Tuple[str, str]]:
    return {name: described(value) for name, value in vars(module).items() if not name.startswith("_")}


def main() -> None:
    import viam

    found = {"viam": public(viam)}  # before its modules are its attributes, too
    missing = []
    for info in pkgutil.walk_packages(viam.__path__, "viam.", onerror=missing.append):
        if not any(part.startswith("_") for part in info.name.split(".")):
            try:
                found[info.name] = public(importlib.import_module(info.name))
            except Exception:
                # It needs what is not installed, such as NumPy, or is no module of Python.
                found[info.name] = {}
    print(json.dumps(found))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
