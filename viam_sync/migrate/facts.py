"""The places of a module through which values move: assignments, loops, calls, returns."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Set, Tuple, Union

import libcst as cst
from libcst.metadata import (
    ImportAssignment,
    MetadataWrapper,
    ParentNodeProvider,
    PositionProvider,
    Scope,
    ScopeProvider,
)

from viam_sync.migrate import cloud

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
    """The places of one module, and where each of its nodes is."""

    def __init__(self, module: cst.Module) -> None:
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        metadata: Mapping[Any, Mapping[cst.CSTNode, Any]] = wrapper.resolve_many(PROVIDERS)
        self.module = module
        self.scopes: Mapping[cst.CSTNode, Optional[Scope]] = metadata[ScopeProvider]
        self.imports = imports_of(self.scopes.values())
        self.parents: Mapping[cst.CSTNode, cst.CSTNode] = metadata[ParentNodeProvider]
        self._positions = metadata[PositionProvider]
        self._lines = re.split(r"\r\n|\r|\n", module.code)
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
        module.visit(_Collector(self))

    @property
    def names_viam(self) -> bool:
        """Whether the module imports the official SDK, or this package."""
        return any(cloud.is_viam(name) for name, _ in self.imports)

    @property
    def names_ours(self) -> bool:
        """Whether the module imports this package, as one that was migrated before does."""
        return any(name.partition(".")[0] == "viam_sync" for name, _ in self.imports)

    def shown(self, node: cst.CSTNode) -> str:
        """Return a node as it is written, on one line, shortened."""
        text = " ".join(self.module.code_for_node(node).split())
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
        before = self._lines[line - 1][:column]
        for _ in node.lpar:
            before = before.rstrip()[:-1]
        return before[-1:].isidentifier()

    def alias(self, module: str) -> str:
        """Return the name under which a script imports a module, if it is not its own, or its own is taken."""
        own = module.partition(".")[0]
        is_taken = False
        for scope in {scope for scope in self.scopes.values() if scope is not None}:
            for assignment in scope.assignments:
                names = {name.name for name in assignment.get_qualified_names_for(assignment.name)}
                is_import = isinstance(assignment, ImportAssignment)
                if is_import and module in names and assignment.name != own:
                    return assignment.name
                is_taken |= assignment.name == own and not (is_import and own in names)
        return f"{own}_module" if is_taken else ""

    def imported_name(self, node: cst.BaseExpression, scope: Optional[Scope]) -> str:
        """Return the dotted name of something imported, by the way it is written; or nothing."""
        first, dot, rest = self.module.code_for_node(node).partition(".")
        for assignment in scope[first] if scope is not None and first.isidentifier() else ():
            if isinstance(assignment, ImportAssignment):
                for name in assignment.get_qualified_names_for(first):
                    return f"{name.name}{dot}{rest}"
        return ""

    def is_bound(self, name: str) -> bool:
        """Whether a name stands for something anywhere in the module."""
        return any(scope is not None and name in scope.assignments for scope in set(self.scopes.values()))

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


def imports_of(scopes: Iterable[Optional[Scope]]) -> Dict[Tuple[str, str], bool]:
    """Return the dotted names that a module imports, each with the name it is bound to, and whether it is used."""
    found: Dict[Tuple[str, str], bool] = {}
    for scope in set(scopes):
        for assignment in scope.assignments if scope is not None else ():
            if isinstance(assignment, ImportAssignment):
                for name in assignment.get_qualified_names_for(assignment.name):
                    key = (name.name, assignment.name)
                    found[key] = found.get(key, False) or bool(assignment.references)
    return found


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
