"""Advice on an argument of the wrong type: how to make one of the right type of it."""

import re
from datetime import date, datetime, time, timedelta
from typing import Any, Mapping, Tuple, Union

_FIRST_WORD = r"\w*"
_BYTES = (bytes, bytearray, memoryview)

#: For the start of what a parameter takes, and the type of what was got: what to do.
_CONVERSIONS: Tuple[Tuple[str, Union[type, Tuple[type, ...]], str], ...] = (
    ("a datetime", date, "datetime(day.year, day.month, day.day) makes one of a date"),
    ("a datetime", str, "datetime.fromisoformat(…) makes one of a text such as '2024-01-31T12:00:00'"),
    ("a datetime", bool, ""),
    ("a datetime", (int, float), "datetime.fromtimestamp(…, timezone.utc) makes one of seconds since 1970"),
    ("a datetime", time, "datetime.combine(day, …) makes one of it"),
    ("a datetime", timedelta, "datetime.now(timezone.utc) - … is so long ago"),
    ("a bool", str, "write True or False, without quotation marks"),
    ("a dict", str, "json.loads(…) makes one of JSON text"),
    ("a list", object, "a list of one is written […]"),
    ("a number", str, "float(…) makes one of a text"),
    ("an int", str, "int(…) makes one of a text"),
    ("a str", _BYTES, "decode it"),
    ("a str", (list, tuple), "give one of its items"),
    ("a Timestamp", datetime, "it is a datetime already"),
    ("None, a bool", (date, time), "its isoformat() is a str"),
    ("None, a bool", (set, frozenset), "list(…) makes a list of it"),
)
#: A larger number of seconds since 1970 is more likely one of milliseconds: it would be after the year 5000.
_MILLISECONDS = 10**11
#: The types whose attributes are none of a message or a record.
_PLAIN = (str, int, float, *_BYTES, list, tuple, Mapping, type, type(None))
#: What the ID is of, in the names of parameters that take the IDs of several kinds of things.
_ANYTHING = ("", "identity", "resource")


def advice_for(name: str, kind: str, value: Any) -> str:
    """Return what the caller of a method can do about an argument of the wrong type; empty where nothing is known.

    Args:
        name: The name of the parameter, and the place in it.
        kind: What it takes, in the words of Python.
        value: The argument.

    Example:
        >>> from datetime import date
        >>> from viam_sync.checks.advice import advice_for
        >>> advice_for("start_time", "a datetime", date(2024, 1, 31))
        'datetime(day.year, day.month, day.day) makes one of a date'
    """
    if value is None:
        return ""
    for wanted, got, advice in _CONVERSIONS:
        if kind.startswith(wanted) and isinstance(value, got):
            return _closer_advice(wanted, value) or advice
    if kind.startswith("a str") and type(value).__name__ in ("UUID", "ObjectId"):
        return "str(…) makes one of it"
    attribute = "" if isinstance(value, _PLAIN) else _attribute_for(re.match(_FIRST_WORD, name)[0], kind, value)  # type: ignore[index]
    return attribute and f"give its {attribute}"


def _closer_advice(wanted: str, value: Any) -> str:
    """Return the advice on a value that tells more than its type; an empty text for any other."""
    if wanted == "a list" and isinstance(value, str) and value.lstrip().startswith("["):
        return "json.loads(…) makes one of JSON text"
    if wanted == "a datetime" and isinstance(value, (int, float)) and value >= _MILLISECONDS:
        return "datetime.fromtimestamp(… / 1000, timezone.utc) makes one of milliseconds since 1970"
    return ""


def _attribute_for(parameter: str, kind: str, value: Any) -> str:
    """Return which attribute of a message or a record a parameter takes; an empty text where that is not certain."""
    wanted = Mapping if kind == "a dict" else str if kind.startswith("a str") else ()
    parameter = parameter[:-1] if parameter.endswith("ids") else parameter
    if isinstance(getattr(value, parameter, None), wanted):
        return parameter
    if wanted is not str or not parameter.endswith("id"):
        return ""
    thing = parameter[:-2].rstrip("_")
    # A Robot has the ID of its location as location, a RobotPart that of its machine as robot.
    for attribute in (thing, "id"):
        if attribute and isinstance(getattr(value, attribute, None), str):
            return attribute if attribute != "id" or _is_called(type(value), thing) else ""
    return ""


def _is_called(cls: type, thing: str) -> bool:
    """Tell whether a class is that of what a parameter takes the ID of, such as RobotPart for part_id."""
    return thing in _ANYTHING or thing.replace("_", "") in cls.__name__.lower()
