"""Bodies of statements of which some go, or become others: their comments stay."""

from __future__ import annotations

from typing import Any, Iterable, List, Optional, Sequence, Tuple

import libcst as cst

#: A statement of a module or a block; the types of libcst have no common name for the leading lines of all.
Statement = Any


#: A statement, those that take its place, and lines with comments that stand behind these.
Group = Tuple[Statement, Sequence[Statement], Sequence[cst.EmptyLine]]


def rebuilt(groups: Iterable[Group]) -> Tuple[List[Statement], List[cst.EmptyLine]]:
    """Return the new statements of a body, and the comments at its end."""
    body: List[Statement] = []
    carried: List[cst.EmptyLine] = []
    for old, new, comments in groups:
        if not new:
            carried += [*old.leading_lines, *_trailing(old), *comments]
            continue
        lines = _joined(carried, [*new[0].leading_lines])
        body += [new[0].with_changes(leading_lines=lines), *new[1:]]
        carried = [*comments]
    return body, carried if any(line.comment for line in carried) else []


def _trailing(old: Statement) -> List[cst.EmptyLine]:
    comment = old.trailing_whitespace.comment if isinstance(old, cst.SimpleStatementLine) else None
    return [cst.EmptyLine(comment=comment)] if comment else []


def _joined(carried: List[cst.EmptyLine], lines: List[cst.EmptyLine]) -> List[cst.EmptyLine]:
    """Return the lines above a statement; blank ones of its own stand for those above the statement before it."""
    if not any(line.comment for line in carried) and lines and not lines[0].comment:
        return lines
    return [*carried, *lines]


def expression_of(line: Statement) -> Optional[cst.BaseExpression]:
    """Return the expression that a line consists of."""
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return None
    return line.body[0].value if isinstance(line.body[0], cst.Expr) else None


def spread(line: cst.SimpleStatementLine) -> List[Statement]:
    """Return a statement of its own for each call in a display whose value nothing uses."""
    value = expression_of(line)
    if "#" in cst.Module([]).code_for_node(
        line.with_changes(leading_lines=[], trailing_whitespace=cst.TrailingWhitespace())
    ):
        return [line]
    if isinstance(value, cst.ListComp) and value.for_in.inner_for_in is None and not value.for_in.ifs:
        body = cst.IndentedBlock([cst.SimpleStatementLine([cst.Expr(value.elt)])])
        return [cst.For(value.for_in.target, value.for_in.iter, body, leading_lines=line.leading_lines)]
    if not isinstance(value, cst.List) or any(isinstance(each, cst.StarredElement) for each in value.elements):
        return [line]
    lines = [cst.SimpleStatementLine([cst.Expr(each.value)]) for each in value.elements]
    if not lines:
        return [line]
    lines[0] = lines[0].with_changes(leading_lines=line.leading_lines)
    lines[-1] = lines[-1].with_changes(trailing_whitespace=line.trailing_whitespace)
    return list(lines)


def _is_without_end(node: Statement) -> bool:
    """Whether a statement is a `try` whose `finally` has nothing left to do."""
    return isinstance(node, cst.Try) and node.finalbody is not None and not node.finalbody.body.body


def left_of_finally(node: Statement) -> List[cst.EmptyLine]:
    """Return the comments of a `finally` that has nothing left to do."""
    return [*node.finalbody.body.footer] if _is_without_end(node) else []


def unwrapped(node: Statement) -> List[Statement]:
    """Return a statement; without the `finally` that has nothing left to do, and the `try` that needs it."""
    if not _is_without_end(node):
        return [node]
    if node.handlers:
        return [node.with_changes(finalbody=None)]
    if not isinstance(node.body, cst.IndentedBlock) or not node.body.body:
        return [node]
    body: List[Statement] = [*node.body.body]
    first, *rest = body
    return [first.with_changes(leading_lines=[*node.leading_lines, *first.leading_lines]), *rest]
