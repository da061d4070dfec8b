"""Times of messages and of BSON in a time zone: each library's time zones, and the ends of the calendar."""

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, List

import bson
import pytest
import pytz
from bson.datetime_ms import DatetimeMS

from viam_sync.messages.bson_documents import from_documents
from viam_sync.proto.app.data import TabularDataByMQLResponse
from viam_sync.proto.google import Timestamp
from viam_sync.utils import datetime_to_timestamp, timestamp_to_datetime

UTC = timezone.utc
WEST, EAST = timezone(timedelta(hours=-6)), timezone(timedelta(hours=9))
FIRST, LAST = datetime.min.replace(tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)
NOON = datetime(2024, 7, 1, 12, 0, 0, 123000, UTC)


def stamp(moment: datetime) -> Timestamp:
    converted = datetime_to_timestamp(moment)
    assert converted is not None
    return converted


def by_bson(moment: datetime, tz: tzinfo) -> datetime:
    response = TabularDataByMQLResponse(raw_data=[bson.encode({"deep": [{"at": [moment]}]})])
    (row,) = from_documents(response, response.raw_data, tz)
    found: datetime = row["deep"][0]["at"][0]
    return found


def by_message(moment: datetime, tz: tzinfo) -> datetime:
    return timestamp_to_datetime(stamp(moment), tz)


@pytest.mark.parametrize("convert", [by_bson, by_message])
@pytest.mark.parametrize(
    "tz", [UTC, WEST, EAST, pytz.timezone("America/Chicago"), pytz.timezone("Asia/Tokyo")], ids=str
)
@pytest.mark.parametrize("moment", [FIRST, NOON, LAST], ids=str)
def test_a_time_is_in_the_time_zone_or_in_utc_where_the_calendar_ends(
    convert: Any, tz: tzinfo, moment: datetime
) -> None:
    found = convert(moment, tz)
    try:
        wanted = moment.astimezone(tz)
    except OverflowError:
        wanted = moment
    assert found == moment
    assert (found.replace(tzinfo=None), found.utcoffset()) == (wanted.replace(tzinfo=None), wanted.utcoffset())


def test_the_first_and_the_last_moment_are_in_utc_in_the_time_zones_that_lack_them() -> None:
    assert by_message(FIRST, WEST).tzinfo is by_bson(FIRST, WEST).tzinfo is UTC
    assert by_message(LAST, EAST).tzinfo is by_bson(LAST, EAST).tzinfo is UTC
    assert by_message(FIRST, EAST).tzinfo is by_bson(FIRST, EAST).tzinfo is EAST


@pytest.mark.parametrize("tz", [UTC, WEST, pytz.timezone("Europe/Berlin")], ids=str)
def test_a_date_that_no_datetime_holds_stays_one_of_bson(tz: tzinfo) -> None:
    dates: List[DatetimeMS] = [DatetimeMS(-62135596800001), DatetimeMS(253402300800000)]
    response = TabularDataByMQLResponse(raw_data=[bson.encode({"dates": dates, "at": NOON})])
    (row,) = from_documents(response, response.raw_data, tz)
    assert row == {"dates": dates, "at": NOON}
    assert row["at"].tzinfo is not None


@pytest.mark.parametrize("tz", [None, UTC, EAST])
def test_a_timestamp_that_no_calendar_has_is_an_error_in_every_time_zone(tz: Any) -> None:
    with pytest.raises(ValueError, match="no calendar has the time 999999999999 seconds after 1970"):
        timestamp_to_datetime(Timestamp(seconds=999_999_999_999), tz)


def test_a_timestamp_is_naive_utc_where_no_time_zone_is_named() -> None:
    assert timestamp_to_datetime(stamp(NOON)) == NOON.replace(tzinfo=None)
    assert timestamp_to_datetime(Timestamp(), UTC) == datetime(1970, 1, 1, tzinfo=UTC)


def test_the_name_of_a_time_zone_is_none() -> None:
    with pytest.raises(TypeError, match=r"tz takes a datetime.tzinfo, such as datetime.timezone.utc or .*, got 'UTC'"):
        timestamp_to_datetime(Timestamp(), "UTC")  # type: ignore[arg-type]
