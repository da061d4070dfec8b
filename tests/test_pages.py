"""The code on each page of the documentation, run as its readers run it; page_blocks.py has the rule."""

import configparser
import doctest
import importlib.util
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from page_blocks import PAGES, ROOT, CodeBlock, code_blocks, name_of

from viam_sync.__main__ import main
from viam_sync.app.viam_client import ViamClient
from viam_sync.cli.plain_commands import PLAIN_COMMANDS
from viam_sync.sandbox import Sandbox

BLOCKS = [block for page in PAGES for block in code_blocks(page)]
#: The pages that are more than text, each with what is run of it.
RUN: Dict[str, List[CodeBlock]] = {}
for block in BLOCKS:
    if block.kind in ("python", "pycon") and not (block.marked("run by") or block.marked("not run")):
        RUN.setdefault(block.page, []).append(block)
SHELL = [block for block in BLOCKS if block.kind == "sh"]
#: What ends a command within a line of a shell, and what stands before one that the sandbox runs.
BETWEEN_COMMANDS = {"|", "||", "&", "&&", ";", "(", ")", "--"}


@pytest.fixture
def names(client: ViamClient, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Dict[str, Any]:
    """What the code of a page finds: a client, its sandbox, their variables, and an empty working folder."""
    monkeypatch.chdir(tmp_path)
    for name, value in (("URL", sandbox.url), ("KEY", sandbox.api_key), ("KEY_ID", sandbox.api_key_id)):
        monkeypatch.setenv(f"VIAM_{'APP' if name == 'URL' else 'API'}_{name}", value)
    return {"__name__": "page", "client": client, "sandbox": sandbox}


@pytest.mark.parametrize("page", RUN)
def test_the_code_of_a_page_does_what_it_shows(page: str, names: Dict[str, Any]) -> None:
    client, sandbox = names["client"], names["sandbox"]
    for block in RUN[page]:
        if all(importlib.util.find_spec(package) for text in block.marked("needs") for package in text.split()):
            # A block before may have used the names for a client and a sandbox of its own.
            names.update(client=client, sandbox=sandbox)
            for code in block.marked("given"):
                exec(compile(code, page, "exec"), names)
            _run(block, names)


def _run(block: CodeBlock, names: Dict[str, Any]) -> None:
    """Run a block; its lines have the numbers that they have on the page."""
    if block.kind == "python":
        exec(compile("\n" * (block.line + 1) + block.code, str(ROOT / block.page), "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(block.code, names, block.page, block.page, block.line + 1)
    result = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, clear_globs=False)
    names.update(test.globs)
    assert result.attempted > 0
    assert result.failed == 0


def test_each_block_says_what_it_is_written_in() -> None:
    kinds = {"python", "pycon", "sh", "diff", "text", "proto", "toml", "json"}
    assert [f"{block.page}:{block.line + 1}" for block in BLOCKS if block.kind not in kinds] == []
    assert {name_of(page) for page in PAGES} >= set(RUN)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_each_mark_of_a_page_is_one_that_is_known(page: Path) -> None:
    marks = re.findall(r"<!-- ([^`\n]*?): ", page.read_text(encoding="utf-8"))
    assert set(marks) <= {"given", "needs", "run by", "not run"}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_what_belongs_to_a_list_has_the_indent_that_every_reader_of_markdown_takes(page: Path) -> None:
    fences = re.findall(r"(?m)^( *)```", page.read_text(encoding="utf-8"))
    assert {len(indent) % 4 for indent in fences} <= {0}


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.marked("run by")], ids=lambda block: block.page)
def test_a_test_that_a_mark_names_reads_the_page(block: CodeBlock) -> None:
    test = block.marked("run by")[0]
    assert Path(block.page).name in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize("block", SHELL, ids=lambda block: f"{block.page}:{block.line + 1}")
def test_bash_can_read_the_lines_for_a_shell(block: CodeBlock) -> None:
    done = subprocess.run(["bash", "-n"], input=block.code, capture_output=True, text=True, timeout=20, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def _commands() -> Iterator[str]:
    """Yield each command of ours on the pages, as a shell would run it."""
    for block in SHELL:
        for line in block.code.replace("\\\n", " ").splitlines():
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            command: List[str] = []
            for word in [*lexer, ";"]:
                if word not in BETWEEN_COMMANDS:
                    command.append(word)
                    continue
                if command[:2] == ["python", "-m"] and command[2].startswith("viam_sync"):
                    yield shlex.join(["viam-sync", *command[2].split(".")[1:], *command[3:]])
                elif command[:1] == ["viam-sync"]:
                    yield shlex.join(command)
                command = []


@pytest.mark.parametrize("command", sorted(set(_commands())))
def test_a_command_of_the_pages_is_there_with_its_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(command.partition(" > ")[0])[1:]
    if words and words[0] not in PLAIN_COMMANDS:
        for package in ("click", "rich"):
            pytest.importorskip(package, reason="tox -e docs has it")
    try:
        status = main([*words, "--help"])
    except SystemExit as ended:
        status = int(ended.code or 0)
    printed = capsys.readouterr()
    assert status == 0, printed.err
    options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}
    assert {option for option in options if option not in printed.out} == set()


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CHANGELOG.md"], ids=name_of)
def test_no_page_installs_from_an_index_what_is_on_none(page: Path) -> None:
    assert re.findall(r"viam-sync\[.*?\]", page.read_text(encoding="utf-8")) == []


def test_the_extras_that_pages_install_are_there() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = {name for names in re.findall(r"(?:viam-sync|\")\.?\[([\w,]+)\]", text) for name in names.split(",")}
    assert named - set(setup["options.extras_require"]) == set()
    assert named > {"cli", "migrate"}
