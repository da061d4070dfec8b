"""Run a sandbox until it is interrupted: ``python -m viam_sync.sandbox [--port N] [--data DIR]``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import Optional, Sequence


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run a sandbox, and return the exit status.

    It prints the settings that clients look for in their environment, as lines for a shell.
    """
    parser = argparse.ArgumentParser(
        prog="python -m viam_sync.sandbox", description="Run the Viam cloud on this computer until it is interrupted."
    )
    parser.add_argument("--port", type=int, default=0, help="the port to listen on; without it, a free one")
    parser.add_argument("--data", metavar="DIR", help="a folder to keep the world in; without it, it is forgotten")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65535:
        parser.error("--port takes a number from 0 to 65535")
    # Loaded once the arguments are known to be good: a process that has loaded grpc may abort when it ends at once.
    from viam_sync.sandbox.server import Sandbox

    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    try:
        cloud = Sandbox(options.data, options.port).start()
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    settings = {"VIAM_APP_URL": cloud.url, "VIAM_API_KEY": cloud.api_key, "VIAM_API_KEY_ID": cloud.api_key_id}
    for name, value in settings.items():
        print(f"export {name}={value}", flush=True)
    done.wait()
    cloud.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
