"""``viam-sync sandbox`` around a command, its lines for each shell, and the commands that work without click."""

import os
import signal
import subprocess
import sys
from typing import List

import pytest
from command_line import COMMAND, Terminal

READS = "import os; print(os.environ['VIAM_APP_URL'][:7], len(os.environ['VIAM_API_KEY']))"


def run(*words: str, given: str = "", **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*COMMAND, *words],
        input=given,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_command_has_the_variables_and_its_status_is_the_sandboxs() -> None:
    done = run("sandbox", "--", sys.executable, "-c", f"{READS}; import sys; sys.exit(3)")
    assert (done.returncode, done.stdout, done.stderr) == (3, "http:// 32\n", "")


def test_a_shell_has_the_variables() -> None:
    done = run("sandbox", "shell", given='echo "$VIAM_APP_URL"\nexit 4\n', SHELL="/bin/sh")
    assert done.returncode == 4
    assert done.stdout.startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--", "/nix"], 127, "/nix: No such file or directory"),
        (["--", "nix"], 127, "nix: command not found"),
        (["--", "/"], 126, "/: Permission denied"),
        (["--"], 2, "-- takes a command"),
        (["shell", "--", "true"], 2, "-- takes a command"),
        (["--shell", "nix"], 2, "invalid choice: 'nix'"),
    ],
)
def test_what_cannot_be_run_is_one_error(words: List[str], status: int, said: str) -> None:
    done = run("sandbox", *words)
    assert done.returncode == status
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_command_that_a_signal_ends_has_the_status_of_shells() -> None:
    assert run("sandbox", "--", "/bin/sh", "-c", "kill -9 $$").returncode == 128 + 9


def test_a_signal_that_ends_the_sandbox_ends_its_command() -> None:
    command = [*COMMAND, "sandbox", "--", "/bin/sh", "-c", "echo ready; exec sleep 60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM


def test_a_command_that_catches_control_c_ends_as_it_likes() -> None:
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    command = [*COMMAND, "sandbox", "--", sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(30) == 7


@pytest.mark.parametrize("shell", ["bash", "cmd", "dotenv", "fish", "ipython", "powershell"])
def test_the_variables_come_as_lines_for_each_shell(shell: str) -> None:
    with subprocess.Popen([*COMMAND, "sandbox", "--shell", shell], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        process.terminate()
    for line, name in zip(lines, ("VIAM_APP_URL", "VIAM_API_KEY", "VIAM_API_KEY_ID")):
        assert f"{name}" in line
    if shell == "bash":
        script = f'{"".join(lines)}\necho "$VIAM_API_KEY"'
        out = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout
        assert len(out.strip()) == 32


def test_a_shell_on_a_terminal_says_where_one_is_and_how_to_leave() -> None:
    pytest.importorskip("pty", reason="terminals are those of Unix")
    with Terminal(["sandbox", "shell"], {**os.environ, "SHELL": "/bin/sh"}) as terminal:
        assert "This shell has the variables of the sandbox at http://127.0.0.1:" in terminal.read_until(
            "exit ends both."
        )
        terminal.type("echo ${#VIAM_API_KEY} characters\n")
        terminal.read_until("32 characters")
        terminal.type("exit 4\n")
        assert terminal.end().status == 4


def test_a_sandbox_on_a_terminal_says_what_to_do_next_and_ends_by_control_c() -> None:
    pytest.importorskip("pty", reason="terminals are those of Unix")
    with Terminal(["sandbox", "--shell", "powershell", "--ui"], os.environ) as terminal:
        lines = terminal.read_until("Ctrl-C.").splitlines()
        assert [line[:5] for line in lines] == ["$env:", "$env:", "$env:", "# loo", "# Pas"]
        terminal.type("\x03")
        assert terminal.end().status == 0


def without(library: str, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run the command where a library is missing."""
    code = (
        f"import sys; sys.modules[{library!r}] = None\nfrom viam_sync.__main__ import main\nsys.exit(main({[*words]}))"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("library", ["click", "rich"])
def test_without_click_or_rich_one_line_says_what_to_install(library: str) -> None:
    done = without(library, "tree")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "viam-sync tree needs click and rich: pip install click rich\n"


def test_without_click_the_sandbox_runs_and_the_help_names_what_works() -> None:
    assert without("click", "sandbox", "--", sys.executable, "-c", READS).stdout == "http:// 32\n"
    assert "pip install click rich" in without("click", "--help").stdout
    assert without("click", "--version").stdout.strip()
