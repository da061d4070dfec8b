"""Semantic versions: their format and precedence."""

from __future__ import annotations

import re
from typing import Any, Tuple

from viam_sync.sandbox.core.call_errors import invalid_argument

# Longer texts are mistakes, and Python does not convert numbers of thousands of digits.
_LONGEST = 128

_NUMBER = r"(?:0|[1-9][0-9]*)"
_LABEL = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_VERSION = re.compile(
    rf"({_NUMBER}\.{_NUMBER}\.{_NUMBER})(?:-({_LABEL}(?:\.{_LABEL})*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?\Z"
)


def checked_version(version: str) -> str:
    """Return a semantic version, if it is well-formed.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    if len(version) > _LONGEST or not _VERSION.match(version):
        raise invalid_argument(
            f"{version[:64]!r} is no semantic version; give three numbers, and where needed a label, "
            "such as '1.0.3' or '2.0.0-rc.1'."
        )
    return version


def precedence(version: str) -> Tuple[Any, ...]:
    """Return the sort key of a semantic version; the text itself comes last, since build metadata has no precedence.

    Example:
        >>> sorted(["1.10.0", "1.9.0", "1.10.0-rc.1"], key=precedence)
        ['1.9.0', '1.10.0-rc.1', '1.10.0']
    """
    match = _VERSION.match(version)
    assert match is not None
    numbers, labels = match.groups()
    return (
        [int(number) for number in numbers.split(".")],
        labels is None,
        [(0, int(label), "") if label.isdigit() else (1, 0, label) for label in (labels or "").split(".")],
        version,
    )
