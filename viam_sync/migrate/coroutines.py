"""Which functions, awaits and calls of asyncio become plain: the call graph of a module."""

from __future__ import annotations

from typing import Dict, Iterator, List, Set, Tuple, Union

import libcst as cst

from viam_sync.migrate.awaitables import GATHER, Awaitables, is_asynchronous
from viam_sync.migrate.expressions import Values
from viam_sync.migrate.facts import AnyFunction, Facts
from viam_sync.migrate.findings import Finding
from viam_sync.migrate.groups import Groups
from viam_sync.migrate.uses import Uses
from viam_sync.migrate.value_kinds import (
    ANEXT,
    AWAITABLES,
    ENDINGS,
    ENTER,
    LOOP,
    LOOP_MAKERS,
    PRIMITIVES,
    RUNNERS,
    SETTINGS,
    TASK_MAKERS,
    Cloud,
    DottedName,
    Foreign,
    Function,
    Generator,
    Instance,
    Machine,
    Manager,
    Pending,
    Primitive,
    Value,
)

MACHINES = "drives a machine, which viam-sdk does, asynchronously"

#: Awaitables that become plain only where the function that awaits them does.
_TIED = (AWAITABLES | {*PRIMITIVES}) - {GATHER, "asyncio.wait_for"}

#: Functions of asyncio that plain code can call, those that are looked at otherwise, and those that go.
_WITHOUT_LOOP = {
    *AWAITABLES, *LOOP_MAKERS, *PRIMITIVES, *SETTINGS, *ENDINGS, "asyncio.Condition", "asyncio.Event", "asyncio.Queue",
    "asyncio.iscoroutine", "asyncio.iscoroutinefunction", "asyncio.timeout",
}  # fmt: skip

#: Names of methods that plain code calls otherwise.
PLAIN_NAMES = {
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "__aiter__": "__iter__",
    "__anext__": "__next__",
}


