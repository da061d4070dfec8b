"""Arithmetic, parsing and formatting of dates as MongoDB has them: naive, in UTC, in the time zone of a query."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, cast

MONTHS = {"year": 12, "quarter": 3, "month": 1}
_DAYS = {"week": timedelta(weeks=1), "day": timedelta(days=1)}
_TIMES = {
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
    "second": timedelta(seconds=1),
    "millisecond": timedelta(milliseconds=1),
}
LENGTHS = {**_DAYS, **_TIMES}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)

# Bins of several units are counted from this day, a Saturday.
_REFERENCE = datetime(2000, 1, 1)

_OFFSET = re.compile(r"([+-])(\d\d)(?::?(\d\d))?\Z")
_ISO = re.compile(  # such as 2024-02-08T12:10:40.787+01:00
    r"\s*(?P<Y>\d{4})-(?P<m>\d\d?)-(?P<d>\d\d?)"
    r"(?:[T ]+(?P<H>\d\d?):(?P<M>\d\d)(?::(?P<S>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?)?"
    r"\s*(?P<z>Z|[+-]\d\d(?::?\d\d)?)?\s*\Z"
)
_NAMED = "|".join(_MONTH_NAMES)
_PATTERNS = {
    "Y": r"\d{4}",
    "G": r"\d{4}",
    "m": r"\d\d?",
    "d": r"\d\d?",
    "H": r"\d\d?",
    "M": r"\d\d?",
    "S": r"\d\d?",
    "L": r"\d{1,3}",
    "j": r"\d{1,3}",
    "V": r"\d\d?",
    "u": r"[1-7]",
    "z": r"Z|[+-]\d\d:?\d\d",
    "Z": r"[+-]\d+",
    "B": _NAMED,
    "b": "|".join(name[:3] for name in _MONTH_NAMES),
}

_FORMATS: Dict[str, Callable[[datetime, timedelta], str]] = {
    "Y": lambda local, _: f"{local.year:04}",
    "G": lambda local, _: f"{local.isocalendar()[0]:04}",
    "m": lambda local, _: f"{local.month:02}",
    "d": lambda local, _: f"{local.day:02}",
    "H": lambda local, _: f"{local.hour:02}",
    "M": lambda local, _: f"{local.minute:02}",
    "S": lambda local, _: f"{local.second:02}",
    "L": lambda local, _: f"{local.microsecond // 1000:03}",
    "j": lambda local, _: f"{local.timetuple().tm_yday:03}",
    "U": lambda local, _: f"{week_of_year(local):02}",
    "V": lambda local, _: f"{local.isocalendar()[1]:02}",
    "u": lambda local, _: f"{local.isoweekday()}",
    "w": lambda local, _: f"{local.isoweekday() % 7 + 1}",
    "B": lambda local, _: _MONTH_NAMES[local.month - 1],
    "b": lambda local, _: _MONTH_NAMES[local.month - 1][:3],
    "z": lambda _, offset: (
        f"{'-' if offset < timedelta() else '+'}{abs(offset) // _TIMES['hour']:02}"
        f"{abs(offset) // _TIMES['minute'] % 60:02}"
    ),
    "Z": lambda _, offset: f"{offset // _TIMES['minute']:+}",
}


class Zone:
    """A time zone.

    Args:
        name: Its name, such as "Europe/Berlin", or its offset, such as "+02:00".

    Raises:
        ValueError: If there is no such time zone.
    """

    def __init__(self, name: str = "UTC") -> None:
        import pytz  # type: ignore[import-untyped, unused-ignore]

        found = _OFFSET.match(name)
        try:
            if found:
                minutes = int(found[2]) * 60 + int(found[3] or 0)
                self._zone: Any = pytz.FixedOffset(-minutes if found[1] == "-" else minutes)
            else:
                self._zone = pytz.timezone("UTC" if name == "Z" else name)
        except (pytz.UnknownTimeZoneError, ValueError):
            raise ValueError(f"{name[:64]!r} is no time zone; give one like 'Europe/Berlin' or '+02:00'") from None
        self._utc = pytz.utc

    def local(self, date: datetime) -> datetime:
        """Return the local time of a date in UTC."""
        return date + self.offset(date)

    def utc(self, local: datetime) -> datetime:
        """Return the date in UTC of a local time."""
        return cast(datetime, local - self._zone.localize(local).utcoffset())

    def offset(self, date: datetime) -> timedelta:
        """Return the difference between local time and UTC."""
        return cast(timedelta, self._utc.localize(date).astimezone(self._zone).utcoffset())


def add(date: datetime, unit: str, amount: int, zone: Zone) -> datetime:
    """Return the date so many units later; a day that a month does not have becomes its last."""
    if unit in _TIMES:
        return date + amount * _TIMES[unit]
    local = zone.local(date)
    if unit in _DAYS:
        return zone.utc(local + amount * _DAYS[unit])
    first = _first_of_month(_month(local) + amount * MONTHS[unit])
    last = _first_of_month(_month(first) + 1) - _DAYS["day"]
    return zone.utc(local.replace(year=first.year, month=first.month, day=min(local.day, last.day)))


def truncate(date: datetime, unit: str, size: int, zone: Zone, first_weekday: int) -> datetime:
    """Return the start of the bin that a date is in.

    Args:
        date: The date.
        unit: The unit of the bins.
        size: The number of units of a bin.
        zone: The time zone in which days and months begin.
        first_weekday: The day on which weeks begin, 0 for Monday.
    """
    if unit in _TIMES:
        return date - (date - zone.utc(_REFERENCE)) % (size * _TIMES[unit])
    local = zone.local(date)
    if unit in _DAYS:
        return zone.utc(local - (local - _reference(unit, first_weekday)) % (size * _DAYS[unit]))
    months = _month(local) - _month(_REFERENCE)
    return zone.utc(_first_of_month(_month(local) - months % (size * MONTHS[unit])))


def difference(start: datetime, end: datetime, unit: str, zone: Zone, first_weekday: int) -> int:
    """Return how many starts of units lie between two dates."""
    first, last = (_number(zone.local(date), unit, first_weekday) for date in (start, end))
    return last - first


def week_of_year(local: datetime) -> int:
    """Return the number of the week from 0 on, where weeks begin on Sunday."""
    return (local.timetuple().tm_yday + 6 - local.isoweekday() % 7) // 7


def format_date(date: datetime, template: str, zone: Zone) -> str:
    """Return a date as text, in a format such as "%Y-%m-%d".

    Raises:
        ValueError: If the format has an unknown specifier.
    """
    local, offset = zone.local(date), zone.offset(date)

    def text(found: Any) -> str:
        if found[1] == "%":
            return "%"
        if found[1] not in _FORMATS:
            raise ValueError(f"the format has %{found[1]}, which is not one of {_specifiers(_FORMATS)}")
        return _FORMATS[found[1]](local, offset)

    return re.sub(r"%(.?)", text, template, flags=re.DOTALL)


def parse_date(text: str, template: str = "", zone: str = "") -> datetime:
    """Return the date that a text says.

    Args:
        text: The text.
        template: Its format, such as "%d.%m.%Y"; without one, that of ISO 8601.
        zone: Its time zone, if it does not say one.

    Raises:
        ValueError: If it is no date, or not in that format.
    """
    found = (re.compile(_pattern(template), re.IGNORECASE) if template else _ISO).match(text)
    if not found:
        raise ValueError(f"{text[:64]!r} is no date {'in the format ' + repr(template) if template else 'of ISO 8601'}")
    parts = {name: value for name, value in found.groupdict().items() if value is not None}
    said = parts.get("z", "").upper() or (_offset_of_minutes(int(parts["Z"])) if "Z" in parts else "")
    if said and zone:
        raise ValueError(f"{text[:64]!r} says its time zone, and a timezone is given, too; leave that out")
    fraction = parts.get("fraction") or parts.get("L", "0").zfill(3)
    day = _day(parts)
    hour, minute, second = (int(parts.get(name, 0)) for name in "HMS")
    local = day.replace(hour=hour, minute=minute, second=second, microsecond=int(f"{fraction:0<6}"[:6]))
    return Zone(said or zone or "UTC").utc(local)


def _pattern(template: str) -> str:
    """Return the pattern of texts in a format."""
    pattern, seen = "", set()
    for literal, specifier in re.findall(r"([^%]+)|%(.?)", template):
        if specifier in _PATTERNS and specifier not in seen:
            seen.add(specifier)
            pattern += f"(?P<{specifier}>{_PATTERNS[specifier]})"
        elif literal or specifier == "%":
            pattern += re.escape(literal or "%")
        else:
            raise ValueError(f"the format has %{specifier}, which is not one of {_specifiers(_PATTERNS)}, each once")
    return rf"{pattern}\Z"


def _specifiers(known: Dict[str, Any]) -> str:
    return ", ".join(f"%{each}" for each in known)


def _offset_of_minutes(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _day(parts: Dict[str, str]) -> datetime:
    if "G" in parts:
        return day_of_week(int(parts["G"]), int(parts.get("V", 1)), int(parts.get("u", 1)))
    if "j" in parts:
        return datetime(int(parts["Y"]), 1, 1) + timedelta(days=int(parts["j"]) - 1)
    named = (parts.get("B") or parts.get("b") or "").lower()[:3]
    month = [name[:3].lower() for name in _MONTH_NAMES].index(named) + 1 if named else int(parts.get("m", 1))
    if "Y" not in parts:
        raise ValueError("the date has no year; give a format with %Y")
    return datetime(int(parts["Y"]), month, int(parts.get("d", 1)))


def day_of_week(year: int, week: int, weekday: int) -> datetime:
    """Return a day by its ISO year, week and day of the week, 1 for Monday; other numbers lead into other weeks."""
    fourth = datetime(year, 1, 4)  # is always in the first week
    return fourth + timedelta(days=weekday - fourth.isoweekday(), weeks=week - 1)


def _month(date: datetime) -> int:
    """Return the number of a month since the year 0."""
    return date.year * 12 + date.month - 1


def _first_of_month(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1)


def _reference(unit: str, first_weekday: int) -> datetime:
    """Return the day from which bins of days or weeks are counted."""
    return _REFERENCE + timedelta(days=(first_weekday - _REFERENCE.weekday()) % 7 if unit == "week" else 0)


def _number(local: datetime, unit: str, first_weekday: int) -> int:
    """Return the number of the unit that a local time is in."""
    if unit in MONTHS:
        return _month(local) // MONTHS[unit]
    return (local - _reference(unit, first_weekday)) // LENGTHS[unit]
