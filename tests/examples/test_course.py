"""The course as a learner takes it: from the installed package, each file in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

import pytest

from viam_sync.lessons.course import course_folder, notebooks, scripts, solution_of
from viam_sync.sandbox import Sandbox

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
#: How many of the lessons are run here; a process takes a second, and all run inside the tests' own, too.
LESSONS = list(scripts())[: int(os.environ.get("VIAM_SYNC_LESSONS", "1"))]


def run(folder: Path, *arguments: str, cloud: Optional[Sandbox] = None) -> "subprocess.CompletedProcess[str]":
    variables = {key: value for key, value in os.environ.items() if not key.startswith("VIAM_")}
    variables.update(MPLBACKEND="Agg")
    if cloud is not None:
        variables.update(cloud.env_vars())
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=variables, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("number", LESSONS)
def test_a_lesson_without_an_account_is_checked_in_a_sandbox_of_its_own(number: str, tmp_path: Path) -> None:
    script = scripts()[number]
    copied = run(tmp_path, "-m", "viam_sync.lessons", "copy", number)
    assert copied.stdout == f"{script.name}\n", copied.stderr
    untouched = run(tmp_path, "-W", "error", script.name, "--check")
    assert untouched.returncode == 1, untouched.stderr
    assert "VIAM_API_KEY is not set, so this is the sandbox:\n" in untouched.stdout
    assert untouched.stdout.splitlines()[-1].startswith("not yet: "), untouched.stderr
    (tmp_path / script.name).write_bytes(solution_of(script).read_bytes())
    solved = run(tmp_path, "-m", "viam_sync", "lessons", "check", number)
    assert solved.returncode == 0, solved.stderr
    assert solved.stdout.splitlines()[-1] == "right"


@pytest.mark.parametrize("number", LESSONS)
def test_the_same_lesson_talks_to_the_cloud_that_the_variables_name(
    number: str, sandbox: Sandbox, tmp_path: Path
) -> None:
    done = run(tmp_path, "-W", "error", str(solution_of(scripts()[number])), "--check", cloud=sandbox)
    assert done.returncode == 0, done.stderr
    assert "this is the sandbox" not in done.stdout
    assert done.stdout.splitlines()[-1] == "right"


@pytest.mark.parametrize("name", notebooks())
@pytest.mark.parametrize("account", [False, True])
def test_a_notebook_runs_under_nbconvert(name: str, account: bool, sandbox: Sandbox, tmp_path: Path) -> None:
    pytest.importorskip("nbconvert", reason="tox -m lessons has it")
    command = ("-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", str(tmp_path))
    done = run(tmp_path, *command, str(notebooks()[name]), cloud=sandbox if account else None)
    assert done.returncode == 0, done.stderr
    shown = outputs(json.loads((tmp_path / f"{name}.ipynb").read_text(encoding="utf-8")))
    assert any("<table" in text for text in shown)
    assert any({"fleet": "plant-watcher", "readings_and_pictures": "<img"}[name] in text for text in shown)
    assert any("this is the sandbox" in text for text in shown) is not account


def outputs(notebook: Dict[str, Any]) -> List[str]:
    """Return all that the cells of a notebook have shown, each as one text."""
    return [json.dumps(output) for cell in notebook["cells"] for output in cell.get("outputs", ())]


@pytest.mark.parametrize("name", notebooks())
def test_a_notebook_is_kept_without_what_it_has_shown(name: str) -> None:
    assert outputs(json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))) == []


def test_an_installed_package_has_the_files_of_the_examples() -> None:
    here, there = (
        {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".py", ".ipynb")}
        for folder in (EXAMPLES, course_folder())
    )
    assert here == there
