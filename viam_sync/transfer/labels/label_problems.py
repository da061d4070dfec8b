"""What is wrong in the labels of a folder, by file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Collection, Dict, List, Optional, Set, Tuple

from viam_sync.errors import LabelProblem


class LabelProblems:
    """The problems that the reading of a folder finds; it goes on after each, so that all are told at once.

    Args:
        ignore: What is no problem, though Viam does not hold it, such as ``"segmentation"``.

    Attributes:
        found: The problems, in the order of reading.
    """

    def __init__(self, ignore: Collection[str] = ()) -> None:
        self.found: List[LabelProblem] = []
        self._ignore = ignore
        self._ignored: Set[str] = set()
        #: For each thing that Viam does not hold, the place of its problem in ``found``, and how many labels have it.
        self._not_held: Dict[str, Tuple[int, int]] = {}

    def add(self, path: Path, line: Optional[int], text: str) -> None:
        """Note a problem."""
        self.found.append(LabelProblem(path, line, text))

    def add_not_held(self, path: Path, line: Optional[int], name: str) -> None:
        """Note that a label has something which Viam does not hold; it is one problem, however many labels have it.

        Example:
            >>> from pathlib import Path
            >>> from viam_sync.transfer.labels.label_problems import LabelProblems
            >>> problems = LabelProblems(ignore=["iscrowd"])
            >>> for line, name in enumerate(["keypoints", "iscrowd", "keypoints"], start=1):
            ...     problems.add_not_held(Path("a.json"), line, name)
            >>> print(*problems.found)
            a.json:1: Viam holds no 'keypoints' (2 in all); leave it out with ignore=['keypoints'], or remove it
        """
        if name in self._ignore:
            self._ignored.add(name)
            return
        if name not in self._not_held:
            self._not_held[name] = len(self.found), 0
            self.add(path, line, "")
        place, count = self._not_held[name]
        self._not_held[name] = place, count + 1
        text = f"Viam holds no {name!r} ({count + 1} in all); leave it out with ignore=[{name!r}], or remove it"
        self.found[place] = self.found[place]._replace(text=text)

    def not_met(self) -> List[str]:
        """Return what should be ignored, and no label has."""
        return [name for name in self._ignore if name not in self._ignored]
