"""Readings in a worker process, and the aggregation pipelines that mongomock runs on them."""

from __future__ import annotations

import copy
import functools
import itertools
from datetime import datetime, timedelta
from typing import Any, Iterable, List

from viam_sync.sandbox.queries.mql_dates import OPERATORS, evaluate_date_expression
from viam_sync.sandbox.queries.mql_round import evaluate_round
from viam_sync.sandbox.queries.protocol import Document, Readings, Refused

# The stages that work on single documents: they are run on chunks, so that memory holds only what they let through.
_ONE_BY_ONE = {"$addFields", "$match", "$project", "$replaceRoot", "$set", "$unwind"}
_CHUNK = 1000
_EPOCH = datetime(1970, 1, 1)


class MqlDatabase:
    """Readings as a collection of documents."""

    def __init__(self) -> None:
        _add_expressions()
        self._readings = Readings([], [])

    def load(self, readings: Readings) -> None:
        """Put readings in the place of those that are there."""
        self._readings = readings

    def run(self, stages: List[Document]) -> Iterable[Document]:
        """Return the documents that stages result in.

        Raises:
            Refused: If a stage cannot be run.
        """
        # Stages change the documents that they get, so that each query decodes its own.
        documents = map(functools.partial(_document, self._readings.origins), self._readings.decoded())
        first = list(itertools.takewhile(lambda stage: not _ONE_BY_ONE.isdisjoint(stage), stages))
        found: List[Document] = []
        while True:
            chunk = list(itertools.islice(documents, _CHUNK))
            if not chunk:
                return _run_stages(stages[len(first) :], found)
            found += _run_stages(first, chunk)


def _add_expressions() -> None:
    """Add $round to mongomock, and replace what it has of expressions on dates.

    It has no way to add an expression, so that this changes its parser, in this process, which runs nothing else.
    """
    from mongomock import OperationFailure, aggregate

    def evaluate(parser: Any, operator: str, given: Any) -> Any:
        value = functools.partial(_value, parser)
        try:
            return (
                evaluate_round(given, value)
                if operator == "$round"
                else evaluate_date_expression(operator, given, value)
            )
        except (ValueError, OverflowError) as error:
            raise OperationFailure(str(error)) from None

    parser: Any = aggregate._Parser
    parser._handle_date_operator = evaluate
    aggregate.date_operators[:] = [*OPERATORS, "$round"]


def _value(parser: Any, expression: Any) -> Any:
    """Return the value of an expression, None if a field that it names is missing."""
    try:
        return parser.parse(expression)
    except KeyError:
        return None


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


def _run_stages(stages: List[Document], documents: List[Document]) -> List[Document]:
    for stage in stages:
        if not documents:  # as in MongoDB; mongomock would return a group, or a count of 0
            return []
        documents = _run_stage(stage, documents)
    return documents


def _run_stage(stage: Document, documents: List[Document]) -> List[Document]:
    # The internals of mongomock are called, since a Collection would copy each document several times and add an _id,
    # and its $match copies each document for the time zones of its dates.
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
    except Exception as error:  # mongomock raises errors of many types for an invalid stage
        text = _error_text(error)
        if text.startswith("Unrecognized expression"):
            text = f"The sandbox does not have the expression that the stage {name} uses, or nobody has it: {text}"
            raise Refused("unimplemented", text) from None
        raise Refused("invalid", f"The stage {name} cannot be run: {text}") from None


def _error_text(error: Any) -> str:
    """Return the text of an error; those of pymongo have the reply of a server as another argument."""
    text = str(error.args[0] if error.args else error)
    return text if type(error).__module__.startswith("pymongo") else f"{type(error).__name__}: {text}"
