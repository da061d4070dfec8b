"""Runs ``viam-sync`` as its users do: in a pipe, or in a terminal of some width."""

import contextlib
import os
import re
import select
import subprocess
import sys
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence

#: The last libcst for Python 3.8 asks for a class that its library warns of.
_LIBCST = "ignore:mypy_extensions.TypedDict is deprecated"
COMMAND = [sys.executable, "-W", "error", "-W", _LIBCST, "-m", "viam_sync"]
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
#: Seconds after which a command hangs.
_HANGS = 60


class Ended(NamedTuple):
    """How a command ended.

    Attributes:
        status: Its exit status.
        out: What it printed; on a terminal, errors and what was typed, too.
        errors: What it printed as errors, in a pipe.
    """

    status: int
    out: str
    errors: str = ""

    @property
    def lines(self) -> List[str]:
        """The printed lines, without colours."""
        return _ESCAPE.sub("", self.out).replace("\r", "").splitlines()


def settings_of(sandbox, folder) -> Dict[str, str]:
    """Return an environment in which a sandbox is the cloud, and a folder the home."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "no_proxy") if name in os.environ}
    return {**kept, **sandbox.env_vars(), "HOME": str(folder), "LANG": "C.UTF-8", "TERM": "xterm-256color", "TZ": "UTC"}


def in_pipe(words: Sequence[str], environment: Mapping[str, str], given: str = "") -> Ended:
    """Run a command whose output goes to a pipe, and whose input comes from one."""
    done = subprocess.run(
        [*COMMAND, *words],
        input=given,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=_HANGS,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


class Terminal:
    """A command in a terminal of its own; use it in a ``with`` statement.

    Args:
        words: The words of the command.
        environment: Its variables.
        width: The number of columns.
    """

    def __init__(self, words: Sequence[str], environment: Mapping[str, str], width: int = 100) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))

        # The shell leads a session of its own, in which the first terminal that it opens becomes that of the session. A
        # function between fork and exec would do the same, but there the core of grpc, which the sandbox runs in this
        # process, may abort.
        self._process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" <"$0"', os.ttyname(theirs), *COMMAND, *words],
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
            env={**environment},
            start_new_session=True,
        )
        os.close(theirs)
        self._seen = b""
        self._typed = ""

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *error: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._ours)

    def read_until(self, text: Optional[str]) -> str:
        """Return what was printed up to a text, or to the end."""
        while text is None or text not in self._seen.decode("utf-8", "replace"):
            assert self._has_output(), self._seen
            piece = b""
            with contextlib.suppress(OSError):  # the other end is closed
                piece = os.read(self._ours, 65536)
            if not piece:
                assert text is None, self._seen
                break
            self._seen += piece
        return self._seen.decode("utf-8", "replace")

    def _has_output(self) -> bool:
        """Wait for output."""
        for _ in range(_HANGS):
            if select.select([self._ours], [], [], 1)[0]:
                return True
            # Python may lose a Ctrl-C that comes just before it waits for a key.
            if self._typed == "\x03":
                self.type("\x03")
        return False

    def type(self, text: str) -> None:
        """Type on the keyboard; ``\\x03`` is Ctrl-C."""
        self._typed = text
        os.write(self._ours, text.encode())

    def end(self) -> Ended:
        """Wait for the end of the command."""
        out = self.read_until(None)
        return Ended(self._process.wait(_HANGS), out)


def in_terminal(words: Sequence[str], environment: Mapping[str, str], width: int = 100) -> Ended:
    """Run a command in a terminal, without typing anything."""
    with Terminal(words, environment, width) as terminal:
        return terminal.end()
