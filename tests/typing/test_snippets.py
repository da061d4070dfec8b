"""Type checkers find right what is right, and wrong what is wrong."""

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SNIPPETS = sorted(HERE.glob("snippets_*.py"))
NAMES = [path.stem for path in SNIPPETS]
REFERENCE = json.loads((ROOT / "tests" / "reference" / "signatures.json").read_text(encoding="utf-8"))
KINDS = ("attribute", "classmethod", "method", "property", "staticmethod")
MYPY = "mypy is not installed, or not the stubs of protobuf"


@pytest.mark.skipif(not all(map(importlib.util.find_spec, ("mypy", "google-stubs"))), reason=MYPY)
@pytest.mark.parametrize("path", SNIPPETS, ids=NAMES)
def test_mypy_in_strict_mode_agrees_with(path: Path, tmp_path: Path) -> None:
    # An ignored error that is no error is one, so the lines marked as wrong are proved wrong.
    shutil.copy(path, tmp_path)
    run([sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-incremental", path.name], tmp_path)


@pytest.mark.skipif(shutil.which("pyright") is None, reason="pyright is not installed")
@pytest.mark.parametrize("path", SNIPPETS, ids=NAMES)
def test_pyright_in_strict_mode_agrees_with(path: Path, tmp_path: Path) -> None:
    shutil.copy(path, tmp_path)
    config = {"typeCheckingMode": "strict", "include": [path.name], "extraPaths": [str(ROOT)]}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    run(["pyright", f"--pythonpath={sys.executable}", "--project=."], tmp_path)


def test_the_snippets_use_all_that_the_reference_has() -> None:
    nodes = [node for path in SNIPPETS for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    members = {name.rpartition(".")[2] for name, fact in REFERENCE.items() if fact["kind"] in KINDS}
    assert {name for name in members if name.islower() and not name.startswith("__")} - used == set()


def run(command: List[str], folder: Path) -> None:
    environment = {**os.environ, "MYPYPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stdout
