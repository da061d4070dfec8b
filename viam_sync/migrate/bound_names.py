"""The names of one module: what it imports, and what they stand for."""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Optional, Tuple

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import BaseAssignment, ImportAssignment, Scope

from viam_sync.migrate import cloud


class ModuleNames:
    """Looks names of a module up.

    Args:
        module: The module.
        scopes: The scopes of its nodes.

    Attributes:
        imports: The dotted names that it imports, each with the name it is bound to, and whether it is used.
        stars: The modules of which it imports all names.
    """

    def __init__(self, module: cst.Module, scopes: Iterable[Optional[Scope]]) -> None:
        self._scopes = {scope for scope in scopes if scope is not None}
        self.imports = imports_of(self._scopes)
        self.stars: List[str] = _stars(module)
        self._aliases: Dict[str, str] = {}

    @property
    def is_of_viam(self) -> bool:
        """Whether the module imports the official SDK, or this package."""
        return any(map(cloud.is_viam, self._imported()))

    @property
    def is_migrated(self) -> bool:
        """Whether the module imports this package, and nothing of the cloud from the official SDK."""
        names = [*self._imported()]
        return any(name.startswith("viam_sync") for name in names) and not any(
            cloud.is_cloud(name) for name in names if not name.startswith("viam_sync")
        )

    def _imported(self) -> Iterator[str]:
        yield from (name for name, _ in self.imports)
        yield from self.stars

    def assignments(self) -> Iterator[Tuple[Scope, BaseAssignment]]:
        """Give what sets the names of each scope."""
        for scope in self._scopes:
            for assignment in scope.assignments:
                yield scope, assignment

    def alias(self, module: str) -> str:
        """Return the name under which a script imports a module, if it is not its own, or its own is taken."""
        if module not in self._aliases:
            self._aliases[module] = self._alias(module)
        return self._aliases[module]

    def _alias(self, module: str) -> str:
        own = module.partition(".")[0]
        is_taken = False
        for _, assignment in self.assignments():
            names = {name.name for name in assignment.get_qualified_names_for(assignment.name)}
            is_import = isinstance(assignment, ImportAssignment)
            if is_import and module in names and assignment.name != own:
                return assignment.name
            is_taken |= assignment.name == own and not (is_import and own in names)
        return f"{own}_module" if is_taken else ""

    def is_bound(self, name: str) -> bool:
        """Whether a name stands for something anywhere in the module."""
        return any(name in scope.assignments for scope in self._scopes)


def code_of(node: cst.CSTNode) -> str:
    """Return a node as it is written."""
    return cst.Module([]).code_for_node(node)


def imported_name(node: cst.BaseExpression, scope: Optional[Scope]) -> str:
    """Return the dotted name of something imported, by the way it is written; or nothing."""
    first, dot, rest = code_of(node).partition(".")
    for assignment in scope[first] if scope is not None and first.isidentifier() else ():
        if isinstance(assignment, ImportAssignment):
            for name in assignment.get_qualified_names_for(first):
                return f"{name.name}{dot}{rest}"
    return ""


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


def _stars(module: cst.Module) -> List[str]:
    """Return the dotted names of the modules whose names a module imports, all of them, at its top."""
    found = []
    for line in module.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(statement, cst.ImportFrom) and isinstance(statement.names, cst.ImportStar):
                name = get_full_name_for_node(statement.module) if statement.module else None
                found.append("." * len(statement.relative) + (name or ""))
    return found
