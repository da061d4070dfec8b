"""Times in options: every form that there is, in the zone of this computer, and what is none."""

import time
from datetime import datetime, timedelta, timezone
from typing import Iterator

import pytest

click = pytest.importorskip("click", reason="tox -e cli has it")

from viam_sync.cli.time_options import time_option  # noqa: E402


@pytest.fixture
def east(monkeypatch: pytest.MonkeyPatch) -> Iterator[timezone]:
    """A zone of this computer in which the day begins two hours early."""
    monkeypatch.setenv("TZ", "EAST-2")
    time.tzset()
    yield timezone(timedelta(hours=2))
    monkeypatch.undo()
    time.tzset()


def test_a_time_ago_is_counted_from_now() -> None:
    for text, ago in (("30s", 30), ("10m", 600), ("1h", 3600), ("7d", 604800), ("2w", 1209600), ("now", 0)):
        before = datetime.now(timezone.utc)
        moment = time_option(text) + timedelta(seconds=ago)
        assert before <= moment <= datetime.now(timezone.utc)


def test_what_has_no_zone_is_a_time_of_this_computer(east: timezone) -> None:
    noon = datetime(2024, 1, 31, 12, tzinfo=east)
    assert time_option("2024-01-31T12:00") == time_option("2024-01-31 12:00:00") == noon
    assert time_option("2024-01-31") == datetime(2024, 1, 31, tzinfo=east)
    for text in ("2024-01-31T10:00:00Z", "2024-01-31T11:00:00+01:00"):
        assert time_option(text) == noon


def test_days_begin_at_midnight_of_this_computer(east: timezone) -> None:
    today, yesterday = time_option("today"), time_option("yesterday")
    assert today - yesterday == timedelta(days=1)
    assert (today.hour, today.minute, today.utcoffset()) == (0, 0, timedelta(hours=2))
    assert datetime.now(east) - today < timedelta(days=1)


@pytest.mark.parametrize(
    "text",
    ["", "nix", "1", "-1h", "1y", "999999d", "2024-13-01", "2024-01-31T25:00", "Z", "\N{ARABIC-INDIC DIGIT ONE}h"],
)
def test_what_is_no_time_is_an_error_that_shows_some(text: str) -> None:
    with pytest.raises(click.BadParameter, match=f"^{text!r} is no time such as 1h, 7d, yesterday, 2024-01-31 or"):
        time_option(text)
