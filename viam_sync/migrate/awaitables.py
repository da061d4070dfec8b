"""Where an awaitable begins to run: at its call, or later, where something awaits it."""

from __future__ import annotations

from typing import Iterator, List, Optional

import libcst as cst

from viam_sync.migrate import cloud
from viam_sync.migrate.expressions import Values
from viam_sync.migrate.facts import AnyFunction, Facts
from viam_sync.migrate.relatives import is_decorated
from viam_sync.migrate.value_kinds import (
    AWAITABLES,
    RUNNERS,
    TASK_MAKERS,
    Cloud,
    DottedName,
    Function,
    Generator,
    Instance,
    Pending,
    Primitive,
    Value,
)

GATHER = "asyncio.gather"


class Awaitables:
    """Tells calls that give an awaitable from what holds one, and those that are awaited at once from the others."""

    def __init__(self, facts: Facts, values: Values, threads: bool) -> None:
        self._facts = facts
        self._values = values
        self.threads = threads

    def is_cloud_call(self, call: cst.Call) -> bool:
        """Whether a call gives an awaitable of the official SDK's clients of the cloud."""
        return Pending(call) in self._values.of(call) and any(map(_is_of_cloud, self._values.callee(call)))

    def is_of_cloud(self, node: cst.CSTNode) -> bool:
        """Whether an expression is a method of the clients of the cloud, not called."""
        return any(map(_is_of_cloud, self._values.of(node)))

    def is_dropped(self, call: cst.Call) -> bool:
        """Whether nothing awaits a call of the official SDK's clients, so that it was never made."""
        is_alone = isinstance(self._facts.parents[call], cst.Expr) and not self._facts.is_migrated(call)
        return is_alone and self.is_of_cloud(call.func)

    def starts(self, node: cst.CSTNode) -> bool:
        """Whether an expression is itself what makes an awaitable, unlike a name or a container that holds one."""
        if isinstance(node, cst.Attribute):
            return Pending(node) in self._values.of(node) or any(map(self.hands_on, self._properties(node)))
        if not isinstance(node, cst.Call):
            return False
        return any(self._makes_awaitable(value) for value in self._values.of(node.func))

    def _properties(self, node: cst.Attribute) -> Iterator[cst.FunctionDef]:
        """Yield the methods of the program that run where an attribute is read."""
        for value in self._values.of(node.value):
            for method in (
                self._values.relatives.methods(value.node, node.attr.value) if isinstance(value, Instance) else ()
            ):
                if is_decorated(method, "property") or is_decorated(method, "cached_property"):
                    yield method

    def _makes_awaitable(self, value: Value) -> bool:
        if isinstance(value, Function):
            return is_asynchronous(value.node) or self.hands_on(value.node)
        if isinstance(value, Instance):
            return any(map(is_asynchronous, self._values.relatives.methods(value.node, "__call__")))
        if isinstance(value, DottedName):
            return value.name in AWAITABLES or _is_of_cloud(value)
        return isinstance(value, (Generator, Primitive)) or _is_of_cloud(value)

    def hands_on(self, function: AnyFunction) -> bool:
        """Whether a plain function, or a lambda, returns the awaitable of a call that it makes."""
        if is_asynchronous(function) or function in self._facts.yields:
            return False
        returned = [value for value in self._facts.returns.get(function, ()) if self.holds(value)]
        return bool(returned) and all(self._is_made_by(value, function) for value in returned)

    def _is_made_by(self, node: cst.BaseExpression, function: AnyFunction) -> bool:
        """Whether an expression calls something other than the function itself that makes an awaitable."""
        called = self._values.functions(node.func) if isinstance(node, cst.Call) else []
        return function not in called and self.starts(self.peel(node))

    def holds(self, node: cst.CSTNode) -> bool:
        """Whether an expression may be, or contain, an awaitable."""
        return any(isinstance(value, Pending) for value in self._values.of(node))

    def name_of(self, node: Optional[cst.CSTNode]) -> str:
        """Return the dotted name of the imported function that an expression calls, or nothing."""
        return self._values.name_of(node.func) if isinstance(node, cst.Call) else ""

    def peel(self, node: cst.BaseExpression) -> cst.BaseExpression:
        """Return what is awaited below the calls that only make a task of it."""
        while isinstance(node, cst.Call) and self.name_of(node) in TASK_MAKERS and node.args:
            node = node.args[0].value
        return node

    def is_awaited(self, node: cst.CSTNode) -> bool:
        """Whether an awaitable is awaited where it stands, so that plain code simply calls it there."""
        parent = self._facts.parents[node]
        if isinstance(parent, cst.Await):
            return True
        if isinstance(parent, cst.Lambda):
            return parent.body is node and self.hands_on(parent)
        if isinstance(parent, cst.Return):
            function = self._facts.function_of(parent)
            return function is not None and self.hands_on(function)
        if isinstance(parent, cst.IfExp):
            return node is not parent.test and self.is_awaited(parent)
        call = self._call_with(node)
        if call is None:
            return False
        name = self.name_of(call)
        if name in TASK_MAKERS:
            return self.is_awaited(call)
        if name == GATHER:
            return not self.needs_helper(call)
        return name in RUNNERS or name == "asyncio.wait_for"

    def consumer(self, node: cst.CSTNode) -> Optional[cst.CSTNode]:
        """Return what awaits an awaitable where it stands, whatever becomes of what is around it."""
        parent = self._facts.parents[node]
        if isinstance(parent, cst.Await):
            return parent
        call = self._call_with(node)
        if call is not None and self.name_of(call) in TASK_MAKERS:
            return self.consumer(call)
        return call if self.name_of(call) in RUNNERS else None

    def _call_with(self, node: cst.CSTNode) -> Optional[cst.Call]:
        parents = self._facts.parents
        parent = parents[node]
        if isinstance(parent, cst.Element) and isinstance(parents[parent], (cst.List, cst.Tuple)):
            parent = parents[parents[parent]]
        elif isinstance(parent, (cst.ListComp, cst.GeneratorExp)) and parent.elt is node:
            parent = parents[parent]
        elif not isinstance(parent, cst.Arg) or parent.star:
            return None
        if parent is not parents[node] and not (isinstance(parent, cst.Arg) and parent.star):
            return None
        call = parents[parent]
        return call if isinstance(call, cst.Call) and parent in call.args else None

    def needs_helper(self, gather: cst.Call) -> bool:
        """Whether a call of `gather` becomes one of a function of the script, to which functions are given."""
        return self.threads or any(arg.keyword is not None for arg in gather.args)

    def pending(self, node: cst.CSTNode) -> List[Pending]:
        """Return the awaitables that an expression may be, or contain."""
        return [value for value in self._values.of(node) if isinstance(value, Pending)]


def is_asynchronous(function: AnyFunction) -> bool:
    """Whether a function is an `async def`."""
    return isinstance(function, cst.FunctionDef) and function.asynchronous is not None


def _is_of_cloud(value: Value) -> bool:
    if isinstance(value, Cloud):
        return value.method in cloud.cloud_methods()
    return (
        isinstance(value, DottedName) and cloud.is_cloud(value.name) and value.name.endswith(tuple(cloud.CONSTRUCTORS))
    )
