"""The expressions on dates, which mongomock has in part."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Callable, Dict, Optional

from viam_sync.sandbox.queries.dates import (
    LENGTHS,
    MONTHS,
    WEEKDAYS,
    Zone,
    add,
    day_of_week,
    difference,
    format_date,
    parse_date,
    truncate,
    week_of_year,
)

_ISO, _ISO_LOCAL = "%Y-%m-%dT%H:%M:%S.%LZ", "%Y-%m-%dT%H:%M:%S.%L"
_EPOCH = datetime(1970, 1, 1)
_TO_DATE = "$toDate"

# The expressions that return a number of a date.
_PARTS: Dict[str, Callable[[datetime], int]] = {
    "$year": lambda local: local.year,
    "$month": lambda local: local.month,
    "$dayOfMonth": lambda local: local.day,
    "$hour": lambda local: local.hour,
    "$minute": lambda local: local.minute,
    "$second": lambda local: local.second,
    "$millisecond": lambda local: local.microsecond // 1000,
    "$dayOfYear": lambda local: local.timetuple().tm_yday,
    "$dayOfWeek": lambda local: local.isoweekday() % 7 + 1,
    "$week": week_of_year,
    "$isoWeekYear": lambda local: local.isocalendar()[0],
    "$isoWeek": lambda local: local.isocalendar()[1],
    "$isoDayOfWeek": lambda local: local.isoweekday(),
}

# A function from an expression to its value, None if that is null or missing.
Evaluate = Callable[[Any], Any]


class _Null(Exception):
    """An argument is null or missing, and so is the value of the expression."""


class _Arguments:
    """The arguments of an expression, each evaluated when it is asked for."""

    def __init__(self, operator: str, given: Any, evaluate: Evaluate, known: str) -> None:
        self._operator = operator
        if not isinstance(given, dict) or not set(given) <= set(known.split()):
            raise ValueError(f"{operator} takes a document with {', '.join(known.split())}")
        self._given = given
        self._evaluate = evaluate

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def get(self, name: str) -> Any:
        """Return the value of an argument; None if it is null, missing or not given."""
        return self._evaluate(self._given[name]) if name in self._given else None

    def date(self, name: str) -> datetime:
        return _date(self._operator, self._needed(name))

    def number(self, name: str, otherwise: Optional[int] = None) -> int:
        value = self._needed(name, otherwise)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
            raise self._wrong(name, "a whole number", value)
        return int(value)

    def text(self, name: str, otherwise: Optional[str] = None) -> str:
        value = self._needed(name, otherwise)
        if not isinstance(value, str):
            raise self._wrong(name, "a text", value)
        return value

    def unit(self) -> str:
        unit = self.text("unit")
        if unit not in (*MONTHS, *LENGTHS):
            raise self._wrong("unit", f"one of {', '.join((*MONTHS, *LENGTHS))}", unit)
        return unit

    def zone(self) -> Zone:
        return Zone(self.text("timezone", "UTC"))

    def first_weekday(self) -> int:
        day = self.text("startOfWeek", "sunday").lower()
        found = [number for number, name in enumerate(WEEKDAYS) if day in (name, name[:3])]
        if not found:
            raise self._wrong("startOfWeek", "the name of a day of the week", day)
        return found[0]

    def _needed(self, name: str, otherwise: Any = None) -> Any:
        if name not in self._given:
            if otherwise is None:
                raise ValueError(f"{self._operator} needs {name}")
            return otherwise
        value = self.get(name)
        if value is None:
            raise _Null
        return value

    def _wrong(self, name: str, takes: str, value: Any) -> ValueError:
        return ValueError(f"{name} of {self._operator} takes {takes}, not {str(value)[:64]!r}")


def evaluate_date_expression(operator: str, given: Any, evaluate: Evaluate) -> Any:
    """Return the value of an expression on dates.

    Args:
        operator: The operator, one of `OPERATORS`.
        given: What it is applied to.
        evaluate: Returns the values of expressions in that.

    Raises:
        ValueError: If an argument is missing or wrong.
    """
    try:
        if operator in _PARTS:
            return _PARTS[operator](_local_date(operator, given, evaluate))
        if operator == _TO_DATE:
            return _to_date(_single(given, evaluate))
        function, known = _FUNCTIONS[operator]
        return function(_Arguments(operator, given, evaluate, known))
    except _Null:
        return None


def _date(operator: str, value: Any) -> datetime:
    if isinstance(value, datetime):
        return value
    raise ValueError(f"{operator} takes a date, not {str(value)[:64]!r}")


def _local_date(operator: str, given: Any, evaluate: Evaluate) -> datetime:
    """Return the date in a time zone of an expression such as ``{"$hour": "$time_received"}``."""
    if isinstance(given, dict) and "date" in given:
        arguments = _Arguments(operator, given, evaluate, "date timezone")
        return arguments.zone().local(arguments.date("date"))
    return _date(operator, _single(given, evaluate))


def _single(given: Any, evaluate: Evaluate) -> Any:
    """Return the value of the only operand of an expression."""
    value = evaluate(given[0] if isinstance(given, list) and len(given) == 1 else given)
    if value is None:
        raise _Null
    return value


def _to_date(value: Any) -> datetime:
    if isinstance(value, str):
        return parse_date(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _EPOCH + timedelta(milliseconds=int(value))
    return _date(_TO_DATE, value)


def _add(arguments: _Arguments) -> datetime:
    return _added(arguments, 1)


def _subtract(arguments: _Arguments) -> datetime:
    return _added(arguments, -1)


def _added(arguments: _Arguments, sign: int) -> datetime:
    amount = sign * arguments.number("amount")
    return add(arguments.date("startDate"), arguments.unit(), amount, arguments.zone())


def _truncate(arguments: _Arguments) -> datetime:
    size = arguments.number("binSize", 1)
    if size < 1:
        raise ValueError(f"binSize of $dateTrunc takes a whole number from 1 on, not {size}")
    date, unit = arguments.date("date"), arguments.unit()
    return truncate(date, unit, size, arguments.zone(), arguments.first_weekday())


def _difference(arguments: _Arguments) -> int:
    start, end = arguments.date("startDate"), arguments.date("endDate")
    return difference(start, end, arguments.unit(), arguments.zone(), arguments.first_weekday())


def _from_string(arguments: _Arguments) -> Any:
    text = arguments.get("dateString")
    if text is None:
        return arguments.get("onNull")
    try:
        template = arguments.text("format") if "format" in arguments else ""
        zone = arguments.text("timezone") if "timezone" in arguments else ""
        return parse_date(arguments.text("dateString"), template, zone)
    except (ValueError, OverflowError):
        if "onError" in arguments:
            return arguments.get("onError")
        raise


def _to_string(arguments: _Arguments) -> Any:
    if arguments.get("date") is None:
        return arguments.get("onNull")
    template = arguments.text("format", _ISO_LOCAL if "timezone" in arguments else _ISO)
    return format_date(arguments.date("date"), template, arguments.zone())


def _from_parts(arguments: _Arguments) -> datetime:
    if "isoWeekYear" in arguments:
        week, weekday = arguments.number("isoWeek", 1), arguments.number("isoDayOfWeek", 1)
        day = day_of_week(arguments.number("isoWeekYear"), week, weekday)
    else:
        months = arguments.number("year") * 12 + arguments.number("month", 1) - 1
        day = datetime(months // 12, months % 12 + 1, 1) + timedelta(days=arguments.number("day", 1) - 1)
    times = {f"{name}s": arguments.number(name, 0) for name in ("hour", "minute", "second", "millisecond")}
    return arguments.zone().utc(day + timedelta(**times))


def _to_parts(arguments: _Arguments) -> Dict[str, int]:
    local = arguments.zone().local(arguments.date("date"))
    day = (
        ("$isoWeekYear", "$isoWeek", "$isoDayOfWeek")
        if arguments.get("iso8601")
        else ("$year", "$month", "$dayOfMonth")
    )
    parts = {name[1:]: _PARTS[name](local) for name in (*day, "$hour", "$minute", "$second", "$millisecond")}
    return {{"dayOfMonth": "day"}.get(name, name): value for name, value in parts.items()}


# The other expressions, with the names of their arguments.
_FUNCTIONS: Dict[str, Any] = {
    "$dateAdd": (_add, "startDate unit amount timezone"),
    "$dateDiff": (_difference, "startDate endDate unit timezone startOfWeek"),
    "$dateFromParts": (
        _from_parts,
        "year month day isoWeekYear isoWeek isoDayOfWeek hour minute second millisecond timezone",
    ),
    "$dateFromString": (_from_string, "dateString format timezone onError onNull"),
    "$dateSubtract": (_subtract, "startDate unit amount timezone"),
    "$dateToParts": (_to_parts, "date timezone iso8601"),
    "$dateToString": (_to_string, "date format timezone onNull"),
    "$dateTrunc": (_truncate, "date unit binSize timezone startOfWeek"),
}

#: The operators of all expressions on dates.
OPERATORS = (*_PARTS, _TO_DATE, *_FUNCTIONS)
