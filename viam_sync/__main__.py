"""The command ``viam-sync``, also ``python -m viam_sync``: hands over to one of its commands."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from typing import Optional, Sequence

import viam_sync
from viam_sync import exit_status
from viam_sync.cli.plain_commands import PLAIN_COMMANDS, run_plain


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run a command, and return the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if words and words[0] in PLAIN_COMMANDS:
            return run_plain(words[0], words[1:])
        if all(map(importlib.util.find_spec, ("click", "rich"))):
            status: int = importlib.import_module("viam_sync.cli.__main__").main(words)
            return status
        return _without_click(words)
    except KeyboardInterrupt:
        return exit_status.INTERRUPTED
    except BrokenPipeError:
        return exit_status.end_without_reader()


def _without_click(words: Sequence[str]) -> int:
    """Say what there is without click and rich, and what to install for the rest."""
    first = words[0] if words else ""
    if first == "--version":
        print(viam_sync.__version__)
    elif first in ("", "-h", "--help"):
        lines = "\n".join(f"  {name:10}{text}" for name, text in PLAIN_COMMANDS.items())
        text = f"usage: viam-sync COMMAND ...\n\n{lines}\n\nAll other commands need: pip install click rich"
        print(text, file=sys.stdout if first else sys.stderr)
    else:
        print(f"viam-sync {first} needs click and rich: pip install click rich", file=sys.stderr)
        return 2
    return 0 if first else 2


if __name__ == "__main__":
    sys.exit(main())
