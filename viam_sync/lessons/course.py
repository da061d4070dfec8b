"""The files of the course: its scripts with their solutions, and its notebooks."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Dict

_INSTALLED = Path(__file__).with_name("course")


def course_folder() -> Path:
    """Return the folder of the course: that of the installed package, which a build copies from ``examples``.

    Example:
        >>> from viam_sync.lessons.course import course_folder
        >>> (course_folder() / "01_first_call.py").is_file()
        True
    """
    return _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "examples"


def scripts() -> Dict[str, Path]:
    """Return the script of each lesson, by its number.

    Example:
        >>> from viam_sync.lessons.course import scripts
        >>> scripts()["5"].name
        '05_readings.py'
    """
    paths = sorted(path for path in course_folder().glob("[0-9][0-9]_*.py") if path != solution_of(path))
    return {str(int(path.name[:2])): path for path in paths}


def notebooks() -> Dict[str, Path]:
    """Return the notebooks, by their names.

    Example:
        >>> from viam_sync.lessons.course import notebooks
        >>> list(notebooks())
        ['fleet', 'readings_and_pictures']
    """
    return {path.stem: path for path in sorted(course_folder().glob("*.ipynb"))}


def solution_of(script: Path) -> Path:
    """Return the path of the solution beside a script; of a solution, its own.

    Example:
        >>> from pathlib import Path
        >>> from viam_sync.lessons.course import solution_of
        >>> solution_of(Path("05_readings.py")).name
        '05_readings_solution.py'
    """
    return script.with_name(f"{script.stem.partition('_solution')[0]}_solution.py")


def title_of(script: Path) -> str:
    """Return what a lesson is about, as its first line says it.

    Example:
        >>> from viam_sync.lessons.course import scripts, title_of
        >>> title_of(scripts()["5"])
        'readings'
    """
    first = (ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or "").partition("\n")[0]
    return first.partition(": ")[2].rstrip(".")
