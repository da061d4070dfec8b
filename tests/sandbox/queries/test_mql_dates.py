"""The expressions on dates; the values are those in the manual of MongoDB, or follow from what it says."""

import datetime as dt
import re

import pytest

from sandbox.calls import refused
from viam_sync.sandbox.queries.mql_dates import evaluate_date_expression

TIME = dt.datetime(2023, 11, 14, 22, 13, 20)  # a Tuesday
EXACT = TIME.replace(microsecond=7000)
AT = 1_700_000_000


@pytest.fixture
def readings(tabular):
    tabular.put({"t": 1, "text": "2024-02-08T12:10:40.787"}, {"t": 2, "text": "soon"}, at=AT)
    return tabular


def date(year, month=1, day=1, *time):
    return dt.datetime(year, month, day, *time)


def trunc(unit, at=TIME, **more):
    return {"$dateTrunc": {"date": at, "unit": unit, **more}}


def later(operator, unit, amount, at=TIME, **more):
    return {operator: {"startDate": at, "unit": unit, "amount": amount, **more}}


def diff(start, end, unit, **more):
    return {"$dateDiff": {"startDate": start, "endDate": end, "unit": unit, **more}}


def parse(text, **more):
    return {"$dateFromString": {"dateString": text, **more}}


def text(template=None, at=EXACT, **more):
    return {"$dateToString": {"date": at, **({"format": template} if template else {}), **more}}


BERLIN = {"timezone": "Europe/Berlin"}
SUMMER = date(2024, 3, 30, 11, 30)  # a day before the clocks of Berlin go forward

