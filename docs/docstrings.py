"""Griffe's reading of our docstrings: an "Example:" is a section of code, as its "Examples:" is."""

import re
from typing import Any

from griffe import Extension, Object


class OneExample(Extension):
    """Gives each section "Example:" the name that griffe knows."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rename the section in the docstring of an object."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"(?m)^(\s*)Example:$", r"\1Examples:", obj.docstring.value)
