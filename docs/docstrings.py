"""Griffe's reading of our code, where it and Python's own differ."""

import re
from itertools import takewhile
from typing import Any

from griffe import Attribute, Class, Docstring, Extension, Object


class OurDocstrings(Extension):
    """Knows the section "Example:", comments that begin with "#:", and classes that are made by ``__new__`` alone."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Call the section of examples of an object by the name that griffe knows."""
        if obj.docstring is not None:
            obj.docstring.value = re.sub(r"(?m)^(\s*)Example:$", r"\1Examples:", obj.docstring.value)

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Give a class without an ``__init__`` the parameters of its ``__new__``."""
        if "__new__" in cls.members and "__init__" not in cls.members:
            cls.set_member("__init__", cls.members["__new__"])

    def on_attribute(self, *, attr: Attribute, **_: Any) -> None:
        """Give a name without a docstring the comment above it."""
        above = attr.lines_collection[attr.filepath][: (attr.lineno or 1) - 1]
        comment = [*takewhile(lambda line: line.strip().startswith("#:"), reversed(above))]
        if comment and attr.docstring is None:
            text = " ".join(line.strip()[2:].strip() for line in reversed(comment))
            attr.docstring = Docstring(text, parent=attr)
