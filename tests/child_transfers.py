"""Uploads and exports in processes of their own, which tests kill or interrupt.

This module is run as a script, too: it reads what to transfer as lines of JSON, and forks a child for each. A child
prints its number once it is connected, and the script prints how the child ended. They are forked from what is loaded
already, so that many of them are started in no time.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, Optional, Tuple, Type

from viam_sync.app.viam_client import ViamClient
from viam_sync.rpc.dial import DialOptions
from viam_sync.sandbox import Sandbox


class ChildTransfers:
    """The script in a process of its own, to be used in a ``with`` statement."""

    def __enter__(self) -> "ChildTransfers":
        root = str(Path(__file__).parents[1])
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=environment
        )
        return self

    def start(self, url: str, key: str, key_id: str, method: str, arguments: Dict[str, Any]) -> int:
        """Begin a transfer, and return the number of its process once that is connected."""
        assert self.process.stdin is not None
        order = {"url": url, "key": key, "key_id": key_id, "method": method, "arguments": arguments}
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        return self.line()

    def line(self) -> int:
        """Return the next number that the script prints."""
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())

    def ends_within(self, seconds: float) -> bool:
        """Tell whether a transfer ends within that many seconds."""
        assert self.process.stdout is not None
        return bool(select.select([self.process.stdout], [], [], seconds)[0])

    def run(self, sandbox: Sandbox, method: str, arguments: Dict[str, Any], limit: float) -> Tuple[bool, float]:
        """Run a transfer, which is killed after ``limit`` seconds; return whether it was, and the seconds it took."""
        child = self.start(sandbox.url, sandbox.api_key, sandbox.api_key_id, method, arguments)
        started = time.perf_counter()
        if not self.ends_within(limit):
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        return self.line() == signal.SIGKILL, time.perf_counter() - started

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self.process.kill()
        self.process.communicate()


def transfer(order: Dict[str, Any]) -> None:
    options = DialOptions.with_api_key(order["key"], order["key_id"])
    options.insecure = True
    with ViamClient.create_from_dial_options(options, order["url"]) as client:
        print(os.getpid(), flush=True)
        getattr(client.data_client, order["method"])(**order["arguments"])


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            try:
                transfer(json.loads(line))
            except KeyboardInterrupt:
                sys.exit(130)
            return
        print(os.waitpid(child, 0)[1], flush=True)


if __name__ == "__main__":
    main()
