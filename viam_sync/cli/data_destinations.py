"""Where a command writes rows: a file, which is not replaced without a question, a bucket, or the standard output."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Optional

from viam_sync.cli.frame import confirm
from viam_sync.display.cells import size_text

FORMATS = ("csv", "jsonl", "parquet")
STANDARD_OUTPUT = "-"
#: The options by what the methods call them, for `parameter_names`.
OPTION_NAMES = {"path": "--destination", "dest": "--destination"}
_FILE = "file://"


def output_of(destination: str) -> Any:
    """Return what a destination stands for: a path, a URL, or the standard output."""
    return sys.stdout.buffer if destination == STANDARD_OUTPUT else destination


def format_of(destination: str, format: Optional[str]) -> Optional[str]:
    """Return the format of a destination: the one that was given; None where the name of the file tells it."""
    return "jsonl" if format is None and destination == STANDARD_OUTPUT else format


def confirm_overwriting(destination: str, yes: bool) -> None:
    """Ask before a file is replaced; one in a bucket is not looked at."""
    path = Path(destination[len(_FILE) :] if destination.startswith(_FILE) else destination).expanduser()
    if destination != STANDARD_OUTPUT and path.is_file():
        confirm(f"{destination} is there, {size_text(path.stat().st_size)}. Replace it?", yes)