class Plan:
    """What becomes plain in a program."""

    def __init__(self, facts: Facts, values: Values, awaitables: Awaitables) -> None:
        self._facts = facts
        self._values = values
        self._awaitables = awaitables
        self._groups = Groups()
        for function in facts.functions:
            self._read_function(function)
        for site in facts.sites:
            self._read_site(site)
        for call in facts.calls:
            self._read_call(call)
        Uses(facts, values, awaitables).read(self._groups, self._keys)
        self.plain: Set[cst.CSTNode] = self._groups.plain()
        self._left = self._reasons()

    @property
    def is_needed(self) -> bool:
        """Whether anything in the module awaits Viam."""
        return bool(self._groups.wanted)

    def findings(self, module: cst.Module) -> List[Finding]:
        """Return what stays asynchronous in a module though it has to do with Viam, and why."""
        return sorted({Finding(self._facts.line(node), reason) for node, reason in self._left[module]})

    def _reasons(self) -> Dict[cst.CSTNode, List[Tuple[cst.CSTNode, str]]]:
        """Return the nodes of each module that stay, with the reasons."""
        found: Dict[cst.CSTNode, List[Tuple[cst.CSTNode, str]]] = {module: [] for module in self._facts.modules}
        for block in self._groups.obstacles():
            found[self._facts.module_of(block.node)].append((block.node, block.reason))
        for item in self._plain_items():
            reason = f"`{self._code(item)}` is plain now; enter it by a `with` of its own"
            found[self._facts.module_of(item)].append((item, reason))
        for mock in self._mocks():
            reason = "`AsyncMock` gives awaitables; for the clients of the cloud, `MagicMock` is right now"
            found[self._facts.module_of(mock)].append((mock, reason))
        for call in filter(self._awaitables.is_dropped, self._facts.calls):
            reason = f"`{self._code(call)}` was never awaited; now it is made"
            found[self._facts.module_of(call)].append((call, reason))
        return found

    def _plain_items(self) -> Iterator[cst.BaseExpression]:
        """Give the clients of the cloud that stand in an `async with` which stays, for the sake of others."""
        for site in self._facts.sites:
            if isinstance(site, cst.With) and site not in self.plain and len(site.items) > 1:
                items = (item.item for item in site.items if Cloud() in self._values.of(item.item))
                yield from (item.expression if isinstance(item, cst.Await) else item for item in items)

    def _mocks(self) -> Iterator[cst.BaseExpression]:
        """Give the uses of `AsyncMock`, which gives awaitables where the clients are plain."""
        for call in self._facts.calls if self.is_needed else ():
            for node in (call.func, *(arg.value for arg in call.args)):
                if self._values.name_of(node) in ("unittest.mock.AsyncMock", "mock.AsyncMock"):
                    yield node

    def all_plain(self, module: cst.CSTNode) -> bool:
        """Whether nothing asynchronous is left in a module."""
        left = {*self._facts.sites, *filter(is_asynchronous, self._facts.functions)} - self.plain
        return all(self._facts.module_of(node) is not module for node in left)

    def is_plain(self, node: cst.BaseExpression) -> bool:
        """Whether what an awaitable expression waits for becomes plain."""
        pending = self._awaitables.pending(node)
        return bool(pending) and all(map(self.becomes_plain, pending))

    def waits_in(self, block: cst.CSTNode) -> List[cst.CSTNode]:
        """Return what waits in a block: awaits and the like, and calls that run a coroutine."""
        runs = [call for call in self._facts.calls if self._awaitables.name_of(call) in RUNNERS]
        return [node for node in (*self._facts.sites, *runs) if self._facts.is_inside(node, block)]

    def becomes_plain(self, value: Value) -> bool:
        """Whether something asynchronous that an expression holds becomes plain."""
        if isinstance(value, Pending):
            return all(key in self.plain for key in self._keys(value))
        if isinstance(value, (Function, Generator, Manager)):
            return value.node in self.plain
        return isinstance(value, Primitive) and value.node in self.plain

    # What each part of a module needs.

    def _read_function(self, function: AnyFunction) -> None:
        home = self._facts.class_of(function)
        if home is None or not isinstance(function, cst.FunctionDef):
            return
        name = function.name.value
        for relative in self._values.relatives.methods(home, name):
            self._groups.join(function, relative)
        for pair in (("__aenter__", "__aexit__"), ("__aiter__", "__anext__")):
            if name in pair:
                for partner in (method for other in pair for method in self._values.relatives.methods(home, other)):
                    self._groups.join(function, partner)
        if name in PLAIN_NAMES and self._values.relatives.methods(home, PLAIN_NAMES[name]):
            self._groups.block(function, function, f"the class has `{PLAIN_NAMES[name]}`, too")
        for value in self._values.returned(function) if name == "__aiter__" else ():
            if isinstance(value, Generator):
                self._groups.join(function, value.node)
            elif isinstance(value, Instance):
                for method in self._values.relatives.methods(value.node, "__anext__"):
                    self._groups.join(function, method)
        if name == "__await__":
            self._groups.block(function, function, "an object that can be awaited by `__await__`")

    def _read_site(self, site: Union[cst.Await, cst.For, cst.With, cst.CompFor]) -> None:
        home = self._facts.home_of(site)
        self._groups.need(home, site)
        if isinstance(site, cst.Await):
            self._read_awaited(site, site.expression, home)
            return
        items = [item.item for item in site.items] if isinstance(site, cst.With) else [site.iter]
        for item in items:
            self._read_used(site, item, home)

    def _read_awaited(self, key: cst.CSTNode, node: cst.BaseExpression, home: cst.CSTNode) -> None:
        values = self._values.of(node)
        if not values:
            self._block_unknown(key, node, f"nothing says what `{self._code(node)}` awaits")
        for value in values:
            if isinstance(value, Pending):
                self._need(key, value, home)
            elif not isinstance(value, Cloud):
                self._block(key, node, value)

    def _need(self, key: cst.CSTNode, value: Pending, home: cst.CSTNode) -> None:
        for needed in self._keys(value):
            self._groups.share(key, needed)
            if self._awaitables.name_of(needed) in _TIED:
                self._groups.join(needed, home)
        if isinstance(value.node, cst.Call) and self._awaitables.is_cloud_call(value.node):
            self._groups.wanted.add(key)

    def _read_used(self, site: cst.CSTNode, node: cst.BaseExpression, home: cst.CSTNode) -> None:
        """Read what stands behind `async for` and `async with`."""
        values = self._values.of(node)
        if not values:
            self._block_unknown(site, node, f"nothing says what `{self._code(node)}` is")
        for value in values:
            if isinstance(value, Cloud):
                self._groups.wanted.add(site)
            elif isinstance(value, (Generator, Manager)):
                self._groups.share(site, value.node)
            elif isinstance(value, Primitive):
                self._groups.join(value.node, home)
            elif isinstance(value, Instance):
                self._need_methods(site, value.node)
            elif isinstance(value, Pending):
                self._need(site, value, home)
            else:
                self._block(site, node, value)

    def _need_methods(self, site: cst.CSTNode, home: cst.ClassDef) -> None:
        is_context = isinstance(site, (cst.With, cst.Call))
        names = ("__aenter__", "__aexit__") if is_context else ("__aiter__", "__anext__")
        methods = [method for name in names for method in self._values.relatives.methods(home, name)]
        for method in methods:
            self._groups.share(site, method)
        if not methods:
            self._groups.block(site, site, f"`{home.name.value}` has no `{names[0]}` here")

    def _read_call(self, call: cst.Call) -> None:
        name = self._awaitables.name_of(call)
        home = self._facts.home_of(call)
        if name == GATHER:
            self._read_gather(call)
        elif name in RUNNERS or name in TASK_MAKERS:
            self._read_runner(call, home)
        elif name == "asyncio.as_completed":
            self._join_all(call, call.args[0].value if call.args else call)
            self._groups.join(call, home)
        elif name == "asyncio.wait_for":
            self._read_wait_for(call)
        elif name == ANEXT:
            self._read_next(call)
        elif isinstance(call.func, cst.Attribute) and call.func.attr.value == ENTER and call.args:
            self._read_used(call, call.args[0].value, home)
            for key in (value.node for value in self._values.of(call.func) if isinstance(value, Primitive)):
                self._groups.need(key, call)
        elif name == f"{LOOP}.run_in_executor":
            if not (call.args and _is_none(call.args[0].value)):
                self._groups.block(call, call, "an executor of the script's own runs it")
        elif name.startswith("asyncio.") and name not in _WITHOUT_LOOP:
            self._groups.block(home, call, f"`{self._code(call)}` has no counterpart in plain code")
        self._read_plain_call(call, name, home)

    def _read_plain_call(self, call: cst.Call, name: str, home: cst.CSTNode) -> None:
        """Read a call of something plain: what it needs is needed by what calls it, and it may call the cloud."""
        for function in self._values.called(call):
            if not is_asynchronous(function) and function not in self._facts.yields:
                self._groups.need(home, function)
        if self._awaitables.is_cloud_call(call):
            self._groups.wanted.update(self._keys(Pending(call)))
        made = call.args[0].value if name == "asyncio.to_thread" and call.args else call.func
        if self._facts.is_migrated(call) and self._awaitables.is_of_cloud(made):
            self._groups.wanted.add(home if made is call.func else call)

    def _read_runner(self, call: cst.Call, home: cst.CSTNode) -> None:
        if not call.args:
            return
        values = self._values.of(call.args[0].value)
        if not any(isinstance(value, Pending) for value in values):
            self._read_awaited(call, call.args[0].value, home)
        for value in values:
            if isinstance(value, Pending):
                self._need(call, value, call)

    def _read_gather(self, call: cst.Call) -> None:
        consumer = self._facts.parents[call]
        is_run = isinstance(consumer, cst.Arg) and self._awaitables.name_of(self._facts.parents[consumer]) in RUNNERS
        if not (is_run or isinstance(consumer, cst.Await)):
            self._groups.block(call, call, "the gathered calls are not awaited at once")
        for arg in call.args:
            if arg.keyword is None:
                self._join_all(call, arg.value)
            elif arg.keyword.value != "return_exceptions":
                self._groups.block(call, call, f"`{arg.keyword.value}` of `gather`")

    def _join_all(self, call: cst.Call, node: cst.BaseExpression) -> None:
        values = self._values.of(node)
        for value in values:
            if not isinstance(value, Pending):
                self._block(call, node, value)
                continue
            for key in self._keys(value):
                self._groups.join(call, key)
            if isinstance(value.node, cst.Call) and self._awaitables.is_cloud_call(value.node):
                self._groups.wanted.add(call)
        if not values:
            self._groups.block(call, node, f"nothing says what `{self._code(node)}` holds")

    def _read_wait_for(self, call: cst.Call) -> None:
        if len(call.args) != 2 or call.args[0].keyword is not None:
            self._groups.block(call, call, "`wait_for` is called in a way that is not known")
            return
        self._join_all(call, call.args[0].value)
        waited = call.args[0].value
        if _is_none(call.args[1].value):
            return
        is_cloud = isinstance(waited, cst.Call) and self._awaitables.is_cloud_call(waited)
        if not is_cloud or any(arg.star or _is_timeout(arg) for arg in getattr(waited, "args", ())):
            self._groups.block(call, call, "plain code cannot be stopped by `wait_for`; give the calls a `timeout`")

    def _read_next(self, call: cst.Call) -> None:
        for value in self._values.of(call.args[0].value) if call.args else ():
            if isinstance(value, Generator):
                self._groups.share(call, value.node)
            elif not isinstance(value, Cloud):
                self._block(call, call, value)

    def _keys(self, value: Pending) -> Iterator[cst.CSTNode]:
        """Yield the nodes with which an awaitable becomes plain: for a call of the cloud, what awaits it."""
        if isinstance(value.node, cst.Attribute):
            for owner in self._values.of(value.node.value):
                if isinstance(owner, Instance):
                    yield from self._values.relatives.methods(owner.node, value.node.attr.value)
            return
        for entered in self._values.callee(value.node):
            is_asyncio = isinstance(entered, DottedName) and entered.name in AWAITABLES
            if isinstance(entered, (Function, Generator, Primitive)):
                yield entered.node
            else:
                yield value.node if is_asyncio else self._awaitables.consumer(value.node) or value.node

    def _block(self, key: cst.CSTNode, node: cst.BaseExpression, value: Value) -> None:
        code = self._code(node)
        if isinstance(value, Machine):
            self._groups.block(key, node, f"`{code}` {MACHINES}", is_named=True)
        elif isinstance(value, (Foreign, DottedName)):
            name = value.library if isinstance(value, Foreign) else value.name
            library = name.lstrip(".").partition(".")[0]
            kind = (
                "has no counterpart in plain code" if library == "asyncio" else f"is asynchronous code of `{library}`"
            )
            self._groups.block(key, node, f"`{code}` {kind}")
        else:
            self._block_unknown(key, node, f"nothing says how `{code}` is awaited")

    def _block_unknown(self, key: cst.CSTNode, node: cst.CSTNode, reason: str) -> None:
        """Block something that may have to do with Viam, if its module has."""
        self._groups.block(key, node, reason, is_named=self._facts.names(node).is_of_viam)

    def _code(self, node: cst.CSTNode) -> str:
        """Return an expression as it is written, a call without its arguments."""
        while isinstance(node, cst.Call):
            node = node.func
        return self._facts.shown(node)


def _is_none(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value == "None"


def _is_timeout(arg: cst.Arg) -> bool:
    return arg.keyword is not None and arg.keyword.value == "timeout"
