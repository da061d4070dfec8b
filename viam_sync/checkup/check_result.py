"""Results: what a check has found, and what to do about it."""

from typing import NamedTuple

#: As it should be; works, though not as somebody may think; does not work; not looked at.
OK, WARNING, WRONG, SKIPPED = "ok", "warning", "wrong", "skipped"


class CheckResult(NamedTuple):
    """What a check has found.

    Attributes:
        check: The name of the check.
        status: How it went.
        text: What was found.
        advice: What to do about it; an empty text where nothing is to be done.
    """

    check: str
    status: str
    text: str
    advice: str = ""
