"""Compares the figures of two commits, which are measured in turn: ``python benchmarks/compare.py A B [MODULE ...]``.

Both are measured by the modules of this checkout. A figure is a ratio to a peer in the same run, so that what else the
machine does meets both; it is a regression where B is worse than A in each round, and by more than the tolerance.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import runpy
import signal
import statistics
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

from figures import Figure

HERE = Path(__file__).resolve().parent
ROUNDS, TOLERANCE = 5, 0.05

#: What is printed of a figure: its work, and what its ratio is one of.
Name = Tuple[str, str]


class CannotRun(Exception):
    """A module does not run on a commit."""


class Comparison(NamedTuple):
    """The ratios of a figure, by round, in both commits."""

    a: List[float]
    b: List[float]
    more_is_better: bool

    @property
    def changes(self) -> List[float]:
        return [b / a for a, b in zip(self.a, self.b)]

    def is_regression(self, tolerance: float) -> bool:
        """Tell whether the worst round of A is better than the best one of B, and the change exceeds the tolerance."""
        if self.more_is_better:
            return max(self.b) < min(self.a) and statistics.median(self.changes) < 1 - tolerance
        return min(self.b) > max(self.a) and statistics.median(self.changes) > 1 + tolerance


@contextlib.contextmanager
def checkouts(commits: Sequence[str]) -> Iterator[List[Path]]:
    """Give a worktree of each commit, until the block ends, however it ends."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        paths = [Path(folder, name) for name in "ab"]
        for path, commit in zip(paths, commits):
            stack.callback(git, "worktree", "remove", "--force", str(path))
            git("worktree", "add", "--quiet", "--detach", str(path), commit)
        yield paths


def git(*arguments: str) -> None:
    subprocess.run(["git", "-C", str(HERE), *arguments], check=True)


def measure(module: str, checkout: Path) -> Iterator[Figure]:
    """Run a module of this checkout on the code of another one.

    Raises:
        CannotRun: If it fails there.
    """
    # Scripts that a module runs with "python -c" look into the working folder first.
    done = subprocess.run(
        [sys.executable, str(HERE), "--json", module],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise CannotRun(done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}")
    for line in done.stdout.splitlines():
        yield Figure(**json.loads(line))


def compare(module: str, paths: Sequence[Path], commits: Sequence[str], rounds: int) -> Dict[Name, Comparison]:
    """Measure both commits in turn, and return the figures that both have; say so where one cannot be measured."""
    found: List[Dict[Name, List[Figure]]] = [defaultdict(list), defaultdict(list)]
    for _ in range(rounds):
        for path, commit, figures in zip(paths, commits, found):
            try:
                for each in measure(module, path):
                    figures[each.work, each.of].append(each)
            except CannotRun as error:
                print(f"| {module} | | | | | | does not run on {commit}: {error} |", flush=True)
                return {}
    a, b = found
    return {
        name: Comparison([each.ratio for each in a[name]], [each.ratio for each in b[name]], a[name][0].more_is_better)
        for name in a
        if name in b
    }


def row(name: Name, comparison: Comparison, tolerance: float) -> str:
    work, of = name
    a, b = (statistics.median(ratios) for ratios in (comparison.a, comparison.b))
    changes = comparison.changes
    spread = f"{min(changes):.2f} to {max(changes):.2f}"
    verdict = "**regression**" if comparison.is_regression(tolerance) else ""
    return f"| {work} | {a:.2f} | {b:.2f} | {of} | {statistics.median(changes):.2f} | {spread} | {verdict} |"


def main(arguments: argparse.Namespace) -> int:
    """Print a row for each figure; return the exit status."""
    commits = arguments.a, arguments.b
    regressions = compared = 0
    with checkouts(commits) as paths:
        print("| work | A | B | ratio | B / A | spread | |\n| --- | --- | --- | --- | --- | --- | --- |", flush=True)
        for module in arguments.modules or runpy.run_path(str(HERE / "__main__.py"))["MODULES"]:
            for name, comparison in compare(module, paths, commits, arguments.rounds).items():
                print(row(name, comparison, arguments.tolerance), flush=True)
                compared += 1
                regressions += comparison.is_regression(arguments.tolerance)
    print(f"{compared} figures, {regressions} regressions")
    return 1 if regressions else 0 if compared else 2


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="Compare the figures of two commits.",
        epilog="Exit status: 0 where nothing is worse, 1 for a regression, 2 where nothing could be compared.",
    )
    parser.add_argument("a", metavar="A", help="the commit before, such as main")
    parser.add_argument("b", metavar="B", help="the commit after, such as HEAD")
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="the modules of benchmarks/ to run; default: all")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="runs of each commit (default: %(default)s)")
    parser.add_argument(
        "--tolerance", type=float, default=TOLERANCE, help="the part by which B may be worse (default: %(default)s)"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    # As Ctrl-C does, so that no worktree stays.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sys.exit(main(parsed(sys.argv[1:])))