VALUES = [
    (trunc("millisecond"), TIME),
    (trunc("second", EXACT), TIME),
    (trunc("minute"), date(2023, 11, 14, 22, 13)),
    (trunc("hour"), date(2023, 11, 14, 22)),
    (trunc("hour", binSize=6), date(2023, 11, 14, 18)),
    (trunc("minute", binSize=15.0), date(2023, 11, 14, 22)),
    (trunc("hour", timezone="Asia/Kolkata"), date(2023, 11, 14, 21, 30)),
    (trunc("day"), date(2023, 11, 14)),
    (trunc("day", **BERLIN), date(2023, 11, 13, 23)),
    (trunc("day", timezone="+02:00"), date(2023, 11, 14, 22)),
    (trunc("day", timezone="-0330"), date(2023, 11, 14, 3, 30)),
    (trunc("week"), date(2023, 11, 12)),
    (trunc("week", startOfWeek="Monday"), date(2023, 11, 13)),
    (trunc("week", startOfWeek="wed"), date(2023, 11, 8)),
    (trunc("month"), date(2023, 11)),
    (trunc("month", date(1999, 12, 31), binSize=2), date(1999, 11)),
    (trunc("quarter"), date(2023, 10)),
    (trunc("year"), date(2023)),
    (trunc("year", binSize=10), date(2020)),
    (trunc("hour", "$time_received"), date(2023, 11, 14, 22)),
    (trunc("hour", "$no.such.field"), None),
    (trunc("hour", None), None),
    (trunc(None), None),
    (later("$dateAdd", "day", 3), date(2023, 11, 17, 22, 13, 20)),
    (later("$dateSubtract", "day", 3), date(2023, 11, 11, 22, 13, 20)),
    (later("$dateSubtract", "hour", 23), date(2023, 11, 13, 23, 13, 20)),
    (later("$dateSubtract", "hour", -1.0), date(2023, 11, 14, 23, 13, 20)),
    (later("$dateSubtract", "quarter", 3), date(2023, 2, 14, 22, 13, 20)),
    (later("$dateSubtract", "year", 1, date(2024, 2, 29)), date(2023, 2, 28)),
    (later("$dateAdd", "month", 1, date(2024, 1, 31)), date(2024, 2, 29)),
    (later("$dateSubtract", "month", 1, date(2024, 3, 31)), date(2024, 2, 29)),
    (later("$dateAdd", "week", 1, SUMMER, **BERLIN), date(2024, 4, 6, 10, 30)),
    (later("$dateAdd", "hour", 24, SUMMER, **BERLIN), date(2024, 3, 31, 11, 30)),
    (
        later("$dateSubtract", "hour", {"$multiply": ["$data.readings.t", 2]}, "$time_received"),
        date(2023, 11, 14, 20, 13, 20),
    ),
    (later("$dateSubtract", "hour", 1, "$missing"), None),
    (later("$dateSubtract", "hour", "$missing"), None),
    (diff(date(2023, 12, 31, 23), date(2024, 1, 1), "year"), 1),
    (diff(date(2024), date(2024, 12, 31), "year"), 0),
    (diff(date(2024), date(2023, 12, 31), "month"), -1),
    (diff(date(2024), date(2024, 12, 31), "quarter"), 3),
    (diff(date(2024, 1, 6), date(2024, 1, 7), "week"), 1),
    (diff(date(2024, 1, 7), date(2024, 1, 8), "week", startOfWeek="mon"), 1),
    (diff(date(2024, 1, 1, 22, 30), date(2024, 1, 1, 23, 30), "day", **BERLIN), 1),
    (diff(date(2024, 1, 1, 22, 59), date(2024, 1, 1, 23), "hour"), 1),
    (diff(TIME, "$time_received", "second"), 0),
    (diff(TIME, "$missing", "second"), None),
    (parse("$data.readings.text"), date(2024, 2, 8, 12, 10, 40, 787000)),
    (parse("2024-02-08"), date(2024, 2, 8)),
    (parse("2024-02-08 12:10:40Z"), date(2024, 2, 8, 12, 10, 40)),
    (parse("2024-02-08T12:10:40.5+02:00"), date(2024, 2, 8, 10, 10, 40, 500000)),
    (parse("2024-02-08T12:10", **BERLIN), date(2024, 2, 8, 11, 10)),
    (parse("06-15-2018", format="%m-%d-%Y"), date(2018, 6, 15)),
    (parse("8. Feb 2024, 7:05", format="%d. %b %Y, %H:%M", timezone="+01"), date(2024, 2, 8, 6, 5)),
    (parse("2024-W06-4", format="%G-W%V-%u"), date(2024, 2, 8)),
    (parse("100% 2024060 -0530", format="100%% %Y%j %z"), date(2024, 2, 29, 5, 30)),
    (parse("2024-02-08 +90", format="%Y-%m-%d %Z"), date(2024, 2, 7, 22, 30)),
    (parse("soon", onError="never"), "never"),
    (parse(7, onError="$data.readings.t"), 1),
    (parse("2024-13-01", onError=None), None),
    (parse("$missing", onNull="$time_received"), TIME),
    (parse("$missing"), None),
    (text(), "2023-11-14T22:13:20.007Z"),
    (text(**BERLIN), "2023-11-14T23:13:20.007"),
    (
        text("%d.%m.%Y %H:%M:%S.%L %j %u %w %V %G %U %z %Z %b %B %%", **BERLIN),
        "14.11.2023 23:13:20.007 318 2 3 46 2023 46 +0100 +60 Nov November %",
    ),
    (text("%z", timezone="-03:30"), "-0330"),
    (text(at="$missing", onNull="?"), "?"),
    (text(at="$missing"), None),
    ({"$hour": "$time_received"}, 22),
    ({"$hour": ["$time_received"]}, 22),
    ({"$hour": {"date": "$time_received", "timezone": "+02:00"}}, 0),
    ({"$dayOfYear": TIME}, 318),
    ({"$dayOfWeek": TIME}, 3),
    ({"$week": date(2023, 1, 1)}, 1),
    ({"$week": date(2022, 1, 1)}, 0),
    ({"$isoWeek": date(2023, 1, 1)}, 52),
    ({"$isoWeekYear": date(2023, 1, 1)}, 2022),
    ({"$isoDayOfWeek": date(2023, 1, 1)}, 7),
    ({"$year": "$missing"}, None),
    (
        {"$dateFromParts": {"year": 2024, "month": 14, "day": 0, "hour": 25, "millisecond": 7}},
        date(2025, 2, 1, 1, 0, 0, 7000),
    ),
    ({"$dateFromParts": {"isoWeekYear": 2024, "isoWeek": 6, "isoDayOfWeek": 4, **BERLIN}}, date(2024, 2, 7, 23)),
    ({"$dateFromParts": {"year": "$missing"}}, None),
    (
        {"$dateToParts": {"date": TIME}},
        {"year": 2023, "month": 11, "day": 14, "hour": 22, "minute": 13, "second": 20, "millisecond": 0},
    ),
    ({"$toDate": "2024-02-08"}, date(2024, 2, 8)),
    ({"$toDate": 1_700_000_000_000}, TIME),
    ({"$toDate": "$missing"}, None),
]


