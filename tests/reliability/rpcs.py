"""Every RPC that the client has a method for, with the retry class that its method names."""

import ast
import importlib
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Set, Tuple

import viam_sync
from viam_sync.messages.pool import message, pool
from viam_sync.rpc import retry
from viam_sync.rpc.service import Service

ROOT = Path(viam_sync.__file__).parent

#: The names of the classes, as the methods import them.
CLASSES = {name for name, value in vars(retry).items() if isinstance(value, retry.Policy) and name.isupper()}
SENDERS = {"_call": "unary", "_send": "upload", "_receive": "stream"}


class Rpc(NamedTuple):
    """An RPC as one of the client's methods sends it."""

    service: str
    name: str
    kind: str
    policy: str

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.name}"

    def types(self) -> Tuple[Any, Any]:
        """Return the classes of its requests and its answers."""
        described = pool().FindServiceByName(self.service).methods_by_name[self.name]
        return message(described.input_type), message(described.output_type)


def rpcs() -> List[Rpc]:
    """Return all of them; a method that chooses between two classes gives its RPC twice."""
    paths = [path for room in ("app", "rpc", "services") for path in sorted((ROOT / room).glob("*.py"))]
    for path in paths:
        importlib.import_module(f"viam_sync.{path.parent.name}.{path.stem}")
    services = _services()
    found: Set[Rpc] = set()
    for path in paths:
        for cls in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(cls, ast.ClassDef):
                found.update(Rpc(services[cls.name, name], name, kind, used) for name, kind, used in _sent(cls))
    return sorted(found)


def _sent(cls: ast.ClassDef) -> Iterator[Tuple[str, str, str]]:
    """Yield the name, the kind and the retry class of each RPC that the methods of a class send."""
    for method in cls.body:
        for call in ast.walk(method):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            if call.func.attr in SENDERS and isinstance(call.args[0], ast.Constant):
                policy = call.args[2]
                # A variable holds one of those that its method names otherwise.
                where = policy if isinstance(policy, ast.Name) and policy.id in CLASSES else method
                for used in {node.id for node in ast.walk(where) if isinstance(node, ast.Name)} & CLASSES:
                    yield call.args[0].value, SENDERS[call.func.attr], used


class _Services(Dict[Tuple[str, str], str]):
    def __missing__(self, key: Tuple[str, str]) -> str:
        raise LookupError(f"{key[0]} sends {key[1]}, which is an RPC of no service that it is a part of")


def _services() -> Dict[Tuple[str, str], str]:
    """Return the proto service of each RPC, by the class that sends it, which may be a mixin, and its name."""
    found = _Services()
    for cls in _below(Service):
        names = [base.__dict__["_service"] for base in cls.__mro__ if base.__dict__.get("_service")]
        for name in reversed(names):
            for rpc in pool().FindServiceByName(name).methods_by_name:
                found.update(((base.__name__, rpc), name) for base in cls.__mro__)
    return found


def _below(cls: Any) -> Iterator[Any]:
    for inner in cls.__subclasses__():
        yield inner
        yield from _below(inner)
