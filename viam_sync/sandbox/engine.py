"""Runs a query in a process of its own, which has limits of time and memory, and cannot take the sandbox with it."""

from __future__ import annotations

import importlib.util
import logging
import os
import subprocess
import sys
import threading
from typing import Any, Dict, Iterable, Iterator, List

import bson

from viam_sync.sandbox.errors import failed_precondition, invalid_argument, resource_exhausted, unimplemented

_LOGGER = logging.getLogger("viam_sync.sandbox")

# How long a query may take. A client may ask again when it is refused for that.
_SECONDS = 30.0
_AT_ONCE = 4
_START = "import sys; sys.path[:] = sys.argv[2:]; from viam_sync.sandbox.engine_process import main; main(sys.argv[1])"
_ERRORS = {"invalid": invalid_argument, "unimplemented": unimplemented, "exhausted": resource_exhausted}


class Engine:
    """What runs the queries of one language.

    Args:
        language: "sql" or "mql".
        package: The package that understands it.
    """

    def __init__(self, language: str, package: str) -> None:
        self._language = language
        self._package = package
        self._places = threading.BoundedSemaphore(_AT_ONCE)

    def require(self) -> None:
        """Go on only if the package is installed.

        Raises:
            CallError: FAILED_PRECONDITION.
        """
        if importlib.util.find_spec(self._package) is None:
            raise failed_precondition(
                f"The sandbox needs the package {self._package} for {self._language.upper()}, which is not installed; "
                'install it with: pip install "viam-sync[sandbox]"'
            )

    def run(self, query: Any, origins: List[Dict[str, Any]], readings: Iterable[bytes]) -> List[bytes]:
        """Return the rows, as BSON, that answer a query.

        Args:
            query: The query.
            origins: Where readings come from.
            readings: The readings, as BSON.

        Raises:
            CallError: INVALID_ARGUMENT if the query is wrong, UNIMPLEMENTED if the package lacks what it asks for,
                RESOURCE_EXHAUSTED if it takes too long or too much memory, or its answer is too large.
        """
        question = b"".join([*_encoded({"query": query}, *origins, {}), *readings])
        command = [sys.executable, "-I", "-W", "ignore", "-c", _START, self._language, *map(os.path.abspath, sys.path)]
        # To close descriptors, none of which is inheritable anyway, some versions of Python fork; grpc objects to that.
        with self._places:
            try:
                done = subprocess.run(command, input=question, capture_output=True, timeout=_SECONDS, close_fds=False)
            except subprocess.TimeoutExpired:
                raise resource_exhausted(
                    f"The query took longer than {_SECONDS:g} seconds and was ended; narrow it down."
                ) from None
        if done.returncode != 0:
            _LOGGER.warning(
                "A query ended its process with %d: %s", done.returncode, done.stderr.decode(errors="replace")
            )
            raise resource_exhausted("The query needed more memory than there is for it; narrow it down.")
        head, *rows = _split(done.stdout)
        refused = bson.decode(head)
        if refused:
            raise _ERRORS[refused["error"]](refused["text"])
        return rows


def _encoded(*documents: Dict[str, Any]) -> Iterator[bytes]:
    return (bson.encode(document) for document in documents)


def _split(contents: bytes) -> List[bytes]:
    """Return the documents that follow one another."""
    found = []
    place = 0
    while place < len(contents):
        length = int.from_bytes(contents[place : place + 4], "little")
        found.append(contents[place : place + length])
        place += length
    return found
