"""The commands that work without click and rich: each is the ``__main__`` of its room."""

import importlib
import sys
from typing import Mapping, Sequence

#: What each does, in a line of help.
PLAIN_COMMANDS: Mapping[str, str] = {
    "lessons": "List the lessons, copy one, and check it.",
    "migrate": "Rewrite scripts and notebooks of viam-sdk for viam_sync.",
    "sandbox": "Run the Viam sandbox on this computer, also around a command.",
}


def run_plain(name: str, arguments: Sequence[str]) -> int:
    """Run one of them, and return the exit status."""
    try:
        status: int = importlib.import_module(f"viam_sync.{name}.__main__").main(arguments)
    finally:
        sys.stdout.flush()  # what --help prints, too, which ends by an exception
    return status
