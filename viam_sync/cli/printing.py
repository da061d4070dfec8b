"""Output: tables that are pretty on a terminal and tab-separated in a pipe, or JSON, one object a line."""

from __future__ import annotations

import json
import sys
from typing import Any, Callable, Iterable, List, Mapping, NamedTuple, Sequence

import viam_sync
from viam_sync.checks.urls import redact_urls
from viam_sync.display.cells import Look, cell_text
from viam_sync.display.tables import Table, blocks_of
from viam_sync.display.text_blocks import one_line, width_of

#: The width of what is between two columns.
_GAP = 2


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: Its name.
        text: Returns what stands in it, for an item.
        styles: The colours of some texts in it.
    """

    name: str
    text: Callable[[Any], str]
    styles: Mapping[str, str] = {}


def row_column(name: str) -> Column:
    """Return the column of what rows, which are dicts, have under a name."""
    return Column(name, lambda row: "" if row[name] is None else cell_text(row[name], Look()))


def on_terminal() -> bool:
    """Tell whether somebody reads the output on a terminal."""
    return sys.stdout.isatty()


def print_items(items: Iterable[Any], columns: Sequence[Column], as_json: bool) -> None:
    """Print things, one a line."""
    if as_json:
        for item in items:
            print_json(item)
        return
    rows = ([one_line(column.text(item)) for column in columns] for item in items)
    if on_terminal():
        _print_pretty([column.name for column in columns], list(rows), [column.styles for column in columns])
        return
    for row in rows:
        print("\t".join(row))


def print_record(value: Any, as_json: bool) -> None:
    """Print one thing, a field a line, with its secrets hidden."""
    if as_json:
        print_json(value)
        return
    rows = [[one_line(text) for text in row] for row in _fields(value)]
    if on_terminal():
        _print_pretty(["", ""], rows)
        return
    for row in rows:
        print("\t".join(row))


def _fields(value: Any) -> List[List[str]]:
    if isinstance(value, Mapping):
        return [[name, cell_text(each, Look())] for name, each in value.items() if each is not None]
    return [list(map(str, row)) for block in blocks_of(value, Look()) if isinstance(block, Table) for row in block.rows]


def print_json(value: Any) -> None:
    """Print a thing as one line of JSON, with its secrets hidden."""
    print(json.dumps(viam_sync.to_dict(value, secrets=False)), flush=True)


def counted(count: int, noun: str) -> str:
    """Return how many there are of something, such as ``1 file`` or ``1,200 files``."""
    return f"{count:,} {noun}{'s' * (count != 1)}"


def print_note(text: str) -> None:
    """Print a line that is not part of the output, on stderr."""
    print(one_line(redact_urls(text)), file=sys.stderr, flush=True)


def print_tree(branch: Mapping[str, Any]) -> None:
    """Print a tree of dicts: drawn on a terminal, and indented in a pipe; ``holds`` has what is below."""
    if not on_terminal():
        _print_indented(branch, "")
        return
    from rich.console import Console

    Console(highlight=False).print(_drawn(branch))


def _print_indented(branch: Mapping[str, Any], indent: str) -> None:
    print("\t".join([indent + one_line(branch["name"]), *map(one_line, _notes(branch))]))
    for each in branch.get("holds", ()):
        _print_indented(each, f"{indent}  ")


def _notes(branch: Mapping[str, Any]) -> List[str]:
    """Return what stands beside a name in a tree."""
    return [cell_text(value, Look()) for key, value in branch.items() if key not in ("name", "holds")]


def _drawn(branch: Mapping[str, Any]) -> Any:
    from rich.text import Text
    from rich.tree import Tree

    # The ID comes last, as it is long.
    notes = [*_notes({**branch, "kind": None, "id": None}), branch["id"]]
    label = Text(one_line(branch["name"]), "bold").append("  ".join(["", *filter(None, notes)]), "not bold dim")
    tree = Tree(label, guide_style="dim")
    for each in branch.get("holds", ()):
        tree.add(_drawn(each))
    return tree


def _print_pretty(names: Sequence[str], rows: List[List[str]], styles: Sequence[Mapping[str, str]] = ()) -> None:
    from rich.console import Console
    from rich.table import Table as PrettyTable
    from rich.text import Text

    console = Console(highlight=False)
    fitting = _fitting_columns([names, *rows], console.width) if any(names) else len(names)
    # Texts are no markup: a machine may be called "[red]".
    table = PrettyTable(box=None, pad_edge=False, show_header=any(names), header_style="bold")
    for name in names[:fitting]:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        cells = zip(row[:fitting], styles or [{}] * len(row))
        table.add_row(*(Text(text, style.get(text, "")) for text, style in cells))
    console.print(table)
    if fitting < len(names):
        console.print(Text(f"no room for {', '.join(names[fitting:])}", "dim"))


def _fitting_columns(rows: Sequence[Sequence[str]], room: int) -> int:
    """Return how many columns fit beside each other; those of the name and the ID are always there."""
    widths = [max(map(width_of, column)) for column in zip(*rows)]
    fitting = [count for count in range(2, len(widths) + 1) if sum(widths[:count]) + _GAP * (count - 1) <= room]
    return max(fitting, default=2)
