"""benchmarks/compare.py, which tells a commit that is slower than another."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

import pytest
from waiting import LONG, until

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
#: The benchmark of these tests; its figures come from the code of the commit and vary a little, as those of a clock do.
COSTS = """
import itertools, os, time
from figures import Figure
from viam_sync.work import cost

def figures():
    if os.environ.get("STUCK"):
        open(os.environ["STUCK"], "w").close()
        time.sleep(600)
    with open(os.environ["RUNS"], "a+") as runs:
        runs.seek(0)
        noise = 1 + len(runs.read()) % 5 / 100
        runs.write("x")
    for goal in ("≤ 1", "≥ 1"):
        yield Figure(f"work {goal}", "1 ms", {}, cost * noise, "of a peer's", goal, "")
"""

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git has the commits")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with this compare.py, and a commit for each of some costs of its code."""
    root = tmp_path / "repository"
    (root / "viam_sync").mkdir(parents=True)
    shutil.copytree(BENCHMARKS, root / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "benchmarks" / "costs.py").write_text(COSTS, encoding="utf-8")
    (root / "viam_sync" / "__init__.py").write_text("")
    git(root, "init", "--quiet")
    for name, code in {
        "before": "cost = 1.0",
        "slower": "cost = 1.2",
        "same": "cost = 1.01",
        "broken": "1 / 0",
    }.items():
        (root / "viam_sync" / "work.py").write_text(code)
        git(root, "add", "viam_sync")
        git(root, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message", name)
        git(root, "tag", name)
    return root


def git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", "-C", str(root), *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout


def command(root: Path, *arguments: str) -> List[str]:
    return [sys.executable, str(root / "benchmarks" / "compare.py"), *arguments, "costs", "--rounds", "3"]


def environment(tmp_path: Path) -> Dict[str, str]:
    (tmp_path / "temporary").mkdir()
    return {**os.environ, "RUNS": str(tmp_path / "runs"), "TMPDIR": str(tmp_path / "temporary"), "PYTHONUTF8": "1"}


@pytest.mark.parametrize(
    ("b", "status", "rows"),
    [
        ("slower", 1, ["| work ≤ 1 | 1.02 | 1.21 | of a peer's |", "| work ≥ 1 | 1.02 | 1.21 | of a peer's |"]),
        ("same", 0, ["| work ≤ 1 | 1.02 | 1.02 | of a peer's |", "| work ≥ 1 | 1.02 | 1.02 | of a peer's |"]),
        ("broken", 2, ["| costs | | | | | | does not run on broken: ZeroDivisionError: division by zero |"]),
    ],
)
def test_a_regression_is_told_and_noise_is_none(
    repository: Path, tmp_path: Path, b: str, status: int, rows: List[str]
) -> None:
    done = subprocess.run(
        command(repository, "before", b), env=environment(tmp_path), stdout=subprocess.PIPE, encoding="utf-8"
    )
    lines = done.stdout.splitlines()[2:-1]
    assert [line[: len(row)] for line, row in zip(lines, rows)] == rows
    # More is the worse for the first, and the better for the second.
    assert ["regression" in line for line in lines] == [b == "slower", False][: len(lines)]
    assert done.returncode == status
    assert left_behind(repository, tmp_path) == []


def test_throughput_that_falls_is_a_regression(repository: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        command(repository, "slower", "before"), env=environment(tmp_path), stdout=subprocess.PIPE, encoding="utf-8"
    )
    assert ["regression" in line for line in done.stdout.splitlines()[2:-1]] == [False, True]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["interrupted", "terminated"])
def test_a_comparison_that_is_ended_leaves_no_worktree(repository: Path, tmp_path: Path, sent: signal.Signals) -> None:
    stuck = tmp_path / "stuck"
    with subprocess.Popen(
        command(repository, "before", "same"),
        env={**environment(tmp_path), "STUCK": str(stuck)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        until(stuck.exists)
        os.killpg(process.pid, sent)
        assert process.wait(LONG) != 0
    assert left_behind(repository, tmp_path) == []


def left_behind(root: Path, tmp_path: Path) -> List[str]:
    """Return the worktrees of a repository but itself, and the temporary files."""
    worktrees = [line for line in git(root, "worktree", "list").splitlines() if not line.startswith(f"{root} ")]
    return worktrees + [path.name for path in (tmp_path / "temporary").iterdir()]
