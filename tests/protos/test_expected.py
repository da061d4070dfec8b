"""The generator makes of the mini schemas the files that are expected, and these pass all checks."""

import ast
import subprocess
import sys
from pathlib import Path
from typing import Dict

import pytest

from .mini_schemas import CASES, ROOT, cases, expected, generate

pytest.importorskip("ruff", reason="the generator formats with ruff")


@pytest.fixture(scope="module")
def made() -> Dict[str, Dict[str, bytes]]:
    return {case: generate(case) for case in cases()}


@pytest.fixture(scope="module")
def package(made, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mini_schemas")
    for case, files in made.items():
        for name, content in files.items():
            path = folder / case / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    return folder


@pytest.mark.parametrize("case", cases())
def test_the_service_and_the_stub_have_the_expected_text(case, made):
    for path, text in expected(case, made[case]).items():
        assert text == path.read_text(encoding="utf-8"), (
            f"{path.name} differs; run tests/protos/mini_schemas.py and read why"
        )


def test_every_file_lies_below_the_package_and_every_folder_is_one(made):
    assert not [path for files in made.values() for path in files if Path(path).is_absolute() or ".." in path]
    assert {"__init__.py", "a/__init__.py", "a/v1/__init__.py", "a/v1/common.py"} <= made["cross_package"].keys()


@pytest.mark.parametrize("case", cases())
def test_the_expected_text_is_python_3_8(case):
    for path in (CASES / case).glob("expected.py*"):
        ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_the_generated_files_pass_ruff(package):
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", f"--config={ROOT / 'ruff.toml'}", str(package)]
    done = subprocess.run([*command, "--ignore=I001"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_generated_files_pass_mypy(package):
    pytest.importorskip("mypy", reason="mypy is not installed")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-incremental", "--namespace-packages"]
    command += ["--explicit-package-bases", "--follow-imports=silent", "--no-error-summary"]
    done = subprocess.run(
        [*command, str(package)],
        capture_output=True,
        text=True,
        check=False,
        cwd=package,
        env={"MYPYPATH": f"{package}:{ROOT}", "PATH": ""},
    )
    assert done.returncode == 0, done.stdout + done.stderr
