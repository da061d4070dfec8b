"""Functions of other files: those that the migration makes plain are called without ``await`` in all files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Mapping

import libcst as cst
from libcst import matchers
from libcst.helpers import get_full_name_for_node

from viam_sync.migrate.official_names import is_in
from viam_sync.migrate.script import parse


def made_plain(before: str, after: str) -> Dict[str, bool]:
    r"""Return the asynchronous functions and methods of a file that have become plain, by dotted name.

    Args:
        before: The file, before its migration.
        after: The file, migrated.

    Returns:
        Whether each was awaited; a generator was not.

    Example:
        >>> from viam_sync.migrate.other_files import made_plain
        >>> made_plain("class Fleet:\n  async def parts(self): ...", "class Fleet:\n  def parts(self): ...")
        {'Fleet.parts': True}
    """
    left = _asynchronous(after)
    return {name: is_awaited for name, is_awaited in _asynchronous(before).items() if name not in left}


def visible_from(path: Path, text: str, functions: Mapping[Path, Mapping[str, bool]]) -> Dict[str, bool]:
    """Return the functions of other files that a file may import, by the full names that it has for them.

    Args:
        path: The file.
        text: Its contents: functions of a module that it does not name are left out.
        functions: What became plain in each file.
    """
    found = {}
    for folder in path.parents:
        for other, names in functions.items():
            if other != path and folder in other.parents:
                module = _module(other.relative_to(folder))
                # The package that a file is in has no name in it.
                if not module or re.search(rf"\b{module[-1]}\b", text):
                    found.update({".".join([*module, name]): is_awaited for name, is_awaited in names.items()})
    return found


def handed_on(text: str, elsewhere: Mapping[str, bool]) -> Dict[str, bool]:
    """Return the functions of other files that a file imports by name, by the names that it has for them.

    Args:
        text: The file, such as the ``__init__.py`` of a package.
        elsewhere: The functions, by full name, and whether they were awaited.
    """
    found: Dict[str, bool] = {}
    for statement in matchers.findall(parse(text), matchers.ImportFrom()) if elsewhere else ():
        assert isinstance(statement, cst.ImportFrom)
        module = get_full_name_for_node(statement.module) if statement.module else None
        names = {"": ""}
        if not isinstance(statement.names, cst.ImportStar):
            names = {alias.evaluated_name: alias.evaluated_alias or alias.evaluated_name for alias in statement.names}
        for name, local in names.items():
            full = ".".join(filter(None, [module, name]))
            for each in elsewhere:
                if is_in(each, full):
                    found[f"{local}{each[len(full) :]}".lstrip(".")] = elsewhere[each]
    return found


def _module(path: Path) -> List[str]:
    parts = [*path.with_suffix("").parts]
    return parts[:-1] if parts[-1] == "__init__" else parts


def _asynchronous(text: str) -> Dict[str, bool]:
    collector = _Collector()
    parse(text).visit(collector)
    return collector.found


class _Collector(cst.CSTVisitor):
    """Collects the asynchronous functions and methods that other files can call."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Dict[str, bool] = {}
        self._within: List[str] = []

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._within.append(node.name.value)

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
        self._within.pop()

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        if node.asynchronous is not None:
            yields = _Yields()
            node.body.visit(yields)
            self.found[".".join([*self._within, node.name.value])] = not yields.found
        return False


class _Yields(cst.CSTVisitor):
    """Tells whether a function yields; what is defined in it may."""

    found = False

    def visit_Yield(self, node: cst.Yield) -> None:
        self.found = True

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:
        return False

    def visit_Lambda(self, node: cst.Lambda) -> bool:
        return False
