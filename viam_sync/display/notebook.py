"""What IPython shows of messages, records and results, and of plain lists and tuples of them."""

import sys
from typing import Any, Callable, Optional

from google.protobuf.message import Message

from viam_sync.display.cells import Look, cell_text, field_text
from viam_sync.display.html_blocks import html_blocks
from viam_sync.display.shown_fields import is_well_known, shown_fields
from viam_sync.display.tables import blocks_of
from viam_sync.shown import is_shown
from viam_sync.transfer.paging.page_list import PageList

_LOOK = Look()


def html_of(value: Any) -> Optional[str]:
    """Return a message, a record or a result as HTML; None for one that stands for a single value, such as a time."""
    if isinstance(value, Message) and is_well_known(value.DESCRIPTOR):
        return None
    return html_blocks(blocks_of(value, _LOOK))


def print_pretty(value: Any, printer: Any) -> None:
    """Print a message or a record with the pretty printer of IPython: its fields, without secrets, bytes by size."""
    _show_lists()
    if isinstance(value, Message) and is_well_known(value.DESCRIPTOR):
        printer.text(cell_text(value, _LOOK))
        return
    name = type(value).__name__
    with printer.group(len(name) + 1, f"{name}(", ")"):
        for index, field in enumerate(shown_fields(value)):
            if index:
                printer.text(",")
                printer.breakable()
            printer.text(f"{field.name}=")
            if is_shown(field.value) and not field.secret:
                printer.pretty(field.value)
            else:
                text = field_text(field, _LOOK)
                printer.text(repr(text) if isinstance(field.value, str) and not field.secret else text or "None")


def running_shell() -> Any:
    """Return the IPython that this program runs in; None for another one, in which IPython is not loaded for it."""
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _show_lists() -> None:
    """Let the IPython that runs show lists and tuples of what is here as tables.

    It asks for the text of a value before its HTML, so the first such list is shown as a table already. That way, it
    does not matter which of the two packages is imported first, and nothing happens before something is shown.
    """
    shell = running_shell()
    if shell is None:
        return
    formatter = shell.display_formatter.formatters["text/html"]
    for kind in (list, tuple):
        before = formatter.for_type(kind)
        if not isinstance(before, _ListView):
            formatter.for_type(kind, _ListView(kind, before))


class _ListView:
    """Shows lists of what is here, and leaves all others to the function that did before."""

    def __init__(self, kind: type, before: Optional[Callable[[Any], Any]]) -> None:
        self._kind = kind
        self._before = before

    def __call__(self, value: Any) -> Any:
        if type(value) in (self._kind, PageList) and _holds_ours(value):
            return html_blocks(blocks_of(value, _LOOK))
        if self._before is not None:
            return self._before(value)
        # A list of another library may show itself; IPython does not ask it any more, as its type is a list.
        method = getattr(value, "_repr_html_", None)
        return None if method is None else method()


def _holds_ours(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(map(is_shown, value))
    # A method that returns several things, such as rows and their number.
    return any(is_shown(item) or (type(item) in (list, PageList) and _holds_ours(item)) for item in value)
