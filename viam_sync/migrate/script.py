"""The migration of the texts of scripts."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Dict, List, Mapping, Tuple

import libcst as cst

from viam_sync.migrate.findings import Finding
from viam_sync.migrate.imports import rewrite_imports
from viam_sync.migrate.left_imports import left_imports
from viam_sync.migrate.official_names import may_be_named_in
from viam_sync.migrate.plain import make_plain


class UnparsableError(ValueError):
    """The text is no Python; nothing was changed."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


def migrate_source(text: str, *, threads: bool = False) -> Tuple[str, List[Finding]]:
    r"""Return the text of a script with its calls of Viam made plain, and what is left to a person.

    Args:
        text: A Python module. A notebook's cells, joined, are one, too: ``await`` may stand outside of functions.
        threads: Whether what ``asyncio.gather`` waits for runs in threads, instead of one after the other.

    Returns:
        The new text, which parses and is the old one if there is nothing to migrate; and the findings, by line.

    Raises:
        UnparsableError: If the text is not Python.

    Example:
        >>> from viam_sync.migrate.script import migrate_source
        >>> migrate_source("import viam\nawait client.app_client.list_organizations()\n")
        ('import viam_sync\nclient.app_client.list_organizations()\n', [])
    """
    path = Path("script.py")
    return migrate_program({path: parse(text)}, threads=threads)[path]


def migrate_program(
    modules: Mapping[Path, cst.Module], *, threads: bool = False
) -> Dict[Path, Tuple[str, List[Finding]]]:
    """Return the texts of scripts that import each other, as `migrate_source` does that of one.

    Args:
        modules: The scripts, by the paths of their files.
        threads: Whether what ``asyncio.gather`` waits for runs in threads, instead of one after the other.
    """
    results = {}
    for path, (changed, findings) in make_plain(modules, threads=threads).items():
        # The tree has no place for some ends of lines; a text without changes keeps them.
        if may_be_named_in(modules[path].code):
            results[path] = rewrite_imports(changed).code, sorted({*findings, *left_imports(modules[path])})
        else:
            results[path] = changed.code, sorted({*findings})
    return results


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
