"""The command ``viam-sync``, also ``python -m viam_sync``: hands over to one of its commands."""

from __future__ import annotations

import argparse
import importlib
import sys
from typing import Optional, Sequence

import viam_sync

_COMMANDS = {
    "lessons": "list the lessons, copy one into the working folder, and check it",
    "migrate": "rewrite scripts and notebooks of viam-sdk for viam_sync",
    "sandbox": "run the Viam sandbox on this computer",
}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run a command, and return the exit status."""
    lines = "\n".join(f"  {name:10}{text}" for name, text in _COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="viam-sync",
        usage="viam-sync [-h] [--version] COMMAND ...",
        description=f"commands:\n{lines}",
        epilog="viam-sync COMMAND --help tells more about one.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=viam_sync.__version__)
    parser.add_argument("command", nargs="?", choices=_COMMANDS, metavar="COMMAND", help=argparse.SUPPRESS)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help(sys.stderr)
        return 2
    command = importlib.import_module(f"viam_sync.{options.command}.__main__")
    status: int = command.main(options.arguments)
    return status


if __name__ == "__main__":
    sys.exit(main())
