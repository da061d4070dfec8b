"""The exercise of a lesson: a block for the learner's lines, which ``--check`` checks."""

from __future__ import annotations

import sys
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any, Iterator

from viam_sync.lessons.answers import ANSWERS, Missing

if TYPE_CHECKING:
    from viam_sync import ViamClient


class _Recorder:
    """Stands for the terminal, and keeps what is printed."""

    def __init__(self) -> None:
        self.printed = ""
        self._terminal = sys.stdout

    def write(self, text: str) -> int:
        self.printed += text
        return self._terminal.write(text)

    def __getattr__(self, name: str) -> Any:
        # Libraries ask for its encoding, and whether it is a terminal.
        return getattr(self._terminal, name)


@contextmanager
def exercise(number: int, client: ViamClient, *things: Any) -> Iterator[None]:
    """Run the lines of an exercise, and with ``--check`` on the command line say whether they do what was asked.

    The check looks at what the lines have printed and at what is in the cloud then, never at the lines. It says
    "right", or in a sentence what is missing, and then the program ends with the exit status 1.

    Args:
        number: The number of the lesson.
        client: The client of the lesson.
        things: What the lesson has made for the exercise, such as the part to change.

    Example:
        >>> from viam_sync.lessons import exercise
        >>> with exercise(1, client):
        ...     print("machines: 3")
        machines: 3
    """
    if "--check" not in sys.argv[1:]:
        yield
        return
    recorder: Any = _Recorder()
    try:
        with redirect_stdout(recorder):
            yield
        ANSWERS[number](client, recorder.printed, *things)
        print("right")
        return
    except Missing as missing:
        reason = str(missing)
    except SystemExit:
        reason = "the lines of the exercise end the program before they are checked; take exit() out."
    print(f"not yet: {reason}")
    sys.exit(1)
