"""Run a sandbox until it is interrupted, or around a command: ``python -m viam_sync.sandbox -- COMMAND``."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Dict, List, Optional, Sequence, Tuple

from viam_sync.sandbox.around import run_command, shell_command
from viam_sync.sandbox.env_lines import SHELLS, comment_line, env_line
from viam_sync.sandbox.faults.faults import Faults
from viam_sync.sandbox.faults.parsing import HELP, plan_from_text

if TYPE_CHECKING:
    from viam_sync.sandbox.server import Sandbox

# Seconds between two checks for a signal.
_CHECK = 0.1


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run a sandbox, and return the exit status: that of the command, if there is one.

    It prints the settings that clients read from their environment, as lines for a shell; a command has them.
    """
    options = _options(sys.argv[1:] if arguments is None else arguments)
    variables = dict(os.environ)
    # grpc would look after each fork, of which those for a command need nothing.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    # Imported after the arguments are checked: a process that imports grpc and ends at once may abort.
    from viam_sync.sandbox.server import Sandbox

    # No threading.Event: its set() waits for a lock that the main thread may hold, in whose midst the handler runs.
    received: List[int] = []
    for number in _signals():
        signal.signal(number, lambda number, frame: received.append(number))
    try:
        sandbox = Sandbox(
            options.data,
            options.port,
            seed=options.seed,
            token_lifetime=options.token_lifetime,
            tls=options.tls,
            ui=options.ui,
            ui_port=options.ui_port,
        ).start()
    except (OSError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1
    try:
        return _serve(sandbox, options, variables, received)
    finally:
        sandbox.stop()


def _serve(sandbox: Sandbox, options: argparse.Namespace, variables: Dict[str, str], received: Sequence[int]) -> int:
    """Run the command, or wait for the end, and return the exit status."""
    for text in options.fault:
        plan_from_text(sandbox.faults, text)
    if options.command:
        if sandbox.ui_url:
            print(f"look inside: {sandbox.ui_url}", file=sys.stderr)
        if options.what:
            _tell(f"This shell has the variables of the sandbox at {sandbox.url}; exit ends both.")
        return run_command(options.command, {**variables, **sandbox.env_vars()}, _signals())
    _announce(sandbox, options.shell)
    while not received:
        time.sleep(_CHECK)
    return 0


def _announce(sandbox: Sandbox, shell: str) -> None:
    """Print what clients need."""
    for name, value in sandbox.env_vars().items():
        print(env_line(shell, name, value), flush=True)
    if sandbox.ui_url:
        print(comment_line(shell, f"look inside: {sandbox.ui_url}"), flush=True)
    _tell(comment_line(shell, "Paste these lines where you start your programs. The sandbox runs until Ctrl-C."))


def _tell(text: str) -> None:
    """Print what is for people alone, who sit at a terminal."""
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty():
        print(text, file=sys.stderr, flush=True)


def _signals() -> List[signal.Signals]:
    """Return the signals that end the sandbox; nohup ignores the last, which the end of a terminal sends."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options, among them the command that the sandbox runs around."""
    parser = _parser()
    own, dashes, command = _split(list(arguments))
    options, unknown = parser.parse_known_args(own)
    if options.what not in (None, "shell"):
        parser.error(_advice(options, own))
    if unknown:
        parser.error(f"unknown: {' '.join(unknown)}; --help tells the options")
    if dashes and (options.what or not command):
        parser.error("-- takes a command, such as -- python lesson.py; without one, say shell")
    options.command = shell_command() if options.what else command
    _check(parser, options)
    return options


def _advice(options: argparse.Namespace, words: List[str]) -> str:
    """Say what may be meant by a word that is no option."""
    if options.ui and options.what.isdecimal():
        return f"--ui takes no port; say --ui-port {options.what}"
    command = " ".join(words[words.index(options.what) :])
    return f"{options.what!r} is no option; a command stands behind --, such as -- {command}"


def _split(words: List[str]) -> Tuple[List[str], bool, List[str]]:
    """Return the words before "--", whether there is one, and the words behind it."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], at < len(words), words[at + 1 :]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="viam-sync sandbox",
        usage="%(prog)s [OPTIONS] [shell | -- COMMAND ...]",
        description="Run the Viam sandbox on this computer until it is interrupted, or as long as a COMMAND runs.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what", nargs="?", metavar="shell", help="run your shell, which has the variables; its end ends the sandbox"
    )
    parser.add_argument(
        "--shell", choices=SHELLS, default="bash", help="print the variables as lines for this; bash without it"
    )
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; without it, a free one")
    parser.add_argument(
        "--data", metavar="DIR", help="a new or empty folder to keep the world in; without it, it is forgotten"
    )
    parser.add_argument("--tls", action="store_true", help="speak TLS, with a certificate of its own")
    parser.add_argument("--ui", action="store_true", help="serve a page that shows what is in it, for a browser here")
    parser.add_argument(
        "--ui-port", type=int, metavar="PORT", help="serve that page on this port; --ui alone takes a free one"
    )
    parser.add_argument("--seed", type=int, help="a number that makes IDs, keys and faults the same in every run")
    parser.add_argument(
        "--token-lifetime",
        type=float,
        metavar="SECONDS",
        help="for how long a token is accepted; without it, for as long as its key is there",
    )
    parser.add_argument(
        "--fault",
        action="append",
        default=[],
        metavar="RPC:WHAT…",
        help="a fault, as below; can be given several times",
    )
    return parser


def _check(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    for option, port in (("--port", options.port), ("--ui-port", options.ui_port or 0)):
        if not 0 <= port <= 65535:
            parser.error(f"{option} takes a number from 0 to 65535")
    if options.port and options.port == options.ui_port:
        parser.error(f"--ui-port is {options.port}, as --port is; clients and the page take one each")
    if options.token_lifetime is not None and not 0 < options.token_lifetime < float("inf"):
        parser.error("--token-lifetime takes a number of seconds above 0")
    for text in options.fault:
        try:
            plan_from_text(Faults(), text)
        except (ValueError, RuntimeError) as error:
            parser.error(f"--fault {text}: {error}")


if __name__ == "__main__":
    sys.exit(main())
