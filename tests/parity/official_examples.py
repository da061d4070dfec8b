"""Prints the examples in the docstrings of the official SDK that concern the cloud, and what its functions take."""

import importlib
import inspect
import json
import pkgutil
import textwrap
from types import ModuleType
from typing import Any, Dict, Iterator, List, Tuple

import viam.app

NAMES = [f"viam.app.{each.name}" for each in pkgutil.iter_modules(viam.app.__path__)] + ["viam.utils", "viam.rpc.dial"]


def members(module: ModuleType) -> Iterator[Tuple[str, Any]]:
    """Yield what a module defines, by its name: functions, and classes with their methods and properties."""
    for name, found in vars(module).items():
        if getattr(found, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(found) or inspect.isclass(found):
            yield name, found
        if inspect.isclass(found):
            for inner, member in vars(found).items():
                member = getattr(member, "__func__", member)
                if inspect.isfunction(member) or isinstance(member, property):
                    yield f"{name}.{inner}", member


def blocks(text: str) -> Iterator[str]:
    """Yield the literal blocks of a docstring: what is indented below a line that ends with two colons."""
    block: List[str] = []
    for line in [*inspect.cleandoc(text).splitlines(), "."]:
        if block and line.strip() and not line.startswith(" "):
            yield textwrap.dedent("\n".join(block[1:])).strip("\n") + "\n"
            block = []
        if block or line.endswith("::"):
            block.append(line)


def main() -> Dict[str, Any]:
    """Return the examples, by the name of what they are an example of, and the parameters of all functions."""
    examples: Dict[str, str] = {}
    taken: Dict[str, List[str]] = {}
    for module in map(importlib.import_module, NAMES):
        for name, member in members(module):
            for count, block in enumerate(blocks(member.__doc__ or "")):
                examples[f"{name}[{count}]" if count else name] = block
            if inspect.isfunction(member):
                parameters = list(inspect.signature(member).parameters)
                taken[name.rpartition(".")[2]] = [each for each in parameters if each not in ("self", "cls")]
    return {"examples": examples, "parameters": taken}


if __name__ == "__main__":
    print(json.dumps(main()))
