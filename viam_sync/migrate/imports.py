"""Rewrites the imports of the official SDK, and the dotted names that stand on them."""

from __future__ import annotations

from typing import Dict, Iterator, List, Mapping, Sequence, Tuple, Union

import libcst as cst
from libcst import metadata

from viam_sync.migrate.import_uses import Dotted, ImportedName, ImportUses, NameUse, imported_by
from viam_sync.migrate.official_names import is_package, renamed_part


def rewrite_imports(module: cst.Module) -> cst.Module:
    """Rewrite the imports of the official SDK's names that have a counterpart here.

    Names in the file stay as they are, as do texts. Names of machines stay the official ones, and in a file that drives
    machines also those that both need, such as ``DialOptions``, which ``viam_sync`` takes as well.

    Args:
        module: The file.

    Returns:
        The file with other imports.

    Example:
        >>> import libcst
        >>> from viam_sync.migrate.imports import rewrite_imports
        >>> rewrite_imports(libcst.parse_module("from viam.app.viam_client import ViamClient as Client")).code
        'from viam_sync.app.viam_client import ViamClient as Client'
    """
    wrapper = metadata.MetadataWrapper(module)
    uses = ImportUses(wrapper)
    return wrapper.module.visit(_Rewriter(uses)) if uses.has_viam else module


class _Rewriter(cst.CSTTransformer):
    """Rewrites imports, and the uses of modules that have another name now."""

    def __init__(self, found: ImportUses) -> None:
        super().__init__()
        self._found = found
        self._replaced: Dict[cst.CSTNode, cst.BaseExpression] = {}
        for use in found.uses:
            self._note(use)

    def _note(self, use: NameUse) -> None:
        """Note the part of a use that changes; a name that ``from … import`` binds stays as it is."""
        name, chain = use
        depth = name.count(".")
        if self._found.counterpart(name) is None or len(chain) == 1:
            return
        if name.startswith("viam."):
            # ``import viam.utils`` binds ``viam``; all other imports bind a name of the file's own.
            if use.local == "viam" and len(chain) == depth + 1:
                self._replaced[chain[-1]] = cst.Name("viam_sync")
            return
        old = renamed_part(name)
        part = chain[depth - old.count(".")]
        if isinstance(part, cst.Attribute):
            self._replaced[part] = _expression(self._found.counterpart(old) or old)

    def leave_Name(self, original_node: cst.Name, updated_node: cst.Name) -> cst.BaseExpression:
        return self._replaced.get(original_node, updated_node)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        return self._replaced.get(original_node, updated_node)

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> Union[cst.SimpleStatementLine, cst.FlattenSentinel[cst.SimpleStatementLine]]:
        body = self._rewritten(original_node.body, updated_node.body)
        if len(original_node.body) > 1 or len(body) < 2:
            return updated_node.with_changes(body=body)
        first, *others = (cst.SimpleStatementLine([each]) for each in body)
        kept = {"leading_lines": updated_node.leading_lines, "trailing_whitespace": updated_node.trailing_whitespace}
        return cst.FlattenSentinel([first.with_changes(**kept), *others])

    def leave_SimpleStatementSuite(
        self, original_node: cst.SimpleStatementSuite, updated_node: cst.SimpleStatementSuite
    ) -> cst.SimpleStatementSuite:
        return updated_node.with_changes(body=self._rewritten(original_node.body, updated_node.body))

    def _rewritten(
        self, originals: Sequence[cst.BaseSmallStatement], updated: Sequence[cst.BaseSmallStatement]
    ) -> List[cst.BaseSmallStatement]:
        """Return the small statements of a line, with other imports."""
        result: List[cst.BaseSmallStatement] = []
        for original, current in zip(originals, updated):
            if isinstance(original, cst.Import):
                result.append(self._plain_import(original))
            elif isinstance(original, cst.ImportFrom):
                result += self._from_import(original)
            else:
                result.append(current)
        return result

    def _plain_import(self, statement: cst.Import) -> cst.Import:
        found = {each.alias: each for each in imported_by(statement)}
        names: List[cst.ImportAlias] = []
        for alias in statement.names:
            modules = self._found.modules(found[alias]) if alias in found else [alias.evaluated_name]
            # Errors are used as ``viam_sync.GRPCError`` then, whatever the module was called.
            plain = alias in found and found[alias].name not in modules and found[alias].is_of_grpclib
            for each in modules:
                changed = alias.with_changes(name=_expression(each), asname=None if plain else alias.asname)
                if not any(changed.deep_equals(other) for other in names):
                    names.append(changed)
        return statement.with_changes(names=_joined(names, statement.names[-1].comma))

    def _from_import(self, statement: cst.ImportFrom) -> List[cst.BaseSmallStatement]:
        found = list(imported_by(statement))
        if not found:
            return [statement]
        if isinstance(statement.names, cst.ImportStar):
            module = self._found.counterpart(found[0].name) or found[0].name
            return [statement.with_changes(module=_expression(module))]
        plain: List[str] = []
        groups: Dict[str, List[cst.ImportAlias]] = {}
        for each in found:
            if each.is_of_grpclib and self._found.counterpart(each.name) is None:
                modules = self._found.modules(each)
                plain += (module for module in modules if module != each.name)
                if each.name not in modules:
                    continue
            module, alias = self._moved(each)
            groups.setdefault(module, []).append(alias)
        imports = [cst.Import([cst.ImportAlias(cst.Name(each))]) for each in dict.fromkeys(plain)]
        return [*imports, *_from_imports(statement, groups)]

    def _moved(self, imported: ImportedName) -> Tuple[str, cst.ImportAlias]:
        """Return the module that a name is imported from, and its part of the statement."""
        name, alias = imported.name, imported.alias
        stays = is_package(name) and name in self._found.modules(imported)
        module, _, last = ((not stays and self._found.counterpart(name)) or name).rpartition(".")
        if last == alias.evaluated_name:
            return module, alias
        asname = None if last == imported.local else cst.AsName(cst.Name(imported.local))
        return module, alias.with_changes(name=cst.Name(last), asname=asname)


def _from_imports(
    statement: cst.ImportFrom, groups: Mapping[str, Sequence[cst.ImportAlias]]
) -> Iterator[cst.ImportFrom]:
    """Give a statement for each module; the first one looks like the one that there was."""
    for number, (module, names) in enumerate(groups.items()):
        if number == 0:
            assert not isinstance(statement.names, cst.ImportStar)
            last = statement.names[-1].comma
            yield statement.with_changes(module=_expression(module), names=_joined(names, last))
        else:
            plain = [each.with_changes(comma=cst.MaybeSentinel.DEFAULT) for each in names]
            yield cst.ImportFrom(_expression(module), plain)


def _joined(names: Sequence[cst.ImportAlias], last: Union[cst.Comma, cst.MaybeSentinel]) -> List[cst.ImportAlias]:
    """Return names with what stood behind the last one before; a comment behind the one that is last now stays."""
    *others, end = names
    space = end.comma.whitespace_after if isinstance(end.comma, cst.Comma) else None
    closing = last.whitespace_after if isinstance(last, cst.Comma) else None
    if isinstance(space, cst.ParenthesizedWhitespace) and isinstance(closing, cst.ParenthesizedWhitespace):
        space = space.with_changes(indent=closing.indent, last_line=closing.last_line)
        last = cst.Comma(whitespace_after=space)
    return [*others, end.with_changes(comma=last)]


def _expression(name: str) -> Dotted:
    first, *others = name.split(".")
    expression: Dotted = cst.Name(first)
    for each in others:
        expression = cst.Attribute(expression, cst.Name(each))
    return expression
