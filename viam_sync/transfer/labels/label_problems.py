"""What is wrong in the labels of a folder, by file and line."""

from __future__ import annotations

from pathlib import Path
from typing import List, NamedTuple, Optional


class LabelProblem(NamedTuple):
    """Something that is wrong in the labels of a folder.

    Attributes:
        path: The file.
        line: The line in it, from 1; None where none can be named.
        text: The mistake, and what to do about it.

    Example:
        >>> from pathlib import Path
        >>> from viam_sync.transfer.labels.label_problems import LabelProblem
        >>> str(LabelProblem(Path("labels/cat.txt"), 3, "class 7 is not one of the 2 of data.yaml"))
        'labels/cat.txt:3: class 7 is not one of the 2 of data.yaml'
    """

    path: Path
    line: Optional[int]
    text: str

    def __str__(self) -> str:
        place = self.path.as_posix() if self.line is None else f"{self.path.as_posix()}:{self.line}"
        return f"{place}: {self.text}"


class LabelProblems:
    """The problems that the reading of a folder finds; it goes on after each, so that all are told at once.

    Attributes:
        found: The problems, in the order of reading.
    """

    def __init__(self) -> None:
        self.found: List[LabelProblem] = []

    def add(self, path: Path, line: Optional[int], text: str) -> None:
        """Note a problem."""
        self.found.append(LabelProblem(path, line, text))
