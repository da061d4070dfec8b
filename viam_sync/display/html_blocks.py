"""Tables and pictures as HTML, readable on dark and on light pages: colours are the page's own, borders grey."""

from html import escape
from typing import Sequence

from viam_sync.display.tables import Block, Cell, Table
from viam_sync.display.thumbnails import Picture

#: Once for all cells, as a style of each would be most of the HTML; twice named, so that it wins over the page's.
_STYLE = (
    "<style>.viam-sync table.viam-sync{border-collapse:collapse;margin:4px 0;color:inherit}"
    ".viam-sync table.viam-sync :is(th,td){border:1px solid rgba(128,128,128,.4);padding:2px 8px;text-align:left;"
    "vertical-align:top;max-width:40em}"
    ".viam-sync table.viam-sync td{white-space:pre-wrap;overflow-wrap:anywhere}</style>"
)
_IMAGE = "display:block;max-width:240px;max-height:240px;margin:0;image-orientation:none"
_BOX = "position:absolute;box-sizing:border-box;border:2px solid #ff3b30"
#: On a picture, colours cannot be the page's.
_LABEL = (
    "position:absolute;top:0;left:0;font-size:10px;line-height:1.2;white-space:nowrap;"
    "color:#fff;background:rgba(0,0,0,.65)"
)


def html_blocks(blocks: Sequence[Block]) -> str:
    """Return blocks as HTML; all text in it is escaped.

    Example:
        >>> from viam_sync.display.html_blocks import html_blocks
        >>> html_blocks(["<script>"])
        '<div class="viam-sync"><div>&lt;script&gt;</div></div>'
    """
    parts = [_html_table(block) if isinstance(block, Table) else _tag("div", block) for block in blocks]
    style = _STYLE if any(isinstance(block, Table) for block in blocks) else ""
    return f'<div class="viam-sync">{style}{"".join(parts)}</div>'


def _html_table(table: Table) -> str:
    head = "".join(_tag("th", name) for name in table.columns)
    head = head and f"<thead><tr>{head}</tr></thead>"
    # Where there are no columns, the first cell of a row is the name of the second.
    first = "td" if table.columns else "th"
    body = "".join(
        f"<tr>{''.join(_html_cell(cell, 'td' if index else first) for index, cell in enumerate(row))}</tr>"
        for row in table.rows
    )
    left = table.total - len(table.rows)
    more = _tag("div", f"… and {left:,} more") if left else ""
    return f'{_tag("div", table.title)}<table class="viam-sync">{head}<tbody>{body}</tbody></table>{more}'


def _html_cell(cell: Cell, tag: str) -> str:
    if not isinstance(cell, Picture):
        return _tag(tag, cell)
    return f"<{tag}>{_html_picture(cell)}{_tag('small', cell.text, 'display:block')}</{tag}>"


def _html_picture(picture: Picture) -> str:
    if not picture.source:
        return ""
    boxes = "".join(
        f'<div style="{_BOX};left:{left:.2%};top:{top:.2%};width:{width:.2%};height:{height:.2%}">'
        f"{_tag('span', label, _LABEL)}</div>"
        for label, left, top, width, height in picture.boxes
    )
    image = f'<img src="{escape(picture.source)}" alt="{escape(picture.text)}" style="{_IMAGE}">'
    return f'<div style="position:relative;display:inline-block">{image}{boxes}</div>'


def _tag(tag: str, text: str, style: str = "") -> str:
    attribute = f' style="{style}"' if style else ""
    return f"<{tag}{attribute}>{escape(text)}</{tag}>"
