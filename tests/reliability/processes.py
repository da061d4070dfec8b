"""Programs in processes of their own, and their forks; a process with a server in it could not be forked safely."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, List, Optional, Tuple

from waiting import LONG

from viam_sync.sandbox import Sandbox

ROOT = Path(__file__).parents[2]


def environment(sandbox: Optional[Sandbox] = None, **more: str) -> Dict[str, str]:
    """Return the environment of a program that is to use the sandbox."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests")])
    keys = {} if sandbox is None else sandbox.env_vars()
    return {**os.environ, "PYTHONPATH": paths, **keys, **more}


def run(script: str, *arguments: str, env: Dict[str, str], seconds: float = LONG) -> List[str]:
    """Return the lines that a script prints."""
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@contextlib.contextmanager
def sandbox_process(*options: str) -> Iterator[Dict[str, str]]:
    """Run a sandbox that shares no interpreter with the test; gives the variables that tell a client of it."""
    with subprocess.Popen(
        [sys.executable, "-m", "viam_sync.sandbox", *options], stdout=subprocess.PIPE, env=environment(), text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield dict(process.stdout.readline().split()[1].split("=", 1) for _ in range(3))
        finally:
            process.terminate()


def in_child(act: Callable[[], Any], leave: Callable[[int], Any] = os._exit, seconds: float = 30) -> str:
    """Fork, and return what ``act`` returns in the child, or how the child failed.

    Args:
        act: Called in the child.
        leave: How it ends: ``os._exit`` as children of multiprocessing do, or ``sys.exit`` as workers of gunicorn do.
        seconds: How long it may take before it is killed.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            said = str(act())
        except BaseException as error:
            said = repr(error)
        os.write(writer, said.encode())
        leave(0)
    os.close(writer)
    # The pipe ends when the child has ended, as that keeps the other end open.
    with os.fdopen(reader, "rb", buffering=0) as pipe:
        said, hangs = _read(pipe, seconds)
    if hangs:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if hangs:
        return "hangs"
    return said if status == 0 else f"{said} and ended with {status}"


def _read(pipe: IO[bytes], seconds: float) -> Tuple[str, bool]:
    """Read a pipe until its end; return its contents, and whether the end did not come in that many seconds."""
    end, parts = time.monotonic() + seconds, [b""]
    while select.select([pipe], [], [], max(end - time.monotonic(), 0))[0]:
        parts.append(pipe.read(1 << 16))
        if not parts[-1]:
            return b"".join(parts).decode(), False
    return b"".join(parts).decode(), True
