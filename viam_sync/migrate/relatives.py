"""The classes of a program: which inherit from which, and their methods."""

from __future__ import annotations

from typing import Dict, Iterator, List, Tuple

import libcst as cst

from viam_sync.migrate.facts import AnyFunction, Facts
from viam_sync.migrate.program import Program


class Relatives:
    """The classes of a program, each with all that inherit from it, or it from."""

    def __init__(self, facts: Facts, program: Program) -> None:
        self._families = _families(facts, program)
        self._methods: Dict[str, List[Tuple[cst.ClassDef, cst.FunctionDef]]] = {}
        for function in facts.functions:
            home = facts.class_of(function)
            if home is not None and isinstance(function, cst.FunctionDef):
                self._methods.setdefault(function.name.value, []).append((home, function))

    def family(self, node: cst.ClassDef) -> cst.ClassDef:
        """Return what stands for a class and its relatives."""
        return self._families[node]

    def methods(self, node: cst.ClassDef, name: str) -> List[cst.FunctionDef]:
        """Return the methods of one name in a class and in its relatives."""
        family = self.family(node)
        return [method for home, method in self._methods.get(name, ()) if self.family(home) is family]

    def all_methods(self, node: cst.ClassDef) -> Iterator[cst.FunctionDef]:
        """Yield all methods of a class and its relatives."""
        for name in self._methods:
            yield from self.methods(node, name)

    def fields(self, node: cst.ClassDef) -> List[str]:
        """Return the names that have type hints in the body of a class, in order, as those of a dataclass."""
        lines = (line for line in node.body.body if isinstance(line, cst.SimpleStatementLine))
        hints = (part for line in lines for part in line.body if isinstance(part, cst.AnnAssign))
        return [hint.target.value for hint in hints if isinstance(hint.target, cst.Name)]

    def methods_anywhere(self, name: str) -> List[cst.FunctionDef]:
        """Return the methods of one name in all classes."""
        return [method for _, method in self._methods.get(name, ())]


def is_decorated(function: AnyFunction, name: str) -> bool:
    """Whether a function has a built-in decorator of a name."""
    return isinstance(function, cst.FunctionDef) and any(
        isinstance(decorator.decorator, cst.Name) and decorator.decorator.value == name
        for decorator in function.decorators
    )


def _families(facts: Facts, program: Program) -> Dict[cst.ClassDef, cst.ClassDef]:
    """Return, for each class, one that stands for all its relatives."""
    families = {node: node for node in facts.classes}
    for node in facts.classes:
        for base in node.bases:
            for parent in program.definitions(facts, base.value, facts.scopes[node]):
                if isinstance(parent, cst.ClassDef) and families[parent] is not families[node]:
                    old = families[node]
                    families.update({other: families[parent] for other, family in families.items() if family is old})
    return families
