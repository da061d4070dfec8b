"""Engines, which run queries in worker processes with limits of time and memory."""

from __future__ import annotations

import importlib.util
import logging
import threading
from typing import Any, List, Set

import bson

from viam_sync.sandbox.core.call_errors import (
    CallError,
    failed_precondition,
    invalid_argument,
    resource_exhausted,
    unimplemented,
)
from viam_sync.sandbox.queries.protocol import split_documents
from viam_sync.sandbox.queries.worker_process import ReadReadings, TookTooLong, WorkerLost, WorkerProcess

_LOGGER = logging.getLogger("viam_sync.sandbox")

# Seconds that a query may take, and queries that may run at the same time.
_TIMEOUT = 30.0
_MOST_WORKERS = 4
_ERRORS = {"invalid": invalid_argument, "unimplemented": unimplemented, "exhausted": resource_exhausted}


class _OutOfMemory(Exception):
    """A query has found too little memory, and its worker has said so."""


class Engine:
    """Runs the queries of one language.

    A worker process is started when a query finds none idle. It goes on to the next query, with the readings that it
    has if they are still the same. One that has run into a limit is ended, and so are all when the engine is closed. A
    query that finds too little memory after others have run there is run once more, in a new process.

    Args:
        language: "sql" or "mql".
        package: The package that the worker needs for it.
        timeout: Seconds that a query may take.

    Attributes:
        started: The number of worker processes that were started.
    """

    def __init__(self, language: str, package: str, timeout: float = _TIMEOUT) -> None:
        self.started = 0
        self._language = language
        self._package = package
        self._timeout = timeout
        self._slots = threading.BoundedSemaphore(_MOST_WORKERS)
        self._lock = threading.Lock()
        self._workers: Set[WorkerProcess] = set()
        self._idle: List[WorkerProcess] = []
        self._closed = False

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

    def run(self, query: Any, read: ReadReadings) -> List[bytes]:
        """Run a query, and return the rows of its result as BSON.

        Args:
            query: The query.
            read: Returns the readings.

        Raises:
            CallError: INVALID_ARGUMENT if the query is invalid, UNIMPLEMENTED if the package does not support it,
                RESOURCE_EXHAUSTED if it takes too long or too much memory, or its result is too large.
        """
        with self._slots:
            try:
                return self._run(query, read)
            except TookTooLong:
                raise resource_exhausted(
                    f"The query took longer than {self._timeout:g} seconds and was ended; narrow it down."
                ) from None
            except _OutOfMemory as error:
                raise resource_exhausted(str(error)) from None
            except WorkerLost as lost:
                if self._closed:
                    raise _stopped() from None
                _LOGGER.warning("A query ended its process with %s", lost)
                raise resource_exhausted("The query needed more memory than there is for it; narrow it down.") from None

    def close(self) -> None:
        """End the worker processes, and what they run; later queries fail."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            for worker in self._workers:
                worker.kill()
        for worker in idle:
            worker.close()

    def _run(self, query: Any, read: ReadReadings) -> List[bytes]:
        with self._lock:
            idle = self._idle.pop() if self._idle else None
        if idle is not None:
            try:
                return self._run_on(idle, query, read)
            except (WorkerLost, _OutOfMemory):  # while it was idle, or because of the queries before
                pass
        return self._run_on(self._start(), query, read)

    def _start(self) -> WorkerProcess:
        with self._lock:
            if self._closed:
                raise _stopped()
            worker = WorkerProcess(self._language)
            self._workers.add(worker)
            self.started += 1
        return worker

    def _run_on(self, worker: WorkerProcess, query: Any, read: ReadReadings) -> List[bytes]:
        reusable = False
        try:
            head, *rows = split_documents(worker.ask(query, read, self._timeout))
            error = bson.decode(head)
            reusable = error.get("error") not in ("exhausted", "memory")
        finally:
            self._put_back(worker, reusable)
        if error.get("error") == "memory":
            raise _OutOfMemory(error["text"])
        if error:
            raise _ERRORS[error["error"]](error["text"])
        return rows

    def _put_back(self, worker: WorkerProcess, reusable: bool) -> None:
        with self._lock:
            if reusable and not self._closed:
                self._idle.append(worker)
                return
            self._workers.discard(worker)
        worker.close()


def _stopped() -> CallError:
    return failed_precondition("The sandbox has been stopped; start it again.")
