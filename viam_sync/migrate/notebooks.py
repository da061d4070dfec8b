"""Migrates notebooks: the cells are one script, and whatever else is in the file stays as it is, byte by byte."""

from __future__ import annotations

import json
import re
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

from viam_sync.migrate.findings import Finding, moved
from viam_sync.migrate.json_spans import JsonValue, elements, members, replaced
from viam_sync.migrate.magics import Magics, is_other_language
from viam_sync.migrate.refusal import Refusal
from viam_sync.migrate.requirements import installed
from viam_sync.migrate.script import UnparsableError, parse

_BOUNDARY = re.compile(r"^__viam_sync_cell_\d+__\n", re.MULTILINE)
_OFFICIAL = re.compile(r"^\s*(import|from)\s+(viam|grpclib)\b", re.MULTILINE)


class _Cell(NamedTuple):
    """A cell with Python code.

    Attributes:
        number: Its place among all cells, from 1.
        span: Its code in the text of the file.
        head: Its cell magic, such as ``%%time``, with the end of the line.
        code: Its code, with names in the place of other magics.
    """

    number: int
    span: JsonValue
    head: str
    code: str


def joined_code(text: str) -> str:
    """Return the code of all cells of a notebook, as one script.

    Raises:
        Refusal: If the file is no notebook of the version 4, or a cell is not valid.
    """
    cells = _cells(text, Magics())
    return _joined(cells) if cells else ""


def migrate_notebook(
    text: str, migrate: Callable[[str], Tuple[str, List[Finding]]], *, writes: bool = False
) -> Tuple[str, List[Tuple[str, str]]]:
    """Migrate a notebook.

    Args:
        text: The contents of the file.
        migrate: The function that migrates a script, and returns it with what it leaves to a person.
        writes: Whether the file gets the new contents, so that the places are those in them.

    Returns:
        The contents, and the places and reasons of what is left to a person.

    Raises:
        Refusal: If the file is no notebook of the version 4, or a cell is not valid.
    """
    magics = Magics()
    cells = _cells(text, magics)
    if not cells:
        return text, []
    joined = _joined(cells)
    migrated, findings = migrate(joined)
    keeps = _OFFICIAL.search(migrated) is not None
    changes: List[Tuple[JsonValue, Any]] = []
    for cell, code in zip(cells, _split(migrated)):
        source = cell.head + magics.show(code, lambda line: installed(line, keeps=keeps))
        before = cell.span.value
        if source != _source(before):
            changes.append((cell.span, source if isinstance(before, str) else _lines(source)))
    if writes:
        joined, findings = migrated, moved(findings, joined, migrated)
    left = [(_place(joined, cells, each.line), each.reason) for each in findings]
    return replaced(text, changes), [*left, *_other_cells(text)]


def _cells(text: str, magics: Magics) -> List[_Cell]:
    """Return the cells with Python code; none if the notebook is in another language."""
    try:
        notebook = json.loads(text)
    except json.JSONDecodeError as error:
        raise Refusal(str(error.lineno), f"this is no JSON: {error.msg}") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not all(map(_is_cell, cells)):
        raise Refusal("", "this is no notebook of the version 4, which has a list of cells with their sources")
    if _language(notebook) != "python":
        return []
    found = []
    spans = elements(text, members(text, len(text) - len(text.lstrip()))["cells"].start)
    for number, span in enumerate(spans, 1):
        if span.value.get("cell_type") != "code" or is_other_language(_source(span.value["source"])):
            continue
        source = members(text, span.start)["source"]
        whole = _source(source.value)
        head = whole[: whole.find("\n") + 1] if whole.startswith("%%") else ""
        found.append(_valid(_Cell(number, source, head, magics.hide(whole[len(head) :]))))
    return found


def _other_cells(text: str) -> Iterator[Tuple[str, str]]:
    """Give the cells of other languages, such as those that become files, that import the official SDK."""
    for number, cell in enumerate(json.loads(text)["cells"], 1):
        source = _source(cell["source"])
        if cell.get("cell_type") == "code" and is_other_language(source) and _OFFICIAL.search(source):
            yield f"cell {number}:1", f"a cell of `{source.split()[0]}` stays as it is"


def _is_cell(cell: Any) -> bool:
    """Whether a value of the file is a cell; each has its source, a text or a list of lines."""
    source = cell.get("source") if isinstance(cell, dict) else None
    return isinstance(source, str) or (isinstance(source, list) and all(isinstance(line, str) for line in source))


def _language(notebook: Dict[str, Any]) -> str:
    """Return the language of a notebook; Python if nothing says it."""
    metadata = notebook.get("metadata")
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        about = metadata.get(part) if isinstance(metadata, dict) else None
        if isinstance(about, dict) and about.get(key):
            return str(about[key]).lower()
    return "python"


def _source(value: Any) -> str:
    """Return the code of a cell, which is a text or a list of lines."""
    return value if isinstance(value, str) else "".join(value)


def _lines(source: str) -> List[str]:
    """Return the lines of a cell as notebooks have them: each but the last with its end."""
    return re.findall(r"[^\n]*\n|[^\n]+", source)


def _valid(cell: _Cell) -> _Cell:
    """Return a cell, if its code is valid."""
    try:
        parse(cell.code)
        return cell
    except UnparsableError as error:
        raise Refusal(
            f"cell {cell.number}:{error.line + len(_lines(cell.head))}", f"this is not valid Python: {error.reason}"
        ) from None


def _joined(cells: List[_Cell]) -> str:
    """Return the code of all cells, with a statement before each but the first that names it."""
    first, *others = cells
    return first.code + "".join(f"\n__viam_sync_cell_{cell.number}__\n{cell.code}" for cell in others)


def _split(code: str) -> List[str]:
    """Return the code of each cell again."""
    *earlier, last = _BOUNDARY.split(code)
    return [each[:-1] for each in earlier] + [last]


def _place(code: str, cells: List[_Cell], line: int) -> str:
    """Return the cell and the line in it at which a line of the code of all cells stands."""
    before = _split("\n".join(code.split("\n")[:line]))
    cell = cells[len(before) - 1]
    return f"cell {cell.number}:{1 + (cell.head + before[-1]).count(chr(10))}"
