"""What is wrong in the labels of a folder, by file and line."""

from __future__ import annotations

from pathlib import Path
from typing import List, Optional

from viam_sync.errors import LabelProblem


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
