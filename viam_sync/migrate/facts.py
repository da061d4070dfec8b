"""The places of modules through which values move: assignments, loops, calls, returns."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Set, Tuple, Union

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, ParentNodeProvider, PositionProvider, Scope, ScopeProvider

from viam_sync.migrate.bound_names import ModuleNames, code_of

#: A function, or a lambda.
AnyFunction = Union[cst.FunctionDef, cst.Lambda]

#: What is asynchronous in itself.
Site = Union[cst.Await, cst.For, cst.With, cst.CompFor]

PROVIDERS = (ParentNodeProvider, PositionProvider, ScopeProvider)


class Binding(NamedTuple):
    """A name, or another target, that takes a value."""

    target: cst.CSTNode
    value: cst.BaseExpression
    #: How the target gets the value: "as it is", from "iteration" of it, or as the "entered" context.
    how: str = "as it is"


class Facts:
    """The places of the modules of a program, and where each of their nodes is."""

    def __init__(self, modules: Iterable[cst.Module]) -> None:
        self.modules = [*modules]
        self.scopes: Dict[cst.CSTNode, Optional[Scope]] = {}
        self.parents: Dict[cst.CSTNode, cst.CSTNode] = {}
        self._positions: Dict[cst.CSTNode, CodeRange] = {}
        self._names: Dict[cst.CSTNode, ModuleNames] = {}
        self._lines: Dict[cst.CSTNode, List[str]] = {}
        self.bindings: List[Binding] = []
        self.calls: List[cst.Call] = []
        self.functions: List[AnyFunction] = []
        self.classes: List[cst.ClassDef] = []
        self.annotated: List[cst.AnnAssign] = []
        self.attributes: Set[str] = set()
        self.returns: Dict[AnyFunction, List[cst.BaseExpression]] = {}
        self.yields: Dict[AnyFunction, List[cst.BaseExpression]] = {}
        #: What is asynchronous in itself: awaits, loops, contexts, comprehensions.
        self.sites: List[Site] = []
        for module in self.modules:
            self._read(module)

    def _read(self, module: cst.Module) -> None:
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        metadata: Mapping[Any, Mapping[cst.CSTNode, Any]] = wrapper.resolve_many(PROVIDERS)
        self.scopes.update(metadata[ScopeProvider])
        self.parents.update(metadata[ParentNodeProvider])
        self._positions.update(metadata[PositionProvider])
        self._names[module] = ModuleNames(module, metadata[ScopeProvider].values())
        self._lines[module] = re.split(r"\r\n|\r|\n", module.code)
        module.visit(_Collector(self))

    def names(self, node: cst.CSTNode) -> ModuleNames:
        """Return the names of the module in which a node is."""
        return self._names[self.module_of(node)]

    def is_migrated(self, node: cst.CSTNode) -> bool:
        """Whether the clients are those of this package where a node is, as in what was migrated before."""
        modules = [node] if self.names(node).is_of_viam else self.modules
        names = [each for each in map(self.names, modules) if each.is_of_viam]
        return all(each.is_migrated for each in names)

    def module_of(self, node: cst.CSTNode) -> cst.CSTNode:
        """Return the module in which a node is."""
        while node in self.parents:
            node = self.parents[node]
        return node

    def home_of(self, node: cst.CSTNode) -> cst.CSTNode:
        """Return the function in whose body a node is, or the module."""
        return self.function_of(node) or self.module_of(node)

    def shown(self, node: cst.CSTNode) -> str:
        """Return a node as it is written, on one line, shortened."""
        text = " ".join(code_of(node).split())
        return text if len(text) <= 60 else f"{text[:57]}..."

    def line(self, node: cst.CSTNode) -> int:
        """Return the line on which a node starts, from 1."""
        return int(self._positions[node].start.line)

    def start(self, node: cst.CSTNode) -> Tuple[int, int]:
        """Return the line and the column at which a node starts."""
        start = self._positions[node].start
        return start.line, start.column

    def follows_word(self, node: cst.BaseExpression) -> bool:
        """Whether the parentheses of an expression stand right behind a word, which they keep apart from it."""
        line, column = self.start(node)
        before = self._lines[self.module_of(node)][line - 1][:column]
        for _ in node.lpar:
            before = before.rstrip()[:-1]
        return before[-1:].isidentifier()

    def is_inside(self, node: cst.CSTNode, block: cst.CSTNode) -> bool:
        """Whether a node is part of another one."""
        while node is not block and node in self.parents:
            node = self.parents[node]
        return node is block

    def lacks_await(self, call: cst.Call) -> bool:
        """Whether a coroutine stands where only its result makes sense, as in some examples of the official SDK."""
        parent = self.parents[call]
        if isinstance(parent, cst.Assign):
            return isinstance(parent.targets[0].target, (cst.Tuple, cst.List))
        if isinstance(parent, (cst.For, cst.CompFor)):
            return parent.iter is call and parent.asynchronous is None
        return isinstance(parent, (cst.Expr, cst.Subscript, cst.WithItem))

    def function_of(self, node: cst.CSTNode) -> Optional[AnyFunction]:
        """Return the function in whose body a node is; None for the module."""
        child, parent = node, self.parents.get(node)
        while parent is not None:
            if isinstance(parent, (cst.FunctionDef, cst.Lambda)) and child is parent.body:
                return parent
            child, parent = parent, self.parents.get(parent)
        return None

    def class_of(self, function: AnyFunction) -> Optional[cst.ClassDef]:
        """Return the class that a function is a method of."""
        parent = self.parents.get(function)
        while isinstance(parent, (cst.IndentedBlock, cst.SimpleStatementLine, cst.If, cst.Else)):
            parent = self.parents.get(parent)
        return parent if isinstance(parent, cst.ClassDef) else None


class _Collector(cst.CSTVisitor):
    """Adds the places that it comes to."""

    def __init__(self, facts: Facts) -> None:
        super().__init__()
        self._facts = facts

    def visit_Assign(self, node: cst.Assign) -> None:
        self._facts.bindings += [Binding(target.target, node.value) for target in node.targets]

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._facts.annotated.append(node)
        if node.value is not None:
            self._facts.bindings.append(Binding(node.target, node.value))

    def visit_AugAssign(self, node: cst.AugAssign) -> None:
        self._facts.bindings.append(Binding(node.target, node.value))

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._facts.bindings.append(Binding(node.target, node.value))

    def visit_For(self, node: cst.For) -> None:
        self._facts.bindings.append(Binding(node.target, node.iter, "iteration"))
        if node.asynchronous:
            self._facts.sites.append(node)

    def visit_CompFor(self, node: cst.CompFor) -> None:
        self._facts.bindings.append(Binding(node.target, node.iter, "iteration"))
        if node.asynchronous:
            self._facts.sites.append(node)

    def visit_With(self, node: cst.With) -> None:
        for item in node.items:
            if item.asname is not None:
                self._facts.bindings.append(Binding(item.asname.name, item.item, "entered"))
        if node.asynchronous:
            self._facts.sites.append(node)

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self._facts.attributes.add(node.attr.value)

    def visit_Await(self, node: cst.Await) -> None:
        self._facts.sites.append(node)

    def visit_Call(self, node: cst.Call) -> None:
        self._facts.calls.append(node)

    def visit_Return(self, node: cst.Return) -> None:
        function = self._facts.function_of(node)
        if node.value is not None and function is not None:
            self._facts.returns.setdefault(function, []).append(node.value)

    def visit_Yield(self, node: cst.Yield) -> None:
        function = self._facts.function_of(node)
        if function is not None:
            values = self._facts.yields.setdefault(function, [])
            value = node.value.item if isinstance(node.value, cst.From) else node.value
            if value is not None:
                values.append(value)

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._facts.functions.append(node)

    def visit_Lambda(self, node: cst.Lambda) -> None:
        self._facts.functions.append(node)
        self._facts.returns[node] = [node.body]

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._facts.classes.append(node)
