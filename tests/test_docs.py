"""The code of the documentation, run as its readers run it."""

import asyncio
import difflib
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    assert "6 passed" in done.stdout


def _block(name: str) -> str:
    """Return the block of the page on migrating below a comment with a name."""
    page = (DOCS / "migrating.md").read_text(encoding="utf-8")
    return re.findall(rf"<!-- {name} -->\n```\w+\n(.*?)```", page, re.DOTALL)[0]


def test_the_command_makes_the_after_of_the_page_on_migrating_of_its_before() -> None:
    pytest.importorskip("libcst", reason="the command needs it")
    from viam_sync.migrate.script import migrate_source

    assert migrate_source(_block("before")) == (_block("after"), [])


def test_the_patch_on_the_page_on_migrating_is_what_the_command_makes() -> None:
    pytest.importorskip("libcst", reason="the command needs it")
    from viam_sync.migrate.script import migrate_source

    patch = _block("patch")
    before = "".join(f"{line[1:]}\n" for line in patch.splitlines()[3:] if line[0] != "+")
    after, left = migrate_source(before)
    lines = difflib.unified_diff(before.splitlines(True), after.splitlines(True), "robots.py", "robots.py")
    assert ("".join(lines), left) == (patch, [])


def test_the_migrated_example_prints_what_the_page_shows(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _export(sandbox, monkeypatch)
    exec(_block("after"), {"__name__": "__main__"})
    assert capsys.readouterr().out == _block("output")


def test_the_errors_of_the_page_on_migrating_are_met_in_both_idioms(
    client: ViamClient, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (DOCS / "migrating.md").read_text(encoding="utf-8")
    grpclib_idiom, grpc_idiom = re.findall(r"```python\n(.*?)```", page.partition("## Errors")[2], re.DOTALL)[:2]
    exec(grpclib_idiom + grpc_idiom, {"client": client})
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert first.startswith("True No robot has the ID ")


def test_all_names_that_the_page_on_migrating_imports_are_there() -> None:
    page = (DOCS / "migrating.md").read_text(encoding="utf-8")
    imports = set(re.findall(r"from (viam_sync[\w.]*) import (\w+(?:, \w+)*)", page))
    assert len(imports) > 8
    for module, names in imports:
        assert {*names.split(", ")} <= {*dir(importlib.import_module(module))}


LEFT = [
    "await client",
    "await client.app_client.list_organizations()",
    "await client.data_client.tabular_data_by_filter(limit=1)",
    "await client.app_client.get_robot(sandbox.robot_id)",
    "await client.app_client.update_robot_metadata(sandbox.robot_id, {})",
    "async for robot in client.app_client.list_robots(sandbox.location_id): pass",
    "async with client: pass",
    "await asyncio.gather(client.app_client.list_organizations())",
    "await asyncio.gather(client.app_client.get_robot(sandbox.robot_id))",
    "await asyncio.wait([client.app_client.list_organizations()])",
    "await asyncio.wait_for(client.app_client.list_organizations(), 5)",
]
SCRIPTS = [*(f"async def main():\n    {line}\nasyncio.run(main())" for line in LEFT), "asyncio.run(client.close())"]


@pytest.mark.parametrize("script", SCRIPTS, ids=[*LEFT, "asyncio.run"])
def test_what_python_says_of_a_word_that_was_left_stands_on_the_page_on_migrating(
    script: str, sandbox: Sandbox, client: ViamClient
) -> None:
    table = (
        (DOCS / "migrating.md").read_text(encoding="utf-8").partition("| it says | which word")[2].partition("\n\n")[0]
    )
    phrases = re.findall(r"^\| `(.*?)(?:'|list'| …|, got None)?`", table, re.MULTILINE)
    with pytest.raises((TypeError, ValueError)) as raised:
        exec(script, {"asyncio": asyncio, "client": client, "sandbox": sandbox})
    said = re.sub(r"object \w+ can't", "object list can't", str(raised.value))
    assert [phrase for phrase in phrases if said.startswith(phrase)], said


def _export(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_APP_URL", sandbox.url)
    monkeypatch.setenv("VIAM_API_KEY", sandbox.api_key)
    monkeypatch.setenv("VIAM_API_KEY_ID", sandbox.api_key_id)
