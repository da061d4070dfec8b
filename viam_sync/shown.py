"""What notebooks ask of an object, answered by the room ``display``, which is loaded when something is shown."""

import importlib
from typing import Any, Optional

from viam_sync.checks.near_names import NamedAttributes


class Shown:
    """The base of records and results: a table in a notebook, and short text in IPython.

    The classes of messages get the two methods, too, as nothing can be their base.
    """

    def _repr_html_(self) -> Optional[str]:
        html: Optional[str] = importlib.import_module("viam_sync.display.notebook").html_of(self)
        return html

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        importlib.import_module("viam_sync.display.notebook").print_pretty(self, printer)


class ShortRepr(NamedAttributes, Shown):
    """The base of records: their ``repr`` is one short line without secrets, and errors name their attributes."""

    # IPython takes the first of the two that it finds in the classes of an object, from the last one on.
    _repr_pretty_ = Shown._repr_pretty_

    def __repr__(self) -> str:
        text: str = importlib.import_module("viam_sync.display.short_repr").short_repr(self)
        return text


def show_in_notebooks(cls: Any) -> None:
    """Let notebooks show the messages of a class, which has no method of these names."""
    cls._repr_html_ = Shown._repr_html_
    cls._repr_pretty_ = Shown._repr_pretty_


def is_shown(value: Any) -> bool:
    """Tell whether notebooks show a value by what is here: a record, a result or a message of this package."""
    return getattr(type(value), "_repr_html_", None) is Shown._repr_html_
