"""Engines, which run each query in a worker process with limits of time and memory."""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
import threading
from typing import Any, Dict, Iterable, Iterator, List, Optional

import bson

from viam_sync.sandbox.core.call_errors import failed_precondition, invalid_argument, resource_exhausted, unimplemented

_LOGGER = logging.getLogger("viam_sync.sandbox")

# Seconds that a query may take, and queries that may run at the same time.
_TIMEOUT = 30.0
_MOST_WORKERS = 4
_SCRIPT = "import sys; sys.path[:] = sys.argv[2:]; from viam_sync.sandbox.queries.worker import main; main(sys.argv[1])"
_ERRORS = {"invalid": invalid_argument, "unimplemented": unimplemented, "exhausted": resource_exhausted}


class Engine:
    """Runs the queries of one language.

    Args:
        language: "sql" or "mql".
        package: The package that the worker needs for it.
        timeout: Seconds that a query may take.
    """

    def __init__(self, language: str, package: str, timeout: float = _TIMEOUT) -> None:
        self._language = language
        self._package = package
        self._timeout = timeout
        self._workers = threading.BoundedSemaphore(_MOST_WORKERS)

    def require(self) -> None:
        """Require that the package is installed.

        Raises:
            CallError: FAILED_PRECONDITION.
        """
        if importlib.util.find_spec(self._package) is None:
            raise failed_precondition(
                f"The sandbox needs the package {self._package} for {self._language.upper()}, which is not installed; "
                "install it with: pip install duckdb mongomock"
            )

    def run(self, query: Any, origins: List[Dict[str, Any]], readings: Iterable[bytes]) -> List[bytes]:
        """Run a query, and return the rows of its result as BSON.

        Args:
            query: The query.
            origins: The origins of the readings.
            readings: The readings, as BSON.

        Raises:
            CallError: INVALID_ARGUMENT if the query is invalid, UNIMPLEMENTED if the package does not support it,
                RESOURCE_EXHAUSTED if it takes too long or too much memory, or its result is too large.
        """
        documents = b"".join([*_encode_documents({"query": query}, *origins, {}), *readings])
        command = [sys.executable, "-I", "-W", "ignore", "-c", _SCRIPT, self._language, *map(os.path.abspath, sys.path)]
        with self._workers:
            done = _run(command, documents, self._timeout)
        if done is None:
            raise resource_exhausted(
                f"The query took longer than {self._timeout:g} seconds and was ended; narrow it down."
            )
        if done.returncode != 0:
            _LOGGER.warning(
                "A query ended its process with %d: %s", done.returncode, done.stderr.decode(errors="replace")
            )
            raise resource_exhausted("The query needed more memory than there is for it; narrow it down.")
        head, *rows = _split_documents(done.stdout)
        error = bson.decode(head)
        if error:
            raise _ERRORS[error["error"]](error["text"])
        return rows


def _run(command: List[str], documents: bytes, timeout: float) -> Optional[subprocess.CompletedProcess[bytes]]:
    """Run a command; return None if it was ended as it took too long."""
    # With close_fds, some versions of Python fork, which grpc does not support; no descriptor is inheritable.
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, close_fds=False) as process:
        over = threading.Event()

        def end() -> None:
            over.set()
            process.kill()

        # A limit of subprocess itself would count with a clock that a test may have stopped.
        timer = threading.Timer(timeout, end)
        timer.daemon = True
        timer.start()
        try:
            output, errors = process.communicate(documents)
        except BaseException:
            process.kill()
            raise
        finally:
            timer.cancel()
    return None if over.is_set() else subprocess.CompletedProcess(command, process.returncode, output, errors)


def _encode_documents(*documents: Dict[str, Any]) -> Iterator[bytes]:
    return (bson.encode(document) for document in documents)


def _split_documents(contents: bytes) -> List[bytes]:
    """Return the documents in concatenated BSON."""
    found = []
    offset = 0
    while offset < len(contents):
        length = int.from_bytes(contents[offset : offset + 4], "little")
        found.append(contents[offset : offset + length])
        offset += length
    return found
