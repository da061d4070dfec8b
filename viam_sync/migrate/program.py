"""The modules that are migrated together, and the imports between them."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Set, Tuple

import libcst as cst
from libcst.metadata import Assignment, ImportAssignment, Scope

from viam_sync.migrate.bound_names import imported_name
from viam_sync.migrate.facts import Facts
from viam_sync.migrate.links import ImportedFile, Links


class Program:
    """Finds modules by the names that others have for them.

    Args:
        modules: The modules, by the paths of their files.
    """

    def __init__(self, modules: Mapping[Path, cst.Module]) -> None:
        self._modules = modules
        self._paths: Dict[cst.CSTNode, Path] = {module: path for path, module in modules.items()}
        self._links = Links(modules)

    def find(self, importer: cst.CSTNode, name: str) -> Optional[Tuple[cst.Module, str]]:
        """Return the module that a dotted name begins with, and the rest of the name; None if it is not one of these.

        Args:
            importer: The module with the import.
            name: The name, with the dots of a relative one.
        """
        return self._linked(self._links.find(self._paths[importer], name))

    def submodule(self, package: cst.CSTNode, name: str) -> Optional[cst.Module]:
        """Return a module of the package that a module is."""
        path = self._paths[package]
        found = self._linked(self._links.below(path.parent, [name])) if path.name == "__init__.py" else None
        return found[0] if found is not None and not found[1] else None

    def starred(self, facts: Facts, module: cst.CSTNode) -> List[cst.Module]:
        """Return the modules whose names a module imports, all of them, and those whose names they import so."""
        found: List[cst.Module] = []
        importers = [module]
        for importer in importers:
            linked = (self.find(importer, star) for star in facts.names(importer).stars)
            new = [each[0] for each in linked if each is not None and not each[1] and each[0] not in importers]
            found += new
            importers += new
        return found

    def definitions(self, facts: Facts, node: cst.BaseExpression, scope: Optional[Scope]) -> Iterator[cst.CSTNode]:
        """Give the statements that define what a name stands for, in whichever module they are."""
        if isinstance(node, cst.Name) and scope is not None:
            yield from self._defined(facts, scope, node.value, set())
        elif isinstance(node, cst.Attribute):
            found = self.find(facts.module_of(node), imported_name(node, scope))
            if found is not None:
                yield from self._defined(facts, facts.scopes[found[0]], found[1], set())

    def _defined(
        self, facts: Facts, scope: Optional[Scope], name: str, seen: Set[Tuple[Scope, str]]
    ) -> Iterator[cst.CSTNode]:
        if scope is None or (scope, name) in seen:
            return
        seen.add((scope, name))
        for assignment in scope[name]:
            if isinstance(assignment, ImportAssignment):
                for each in assignment.get_qualified_names_for(name):
                    found = self.find(facts.module_of(assignment.node), each.name)
                    if found is not None:
                        yield from self._defined(facts, facts.scopes[found[0]], found[1], seen)
            elif isinstance(assignment, Assignment):
                yield assignment.node

    def _linked(self, link: Optional[ImportedFile]) -> Optional[Tuple[cst.Module, str]]:
        return (self._modules[link.path], link.rest) if link is not None else None
