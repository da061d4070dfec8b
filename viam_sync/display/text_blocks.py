"""Tables as text for a terminal."""

import unicodedata
from typing import List, Sequence

from viam_sync.display.tables import Block, Cell, Table
from viam_sync.display.thumbnails import Picture

#: The number of places that a column of several takes, at most.
_WIDEST = 40


def text_blocks(blocks: Sequence[Block]) -> str:
    r"""Return blocks as text, without a character that would move the terminal's cursor or change its colours.

    Example:
        >>> from viam_sync.display.text_blocks import text_blocks
        >>> text_blocks(["\x1b[31mred"])
        '\\x1b[31mred'
    """
    return "\n\n".join(_text_table(block) if isinstance(block, Table) else one_line(block) for block in blocks)


def _text_table(table: Table) -> str:
    rows = [[one_line(_words(cell)) for cell in row] for row in table.rows]
    if table.columns:
        # The last column may be as wide as it is; most often, it is an ID.
        rows = [[*map(_clip, row[:-1]), row[-1]] for row in [[one_line(name) for name in table.columns], *rows]]
    widths = [max(map(width_of, column)) for column in zip(*rows)]
    lines = ["  ".join(map(_pad, row, widths)).rstrip() for row in rows]
    left = table.total - len(table.rows)
    return "\n".join([one_line(table.title), *lines, *([f"… and {left:,} more"] if left else [])])


def _words(cell: Cell) -> str:
    return cell.text if isinstance(cell, Picture) else cell


def one_line(text: str) -> str:
    r"""Return a text in one line, with escapes for characters that a terminal obeys.

    Example:
        >>> from viam_sync.display.text_blocks import one_line
        >>> one_line("red\n\x1b[31mcar")
        'red \\x1b[31mcar'
    """
    return "".join(each if each.isprintable() else " " if each.isspace() else ascii(each)[1:-1] for each in text)


def _clip(text: str) -> str:
    kept: List[str] = []
    room = _WIDEST
    for each in text:
        room -= width_of(each)
        if room < 1:
            break
        kept.append(each)
    return text if len(kept) == len(text) else f"{''.join(kept)}…"


def _pad(text: str, width: int) -> str:
    return text + " " * (width - width_of(text))


def width_of(text: str) -> int:
    """Return the number of places that a text takes on a terminal, where letters of East Asia take two.

    Example:
        >>> from viam_sync.display.text_blocks import width_of
        >>> width_of("rover"), width_of("機")
        (5, 2)
    """
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))
