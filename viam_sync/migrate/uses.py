"""Uses of coroutine functions and awaitables that plain code could not stand in for."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, Iterator, List, Set

import libcst as cst

from viam_sync.migrate import cloud
from viam_sync.migrate.awaitables import GATHER, Awaitables, is_asynchronous
from viam_sync.migrate.expressions import Values
from viam_sync.migrate.facts import AnyFunction, Facts
from viam_sync.migrate.groups import Groups
from viam_sync.migrate.value_kinds import (
    AWAITABLES,
    CLOSING,
    CONTAINER_READS,
    CONTAINER_WRITES,
    ENTER,
    GENERATOR_METHODS,
    LOOP,
    MANAGERS,
    PLAIN_METHODS,
    PRIMITIVE_METHODS,
    RUNNERS,
    TASK_MAKERS,
    Class,
    DottedName,
    Function,
    Generator,
    Instance,
    Manager,
    Pending,
    Place,
    Primitive,
    Value,
    is_transparent,
)

Keys = Callable[[Pending], Iterable[cst.CSTNode]]

#: Functions that only look at what they are given.
_LOOKERS = {
    "asyncio.iscoroutinefunction",
    "functools.partial",
    "functools.update_wrapper",
    "functools.wraps",
    "inspect.isasyncgenfunction",
    "inspect.iscoroutinefunction",
}
#: Built-in functions that keep what they are given where nobody sees it.
_KEEPERS = {"builtins.setattr", "builtins.type"}
_TAKERS = {CLOSING, GATHER, "asyncio.wait_for", "asyncio.as_completed", *TASK_MAKERS, *RUNNERS}
#: Methods that other code calls without their names.
_PROTOCOLS = ("__aenter__", "__aexit__", "__aiter__", "__anext__", "__call__")
#: Bases whose methods nobody awaits but the script.
_OWN_BASES = (
    "abc.",
    "builtins.",
    "collections.",
    "contextlib.",
    "dataclasses.",
    "enum.",
    "typing.",
    "typing_extensions.",
)
_TEST_CASE = "unittest.IsolatedAsyncioTestCase"


class Uses:
    """Finds the uses, and says to the groups what they hinder."""

    def __init__(self, facts: Facts, values: Values, awaitables: Awaitables) -> None:
        self._facts = facts
        self._values = values
        self._awaitables = awaitables

    def read(self, groups: Groups, keys: Keys) -> None:
        """Block what is used in a way that only asynchronous code can be."""
        self._groups = groups
        self._keys = keys
        for call in self._facts.calls:
            self._read_arguments(call)
        for function in self._facts.functions:
            if isinstance(function, cst.FunctionDef):
                self._read_decorators(function)
        for node in self._facts.classes:
            self._read_bases(node)
        for binding in self._facts.bindings:
            self._read_target(binding.target, binding.value)
        self._read_holders()

    def _asynchronous(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """Yield the nodes that stay asynchronous if an expression is used by foreign code."""
        for value in self._values.of(node):
            if isinstance(value, Pending):
                yield from self._keys(value)
            elif isinstance(value, (Function, Generator, Manager)):
                if is_asynchronous(value.node):
                    yield value.node
                elif isinstance(value, Function) and self._awaitables.hands_on(value.node):
                    for returned in self._facts.returns[value.node]:
                        yield from self._asynchronous(returned)
            elif isinstance(value, Primitive):
                yield value.node
            elif isinstance(value, Instance):
                methods = (each for name in _PROTOCOLS for each in self._values.relatives.methods(value.node, name))
                yield from filter(is_asynchronous, methods)

    def _block(self, node: cst.CSTNode, place: cst.CSTNode, reason: str) -> None:
        for key in set(self._asynchronous(node)):
            self._groups.block(key, place, reason)

    def _read_arguments(self, call: cst.Call) -> None:
        takes_awaitables = self._takes_awaitables(call)
        takes_loops = self._awaitables.name_of(call).startswith("asyncio.")
        for arg in call.args:
            reason = f"`{self._facts.shown(arg.value)}` is handed to `{self._facts.shown(call.func)}`"
            if not takes_awaitables:
                self._block(arg.value, arg, reason)
            if not takes_loops and self._values.name_of(arg.value) == LOOP:
                self._groups.block(self._facts.home_of(call), arg, reason)
        if self._awaitables.name_of(call) == "builtins.getattr" and len(call.args) > 1:
            self._read_getattr(call)

    def _read_getattr(self, call: cst.Call) -> None:
        """Block the methods that `getattr` may give."""
        name = call.args[1].value
        text = name.evaluated_value if isinstance(name, cst.SimpleString) else None
        classes = [value.node for value in self._values.of(call.args[0].value) if isinstance(value, (Class, Instance))]
        for method in (method for node in classes for method in self._values.relatives.all_methods(node)):
            if is_asynchronous(method) and text in (None, method.name.value):
                self._groups.block(method, call, f"`getattr` may give `{method.name.value}`")

    def _takes_awaitables(self, call: cst.Call) -> bool:
        name = self._awaitables.name_of(call)
        if name in _TAKERS or name in AWAITABLES or name in _LOOKERS or name in MANAGERS or is_transparent(name):
            return True
        if (name.startswith("builtins.") and name not in _KEEPERS) or any(True for _ in self._values.called(call)):
            return True
        if any(isinstance(value, Class) and self._takes_fields(call, value) for value in self._values.of(call.func)):
            return True
        if not isinstance(call.func, cst.Attribute):
            return False
        attribute = call.func.attr.value
        if attribute == ENTER and any(isinstance(value, Primitive) for value in self._values.of(call.func)):
            return True
        return attribute in CONTAINER_READS | CONTAINER_WRITES and self._values.place(call.func.value) is not None

    def _takes_fields(self, call: cst.Call, value: Class) -> bool:
        """Whether a class that only has annotated fields, such as a dataclass, takes the arguments of a call."""
        names = self._values.relatives.fields(value.node)
        keywords = {arg.keyword.value for arg in call.args if arg.keyword is not None}
        return len(call.args) <= len(names) and keywords <= {*names} and not any(arg.star for arg in call.args)

    def _read_decorators(self, function: cst.FunctionDef) -> None:
        if not function.asynchronous:
            return
        # The one that is nearest to the function comes first: it may make something plain of it.
        for decorator in reversed(function.decorators):
            node = decorator.decorator
            name = self._values.name_of(node)
            if name and (is_transparent(name) or name in MANAGERS or name.startswith("builtins.")):
                continue
            own = [value.node for value in self._values.of(node) if isinstance(value, Function)]
            if own and not any(map(self._returns_asynchronous, own)):
                break
            if own or any(isinstance(value, Class) for value in self._values.of(node)):
                continue
            code = self._facts.shown(node)
            self._groups.block(
                function, decorator, f"`{function.name.value}` is handed to `@{code}`, which may await it"
            )

    def _returns_asynchronous(self, decorator: AnyFunction) -> bool:
        """Whether what a decorator of the program makes of a function has to be awaited, too."""
        return any(
            isinstance(value, (Generator, Manager, Pending))
            or (isinstance(value, Function) and is_asynchronous(value.node))
            for value in self._values.returned(decorator)
        )

    def _read_bases(self, node: cst.ClassDef) -> None:
        for base in node.bases:
            values = self._values.of(base.value)
            if isinstance(base.value, cst.Subscript):
                values = self._values.of(base.value.value)
            for value in values:
                is_own = isinstance(value, DottedName) and (
                    cloud.is_cloud(value.name) or value.name.startswith(_OWN_BASES)
                )
                if isinstance(value, DottedName) and not is_own:
                    self._read_base(node, value.name)

    def _read_base(self, node: cst.ClassDef, base: str) -> None:
        is_machine = cloud.is_machine(base)
        for function in self._facts.functions:
            if not is_asynchronous(function) or self._facts.class_of(function) is not node:
                continue
            name = function.name.value if isinstance(function, cst.FunctionDef) else ""
            is_private = name.startswith("_") and not name.startswith("__")
            if is_private or (base == _TEST_CASE and name.startswith("test")):
                continue
            reason = f"`{base}` may call `{name}` and await it"
            self._groups.block(function, function, reason, is_named=is_machine)

    def _read_target(self, target: cst.CSTNode, value: cst.BaseExpression) -> None:
        """Block what is assigned to an attribute, or an item, of something that is not the module's."""
        node = target
        while isinstance(node, cst.Subscript):
            node = node.value
        if isinstance(node, cst.Attribute) and self._values.place(node) is None:
            code = self._facts.shown(target)
            self._block(value, target, f"`{self._facts.shown(value)}` is handed to `{code}`")

    # Names and other expressions that hold awaitables.

    def _read_holders(self) -> None:
        holders = _Holders(self._values.of)
        for module in self._facts.modules:
            module.visit(holders)
        targets: Dict[Place, List[cst.CSTNode]] = {}
        uses: Dict[Place, List[cst.CSTNode]] = {}
        for node in holders.found:
            place = self._values.place(node)
            if self._is_target(node):
                if place is not None:
                    targets.setdefault(place, []).append(node)
            elif self._read_use(node) and place is not None:
                uses.setdefault(place, []).append(node)
        for place, nodes in targets.items():
            self._read_place(nodes, uses.get(place, []))
        for key in holders.keys:
            self._block(key, key, f"`{self._facts.shown(key)}` is a key of a dictionary")
        for attribute in holders.of_awaitables:
            self._block(attribute.value, attribute, f"plain code has no `.{attribute.attr.value}` of a task")
        for attribute in holders.of_primitives:
            self._block(attribute.value, attribute, f"plain code has no `.{attribute.attr.value}` of this kind")
        for node in holders.started:
            self._read_started(node)

    def _is_target(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Param):
            return True
        parent = self._facts.parents[node]
        if isinstance(parent, cst.Element):
            parent = self._facts.parents[self._facts.parents[parent]]
        if isinstance(parent, cst.Param):
            return node is parent.name
        if isinstance(parent, (cst.For, cst.CompFor, cst.NamedExpr, cst.AugAssign, cst.AnnAssign)):
            return node is parent.target
        return isinstance(parent, (cst.AssignTarget, cst.AsName))

    def _read_use(self, node: cst.CSTNode) -> bool:
        """Whether the awaitables in a name go on from where it is used; blocks those that go where none may."""
        parent = self._facts.parents[node]
        if isinstance(parent, cst.Attribute):
            name = parent.attr.value
            call = self._facts.parents[parent]
            if name in CONTAINER_WRITES and isinstance(call, cst.Call):
                return False
            if name not in CONTAINER_READS:
                self._block(node, parent, f"plain code has no `.{name}` of a task")
            return True
        if isinstance(parent, (cst.Comparison, cst.ComparisonTarget, cst.If, cst.UnaryOperation, cst.While)):
            return False
        if isinstance(parent, cst.FormattedStringExpression):
            return False
        if isinstance(parent, cst.Arg):
            call = self._facts.parents[parent]
            return self._awaitables.name_of(call) not in {"builtins.len", "builtins.print", "builtins.bool"}
        return True

    def _read_place(self, targets: List[cst.CSTNode], uses: List[cst.CSTNode]) -> None:
        target = targets[0]
        code = self._facts.shown(target.name if isinstance(target, cst.Param) else target)
        if not uses:
            self._block(target, target, f"nothing awaits `{code}`; it runs beside the rest")
        for use in uses:
            last = max((node for node in targets if self._is_before(node, use)), key=self._facts.start, default=target)
            others = (other for other in uses if other is not use and self._is_before(other, use))
            if any(self._is_before(last, other) for other in others):
                self._block(target, use, f"`{code}` is awaited at more than one place")
            elif self._is_repeated(use, last):
                self._block(target, use, f"`{code}` may be awaited more than once, in a loop")

    def _is_before(self, first: cst.CSTNode, second: cst.CSTNode) -> bool:
        return self._facts.start(first) < self._facts.start(second)

    def _is_repeated(self, use: cst.CSTNode, target: cst.CSTNode) -> bool:
        """Whether a loop, or another function, is around the use of a name and not around the place that sets it."""
        around = set(self._ancestors(target))
        child = use
        for node in self._ancestors(use):
            if isinstance(node, (cst.For, cst.While, cst.ListComp, cst.GeneratorExp, cst.SetComp, cst.DictComp)):
                is_once = isinstance(node, cst.For) and child in (node.iter, node.orelse)
                if isinstance(node, (cst.ListComp, cst.GeneratorExp, cst.SetComp)) and child is node.for_in:
                    is_once = use in self._inside(node.for_in.iter)
                if not is_once and node not in around:
                    return True
            child = node
        return False

    def _inside(self, node: cst.CSTNode) -> Set[cst.CSTNode]:
        inside, waiting = {node}, [node]
        while waiting:
            children = waiting.pop().children
            inside.update(children)
            waiting += children
        return inside

    def _ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        while node in self._facts.parents:
            node = self._facts.parents[node]
            yield node

    def _read_started(self, node: cst.BaseExpression) -> None:
        """Block an awaitable that nothing awaits."""
        parent = self._facts.parents[node]
        if not isinstance(parent, cst.Expr):
            return
        name = self._awaitables.name_of(node)
        if name in RUNNERS:
            return
        is_beside = name in TASK_MAKERS or name == f"{LOOP}.run_in_executor"
        code = self._facts.shown(node)
        self._block(node, node, f"`{code}` runs beside the rest" if is_beside else f"`{code}` is never awaited")
        if is_beside:
            home = self._facts.home_of(node)
            self._groups.block(home, node, f"`{code}` runs beside the rest")


