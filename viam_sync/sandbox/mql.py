"""Runs an aggregation pipeline over documents, by mongomock; in a process of its own (see engine_process)."""

from __future__ import annotations

import copy
import functools
import itertools
from datetime import datetime, timedelta
from typing import Any, Iterable, Iterator, List

from viam_sync.sandbox.engine_process import Document, Refused

# The stages that look at one document at a time: what they drop need not be in memory with all the rest.
_ONE_BY_ONE = {"$addFields", "$match", "$project", "$replaceRoot", "$set", "$unwind"}
_CHUNK = 1000
_EPOCH = datetime(1970, 1, 1)


def run(stages: List[Document], origins: List[Document], readings: Iterator[Document]) -> Iterable[Document]:
    """Return the documents that come out of stages.

    Raises:
        Refused: If a stage cannot be run.
    """
    documents = map(functools.partial(_document, origins), readings)
    first = list(itertools.takewhile(lambda stage: not _ONE_BY_ONE.isdisjoint(stage), stages))
    found: List[Document] = []
    while True:
        chunk = list(itertools.islice(documents, _CHUNK))
        if not chunk:
            return _through(stages[len(first) :], found)
        found += _through(first, chunk)


def _document(origins: List[Document], reading: Document) -> Document:
    origin = dict(origins[reading["origin"]])
    requested = _EPOCH + timedelta(milliseconds=reading["requested"])
    tags, parameters = list(origin.pop("tags")), copy.deepcopy(origin.pop("additional_parameters"))
    return {
        **origin,
        "time_requested": requested,
        "time_received": _EPOCH + timedelta(milliseconds=reading["received"]),
        "capture_day": requested.replace(hour=0, minute=0, second=0, microsecond=0),
        "tags": tags,
        "additional_parameters": parameters,
        "data": reading["data"],
    }


def _through(stages: List[Document], documents: List[Document]) -> List[Document]:
    for stage in stages:
        if not documents:  # MongoDB makes nothing of nothing; mongomock makes a group, or a count of 0
            return []
        documents = _after(stage, documents)
    return documents


def _after(stage: Document, documents: List[Document]) -> List[Document]:
    # A Collection of mongomock would copy each document several times, and give it an _id; its $match copies each,
    # in case that its dates have a time zone.
    from mongomock.aggregate import process_pipeline
    from mongomock.filtering import filter_applies

    ((name, options),) = stage.items()
    try:
        if name == "$match":
            return [document for document in documents if filter_applies(options, document)]  # type: ignore[no-untyped-call]
        return list(process_pipeline(documents, None, [stage], None))  # type: ignore[no-untyped-call]
    except NotImplementedError as error:
        raise Refused("unimplemented", f"The stage {name} asks for what the sandbox does not have: {error}") from None
    except (MemoryError, RecursionError):
        raise
    except Exception as error:  # whatever it is, the stage brought it about
        text = _said(error)
        if text.startswith("Unrecognized expression"):
            text = f"The sandbox does not have the expression that the stage {name} uses, or nobody has it: {text}"
            raise Refused("unimplemented", text) from None
        raise Refused("invalid", f"The stage {name} cannot be run: {text}") from None


def _said(error: Any) -> str:
    """Return what an error says; those of pymongo add to it what a server would have sent."""
    text = str(error.args[0] if error.args else error)
    return text if type(error).__module__.startswith("pymongo") else f"{type(error).__name__}: {text}"