def test_expressions_on_dates_have_the_values_that_mongodb_gives_them(readings):
    fields = {f"x{number}": expression for number, (expression, _) in enumerate(VALUES)}
    (row,) = readings.mql({"$match": {"data.readings.t": 1}}, {"$project": {"_id": 0, **fields}})
    found = [(expression, row.get(field)) for field, expression in fields.items()]
    assert found == VALUES


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        (trunc("fortnight"), "unit of $dateTrunc takes one of year, quarter"),
        (trunc("hour", binSize=0), "binSize of $dateTrunc takes a whole number from 1 on, not 0"),
        (trunc("hour", binSize=1.5), "binSize of $dateTrunc takes a whole number, not '1.5'"),
        (trunc("hour", 1.0), "$dateTrunc takes a date, not '1.0'"),
        (trunc("hour", timezone="Mars/Olympus"), "'Mars/Olympus' is no time zone"),
        (trunc("hour", timezone="+99:00"), "'+99:00' is no time zone"),
        (trunc("week", startOfWeek="someday"), "startOfWeek of $dateTrunc takes the name of a day"),
        (trunc("hour", size=1), "$dateTrunc takes a document with date, unit, binSize, timezone, startOfWeek"),
        ({"$dateTrunc": {"date": TIME}}, "$dateTrunc needs unit"),
        ({"$dateTrunc": TIME}, "$dateTrunc takes a document"),
        (later("$dateSubtract", "hour", 0.5), "amount of $dateSubtract takes a whole number"),
        (later("$dateSubtract", "hour", True), "amount of $dateSubtract takes a whole number"),
        (later("$dateSubtract", "year", 3000), "is out of range"),
        (parse("soon"), "'soon' is no date of ISO 8601"),
        (parse("2024-02-08", format="%d.%m.%Y"), "is no date in the format '%d.%m.%Y'"),
        (parse("2024-02-30"), "day is out of range for month"),
        (parse("8.2.", format="%d.%m."), "has no year"),
        (parse("2024", format="%Q"), "the format has %Q"),
        (parse("2024-02-08T00:00Z", **BERLIN), "says its time zone"),
        (parse(7), "dateString of $dateFromString takes a text, not '7'"),
        (text("%Q"), "the format has %Q"),
        ({"$hour": "ten"}, "$hour takes a date, not 'ten'"),
    ],
    ids=str,
)
def test_an_expression_on_dates_that_makes_no_sense_says_why(expression, problem):
    ((operator, given),) = expression.items()
    with pytest.raises((ValueError, OverflowError), match=re.escape(problem)):
        evaluate_date_expression(operator, given, lambda value: value)


def test_readings_are_grouped_by_the_hour_and_matched_by_their_age(readings):
    readings.put({"t": 5}, at=AT + 3600)
    hour = trunc("hour", "$time_received")
    assert readings.mql({"$group": {"_id": hour, "n": {"$sum": 1}}}, {"$sort": {"_id": 1}}) == [
        {"_id": date(2023, 11, 14, 22), "n": 2},
        {"_id": date(2023, 11, 14, 23), "n": 1},
    ]
    since = later("$dateSubtract", "minute", 30, date(2023, 11, 14, 23, 30))
    rows = readings.mql({"$match": {"$expr": {"$gte": ["$time_received", since]}}})
    assert [row["data"]["readings"]["t"] for row in rows] == [5]
    with refused("INVALID_ARGUMENT", "The stage $match cannot be run: unit of $dateTrunc takes one of year, quarter"):
        readings.mql({"$match": {"$expr": {"$eq": [TIME, trunc("fortnight")]}}})


def test_expressions_on_dates_are_evaluated_where_they_are_needed_and_see_variables(readings):
    days = {"$map": {"input": "$tags", "as": "each", "in": parse("$$each")}}
    guarded = {"$cond": [{"$eq": ["$data.readings.t", 1]}, parse("$data.readings.text"), None]}
    readings.put({"t": 3}, at=AT, tags=["2024-02-08", "2024-02-09"])
    rows = readings.mql({"$project": {"_id": 0, "days": days, "guarded": guarded}})
    assert [row["guarded"] for row in rows] == [date(2024, 2, 8, 12, 10, 40, 787000), None, None]
    assert [row["days"] for row in rows] == [[], [], [date(2024, 2, 8), date(2024, 2, 9)]]
