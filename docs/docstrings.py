"""Griffe's reading of our code, where it and Python's own differ."""

import re
from itertools import takewhile
from textwrap import dedent
from typing import Any

from griffe import Attribute, Class, Docstring, Extension, Object

#: A head, and the lines below it, the first of which has two columns.
_COLUMNS = re.compile(r"(?m)^(\w.*:)\n((?=    \S+(?: \S+)* {3,}\S)(?:    .*\n)+)")


class OurDocstrings(Extension):
    """Knows our docstrings, comments that begin with "#:", and classes that are made by ``__new__`` alone."""

    def on_package(self, *, pkg: Object, **_: Any) -> None:
        """Read the docstring of the package, which is no object to griffe."""
        self.on_object(obj=pkg)

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Call examples by the name that griffe knows, keep columns, and take out the roles of Sphinx."""
        if obj.docstring is not None:
            text = re.sub(r"(?m)^(\s*)Example:$", r"\1Examples:", obj.docstring.value)
            text = _COLUMNS.sub(lambda found: f"{found[1]}\n\n```text\n{dedent(found[2])}```\n", text)
            obj.docstring.value = re.sub(r":(attr|class|exc|func|meth|mod):(?=`)", "", text)

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
