"""Output: tables that are pretty on a terminal and tab-separated in a pipe, or JSON, one object a line."""

from __future__ import annotations

import json
import sys
from typing import Any, Callable, Iterable, List, Mapping, NamedTuple, Sequence

import viam_sync
from viam_sync.display.cells import Look, cell_text
from viam_sync.display.tables import Table, blocks_of
from viam_sync.display.text_blocks import one_line


class Column(NamedTuple):
    """A column of a table.

    Attributes:
        name: Its name.
        text: Returns what stands in it, for an item.
    """

    name: str
    text: Callable[[Any], str]


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
        _print_pretty([column.name for column in columns], list(rows))
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


def _print_pretty(names: Sequence[str], rows: List[List[str]]) -> None:
    from rich.console import Console
    from rich.table import Table as PrettyTable
    from rich.text import Text

    # Texts are no markup: a machine may be called "[red]".
    table = PrettyTable(box=None, pad_edge=False, show_header=any(names), header_style="bold")
    for name in names:
        table.add_column(Text(name), overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)
