"""Migrate scripts and notebooks of the official SDK: ``viam-sync migrate PATH…``."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Optional, Sequence

from viam_sync.exit_status import end_without_reader

_STATUS = """\
The status is 0 if nothing is left to do, 1 if lines are left to you or, with --check, files would change, and 2 if a
file cannot be migrated; it stays as it is, and the others are migrated.
"""


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Migrate files, and return the exit status."""
    options = _options(arguments)
    if importlib.util.find_spec("libcst") is None:
        print("viam-sync migrate needs libcst: pip install libcst", file=sys.stderr)
        return 2
    from viam_sync.migrate.run import Run

    run = Run(check=options.check, diff=options.diff, threads=options.threads)
    try:
        return run.migrate(options.paths)
    except BrokenPipeError:
        end_without_reader()
        return 2  # a patch that is not whole


def _options(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="viam-sync migrate",
        description="Rewrite scripts of viam-sdk for viam_sync, and name each line that is left to you.",
        epilog=_STATUS,
    )
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a script, a notebook, or a folder of them")
    parser.add_argument("--diff", action="store_true", help="print what would change, and write nothing")
    parser.add_argument("--check", action="store_true", help="tell whether anything would change, and write nothing")
    parser.add_argument(
        "--threads", action="store_true", help="let threads make the calls of asyncio.gather, instead of one by one"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
