"""Type hints of asynchronous code, and those of the plain code that it becomes."""

from __future__ import annotations

from typing import List, Optional, Sequence, Set

import libcst as cst
from libcst.metadata import Scope

from viam_sync.migrate.bound_names import imported_name
from viam_sync.migrate.module_imports import Needed
from viam_sync.migrate.value_kinds import PRIMITIVES

_HOMES = ("collections.abc", "contextlib", "typing", "typing_extensions")
#: Hints with the same parameters, or one more at the end.
_RENAMED = {
    "AbstractAsyncContextManager": "AbstractContextManager",
    "AsyncContextManager": "ContextManager",
    "AsyncExitStack": "ExitStack",
    "AsyncGenerator": "Generator",
    "AsyncIterable": "Iterable",
    "AsyncIterator": "Iterator",
}
#: Hints of an awaitable; the last parameter is the type of its result.
_AWAITABLES = {"Awaitable", "Coroutine"}
_TASKS = {"asyncio.Future", "asyncio.Task"}


class Hints:
    """Makes plain hints, and notes what these need."""

    def __init__(self) -> None:
        self.needed: Set[Needed] = set()

    def plain(self, node: cst.BaseExpression, scope: Optional[Scope], *, later: bool = False) -> cst.BaseExpression:
        """Return the hint of plain code.

        Args:
            node: The hint.
            scope: Where its names are looked up.
            later: Whether an awaitable has become a function that is called later, instead of its result.
        """
        if isinstance(node, cst.Subscript):
            return self._subscript(node, scope, later)
        if isinstance(node, cst.BinaryOperation):
            left, right = (self.plain(side, scope, later=later) for side in (node.left, node.right))
            return node.with_changes(left=left, right=right)
        if isinstance(node, (cst.List, cst.Tuple)):
            return node.with_changes(
                elements=[each.with_changes(value=self.plain(each.value, scope)) for each in node.elements]
            )
        if isinstance(node, cst.SimpleString):
            return self._text(node, scope, later)
        if isinstance(node, (cst.Name, cst.Attribute)):
            return self._name(node, scope)
        return node

    def _text(self, node: cst.SimpleString, scope: Optional[Scope], later: bool) -> cst.BaseExpression:
        """Return a hint in quotes, which names may stand in that are defined further down."""
        try:
            inner = cst.parse_expression(node.raw_value)
        except cst.ParserSyntaxError:
            return node
        new = cst.Module([]).code_for_node(self.plain(inner, scope, later=later))
        return node.with_changes(value=f"{node.prefix}{node.quote}{new}{node.quote}")

    def _subscript(self, node: cst.Subscript, scope: Optional[Scope], later: bool) -> cst.BaseExpression:
        module, name = self._hint(node.value, scope)
        if name in _AWAITABLES or f"{module}.{name}" in _TASKS:
            result = self.plain(_parameters(node)[-1], scope)
            return self._callable(node.value, module, result) if later else _with_parentheses_of(node, result)
        is_callable = name == "Callable"
        slices = [
            element.with_changes(slice=cst.Index(self.plain(parameter, scope, later=later and not is_callable)))
            for element, parameter in zip(node.slice, _parameters(node))
        ]
        if name == "AsyncGenerator" and len(slices) == 2:
            slices[-1] = slices[-1].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
            slices.append(cst.SubscriptElement(cst.Index(cst.Name("None"))))
        return node.with_changes(value=self._name(node.value, scope), slice=slices)

    def _callable(self, old: cst.BaseExpression, module: str, result: cst.BaseExpression) -> cst.BaseExpression:
        """Return the hint of a function without parameters."""
        home = module if module in ("collections.abc", "typing", "typing_extensions") else "typing"
        parameters = [
            cst.SubscriptElement(cst.Index(cst.List([])), comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))),
            cst.SubscriptElement(cst.Index(result)),
        ]
        return cst.Subscript(self._spelled(old if home == module else None, home, "Callable"), parameters)

    def _name(self, node: cst.BaseExpression, scope: Optional[Scope]) -> cst.BaseExpression:
        module, name = self._hint(node, scope)
        if name in _RENAMED:
            return self._spelled(node, module, _RENAMED[name])
        if f"{module}.{name}" in PRIMITIVES:
            self.needed.add(Needed("threading"))
            return cst.parse_expression(f"threading.{name}")
        return node

    def _spelled(self, old: Optional[cst.BaseExpression], module: str, name: str) -> cst.BaseExpression:
        """Return a name in the way in which an old one of the same module is written."""
        if isinstance(old, cst.Attribute):
            return old.with_changes(attr=cst.Name(name))
        self.needed.add(Needed(module, name))
        return cst.Name(name)

    def _hint(self, node: cst.BaseExpression, scope: Optional[Scope]) -> Sequence[str]:
        """Return the module and the name of a hint that may be one of asynchronous code; nothing for others."""
        full = imported_name(node, scope)
        module, _, name = full.rpartition(".")
        return (module, name) if module in _HOMES or full in _TASKS or full in PRIMITIVES else ("", "")


def _parameters(node: cst.Subscript) -> List[cst.BaseExpression]:
    return [element.slice.value if isinstance(element.slice, cst.Index) else cst.Ellipsis() for element in node.slice]


def _with_parentheses_of(old: cst.BaseExpression, new: cst.BaseExpression) -> cst.BaseExpression:
    return new.with_changes(lpar=[*old.lpar, *new.lpar], rpar=[*new.rpar, *old.rpar])
