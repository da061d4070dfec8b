"""List the lessons, copy one into the working folder, and check it: ``viam-sync lessons``."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Optional, Sequence

from viam_sync.lessons.course import notebooks, scripts, solution_of, title_of

_STATUS = """\
The status is 0 if all is right, 1 if a lesson is not right yet, or a file is in the way or missing, 2 for a wrong
command, and 130 after Ctrl-C.
"""


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Do what a command says, and return the exit status."""
    options = _options(arguments)
    if options.command == "copy":
        return _copy(options.lessons, options.solution)
    if options.command == "check":
        return _check(scripts()[options.lesson].name)
    return _list(options.json)


def _list(as_json: bool) -> int:
    rows = [(number, script.name, title_of(script)) for number, script in scripts().items()]
    rows += [("", notebook.name, f"a notebook: {name.replace('_', ' ')}") for name, notebook in notebooks().items()]
    if as_json:
        for number, name, title in rows:
            print(json.dumps({"lesson": number, "file": name, "title": title}))
        return 0
    for number, name, title in rows:
        print(f"{number:>2}  {name:28}{title}")
    print("\nviam-sync lessons copy 1    then: python 01_first_call.py")
    print("viam-sync lessons check 1   after you have done its exercise")
    return 0


def _copy(names: Sequence[str], solution: bool) -> int:
    """Copy files into the working folder; where one of them is there already, copy none."""
    found = {**scripts(), **notebooks()}
    sources = list(found.values()) if "all" in names else [found[name] for name in names]
    if solution:
        sources = [solution_of(source) for source in sources if source.suffix == ".py"]
        if not sources:
            print("A notebook has no exercise, and so no solution.", file=sys.stderr)
            return 1
    present = [source.name for source in sources if Path(source.name).exists()]
    if present:
        print(f"{present[0]} is there already; rename it, or go to another folder.", file=sys.stderr)
        return 1
    for source in sources:
        try:
            shutil.copyfile(source, source.name)
        except OSError as error:
            print(f"{source.name} cannot be put into this folder: {error.strerror}", file=sys.stderr)
            return 1
        print(source.name)
    return 0


def _check(name: str) -> int:
    """Check a lesson in the working folder."""
    if not Path(name).is_file():
        print(f"{name} is not in this folder; `viam-sync lessons copy {int(name[:2])}` puts it here.", file=sys.stderr)
        return 1
    try:
        return 0 if subprocess.run([sys.executable, name, "--check"], check=False).returncode == 0 else 1
    except KeyboardInterrupt:
        # The lesson has got it, too, and has cleaned up.
        return 130


def _name(text: str) -> str:
    """Return what the list calls a lesson or notebook, of which some write the number as 05, or the file."""
    for name, path in {**scripts(), **notebooks()}.items():
        if text in (name.zfill(2), path.name, path.stem):
            return name
    return text


def _options(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    numbers, names = list(scripts()), list(notebooks())
    parser = argparse.ArgumentParser(
        prog="viam-sync lessons",
        description="List the lessons; with a command, copy them into the working folder, or check one there.",
        epilog=_STATUS,
    )
    parser.add_argument("--json", action="store_true", help="list them as JSON, one object a line")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    copy = commands.add_parser("copy", help="copy lessons into the working folder", epilog=_STATUS)
    copy.add_argument(
        "lessons",
        nargs="+",
        type=_name,
        choices=[*numbers, *names, "all"],
        metavar="LESSON",
        help=f"a number from 1 to {len(numbers)}, {' or '.join(names)}, or all",
    )
    copy.add_argument("--solution", action="store_true", help="copy the solutions instead")
    check = commands.add_parser("check", help="run a lesson in the working folder, and check it", epilog=_STATUS)
    check.add_argument(
        "lesson", type=_name, choices=numbers, metavar="LESSON", help=f"a number from 1 to {len(numbers)}"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