class _Holders(cst.CSTVisitor):
    """Collects names and attributes that hold awaitables, and calls that give them."""

    def __init__(self, values: Callable[[cst.CSTNode], Iterable[Value]]) -> None:
        super().__init__()
        self._values = values
        self.found: List[cst.CSTNode] = []
        self.started: List[cst.BaseExpression] = []
        self.keys: List[cst.BaseExpression] = []
        self.of_awaitables: List[cst.Attribute] = []
        self.of_primitives: List[cst.Attribute] = []

    def _is_holder(self, node: cst.CSTNode) -> bool:
        return any(isinstance(value, Pending) and value.node is not node for value in self._values(node))

    def visit_DictElement(self, node: cst.DictElement) -> None:
        self.keys.append(node.key)

    def visit_DictComp(self, node: cst.DictComp) -> None:
        self.keys.append(node.key)

    def visit_Name(self, node: cst.Name) -> None:
        if self._is_holder(node):
            self.found.append(node)

    def visit_Param(self, node: cst.Param) -> None:
        if self._is_holder(node):
            self.found.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        is_known = node.attr.value in PLAIN_METHODS or node.attr.value in PRIMITIVE_METHODS
        if not is_known and any(isinstance(value, Primitive) for value in self._values(node.value)):
            self.of_primitives.append(node)
        is_made = isinstance(node.value, cst.Call) and node.attr.value not in CONTAINER_READS
        for value in self._values(node.value):
            is_generator = isinstance(value, Generator) and node.attr.value not in GENERATOR_METHODS
            if is_generator or (is_made and isinstance(value, Pending)):
                self.of_awaitables.append(node)
        if self._is_holder(node):
            self.found.append(node)

    def visit_Call(self, node: cst.Call) -> None:
        if any(isinstance(value, Pending) for value in self._values(node)):
            self.started.append(node)
