"""The variables that clients read, as lines for a shell, for a ``.env`` file or for IPython."""

import shlex
from typing import Callable, Mapping, Tuple

#: For each, a line that sets a variable, and what begins a comment.
_SHELLS: Mapping[str, Tuple[Callable[[str, str], str], str]] = {
    "bash": (lambda name, value: f"export {name}={shlex.quote(value)}", "#"),
    "cmd": (lambda name, value: f'set "{name}={value}"', "rem"),
    "dotenv": (lambda name, value: f"{name}={_double_quoted(value)}", "#"),
    "fish": (lambda name, value: f"set -gx {name} {_fish_quoted(value)}", "#"),
    "ipython": (lambda name, value: f"%env {name}={value}", "#"),
    "powershell": (lambda name, value: f"$env:{name} = {_doubled(value)}", "#"),
}

#: Their names.
SHELLS = tuple(_SHELLS)


def env_line(shell: str, name: str, value: str) -> str:
    """Return a line that sets a variable.

    Example:
        >>> from viam_sync.sandbox.env_lines import env_line
        >>> print(env_line("powershell", "VIAM_API_KEY", "it's"))
        $env:VIAM_API_KEY = 'it''s'
    """
    return _SHELLS[shell][0](name, value)


def comment_line(shell: str, text: str) -> str:
    """Return a line that says something, and does nothing.

    Example:
        >>> from viam_sync.sandbox.env_lines import comment_line
        >>> comment_line("cmd", "hello")
        'rem hello'
    """
    return f"{_SHELLS[shell][1]} {text}"


def _double_quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _fish_quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _doubled(value: str) -> str:
    doubled = value.replace("'", "''")
    return f"'{doubled}'"
