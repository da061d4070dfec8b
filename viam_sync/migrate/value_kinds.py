"""The kinds of values that matter to a migration: functions, awaitables, clients, what comes from libraries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import FrozenSet, Iterable, Tuple, Union

import libcst as cst

from viam_sync.migrate.facts import AnyFunction


@dataclass(frozen=True)
class Function:
    """A function of the module, not called."""

    node: AnyFunction


@dataclass(frozen=True)
class Class:
    """A class of the module."""

    node: cst.ClassDef


@dataclass(frozen=True)
class Instance:
    """An object of a class of the module."""

    node: cst.ClassDef


@dataclass(frozen=True)
class Pending:
    """The awaitable that a call, or an attribute, gives."""

    node: Union[cst.Call, cst.Attribute]


@dataclass(frozen=True)
class Generator:
    """The iterator, asynchronous or not, that a call of a function of the module gives."""

    node: AnyFunction


@dataclass(frozen=True)
class Manager:
    """The context manager that `contextlib` makes of a function of the module, before and after its call."""

    node: AnyFunction
    called: bool = False


@dataclass(frozen=True)
class Primitive:
    """A lock, a semaphore or a stack of contexts, by the call that made it."""

    node: cst.Call


@dataclass(frozen=True)
class Cloud:
    """A client of the cloud, one of its methods, or a result of one."""

    method: str = ""


@dataclass(frozen=True)
class Machine:
    """Anything that drives a machine."""


@dataclass(frozen=True)
class DottedName:
    """A module, or what it holds, by its dotted name."""

    name: str


@dataclass(frozen=True)
class OwnModule:
    """A module of the program."""

    node: cst.CSTNode


@dataclass(frozen=True)
class Foreign:
    """An object of a library."""

    library: str


Value = Union[
    Function, Class, Instance, Pending, Generator, Manager, Primitive, Cloud, Machine, DottedName, OwnModule, Foreign
]  # fmt: skip
Found = FrozenSet[Value]
NOTHING: Found = frozenset()

#: Where a value is kept: the scope, class or function, and the name in it.
Place = Tuple[object, str]

ENTER = "enter_async_context"
LOOP = "asyncio.<loop>"
LOOP_MAKERS = {"asyncio.get_event_loop", "asyncio.new_event_loop", "asyncio.get_running_loop"}
#: Calls that set up, or end, what only asynchronous code needs.
SETTINGS = {"asyncio.set_event_loop", "asyncio.set_event_loop_policy", "nest_asyncio.apply"}
ENDINGS = {f"{LOOP}.close", f"{LOOP}.shutdown_asyncgens", f"{LOOP}.set_debug", f"{LOOP}.stop"}
#: Classes of objects that asynchronous code waits for, and those of plain code.
PRIMITIVES = {
    "asyncio.BoundedSemaphore": "threading.BoundedSemaphore",
    "asyncio.Lock": "threading.Lock",
    "asyncio.Semaphore": "threading.Semaphore",
    "contextlib.AsyncExitStack": "contextlib.ExitStack",
}
#: Their methods that are awaited, with the names that plain code has for them; and those that are the same.
PRIMITIVE_METHODS = {"acquire": "acquire", "aclose": "close", ENTER: "enter_context"}
PLAIN_METHODS = {"callback", "enter_context", "push", "release"}
#: Makes a context of a generator.
CLOSING = "contextlib.aclosing"
#: Calls that hand on the awaitable that they are given.
TASK_MAKERS = {"asyncio.create_task", "asyncio.ensure_future", "asyncio.shield", f"{LOOP}.create_task"}
RUNNERS = {"asyncio.run", f"{LOOP}.run_until_complete"}
ANEXT = "builtins.anext"
AWAITABLES = {
    "asyncio.gather", "asyncio.sleep", "asyncio.to_thread", "asyncio.wait_for", f"{LOOP}.run_in_executor", ANEXT,
}  # fmt: skip
#: Methods of containers that hand out what is in them, and those that take something in.
CONTAINER_READS = {"copy", "get", "items", "keys", "pop", "popleft", "setdefault", "values"}
CONTAINER_WRITES = {"add", "append", "appendleft", "extend", "insert", "setdefault", "update"}
#: Methods of asynchronous generators, and those that stand for them in plain ones.
GENERATOR_METHODS = {"__anext__": "__next__", "asend": "send", "athrow": "throw", "aclose": "close"}
#: Functions that hand on what is in the iterables that they are given.
CONTAINERS = {"list", "tuple", "set", "frozenset", "sorted", "reversed", "enumerate", "zip", "dict", "iter", "aiter"}
ELEMENTS = {"next", "max", "min"}
#: Decorators, and factories of them, that make of a function something that is called and awaited in the same way.
TRANSPARENT = {
    "abc.abstractmethod", "backoff.on_exception", "backoff.on_predicate", "builtins.classmethod",
    "builtins.staticmethod", "functools.wraps", "pytest.fixture", "pytest_asyncio.fixture", "stamina.retry",
    "tenacity.retry", "typing.final", "typing.no_type_check", "typing.overload", "typing.override",
    "typing_extensions.final", "typing_extensions.override",
}  # fmt: skip
MANAGERS = {"contextlib.asynccontextmanager", "contextlib.contextmanager"}


def is_transparent(name: str) -> bool:
    """Whether a decorator leaves a function what it is."""
    return name in TRANSPARENT or name.startswith("pytest.mark.")


def decorated_by(name: str, found: Iterable[Value]) -> Iterable[Value]:
    """Yield what an imported decorator makes of functions."""
    for value in found:
        yield Manager(value.node) if name in MANAGERS and isinstance(value, Function) else value
