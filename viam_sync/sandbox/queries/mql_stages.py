"""The stages of aggregation pipelines: their validation, and rewriting for the engine."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Dict, List, Sequence, cast

import bson
from bson.errors import BSONError

from viam_sync.sandbox.core.call_errors import invalid_argument, unimplemented
from viam_sync.sandbox.queries.protocol import CODEC

# The stages that the cloud allows and the engine supports.
_KNOWN = {
    *("$addFields", "$bucket", "$count", "$group", "$limit", "$match", "$project", "$replaceRoot", "$replaceWith"),
    *("$sample", "$set", "$skip", "$sort", "$sortByCount", "$unset", "$unwind"),
}
# The stages that the cloud allows and the engine does not support.
_MISSING = {"$bucketAuto", "$densify", "$fill", "$geoNear", "$redact", "$setWindowFields"}
# Operators and stages that run code, write, or read other collections; they are rejected at any depth.
_FORBIDDEN = {
    *("$where", "$function", "$accumulator"),
    *("$facet", "$graphLookup", "$lookup", "$merge", "$out", "$unionWith"),
}
_MOST_STAGES = 1000
_DEEPEST = 100
_MOST = 2**31 - 1
_EPOCH = datetime(1970, 1, 1)
_FRACTION = re.compile(r"\.(\d{1,6})\d*")
_WHOLE = re.compile(r"-?\d+\Z")


def stages_of(contents: Sequence[bytes]) -> List[Dict[str, Any]]:
    """Return the stages in a request, rewritten into those that the engine supports.

    Raises:
        CallError: INVALID_ARGUMENT if a stage is malformed or not allowed, UNIMPLEMENTED if the engine does not
            support it.
    """
    if len(contents) > _MOST_STAGES:
        raise invalid_argument(f"The pipeline has {len(contents)} stages, and may have {_MOST_STAGES}.")
    return [stage for number, each in enumerate(contents, 1) for stage in _stage(number, each)]


def _stage(number: int, contents: bytes) -> List[Dict[str, Any]]:
    try:
        stage = bson.decode(contents, CODEC)
    except (BSONError, ValueError, ArithmeticError, RecursionError, TypeError) as error:
        raise invalid_argument(
            f"Stage {number} of the pipeline is no BSON document that can be read: {error}."
        ) from None
    if len(stage) != 1:
        raise invalid_argument(
            f"Stage {number} of the pipeline has {len(stage)} fields; "
            "give it one, the name of what it does, such as '$match'."
        )
    ((name, options),) = stage.items()
    if name in _MISSING:
        raise unimplemented(f"Stage {number} of the pipeline, {name}, is not part of the sandbox; the cloud has it.")
    if name not in _KNOWN:
        raise invalid_argument(
            f"Stage {number} of the pipeline, {name[:64]}, is not allowed; use only "
            f"{', '.join(sorted(_KNOWN | _MISSING))}."
        )
    options = _decode(number, options, _DEEPEST)
    try:
        return _REWRITTEN[name](options) if name in _REWRITTEN else [{name: options}]
    except (ValueError, OverflowError) as error:
        raise invalid_argument(f"Stage {number} of the pipeline, {name}, {error}.") from None


def _decode(number: int, value: Any, depth: int) -> Any:
    """Return a value of a stage with its dates decoded, if it contains nothing forbidden."""
    if depth == 0:
        raise invalid_argument(f"Stage {number} of the pipeline is nested deeper than {_DEEPEST} levels.")
    if isinstance(value, list):
        return [_decode(number, item, depth - 1) for item in value]
    if not isinstance(value, dict):
        return value
    for name in value:
        if name in _FORBIDDEN:
            raise invalid_argument(f"Stage {number} of the pipeline holds {name}, which is not allowed.")
    if set(value) == {"$date"}:
        return _date(number, value["$date"])
    return {name: _decode(number, item, depth - 1) for name, item in value.items()}


def _date(number: int, value: Any) -> Any:
    """Return the date in Extended JSON, such as ``{"$date": "2024-01-01T00:00:00Z"}``."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, dict) and set(value) == {"$numberLong"}:
        value = value["$numberLong"]
    try:
        if isinstance(value, str) and not _WHOLE.match(value):
            # Before Python 3.11, fromisoformat takes fractions of 3 or 6 digits only, and no Z.
            text = _FRACTION.sub(lambda found: f".{found[1]:0<6}", value.replace("Z", "+00:00"))
            found = datetime.fromisoformat(text)
            return found.astimezone(timezone.utc).replace(tzinfo=None) if found.tzinfo else found
        return _EPOCH + timedelta(milliseconds=int(cast(str, value)))
    except (ValueError, ArithmeticError, TypeError):
        raise invalid_argument(
            f"Stage {number} of the pipeline has a $date that is no date: {str(value)[:64]!r}; "
            "write it like '2024-01-31T12:00:00Z'."
        ) from None


def _limit(options: Any) -> List[Dict[str, Any]]:
    return [{"$limit": _number(options, 1)}]


def _skip(options: Any) -> List[Dict[str, Any]]:
    return [{"$skip": _number(options, 0)}]


def _sample(options: Any) -> List[Dict[str, Any]]:
    if set(_fields(options)) != {"size"}:
        raise ValueError("takes one field, size")
    return [{"$sample": {"size": _number(options["size"], 1)}}]


def _sort(options: Any) -> List[Dict[str, Any]]:
    if not all(isinstance(way, (int, float)) and way in (1, -1) for way in _fields(options).values()):
        raise ValueError("takes 1 or -1 for each field")
    return [{"$sort": {field: int(way) for field, way in options.items()}}]


def _group(options: Any) -> List[Dict[str, Any]]:
    if "_id" not in _fields(options):
        raise ValueError("needs an _id, what to group by; null makes one group of all")
    return [{"$group": options}]


def _unset(options: Any) -> List[Dict[str, Any]]:
    names = [options] if isinstance(options, str) else options
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name for name in names):
        raise ValueError("takes the name of a field, or a list of such names")
    return [{"$project": dict.fromkeys(names, 0)}]


def _replace_with(options: Any) -> List[Dict[str, Any]]:
    return [{"$replaceRoot": {"newRoot": options}}]


def _sort_by_count(options: Any) -> List[Dict[str, Any]]:
    return [{"$group": {"_id": options, "count": {"$sum": 1}}}, {"$sort": {"count": -1}}]


def _number(value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < least or value != value // 1:
        raise ValueError(f"takes a whole number from {least} on, not {str(value)[:64]}")
    return min(int(value), _MOST)


def _fields(value: Any) -> Dict[str, Any]:
    if not isinstance(value, dict) or not value:
        raise ValueError("takes a document with at least one field")
    return value


# Stages that are checked because the engine does not reject invalid options, and stages that are rewritten because the
# engine does not support them.
_REWRITTEN: Dict[str, Callable[[Any], List[Dict[str, Any]]]] = {
    "$group": _group,
    "$limit": _limit,
    "$replaceWith": _replace_with,
    "$sample": _sample,
    "$skip": _skip,
    "$sort": _sort,
    "$sortByCount": _sort_by_count,
    "$unset": _unset,
}
