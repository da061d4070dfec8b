"""The tree of a module with what becomes plain made so."""

from __future__ import annotations

from typing import Iterable, List, NamedTuple, Optional, Sequence, Set, Tuple, Union

import libcst as cst
from libcst.metadata import Scope

from viam_sync.migrate import asyncio_calls
from viam_sync.migrate.asyncio_calls import GATHER_IN_ORDER, GATHER_IN_THREADS
from viam_sync.migrate.awaitables import GATHER, Awaitables, is_asynchronous
from viam_sync.migrate.bound_names import code_of
from viam_sync.migrate.coroutines import PLAIN_NAMES, Plan
from viam_sync.migrate.expressions import Values
from viam_sync.migrate.facts import Facts
from viam_sync.migrate.hints import Hints
from viam_sync.migrate.module_imports import Needed
from viam_sync.migrate.statements import Statement, expression_of, left_of_finally, rebuilt, spread, unwrapped
from viam_sync.migrate.value_kinds import (
    ANEXT,
    AWAITABLES,
    CLOSING,
    GENERATOR_METHODS,
    LOOP,
    PRIMITIVE_METHODS,
    PRIMITIVES,
    RUNNERS,
    TASK_MAKERS,
    Function,
    Generator,
    Pending,
    Primitive,
    Value,
)

#: Decorators of coroutine functions, and those that do the same for plain ones; nothing where none is needed.
DECORATORS = {
    "contextlib.asynccontextmanager": "contextlib.contextmanager",
    "pytest_asyncio.fixture": "pytest.fixture",
    "pytest.mark.anyio": "",
    "pytest.mark.asyncio": "",
}

_TIMEOUT = "DeadlineExceededError"


class Rewritten(NamedTuple):
    """A tree, and what its new code needs."""

    module: cst.Module
    needed: Set[Needed]
    #: Functions, as text.
    helpers: Set[str]


def rewrite(
    module: cst.Module, facts: Facts, values: Values, awaitables: Awaitables, plan: Plan, unneeded: Set[cst.CSTNode]
) -> Rewritten:
    """Return the tree of a module with what the plan names made plain, and without the statements that are unneeded."""
    rewriter = _Rewriter(module, facts, values, awaitables, plan, unneeded)
    return Rewritten(module.visit(rewriter), rewriter.needed | rewriter.hints.needed, rewriter.helpers)


