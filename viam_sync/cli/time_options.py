"""Times in options, as one says them: ``1h`` for an hour ago, ``yesterday``, a date, or a whole time."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone
from typing import Callable, Mapping

import click

_AGO = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAY = timedelta(days=1)


def time_option(text: str) -> datetime:
    """Return the time that the value of an option means; one without a zone is a time of this computer.

    Raises:
        click.BadParameter: If it is none.
    """
    try:
        return _moment(text)
    except (ValueError, OverflowError):
        known = "1h, 7d, yesterday, 2024-01-31 or 2024-01-31T12:00:00Z"
        raise click.BadParameter(f"{text!r} is no time such as {known}") from None


def _moment(text: str) -> datetime:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    if text in _WORDS:
        return _WORDS[text]()
    # Before Python 3.11, there was no Z.
    moment = datetime.fromisoformat(f"{text[:-1]}+00:00" if text[-1:] in ("Z", "z") else text)
    return moment.astimezone() if moment.tzinfo is None else moment


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time()).astimezone()


_WORDS: Mapping[str, Callable[[], datetime]] = {
    "now": lambda: datetime.now(timezone.utc),
    "today": lambda: _midnight(date.today()),
    "yesterday": lambda: _midnight(date.today() - _DAY),
}
