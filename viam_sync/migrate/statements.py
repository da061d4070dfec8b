"""Bodies of statements of which some go: their comments stay."""

from __future__ import annotations

from typing import Any, Iterable, List, Sequence, Tuple

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
