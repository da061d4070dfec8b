"""What a migration leaves to a person, and where."""

from __future__ import annotations

import difflib
from typing import List, NamedTuple, Sequence


class Finding(NamedTuple):
    """A line that was left as it is, and the reason."""

    #: Line of the source before the migration, from 1.
    line: int
    reason: str


def moved(findings: Sequence[Finding], before: str, after: str) -> List[Finding]:
    r"""Return the findings with the lines on which they stand after the migration.

    Example:
        >>> from viam_sync.migrate.findings import Finding, moved
        >>> moved([Finding(3, "a machine")], "import asyncio\nimport os\nawait f()\n", "import os\nawait f()\n")
        [Finding(line=2, reason='a machine')]
    """
    old, new = before.split("\n"), after.split("\n")
    lines = list(range(1, len(old) + 1))
    for _, start, end, new_start, new_end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for line in range(start, end):
            # A line that changed is looked for at its place in the block that changed, at its end if that is shorter.
            lines[line] = 1 + max(new_start, min(new_start + line - start, new_end - 1))
    return [finding._replace(line=lines[finding.line - 1]) for finding in findings]
