"""The worker process, which runs one query."""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import sys
from typing import Any, Callable, Iterable, Iterator, List

import bson
from bson.errors import BSONError

from viam_sync.sandbox.queries.protocol import CODEC, Document, Refused

# The most bytes of a result, since clients accept messages of up to 32 MiB.
_MOST_BYTES = 32 * 1024 * 1024 - 64 * 1024
_MEMORY_LIMIT = 2 * 1024 * 1024 * 1024


def main(language: str) -> None:
    """Run the query on the standard input, in "sql" or "mql", and write the result to the standard output."""
    # Other output, such as a progress bar of a library, is redirected, so that it does not get into the result.
    result = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit_memory()
    # With many documents the garbage collector takes a third of the time, and this process ends soon.
    gc.disable()
    head: Document = {}
    rows: List[bytes] = []
    try:
        rows = _encode_rows(_run_query(language, bson.decode_file_iter(sys.stdin.buffer, CODEC)))
    except Refused as error:
        head = {"error": error.kind, "text": error.text}
    except (MemoryError, RecursionError):
        head = {"error": "exhausted", "text": "The query takes too much memory, or is nested too deep; narrow it down."}
    with result:
        result.writelines([bson.encode(head), *rows])


def _run_query(language: str, documents: Iterator[Document]) -> Iterable[Document]:
    run: Callable[[Any, List[Document], Iterator[Document]], Iterable[Document]]
    if language == "sql":
        from viam_sync.sandbox.queries.sql import run_select as run
    else:
        from viam_sync.sandbox.queries.mql import run_pipeline as run
    query = next(documents)["query"]
    origins = list(itertools.takewhile(bool, documents))
    return run(query, origins, documents)


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
