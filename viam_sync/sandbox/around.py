"""A command, or a shell, that runs as long as its sandbox."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, List, Mapping, Sequence

#: What shells say of a command that is not there, and of one that cannot be run.
_NOT_FOUND, _NOT_RUN = 127, 126
#: What shells add to the number of the signal that ended a command.
_BY_SIGNAL = 128


def shell_command() -> List[str]:
    """Return the command of the user's own shell."""
    return [os.environ.get("COMSPEC", "cmd.exe") if sys.platform == "win32" else os.environ.get("SHELL", "/bin/sh")]


def run_command(command: Sequence[str], variables: Mapping[str, str], signals: Sequence[signal.Signals]) -> int:
    """Run a command with an environment, and return its exit status as a shell would.

    Ctrl-C reaches it by itself; the other signals that would end this program are passed on to it.
    """
    running: List[Any] = []
    received: List[int] = []

    def pass_on(number: int, frame: Any) -> None:
        if number != signal.SIGINT:
            received.append(number)
            for each in running:
                each.send_signal(number)

    for number in signals:
        # Not SIG_IGN, which the command would inherit.
        signal.signal(number, pass_on)
    try:
        running.append(subprocess.Popen(command, env=variables))
    except OSError as error:
        is_missing = isinstance(error, FileNotFoundError)
        is_path = Path(command[0]).name != command[0]
        print(f"{command[0]}: {'command not found' if is_missing and not is_path else error.strerror}", file=sys.stderr)
        return _NOT_FOUND if is_missing else _NOT_RUN
    for early in received:  # they came before the command was known
        running[0].send_signal(early)
    status: int = running[0].wait()
    return status if status >= 0 else _BY_SIGNAL - status
