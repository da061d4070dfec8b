"""The process that runs one query: it reads the query and the readings, and writes what comes out.

Both are BSON documents in a row. What it reads is the query, the origins of readings, an empty document, and the
readings. What it writes is an empty document and the rows, or one that says what is wrong.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import sys
from typing import Any, Callable, Dict, Iterable, Iterator, List

import bson
from bson.errors import BSONError

# The largest answer; a client may not take messages of more than 32 MiB.
_LARGEST = 32 * 1024 * 1024 - 64 * 1024
_MEMORY = 2 * 1024 * 1024 * 1024

Document = Dict[str, Any]


class Refused(Exception):
    """A query cannot be run.

    Args:
        kind: "invalid", "unimplemented" or "exhausted".
        text: Why, and what to do.
    """

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(kind, text)
        self.kind = kind
        self.text = text


def main(language: str) -> None:
    """Run the query that the standard input has, in "sql" or in "mql"."""
    # Whatever else writes to the standard output, such as a bar of progress, must not get into the answer.
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    _limit_memory()
    # With all these documents the collector of garbage takes a third of the time, and this process is gone soon.
    gc.disable()
    head: Document = {}
    rows: List[bytes] = []
    try:
        rows = _encoded(_rows(language, bson.decode_file_iter(sys.stdin.buffer)))
    except Refused as error:
        head = {"error": error.kind, "text": error.text}
    except (MemoryError, RecursionError):
        head = {"error": "exhausted", "text": "The query takes too much memory, or is nested too deep; narrow it down."}
    with answer:
        answer.writelines([bson.encode(head), *rows])


def _rows(language: str, given: Iterator[Document]) -> Iterable[Document]:
    run: Callable[[Any, List[Document], Iterator[Document]], Iterable[Document]]
    if language == "sql":
        from viam_sync.sandbox.sql import run
    else:
        from viam_sync.sandbox.mql import run
    query = next(given)["query"]
    origins = list(itertools.takewhile(bool, given))
    return run(query, origins, given)


def _encoded(rows: Iterable[Document]) -> List[bytes]:
    found: List[bytes] = []
    size = 0
    for row in rows:
        try:
            found.append(bson.encode(row))
        except (BSONError, OverflowError, TypeError, ValueError) as error:
            raise Refused("invalid", f"A row of the answer has no form in BSON: {error}.") from None
        size += len(found[-1]) + 8
        if size > _LARGEST:
            raise Refused(
                "exhausted",
                f"The answer is longer than {_LARGEST} bytes, as a message may be; ask for fewer rows or fields.",
            )
    return found


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # there is none on Windows
        return
    with contextlib.suppress(ValueError, OSError):  # some systems do not let it be set
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
