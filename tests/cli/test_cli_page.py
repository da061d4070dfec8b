"""The blocks of the page on the command line, run as its readers run them."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from command_line import COMMAND, settings_of

from viam_sync.exit_status import DONE, FAILED, INTERRUPTED, NO_READER, WRONG_USE
from viam_sync.sandbox import Sandbox

pytest.importorskip("click", reason="tox -e cli has it")
pytest.importorskip("rich", reason="tox -e cli has it")

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def test_the_blocks_of_the_page_run(sandbox: Sandbox, tmp_path: Path) -> None:
    for package in ("duckdb", "pyarrow"):
        pytest.importorskip(package, reason="tox -e cli has it")
    blocks = re.findall(r"<!-- run -->\n```sh\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == 11
    script = tmp_path / "viam-sync"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n', encoding="utf-8")
    script.chmod(0o700)
    settings = settings_of(sandbox, tmp_path)
    settings["PATH"] = f"{tmp_path}:{settings['PATH']}"
    done = subprocess.run(
        ["sh", "-e"],
        input="".join(blocks),
        env=settings,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^rover$", done.stdout, re.MULTILINE)
    assert '+        "max_rpm": 150' in done.stdout
    assert "error" not in done.stderr
    assert re.search(r"^deleted\t12$", done.stdout, re.MULTILINE)


def test_the_page_names_each_check_of_the_doctor() -> None:
    from viam_sync.checkup.check_up import CHECKS

    assert tuple(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == CHECKS


def test_the_page_names_each_exit_code() -> None:
    codes = (DONE, FAILED, WRONG_USE, INTERRUPTED, NO_READER)
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == [str(code) for code in codes]
