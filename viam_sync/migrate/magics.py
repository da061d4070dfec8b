"""Hides the lines of a notebook that IPython alone understands, such as ``%pip install``, from the migration."""

from __future__ import annotations

import re
from typing import Callable, List

from viam_sync.migrate.script import UnparsableError, parse

#: A magic, a command of the shell, one whose output is assigned, a question for help, or a magic without its sign.
_LINE = re.compile(
    r"""(?P<indent>\s*)(?:
        [%!?]
      | [\w, ]+=\s*[%!](?!=)
      | [\w.]+\?{1,2}\s*$
      | (?:pip3?|conda|mamba|cd|ls|cat|cp|mv|mkdir)\s+[\w./~-]
    )""",
    re.VERBOSE,
)
#: A magic that runs Python on its line, with its options.
_PYTHON_LINE = re.compile(r"(?P<indent>\s*)(?P<magic>%(?:time|timeit|prun)\s+(?:-\S+\s+(?:\d+\s+)?)*)(?P<code>\S.*)")
#: Cell magics whose cell is Python.
_PYTHON_CELL = re.compile(r"\s*%%(time|timeit|capture|prun)\b")
_HIDDEN = re.compile(r"^(?P<indent>[ \t]*)__viam_sync_line_(?P<number>\d+)__(?:; )?", re.MULTILINE)


def is_other_language(source: str) -> bool:
    """Tell whether a cell is not Python, as a cell magic such as ``%%bash`` says."""
    return source.lstrip().startswith("%%") and not _PYTHON_CELL.match(source)


class Magics:
    """The hidden lines of a notebook.

    Attributes:
        lines: The lines, in order.
    """

    def __init__(self) -> None:
        self.lines: List[str] = []

    def hide(self, source: str) -> str:
        """Return the code of a cell with a name in the place of each line that is not Python."""
        if _is_python(source):
            return source
        shown, lines = [], iter(source.split("\n"))
        for line in lines:
            found = _LINE.match(line)
            if not found:
                shown.append(line)
                continue
            while line.endswith("\\"):
                line += "\n" + next(lines, "")
            shown.append(self._hidden(line, found["indent"]))
        return "\n".join(shown)

    def _hidden(self, line: str, indent: str) -> str:
        """Return a name in the place of a line, or of its magic, if the rest is Python."""
        timed = _PYTHON_LINE.fullmatch(line)
        is_python = timed is not None and _is_python(timed["code"])
        name = f"{indent}__viam_sync_line_{len(self.lines)}__"
        self.lines.append(timed["magic"] if timed and is_python else line[len(indent) :])
        return f"{name}; {timed['code']}" if timed and is_python else name

    def show(self, source: str, change: Callable[[str], str]) -> str:
        """Return code with the hidden lines in their places again, each changed."""
        return _HIDDEN.sub(lambda found: found["indent"] + change(self.lines[int(found["number"])]), source)


def _is_python(source: str) -> bool:
    try:
        parse(source)
    except UnparsableError:
        return False
    return True
