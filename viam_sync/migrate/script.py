"""The migration of the text of one script."""

from __future__ import annotations

import ast
from types import MappingProxyType
from typing import List, Mapping, Tuple

import libcst as cst

from viam_sync.migrate.cloud import CLIENTS
from viam_sync.migrate.findings import Finding
from viam_sync.migrate.imports import rewrite_imports
from viam_sync.migrate.left_imports import left_imports
from viam_sync.migrate.plain import make_plain

#: Words of which a script has one if there is anything to migrate.
_WORDS = ("viam", "grpclib", *CLIENTS)


class UnparsableError(ValueError):
    """The text is no Python; nothing was changed."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


def migrate_source(
    text: str, *, threads: bool = False, elsewhere: Mapping[str, bool] = MappingProxyType({})
) -> Tuple[str, List[Finding]]:
    r"""Return the text of a script with its calls of Viam made plain, and what is left to a person.

    Args:
        text: A Python module. A notebook's cells, joined, are one, too: ``await`` may stand outside of functions.
        threads: Whether what ``asyncio.gather`` waits for runs in threads, instead of one after the other.
        elsewhere: Functions of other files that become plain, by full name, and whether they are awaited.

    Returns:
        The new text, which parses and is the old one if there is nothing to migrate; and the findings, by line.

    Raises:
        UnparsableError: If the text is not Python.

    Example:
        >>> from viam_sync.migrate.script import migrate_source
        >>> migrate_source("import viam\nawait client.app_client.list_organizations()\n")
        ('import viam_sync\nclient.app_client.list_organizations()\n', [])
    """
    module = parse(text)
    if not elsewhere and not any(word in text for word in _WORDS):
        return text, []
    changed, findings = make_plain(module, threads=threads, elsewhere=elsewhere)
    code = rewrite_imports(changed).code
    # The tree has no place for some ends of lines; a text without changes keeps them.
    return text if code == module.code else code, sorted({*findings, *left_imports(module)})


def parse(text: str) -> cst.Module:
    """Return the tree of a module."""
    try:
        return cst.parse_module(text)
    except UnicodeEncodeError as error:
        raise UnparsableError(text.count("\n", 0, error.start) + 1, "a character that is none of Unicode") from None
    except cst.ParserSyntaxError as error:
        raise _explained(text, error) from None


def _explained(text: str, error: cst.ParserSyntaxError) -> UnparsableError:
    """Return an error with the line and the words of Python itself, where Python finds one, too."""
    if "\0" in text:
        return UnparsableError(text.count("\n", 0, text.index("\0")) + 1, "a null character")
    try:
        ast.parse(text)
    except SyntaxError as python:
        return UnparsableError(python.lineno or error.raw_line, python.msg)
    return UnparsableError(error.raw_line, error.message)