class _Rewriter(cst.CSTTransformer):
    """Changes the nodes that the plan names, and nothing else."""

    def __init__(
        self,
        module: cst.Module,
        facts: Facts,
        values: Values,
        awaitables: Awaitables,
        plan: Plan,
        unneeded: Set[cst.CSTNode],
    ) -> None:
        super().__init__()
        self._names = facts.names(module)
        self._all_plain = plan.all_plain(module)
        self._facts = facts
        self._values = values
        self._awaitables = awaitables
        self._plan = plan
        self._unneeded = unneeded
        self.hints = Hints()
        self._gather_name = "gather_calls" if self._names.is_bound("gather") else "gather"
        #: Modules, and names of them, that the new code speaks of.
        self.needed: Set[Needed] = set()
        #: Functions that the script needs, as text.
        self.helpers: Set[str] = set()

    # Functions, loops, contexts.

    def leave_FunctionDef(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        name = updated_node.name.value
        if original_node not in self._plan.plain or not (original_node.asynchronous or name in PLAIN_NAMES):
            return updated_node
        return updated_node.with_changes(
            asynchronous=None, name=updated_node.name.with_changes(value=PLAIN_NAMES.get(name, name))
        )

    def leave_Decorator(
        self, original_node: cst.Decorator, updated_node: cst.Decorator
    ) -> Union[cst.Decorator, cst.RemovalSentinel]:
        function = self._facts.parents[original_node]
        node = original_node.decorator
        name = self._values.name_of(node)
        if function not in self._plan.plain or name not in DECORATORS:
            return updated_node
        if not DECORATORS[name]:
            return cst.RemoveFromParent()
        func = updated_node.decorator.func if isinstance(updated_node.decorator, cst.Call) else updated_node.decorator
        new = self._renamed(func, DECORATORS[name])
        if isinstance(updated_node.decorator, cst.Call):
            new = updated_node.decorator.with_changes(func=new)
        return updated_node.with_changes(decorator=new)

    def _renamed(self, node: cst.BaseExpression, name: str) -> cst.BaseExpression:
        """Return a name as an attribute of its module, or alone, as the old one was."""
        module, _, last = name.rpartition(".")
        self.needed.add(Needed(module, last) if isinstance(node, cst.Name) else Needed(module))
        return cst.Name(last) if isinstance(node, cst.Name) else asyncio_calls.dotted(name)

    def _module(self, name: str) -> str:
        """Return how the script speaks of a module of the standard library, which it imports from now on."""
        alias = self._names.alias(name)
        self.needed.add(Needed(name, alias=alias))
        return alias or name

    def leave_For(self, original_node: cst.For, updated_node: cst.For) -> cst.For:
        return updated_node.with_changes(asynchronous=None) if original_node in self._plan.plain else updated_node

    def leave_CompFor(self, original_node: cst.CompFor, updated_node: cst.CompFor) -> cst.CompFor:
        return updated_node.with_changes(asynchronous=None) if original_node in self._plan.plain else updated_node

    def leave_With(self, original_node: cst.With, updated_node: cst.With) -> cst.With:
        return updated_node.with_changes(asynchronous=None) if original_node in self._plan.plain else updated_node

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        name = original_node.attr.value
        for value in self._values.of(original_node):
            if isinstance(value, Generator) and value.node in self._plan.plain and name in GENERATOR_METHODS:
                return updated_node.with_changes(attr=cst.Name(GENERATOR_METHODS[name]))
            if isinstance(value, Function) and value.node in self._plan.plain and name in PLAIN_NAMES:
                return updated_node.with_changes(attr=cst.Name(PLAIN_NAMES[name]))
            if isinstance(value, Primitive) and value.node in self._plan.plain and name in PRIMITIVE_METHODS:
                return updated_node.with_changes(attr=cst.Name(PRIMITIVE_METHODS[name]))
        return updated_node

    # Type hints.

    def leave_Annotation(self, original_node: cst.Annotation, updated_node: cst.Annotation) -> cst.Annotation:
        parent = self._facts.parents[original_node]
        holder = self._held(parent)
        is_later = any(self._plan.becomes_plain(value) for value in holder if isinstance(value, Pending))
        is_later &= not (isinstance(parent, cst.FunctionDef) and self._awaitables.hands_on(parent))
        is_plain = any(self._plan.becomes_plain(value) for value in holder) or self._owner(parent) in self._plan.plain
        if not (is_plain or self._all_plain):
            return updated_node
        hint = self.hints.plain(original_node.annotation, self._scope(parent), later=is_later)
        is_same = hint.deep_equals(original_node.annotation)
        return updated_node if is_same else updated_node.with_changes(annotation=hint)

    def _held(self, parent: cst.CSTNode) -> Iterable[Value]:
        """Return what the thing holds, or returns, that a hint speaks of."""
        if isinstance(parent, cst.FunctionDef):
            return () if is_asynchronous(parent) else self._values.returned(parent)
        return self._values.of(parent.target if isinstance(parent, cst.AnnAssign) else parent)

    def _owner(self, parent: cst.CSTNode) -> cst.CSTNode:
        """Return the function that a hint belongs to, or the module."""
        while isinstance(parent, (cst.Param, cst.Parameters)):
            parent = self._facts.parents[parent]
        return parent if isinstance(parent, cst.FunctionDef) else self._facts.home_of(parent)

    def _scope(self, node: cst.CSTNode) -> Optional[Scope]:
        while node not in self._facts.scopes:
            node = self._facts.parents[node]
        return self._facts.scopes[node]

    def leave_Assign(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        """Change an alias of a hint."""
        if not self._all_plain or not isinstance(original_node.value, cst.Subscript):
            return updated_node
        hint = self.hints.plain(original_node.value, self._scope(original_node))
        is_same = hint.deep_equals(original_node.value)
        return updated_node if is_same else updated_node.with_changes(value=hint)

    def leave_ClassDef(self, original_node: cst.ClassDef, updated_node: cst.ClassDef) -> cst.ClassDef:
        """Change the hints, and the abstract classes, that a class stands on."""
        methods = [method for name in PLAIN_NAMES for method in self._values.relatives.methods(original_node, name)]
        if not any(method in self._plan.plain for method in methods):
            return updated_node
        scope = self._scope(original_node)
        bases = [base.with_changes(value=self.hints.plain(base.value, scope)) for base in updated_node.bases]
        return updated_node.with_changes(bases=bases)

    # Exceptions.

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.Name:
        is_end = original_node.value == "StopAsyncIteration"
        if is_end and self._facts.function_of(original_node) in self._plan.plain:
            return updated_node.with_changes(value="StopIteration")
        return updated_node

    def leave_ExceptHandler(
        self, original_node: cst.ExceptHandler, updated_node: cst.ExceptHandler
    ) -> cst.ExceptHandler:
        """Catch the timeouts of this package where those of the official SDK were caught."""
        tried = self._facts.parents[original_node]
        waits = self._plan.waits_in(tried.body) if isinstance(tried, cst.Try) else []
        names = [*_names(original_node.type)]
        old = [
            name for name in names if self._values.name_of(name) in ("asyncio.TimeoutError", "builtins.TimeoutError")
        ]
        if not old or not any(node in self._plan.plain for node in waits) or updated_node.type is None:
            return updated_node
        self.needed.add(Needed("viam_sync.errors", _TIMEOUT))
        is_all = all(node in self._plan.plain for node in waits)
        gone = [name for name in old if is_all and self._values.name_of(name) == "asyncio.TimeoutError"]
        new = [name for name in names if name not in gone]
        parts = [cst.Element(name.with_changes(lpar=[], rpar=[])) for name in [*new, cst.Name(_TIMEOUT)]]
        caught = parts[0].value if len(parts) == 1 else cst.Tuple(parts)
        return updated_node.with_changes(type=caught, whitespace_after_except=cst.SimpleWhitespace(" "))

    # Awaits.

    def leave_Await(self, original_node: cst.Await, updated_node: cst.Await) -> cst.BaseExpression:
        if original_node not in self._plan.plain:
            return updated_node
        node = self._now(original_node.expression, updated_node.expression)
        left, right = [*updated_node.lpar], [*updated_node.rpar]
        if isinstance(updated_node.whitespace_after_await, cst.ParenthesizedWhitespace):
            left = [*left[:-1], cst.LeftParen(updated_node.whitespace_after_await)]
            right = right or [cst.RightParen()]
        elif not left or self._are_needless(original_node, node):
            return node
        return node.with_changes(lpar=[*left, *node.lpar], rpar=[*node.rpar, *right])

    def _are_needless(self, original: cst.Await, node: cst.BaseExpression) -> bool:
        """Whether the parentheses of an `await` only held it together, on one line and apart from the word before."""
        is_atom = isinstance(node, (cst.Call, cst.Name, cst.Attribute, cst.Subscript, cst.List, cst.ListComp))
        code = code_of(original)
        return is_atom and "\n" not in code and not self._facts.follows_word(original)

    def _now(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        """Return the expression of what an awaitable gives."""
        if isinstance(original, cst.IfExp) and isinstance(updated, cst.IfExp):
            body, orelse = self._now(original.body, updated.body), self._now(original.orelse, updated.orelse)
            return updated.with_changes(body=body, orelse=orelse)
        peeled = self._awaitables.peel(original)
        if self._awaitables.starts(peeled) or not self._awaitables.holds(peeled):
            return updated
        return asyncio_calls.called(updated)

    # Calls.

    def leave_Call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.BaseExpression:
        name = self._awaitables.name_of(original_node)
        if name == CLOSING:
            values = self._values.of(original_node)
            is_plain = any(map(self._plan.becomes_plain, values))
            func = self._renamed(updated_node.func, "contextlib.closing") if is_plain else updated_node.func
            return updated_node.with_changes(func=func)
        if name.startswith("asyncio.") or name in AWAITABLES or name in PRIMITIVES:
            is_plain = original_node in self._plan.plain
            return self._call_of_asyncio(name, original_node, updated_node) if is_plain else updated_node
        if not self._awaitables.starts(original_node):
            return updated_node
        if not self._plan.is_plain(original_node):
            is_cloud = self._awaitables.is_cloud_call(original_node)
            return asyncio_calls.to_thread(updated_node, self._module("asyncio")) if is_cloud else updated_node
        if self._awaitables.is_awaited(original_node):
            return updated_node
        return asyncio_calls.partial(updated_node, self._module("functools"))

    def _call_of_asyncio(self, name: str, original: cst.Call, call: cst.Call) -> cst.BaseExpression:
        if name in RUNNERS:
            return self._now(original.args[0].value, call.args[0].value)
        if name in TASK_MAKERS or name == "asyncio.as_completed":
            return call.args[0].value
        if name == GATHER:
            return self._gather(original, call)
        if name in PRIMITIVES:
            args = [arg for arg in call.args if arg.keyword is None or arg.keyword.value != "loop"]
            if name.startswith("contextlib."):
                return call.with_changes(func=self._renamed(call.func, PRIMITIVES[name]))
            plain = PRIMITIVES[name].replace("threading", self._module("threading"))
            return call.with_changes(func=asyncio_calls.dotted(plain), args=args)
        return self._awaitable_of_asyncio(name, original, call)

    def _awaitable_of_asyncio(self, name: str, original: cst.Call, call: cst.Call) -> cst.BaseExpression:
        if name == "asyncio.wait_for":
            return self._wait_for(original, call)
        if name == ANEXT:
            call = call.with_changes(func=cst.Name("next"))
        elif name == "asyncio.sleep":
            call = asyncio_calls.sleep(call, self._module("time"))
        else:
            call = asyncio_calls.call_of_arguments(call, call.args[1:] if name.startswith(LOOP) else call.args)
        if self._awaitables.is_awaited(original):
            return call
        return asyncio_calls.partial(call, self._module("functools"))

    def _wait_for(self, original: cst.Call, call: cst.Call) -> cst.BaseExpression:
        waited, seconds = call.args[0].value, call.args[1].value
        if isinstance(seconds, cst.Name) and seconds.value == "None":
            return self._now(original.args[0].value, waited)
        return asyncio_calls.with_timeout(waited, seconds) if isinstance(waited, cst.Call) else waited

    def _gather(self, original: cst.Call, call: cst.Call) -> cst.BaseExpression:
        if self._awaitables.needs_helper(original):
            if self._awaitables.threads:
                self.needed.add(Needed("concurrent.futures"))
            helper = GATHER_IN_THREADS if self._awaitables.threads else GATHER_IN_ORDER
            self.helpers.add(helper.format(name=self._gather_name))
            later = [self._gathered_later(old, new) for old, new in zip(original.args, call.args)]
            return call.with_changes(func=cst.Name(self._gather_name), args=later)
        stars = [bool(arg.star) for arg in call.args]
        args = [
            self._gathered(old.value, new.value) if new.star else self._now(old.value, new.value)
            for old, new in zip(original.args, call.args)
        ]
        return asyncio_calls.results(call, args, stars)

    def _gathered_later(self, original: cst.Arg, updated: cst.Arg) -> cst.Arg:
        """Return an argument for a function that makes the calls; one of `map` becomes a comprehension of these."""
        if self._awaitables.name_of(original.value) != "builtins.map" or not isinstance(updated.value, cst.Call):
            return updated
        return updated.with_changes(value=asyncio_calls.mapped(updated.value, self._module("functools")))

    def _gathered(self, original: cst.BaseExpression, updated: cst.BaseExpression) -> cst.BaseExpression:
        """Return the results of the awaitables that were unpacked into a call of `gather`."""
        if isinstance(original, (cst.ListComp, cst.GeneratorExp)) and isinstance(
            updated, (cst.ListComp, cst.GeneratorExp)
        ):
            return asyncio_calls.listed(updated.with_changes(elt=self._now(original.elt, updated.elt)))
        if isinstance(original, cst.List) and isinstance(updated, cst.List):
            elements = [
                new.with_changes(value=self._now(old.value, new.value))
                for old, new in zip(original.elements, updated.elements)
            ]
            return updated.with_changes(elements=elements)
        if self._awaitables.name_of(original) == "builtins.map":
            return asyncio_calls.listed(updated)
        return asyncio_calls.each_called(updated)

    # Statements about event loops.

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        body, comments = self._body(original_node.body, updated_node.body)
        return updated_node.with_changes(body=body, footer=[*comments, *updated_node.footer])

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        body, comments = self._body(original_node.body, updated_node.body)
        return updated_node.with_changes(body=body, footer=[*comments, *updated_node.footer])

    def _body(
        self, original: Sequence[Statement], updated: Sequence[Statement]
    ) -> Tuple[List[Statement], List[cst.EmptyLine]]:
        return rebuilt((new, self._statements(old, new), left_of_finally(new)) for old, new in zip(original, updated))

    def _statements(self, old: Statement, new: Statement) -> List[Statement]:
        """Return what stands for a statement."""
        if old in self._unneeded:
            return []
        value = expression_of(old)
        if isinstance(value, cst.Await):
            if self._facts.function_of(value) is None:
                # A notebook shows the value.
                return [new]
            value = value.expression
        elif value is not None and self._awaitables.name_of(value) in RUNNERS and isinstance(value, cst.Call):
            value = value.args[0].value if value.args else None
        if value is not None and self._awaitables.name_of(value) == GATHER and value in self._plan.plain:
            return spread(new)
        return unwrapped(new)


def _names(caught: Optional[cst.BaseExpression]) -> Iterable[cst.BaseExpression]:
    """Yield the classes that an `except` catches."""
    if isinstance(caught, cst.Tuple):
        yield from (element.value for element in caught.elements)
    elif caught is not None:
        yield caught
