"""A worker process, as the engine that has started it sees it."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import tempfile
import threading
from typing import Any, BinaryIO, Callable, Iterator, Optional, Tuple, cast

import bson

from viam_sync.sandbox.queries.protocol import Readings, read_message, write_message

_SCRIPT = "import sys; sys.path[:] = sys.argv[2:]; from viam_sync.sandbox.queries.worker import main; main(sys.argv[1])"

#: A value that differs where readings differ.
Version = Tuple[Any, ...]
#: Returns the version of the readings at the moment, and the readings, unless their version is that which is given.
ReadReadings = Callable[[Optional[Version]], Tuple[Version, Optional[Readings]]]


class WorkerLost(Exception):
    """A worker has ended without an answer; the text tells how."""


class TookTooLong(Exception):
    """A query has taken longer than it may, and its worker was ended."""


class WorkerProcess:
    """A worker process, and the version of the readings that it has.

    Args:
        language: "sql" or "mql".
    """

    def __init__(self, language: str) -> None:
        command = [sys.executable, "-I", "-W", "ignore", "-c", _SCRIPT, language, *map(os.path.abspath, sys.path)]
        # Nobody reads its errors while it runs, so that a pipe could become full.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        pipe = subprocess.PIPE
        # With close_fds, some versions of Python fork, which grpc does not support; no descriptor is inheritable.
        # Without a buffer, a child that this process forks has nothing that it would write to the worker at its end.
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=self._errors, close_fds=False, bufsize=0
        )
        self._answers = io.BufferedReader(cast(io.RawIOBase, self._process.stdout))
        self._version: Optional[Version] = None

    def ask(self, query: Any, read: ReadReadings, timeout: float) -> bytes:
        """Run a query, and return the message with the answer.

        Args:
            query: The query.
            read: Returns the readings.
            timeout: Seconds that the query may take.

        Raises:
            TookTooLong: If it takes longer.
            WorkerLost: If the process ends otherwise.
        """
        version, readings = read(self._version)
        documents = [bson.encode({"query": query, "loads": readings is not None})]
        documents += [] if readings is None else readings.to_documents()
        with self._killed_after(timeout) as over:
            try:
                write_message(cast(BinaryIO, self._process.stdin), b"".join(documents))
                answer = read_message(self._answers)
            except (OSError, EOFError):
                status = self._process.wait()
                if over.is_set():
                    raise TookTooLong from None
                self._errors.seek(0)
                raise WorkerLost(f"status {status}: {self._errors.read().decode(errors='replace')}") from None
        self._version = version
        return answer

    def kill(self) -> None:
        """Kill the process; a query that it runs fails."""
        self._process.kill()

    def close(self) -> None:
        """Kill the process, and close all that is shared with it."""
        self.kill()
        with self._process, self._answers, self._errors:
            pass

    @contextlib.contextmanager
    def _killed_after(self, seconds: float) -> Iterator[threading.Event]:
        """Kill the process if the block takes longer, and set the event then."""
        over = threading.Event()

        def end() -> None:
            over.set()
            self.kill()

        # A limit of subprocess itself would count with a clock that a test may have stopped.
        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield over
        finally:
            timer.cancel()
