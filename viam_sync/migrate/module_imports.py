"""The imports of asynchronous modules that a migrated script no longer uses, and those that it uses now."""

from __future__ import annotations

from typing import Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

import libcst as cst
from libcst.metadata import MetadataWrapper, ScopeProvider

from viam_sync.migrate.bound_names import imports_of
from viam_sync.migrate.statements import Group, Statement, rebuilt

#: Modules whose names go where nothing uses them any more.
_WATCHED = ("asyncio", "collections.abc", "contextlib", "nest_asyncio", "pytest_asyncio", "typing", "typing_extensions")

Import = Union[cst.Import, cst.ImportFrom]


class Needed(NamedTuple):
    """A module, or a name of one, that the new code speaks of."""

    module: str
    name: str = ""
    alias: str = ""

    @property
    def bound(self) -> str:
        """The name that the import gives to the script."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def text(self) -> str:
        """The statement."""
        tail = f" as {self.alias}" if self.alias else ""
        return f"from {self.module} import {self.name}{tail}" if self.name else f"import {self.module}{tail}"


#: A name that is imported, and the one that the script has for it; and whether it is used.
Imports = Mapping[Tuple[str, str], bool]


def tidy(old: Imports, module: cst.Module, needed: Iterable[Needed], helpers: Iterable[str]) -> cst.Module:
    """Take out imports that the migration left without a use, and add what the new code needs.

    Args:
        old: The imports of the module as it was.
        module: The module as it is now.
        needed: What has to be imported.
        helpers: Functions that it calls, as text; they stand below its imports.
    """
    wrapper = MetadataWrapper(cst.parse_module(module.code), unsafe_skip_copy=True)
    new = imports_of(wrapper.resolve(ScopeProvider).values())
    unused = {key for key, is_used in new.items() if not is_used and old.get(key)}
    missing = [need for need in sorted(set(needed)) if (_dotted(need), need.bound) not in new]
    if unused or missing:
        imports = _Imports(unused, missing)
        module = _added(module.visit(imports), imports.missing)
    return _helped(module, helpers)


def _dotted(need: Needed) -> str:
    return f"{need.module}.{need.name}" if need.name else need.module if need.alias else need.bound


class _Imports(cst.CSTTransformer):
    """Takes out what is unused, and puts what is missing in its place."""

    def __init__(self, unused: Set[Tuple[str, str]], missing: Sequence[Needed]) -> None:
        super().__init__()
        self._unused = {key for key in unused if any(f"{key[0]}.".startswith(f"{name}.") for name in _WATCHED)}
        self.missing = list(missing)

    def leave_Module(self, original_node: cst.Module, updated_node: cst.Module) -> cst.Module:
        groups: List[Group] = [(line, self._line(line, is_top=True), []) for line in updated_node.body]
        body, comments = rebuilt(groups)
        if body and groups and not groups[0][1] and not updated_node.header:
            body[0] = body[0].with_changes(leading_lines=_unpadded(body[0].leading_lines))
        return updated_node.with_changes(body=body, footer=[*comments, *updated_node.footer])

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        body, comments = rebuilt((line, self._line(line, is_top=False), []) for line in updated_node.body)
        return updated_node.with_changes(body=body, footer=[*comments, *updated_node.footer])

    def _line(self, line: Statement, *, is_top: bool) -> List[Statement]:
        """Return what stands for a line of a body."""
        if not isinstance(line, cst.SimpleStatementLine):
            return [line]
        small: List[cst.BaseSmallStatement] = []
        for statement in line.body:
            changed = self._changed(statement) if isinstance(statement, (cst.Import, cst.ImportFrom)) else statement
            if changed is not None:
                small.append(changed)
        if len(small) == len(line.body):
            return [line.with_changes(body=small)]
        if small:
            return [line.with_changes(body=[*small[:-1], small[-1].with_changes(semicolon=cst.MaybeSentinel.DEFAULT)])]
        return self._replaced(line) if is_top else []

    def _replaced(self, line: cst.SimpleStatementLine) -> List[Statement]:
        """Return the imports of missing modules in the place of one that goes."""
        modules = [need for need in self.missing if not need.name]
        self.missing = [need for need in self.missing if need.name]
        lines = [_statement(need) for need in modules]
        if lines:
            lines[0] = lines[0].with_changes(leading_lines=line.leading_lines)
        return list(lines)

    def _changed(self, statement: Import) -> Optional[Import]:
        """Return an import without what is unused; None if nothing is left of it."""
        if isinstance(statement.names, cst.ImportStar):
            return statement
        prefix = _module(statement)
        kept = [alias for alias in statement.names if not self._is_unused(prefix, alias)]
        if len(kept) == len(statement.names):
            return statement
        if isinstance(statement, cst.ImportFrom):
            kept = self._filled(prefix, list(statement.names), kept)
        if not kept:
            return None
        if not isinstance(statement, cst.ImportFrom) or statement.lpar is None:
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return statement.with_changes(names=kept)

    def _filled(self, module: str, names: List[cst.ImportAlias], kept: List[cst.ImportAlias]) -> List[cst.ImportAlias]:
        """Return the names with missing ones of the same module in the places of those that go."""
        new = [need for need in self.missing if need.name and need.module == module]
        result: List[cst.ImportAlias] = []
        for alias in names:
            if alias in kept:
                result.append(alias)
            elif new:
                need = new.pop(0)
                self.missing.remove(need)
                result.append(cst.ImportAlias(cst.Name(need.name), comma=alias.comma))
        return result

    def _is_unused(self, prefix: str, alias: cst.ImportAlias) -> bool:
        name = f"{prefix}.{alias.evaluated_name}" if prefix else alias.evaluated_name
        bound = alias.evaluated_alias or (name.rpartition(".")[2] if prefix else name)
        return (name, bound) in self._unused


def _module(statement: Import) -> str:
    if isinstance(statement, cst.Import) or statement.module is None or statement.relative:
        return ""
    return cst.Module([]).code_for_node(statement.module)


def _statement(need: Needed) -> cst.SimpleStatementLine:
    line = cst.parse_statement(need.text)
    assert isinstance(line, cst.SimpleStatementLine)
    return line


def _added(module: cst.Module, missing: Sequence[Needed]) -> cst.Module:
    """Return a module with imports: of modules before the first of its own, of names behind the last."""
    body = list(module.body)
    places = [number for number, line in enumerate(body) if _is_import(line)]
    names = [_statement(need) for need in missing if need.name]
    modules = [_statement(need) for need in missing if not need.name]
    if not places:
        return module.with_changes(body=_begun_with(body, [*modules, *names], module.get_docstring() is not None))
    first, last = places[0], places[-1] + 1
    if modules:
        modules[0] = modules[0].with_changes(leading_lines=body[first].leading_lines)
        body[first] = body[first].with_changes(leading_lines=[])
    return module.with_changes(body=[*body[:first], *modules, *body[first:last], *names, *body[last:]])


def _begun_with(body: List[Statement], imports: List[Statement], has_docstring: bool) -> List[Statement]:
    """Return a body without imports of its own with some at its top."""
    index = int(has_docstring)
    blank = [cst.EmptyLine(indent=False)]
    if imports and index:
        imports[0] = imports[0].with_changes(leading_lines=blank)
    if imports and body[index:]:
        body[index] = body[index].with_changes(leading_lines=[*blank, *_unpadded(body[index].leading_lines)])
    return [*body[:index], *imports, *body[index:]]


def _helped(module: cst.Module, helpers: Iterable[str]) -> cst.Module:
    """Return a module with functions below the imports at its top."""
    body = list(module.body)
    last = max((number for number, line in enumerate(body) if _is_import(line)), default=-1)
    for text in helpers:
        blank = [cst.EmptyLine(indent=False)] * 2
        function = cst.parse_statement(text).with_changes(leading_lines=blank)
        body.insert(last + 1, function)
        if body[last + 2 :] and not body[last + 2].leading_lines:
            body[last + 2] = body[last + 2].with_changes(leading_lines=blank)
    return module.with_changes(body=body)


def _is_import(line: Statement) -> bool:
    """Whether a line imports something, and not from the future."""
    if not isinstance(line, cst.SimpleStatementLine) or not isinstance(line.body[0], (cst.Import, cst.ImportFrom)):
        return False
    return _module(line.body[0]) != "__future__"


def _unpadded(lines: Sequence[cst.EmptyLine]) -> List[cst.EmptyLine]:
    """Return leading lines without blank ones at the start."""
    return [line for number, line in enumerate(lines) if line.comment or any(e.comment for e in lines[:number])]
