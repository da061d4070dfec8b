"""The blocks of code on the pages of the documentation, with the marks that stand above them.

A mark is a comment of HTML directly above a block, which no reader sees. Below the title of a page, it holds for all of
its blocks:

    <!-- given: CODE -->          runs before the block, which needs something that the page only speaks of
    <!-- needs: PACKAGE ... -->   leaves the block out where these are not installed
    <!-- run by: tests/... -->    another test runs it
    <!-- not run: REASON -->      nothing can run it
"""

import re
from pathlib import Path
from typing import Iterator, List, NamedTuple, Tuple

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]

_MARK = re.compile(r"<!-- (given|needs|run by|not run): (.*?) -->")
_BLOCK = re.compile(
    r"(?P<above>(?:^ *<!--[^\n]*-->\n)*)^(?P<indent> *)```(?P<kind>\w*)\n(?P<code>.*?)^ *```$", re.M | re.S
)
_OF_THE_PAGE = re.compile(r"\A# .*\n\n((?:<!--.*-->\n)+)\n")

Mark = Tuple[str, str]


class CodeBlock(NamedTuple):
    """A block: its page, its line, what it is written in, its code, and the marks above it."""

    page: str
    line: int
    kind: str
    code: str
    marks: List[Mark]

    def marked(self, name: str) -> List[str]:
        """Return what each mark of a name says."""
        return [text for mark, text in self.marks if mark == name]


def name_of(page: Path) -> str:
    """Return the path of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


def code_blocks(page: Path) -> Iterator[CodeBlock]:
    """Yield the blocks of a page from above."""
    text = page.read_text(encoding="utf-8")
    of_the_page = _OF_THE_PAGE.match(text)
    for found in _BLOCK.finditer(text):
        marks = _MARK.findall(found["above"]) + (_MARK.findall(of_the_page[1]) if of_the_page else [])
        code = re.sub(rf"(?m)^{found['indent']}", "", found["code"])
        yield CodeBlock(name_of(page), text.count("\n", 0, found.start("kind")), found["kind"], code, marks)
