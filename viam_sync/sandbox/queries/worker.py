"""The worker process, which runs one query after the other on the readings that it has."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO, Iterable, List

import bson
from bson.errors import BSONError

from viam_sync.sandbox.queries.protocol import (
    CODEC,
    Document,
    Readings,
    Refused,
    read_message,
    split_documents,
    write_message,
)

# The most bytes of a result, since clients accept messages of up to 32 MiB.
_MOST_BYTES = 32 * 1024 * 1024 - 64 * 1024
_MEMORY_LIMIT = 2 * 1024 * 1024 * 1024
# Memory that a query may leave behind for the next one, which is to have most of the limit for itself.
_MEMORY_TO_KEEP = 512 * 1024 * 1024
# Seconds until a worker ends by itself, if it gets no query, or if the sandbox is gone that would end one.
_LIFETIME = 60


def main(language: str) -> None:
    """Run the queries on the standard input, in "sql" or "mql", and write the results to the standard output."""
    # Other output, such as a progress bar of a library, is redirected, so that it does not get into the results.
    results = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # Ctrl-C goes to all processes of a terminal, and the sandbox decides what becomes of this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _limit_memory()
    # With many documents the garbage collector takes a third of the time; it runs between queries instead.
    gc.disable()
    with contextlib.suppress(EOFError, BrokenPipeError):  # the sandbox has ended
        _serve(_database(language), sys.stdin.buffer, results)


def _serve(database: Any, queries: BinaryIO, results: BinaryIO) -> None:
    """Answer queries until one has taken so much memory that another one needs a new process."""
    gc.freeze()
    while True:
        _end_after(_LIFETIME)
        documents = split_documents(read_message(queries))
        _end_after(_LIFETIME)
        write_message(results, b"".join(_answer(database, documents)))
        results.flush()
        del documents
        gc.collect()
        if _resident_memory() > _MEMORY_TO_KEEP:
            return


def _database(language: str) -> Any:
    """Return the database of a language, which can ``load`` readings, and ``run`` a query on them."""
    if language == "sql":
        from viam_sync.sandbox.queries.sql import SqlDatabase

        return SqlDatabase()
    from viam_sync.sandbox.queries.mql import MqlDatabase

    return MqlDatabase()


def _answer(database: Any, documents: List[bytes]) -> List[bytes]:
    try:
        asked = bson.decode(documents[0], CODEC)
        if asked["loads"]:
            database.load(Readings.among(documents[1:]))
        return [bson.encode({}), *_encode_rows(database.run(asked["query"]))]
    except Refused as error:
        return [bson.encode({"error": error.kind, "text": error.text})]
    except (MemoryError, RecursionError):
        text = "The query takes too much memory, or is nested too deep; narrow it down."
        return [bson.encode({"error": "memory", "text": text})]


def _encode_rows(rows: Iterable[Document]) -> List[bytes]:
    found: List[bytes] = []
    size = 0
    for row in rows:
        try:
            found.append(bson.encode(row))
        except (BSONError, OverflowError, TypeError, ValueError) as error:
            raise Refused("invalid", f"A row of the answer has no form in BSON: {error}.") from None
        size += len(found[-1]) + 8
        if size > _MOST_BYTES:
            raise Refused(
                "exhausted",
                f"The answer is longer than {_MOST_BYTES} bytes, as a message may be; ask for fewer rows or fields.",
            )
    return found


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # Windows has none
        return
    with contextlib.suppress(ValueError, OSError):  # some systems do not allow it
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))


def _resident_memory() -> int:
    """Return the bytes of memory that this process holds; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _end_after(seconds: int) -> None:
    """Let the system end this process later, whatever it does then."""
    if hasattr(signal, "alarm"):  # Windows has none
        signal.alarm(seconds)
