"""Checks of labels that somebody else may have written: a wrong one is noted by file and line, and reading goes on."""

from __future__ import annotations

import contextlib
import math
import reprlib
from decimal import Decimal
from pathlib import Path
from typing import Any, Iterator, List, Optional

from viam_sync.checks.descriptions import is_text
from viam_sync.transfer.labels.label_problems import LabelProblems
from viam_sync.transfer.labels.labeled_image import Box

#: Shows the beginning of lists, as a few lines of YAML can stand for one of a billion parts.
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxlist, _SHORT.maxdict = 3, 10, 10
_SHORT.maxstring = _SHORT.maxlong = _SHORT.maxother = 10_000


class WrongLabel(ValueError):
    """A label, or a line of labels, is wrong; the text says how, and what to do.

    Args:
        text: The text.
        line: The line of the file, where it is known better than by the reader of the label.
    """

    def __init__(self, text: str, line: Optional[int] = None) -> None:
        super().__init__(text)
        self.line = line


@contextlib.contextmanager
def noted(problems: LabelProblems, path: Path, line: Optional[int]) -> Iterator[None]:
    """Note the ``WrongLabel`` that the block raises, and leave the block.

    Example:
        >>> from pathlib import Path
        >>> from viam_sync.transfer.labels.label_checks import WrongLabel, noted
        >>> from viam_sync.transfer.labels.label_problems import LabelProblems
        >>> problems = LabelProblems()
        >>> with noted(problems, Path("a.jsonl"), 3):
        ...     raise WrongLabel("it is no JSON")
        >>> str(problems.found[0])
        'a.jsonl:3: it is no JSON'
    """
    try:
        yield
    except WrongLabel as error:
        problems.add(path, error.line or line, str(error))


def read_text(path: Path) -> str:
    """Return the text of a file, which is UTF-8."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise WrongLabel(f"this file is not UTF-8: {error.reason} at byte {error.start}") from None


def require_label(name: str, value: Any) -> str:
    """Return a label, which is a text that says something."""
    if not isinstance(value, str):
        raise WrongLabel(f"{name} is {shown(value)}, and has to be a text")
    if not is_text(value):
        raise WrongLabel(f"{name} is {shown(value)}, in which there is half a character")
    if not value.strip():
        raise WrongLabel(f"{name} is empty")
    return value


def require_list(name: str, value: Any) -> List[Any]:
    """Return a list; None is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise WrongLabel(f"{name} is {shown(value)}, and has to be a list")
    return value


def require_number(name: str, value: Any) -> float:
    """Return a finite number."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise WrongLabel(f"{name} is {shown(value)}, and has to be a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise WrongLabel(f"{name} is {shown(value)}, and has to be finite")
    return number


def require_box(box: Box) -> Box:
    """Return a box that lies in its image, and has a width and a height."""
    for name, edge in zip(("left", "upper", "right", "lower"), box[1:5]):
        if not 0 <= edge <= 1:
            raise WrongLabel(f"the {name} edge of the box is at {edge:.6g} of the image, and has to be within 0 and 1")
    if box.x_min >= box.x_max:
        raise WrongLabel(f"the box has no width: it goes from {box.x_min:.6g} to {box.x_max:.6g}")
    if box.y_min >= box.y_max:
        raise WrongLabel(f"the box has no height: it goes from {box.y_min:.6g} to {box.y_max:.6g}")
    require_confidence(box.confidence)
    return box


def require_confidence(confidence: Optional[float]) -> None:
    """Refuse a confidence that is not within 0 and 1."""
    if confidence is not None and not 0 <= confidence <= 1:
        raise WrongLabel(f"the confidence is {confidence:.6g}, and has to be within 0 and 1")


def shown(value: Any) -> str:
    """Return a value as an error shows it, cut if it is long."""
    text = _SHORT.repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
