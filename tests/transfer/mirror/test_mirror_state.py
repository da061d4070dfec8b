from datetime import datetime, timedelta
from typing import Any, Optional

import pytest

from viam_sync.transfer.mirror.mirror_state import MirrorState, shifted

WEEK = timedelta(days=7)


def day(number: int) -> datetime:
    return datetime(2024, 1, 1) + timedelta(days=number)


@pytest.mark.parametrize(
    ("until", "newest", "newest_now", "begin"),
    [
        # The last run has finished.
        (None, day(100), day(101), day(93)),
        # Readings were deleted since, or the clock was ahead then.
        (None, day(100), day(50), day(43)),
        (None, day(100), None, day(93)),
        # It had not come to the look-back, or beyond it.
        (day(30), day(100), day(101), day(30)),
        (day(99), day(100), day(101), day(93)),
        # There was no reading that the clock had not put into the future.
        (None, None, day(100), None),
    ],
)
def test_a_run_begins_where_readings_may_be_missing(
    until: Optional[datetime], newest: Optional[datetime], newest_now: Optional[datetime], begin: Optional[datetime]
) -> None:
    state = MirrorState({}, {}, until, newest)
    assert state.begin(newest_now, WEEK) == begin
    assert state.begin(newest_now, None) is None


@pytest.mark.parametrize("times", [(None, None), (day(1), datetime(2024, 1, 1, 0, 0, 0, 5))])
def test_a_state_is_the_same_after_it_was_text(times: Any) -> None:
    state = MirrorState({"filter": {"tags": ["é"]}}, {"b": "int", "a": ("list", ("list", "null"))}, *times)
    again = MirrorState.from_json(state.to_json())
    assert again == state
    assert list(again.kinds) == ["b", "a"]


def test_times_end_with_the_calendar() -> None:
    assert shifted(datetime.max, WEEK) == datetime.max
    assert shifted(day(8), -WEEK) == day(1)
