"""The generator says in one line what to install, and what is wrong in the surface table."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .mini_schemas import BENCH, ROOT

from pins import REQUIREMENTS  # isort: skip

INSTALL = "; run: python -m pip install -r protos/requirements.txt\n"


@pytest.fixture
def bench(tmp_path):
    shutil.copytree(ROOT / "viam_sync", tmp_path / "viam_sync", ignore=shutil.ignore_patterns("__pycache__"))
    return Path(shutil.copytree(BENCH, tmp_path / "protos"))


def said(bench: Path) -> str:
    command = [sys.executable, str(bench / "generate.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr


@pytest.mark.parametrize(
    ("pin", "phrase"),
    [
        ("no-such-package==1.0", "no-such-package 1.0 (none is installed)"),
        ("pytest==0.1", f"pytest 0.1 ({pytest.__version__} is installed)"),
        ('pytest==0.1; python_version < "3.99"', f"pytest 0.1 ({pytest.__version__} is installed)"),
    ],
)
def test_a_package_that_is_missing_or_of_another_version_is_named(bench, pin, phrase):
    (bench / "requirements.txt").write_text(f'# Pins.\n{pin}\nold-package==1.0; python_version < "3.8"\n')
    assert said(bench) == f"The generator needs {phrase}{INSTALL}"


def test_every_requirement_is_pinned():
    lines = [line for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert lines
    assert [line for line in lines if "==" not in line] == []


@pytest.mark.parametrize(
    ("written", "instead", "error"),
    [
        ('returns = "organizations"', 'returns = "organisations"', "has no field 'organisations'"),
        ("AppService.ListOrganizations]", "AppService.ListOrganisations]", "AppService.ListOrganisations"),
        ('returns = "organizations"', "returns = organizations", "surface.toml: Invalid value (at line"),
    ],
)
def test_a_mistake_in_the_surface_table_is_one_line(bench, written, instead, error):
    (bench / "requirements.txt").write_text("")
    surface = bench / "surface.toml"
    text = surface.read_text(encoding="utf-8")
    assert written in text
    surface.write_text(text.replace(written, instead, 1), encoding="utf-8")

    message = said(bench)

    assert error in message
    assert message.count("\n") == 1
