"""The code of the documentation, run as its readers run it."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox

DOCS = Path(__file__).resolve().parent.parent / "docs"


def test_the_tests_of_the_page_on_testing_pass(tmp_path: Path) -> None:
    blocks = re.findall(
        r"```python\n# (\w+\.py)\n(.*?)```", (DOCS / "testing.md").read_text(encoding="utf-8"), re.DOTALL
    )
    for name, code in blocks:
        (tmp_path / name).write_text(code, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_the_examples_of_the_page_on_times_do_what_they_show(sandbox: Sandbox, client: ViamClient) -> None:
    blocks = re.findall(r"```pycon\n(.*?)```", (DOCS / "times.md").read_text(encoding="utf-8"), re.DOTALL)
    test = doctest.DocTestParser().get_doctest(
        "\n".join(blocks), {"client": client, "sandbox": sandbox}, "times", "times.md", 0
    )
    result = doctest.DocTestRunner().run(test)
    assert (result.attempted, result.failed) == (13, 0)
