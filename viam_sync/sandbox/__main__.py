"""Run a sandbox until it is interrupted: ``python -m viam_sync.sandbox [--port N] [--data DIR] [--tls] [--ui]``."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading
from typing import TYPE_CHECKING, Dict, List, Optional, Sequence

from viam_sync.sandbox.faults.faults import Faults
from viam_sync.sandbox.faults.parsing import HELP, plan_from_text

if TYPE_CHECKING:
    from viam_sync.sandbox.server import Sandbox

# Seconds between two checks for a signal.
_CHECK = 0.5


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run a sandbox, and return the exit status.

    It prints the settings that clients read from their environment, as lines for a shell.
    """
    options = _options(arguments)
    # Imported after the arguments are checked: a process that imports grpc and ends at once may abort.
    from viam_sync.sandbox.server import Sandbox

    done = threading.Event()
    for number in _signals():
        signal.signal(number, lambda *_: done.set())
    try:
        sandbox = Sandbox(
            options.data,
            options.port,
            seed=options.seed,
            token_lifetime=options.token_lifetime,
            tls=options.tls,
            ui=options.ui,
        ).start()
    except (OSError, ImportError) as error:
        print(error, file=sys.stderr)
        return 1
    try:
        _announce(sandbox, options.fault)
        # A signal that arrives just before the main thread blocks does not interrupt the wait, hence the timeout.
        while not done.wait(_CHECK):
            pass
    finally:
        sandbox.stop()
    return 0


def _announce(sandbox: Sandbox, faults: Sequence[str]) -> None:
    """Plan faults, and print what clients need."""
    for text in faults:
        plan_from_text(sandbox.faults, text)
    for name, value in _settings(sandbox).items():
        print(f"export {name}={shlex.quote(value)}", flush=True)
    if sandbox.ui_url:
        print(f"# look inside: {sandbox.ui_url}", flush=True)


def _signals() -> List[signal.Signals]:
    """Return the signals that end the sandbox; nohup ignores the last, which the end of a terminal sends."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    return numbers


def _options(arguments: Optional[Sequence[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m viam_sync.sandbox",
        description="Run the Viam sandbox on this computer until it is interrupted.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; without it, a free one")
    parser.add_argument(
        "--data", metavar="DIR", help="a new or empty folder to keep the world in; without it, it is forgotten"
    )
    parser.add_argument("--tls", action="store_true", help="speak TLS, with a certificate of its own")
    parser.add_argument("--ui", action="store_true", help="serve a page that shows what is in it, for a browser here")
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
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:
        parser.error("--port takes a number from 0 to 65535")
    if options.token_lifetime is not None and not 0 < options.token_lifetime < float("inf"):
        parser.error("--token-lifetime takes a number of seconds above 0")
    for text in options.fault:
        try:
            plan_from_text(Faults(), text)
        except (ValueError, RuntimeError) as error:
            parser.error(f"--fault {text}: {error}")
    return options


def _settings(sandbox: Sandbox) -> Dict[str, str]:
    settings = {"VIAM_APP_URL": sandbox.url, "VIAM_API_KEY": sandbox.api_key, "VIAM_API_KEY_ID": sandbox.api_key_id}
    if sandbox.ca_certificate is not None:
        settings["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"] = str(sandbox.ca_certificate)
    return settings


if __name__ == "__main__":
    sys.exit(main())
