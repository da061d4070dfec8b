"""Servers and workers in processes of their own, and calls that they must make at the same time."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, Iterator, List

import grpc
from servers import FakeService
from waiting import LONG, until

from viam_sync.proto import app as pb

#: A response to the call that the applications of the tests make.
ORGANIZATIONS = pb.ListOrganizationsResponse(organizations=[pb.Organization(name="Lesson Robotics")])


class Worker:
    """A process that runs until the test is over.

    Attributes:
        process: The process.
        found: The groups of the line of its log that tells that it is ready.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", log: Path) -> None:
        self.process = process
        self.found: Dict[str, str] = {}
        self._log = log

    @property
    def log(self) -> str:
        """What the process has written so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_for(self, pattern: str) -> None:
        """Wait until the log has text that matches."""
        until(lambda: self._has(pattern))

    def _has(self, pattern: str) -> bool:
        found = re.search(pattern, self.log)
        assert found or self.process.poll() is None, self.log
        self.found = found.groupdict() if found else {}
        return found is not None

    def get(self, path: str = "/") -> str:
        """Return what the server answers."""
        with urllib.request.urlopen(f"http://{self.found['address']}{path}", timeout=LONG) as answer:
            text: str = answer.read().decode()
            return text

    def get_together(self, times: int, path: str = "/") -> List[str]:
        """Return the answers to so many requests, which come at the same time."""
        with ThreadPoolExecutor(times) as threads:
            return list(threads.map(self.get, [path] * times))


@contextlib.contextmanager
def running(command: List[str], ready: str, folder: Path, environ: Dict[str, str]) -> Iterator[Worker]:
    """Run a module of Python, or a program, in a folder, until it has said that it is ready; end it by SIGTERM.

    Args:
        command: The program, or ``-m`` and the module, and its arguments.
        ready: A pattern of what it writes then.
        folder: Its working folder, in which its log is written, too.
        environ: Its environment.
    """
    log = folder / "process.log"
    program = [sys.executable, *command] if command[0] == "-m" else command
    with log.open("wb") as output, subprocess.Popen(
        program, cwd=folder, env=environ, stdout=output, stderr=output, start_new_session=True
    ) as process:
        worker = Worker(process, log)
        try:
            worker.wait_for(ready)
            yield worker
            process.send_signal(signal.SIGTERM)
            process.wait(LONG)
        finally:
            # Workers that their master has left behind are in its group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run Debian's Redis on a socket in a folder; gives its URL."""
    path = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    with running(command, "ready to accept connections", folder, {}):
        yield f"redis+socket://{path}"


def variables(server: FakeService) -> Dict[str, str]:
    """Return the variables of a client of a server."""
    return {
        "VIAM_API_KEY": "secret",
        "VIAM_API_KEY_ID": "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d",
        "VIAM_APP_URL": server.url,
    }


def only_together(times: int) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    """Return a method that answers no call before so many of them have come."""
    barrier = threading.Barrier(times)

    def method(request: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            barrier.wait(LONG / 2)
        except threading.BrokenBarrierError:
            context.abort(grpc.StatusCode.INTERNAL, f"fewer than {times} calls came at the same time")
        return ORGANIZATIONS.SerializeToString()

    return method
