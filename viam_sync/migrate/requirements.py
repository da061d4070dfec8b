"""Finds where a project says that it needs the official SDK."""

from __future__ import annotations

import re
from pathlib import Path
from typing import List

from viam_sync.migrate.findings import Finding

#: The official SDK with extras and versions, in quotes or without.
_OFFICIAL = re.compile(r"([\"']?)(?<![\w.-])viam-sdk(?![\w-])(\[[^\]]*\])?((==|[<>~!]=?)[^\s\"']*)?\1")
_FILES = re.compile(r".*requirements.*\.(txt|in)|pyproject\.toml|setup\.cfg|Pipfile|environment\.ya?ml")
_REASON = "viam-sdk is required here; the scripts need viam-sync now, and viam-sdk for machines alone"


def lists_requirements(path: Path) -> bool:
    """Tell whether a file is named like those that say which packages a project needs."""
    return _FILES.fullmatch(path.name) is not None


def left_requirements(text: str) -> List[Finding]:
    """Return the lines that require the official SDK, if none requires ours."""
    if "viam-sync" in text:
        return []
    return [Finding(number, _REASON) for number, line in enumerate(text.split("\n"), 1) if _OFFICIAL.search(line)]


def installed(line: str, *, keeps: bool) -> str:
    """Return the magic of a notebook that installs packages with ours among them.

    Args:
        line: The magic.
        keeps: Whether the official SDK is needed as well.

    Example:
        >>> from viam_sync.migrate.requirements import installed
        >>> installed("%pip install -q viam-sdk==0.85.1 pandas", keeps=False)
        '%pip install -q viam-sync pandas'
    """
    if "viam-sync" in line or not re.match(r"[%!]?\s*(\S+\s+)*?install\b", line):
        return line
    return _OFFICIAL.sub(lambda found: f"{found[0]} viam-sync" if keeps else "viam-sync", line)
