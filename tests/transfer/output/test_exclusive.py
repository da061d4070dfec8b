"""Files of lines that one process at a time appends to, with the locks of this system and with those of Windows."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import pytest
from reliability.processes import environment, run

BUSY = "another one is at work"

#: The locks of Windows, made of those of POSIX: both lock bytes from where a file stands, also behind its end, until it
#: is closed, or the process ends.
WINDOWS = """
import fcntl, os, sys, types

def locking(file, mode, count):
    assert mode == msvcrt.LK_NBLCK
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, count, os.lseek(file, 0, os.SEEK_CUR))
    except OSError:
        raise PermissionError(13, "Permission denied") from None

import pathlib  # is another one on Windows
msvcrt = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
sys.modules["msvcrt"], sys.platform = msvcrt, "win32"
"""
OPEN = """
import os, sys
from pathlib import Path
from viam_sync.transfer.output.exclusive import append, open_exclusive

try:
    file = open_exclusive(Path(sys.argv[1]), "another one is at work")
except BlockingIOError as error:
    print(error.strerror)
    sys.exit()
with open(file, "rb", closefd=False) as lines:
    print(lines.read().decode(), end="", flush=True)
"""
APPEND = "append(file, sys.argv[2].encode() + b'\\n')"
HOLD = "print('open', flush=True); input()"

systems = pytest.mark.parametrize(
    "system",
    [
        "",
        pytest.param(WINDOWS, marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows has these itself")),
    ],
    ids=["this system", "Windows"],
)


@contextmanager
def holder(system: str, path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run a process that has the file open."""
    with subprocess.Popen(
        [sys.executable, "-c", f"{system}{OPEN}{HOLD}", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        try:
            yield process
        finally:
            process.kill()


def opened(system: str, path: Path, line: str) -> "list[str]":
    """Open the file in another process, append a line, and return what that process prints."""
    return run(f"{system}{OPEN}{APPEND}", str(path), line, env=environment())


@systems
def test_two_processes_do_not_have_it_open_at_a_time(system: str, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with holder(system, path):
        assert opened(system, path, "one") == [BUSY]
        assert path.read_bytes() == b""


@systems
def test_a_process_that_is_killed_leaves_it_to_the_next(system: str, tmp_path: Path) -> None:
    path = tmp_path / "lines"
    with holder(system, path) as process:
        process.kill()
        process.wait()
        assert opened(system, path, "one") == []
    assert opened(system, path, "two") == ["one"]
    assert path.read_text() == "one\ntwo\n"
    # Nothing else is left in the folder.
    assert list(tmp_path.iterdir()) == [path]
