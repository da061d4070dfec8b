"""The readings of a sensor as lines of a chart, over HTTP."""

import math

import pytest

from viam_sync.sandbox.core.world import timestamp

from .page_requests import view

MINUTE = 60_000_000
NOON = 1_700_000_000_000_000


@pytest.fixture
def sandbox(start):
    return start(seed=1, ui=True)


@pytest.fixture
def put(sandbox, data):
    """Add readings, a minute apart or at other minutes, and return the ID of their sensor."""
    sandbox._world.store.run("DELETE FROM readings")

    def put(*structs, minutes=None, **fields):
        contents = [
            {"metadata": {"time_requested": timestamp(NOON + int(minute * MINUTE))}, "struct": struct}
            for minute, struct in zip(minutes or range(len(structs)), structs)
        ]
        data.DataCaptureUpload(metadata=data.metadata(2, component_name="air", **fields), sensor_contents=contents)
        return view(sandbox, "world.json")["sensors"]["items"][0]["id"]

    return put


def chart(sandbox, sensor, more=""):
    return view(sandbox, f"chart.json?sensor={sensor}{more}")


def line_of(sandbox, sensor, more=""):
    (field,) = chart(sandbox, sensor, more)["fields"]["items"]
    return field


def test_the_sensors_of_the_sample_are_listed_and_drawn(sandbox):
    (air,) = view(sandbox, "world.json")["sensors"]["items"]
    assert (air["robot_name"], air["component_name"], air["readings"]) == ("plant-watcher", "air", "1008")
    drawn = chart(sandbox, air["id"])
    assert (drawn["readings"], drawn["total"], drawn["left_out"]) == (1008, 1008, [])
    assert view(sandbox, f"world.json?sensor={air['id']}")["sensor"] == drawn["sensor"]
    for field in drawn["fields"]["items"]:
        values = [value for line in field["lines"] for _, value in line]
        assert (field["min"], field["max"]) == (min(values), max(values))
        assert field["values"] == 1008


def test_each_number_is_a_point_at_its_time(sandbox, put):
    sensor = put({"n": 3, "deep": {"er": 0}}, {"n": -1.5, "deep": {"er": 0}})
    first, second = chart(sandbox, sensor)["fields"]["items"]
    assert (first["name"], second["name"]) == ("deep.er", "n")
    assert second["lines"] == [[[NOON, 3], [NOON + MINUTE, -1.5]]]
    assert (second["values"], second["min"], second["max"], second["last"]) == (2, -1.5, 3, -1.5)


def test_readings_with_other_tags_are_of_the_same_sensor_and_those_of_another_component_are_not(sandbox, put, data):
    put({"n": 1})
    sensor = put({"n": 2}, minutes=[1], tags=["warm"])
    data.put_readings({"n": 3}, component_name="water")
    assert line_of(sandbox, sensor)["lines"] == [[[NOON, 1], [NOON + MINUTE, 2]]]


def test_what_is_no_number_is_left_out_with_a_word(sandbox, put):
    given = {"good": 1, "text": "a", "bad": float("nan"), "list": [1], "ok": True, "nothing": None}
    drawn = chart(sandbox, put(given, {**given, "text": 7, "good": float("inf")}, {"good": "<b>"}))
    assert {each["name"]: each["values"] for each in drawn["fields"]["items"]} == {"good": 1, "text": 1}
    assert drawn["left_out"] == [
        "bad (no finite number)",
        "good (no finite number, text)",
        "list (list)",
        "ok (true or false)",
        "text (text)",
    ]


def test_many_fields_have_pages_and_the_names_left_out_an_end(sandbox, put):
    numbers = {f"n{number:02}": number for number in range(14)}
    sensor = put({**numbers, **{f"t{number:02}": "x" for number in range(25)}})
    pages = [chart(sandbox, sensor, f"&fields={number}") for number in (1, 2, 3)]
    assert [len(each["fields"]["items"]) for each in pages] == [6, 6, 2]
    assert (len(pages[0]["left_out"]), pages[0]["more_left_out"]) == (20, 5)


def test_a_line_has_a_gap_where_readings_are_missing(sandbox, put):
    minutes = [*range(10), *range(20, 30), 45]
    lines = line_of(sandbox, put(*({"n": 1} for _ in minutes), minutes=minutes))["lines"]
    assert [len(line) for line in lines] == [10, 10, 1]


def test_tens_of_thousands_of_readings_are_few_points_with_all_peaks(sandbox, put):
    values = [math.sin(number / 500) for number in range(20_000)]
    values[1234], values[15_000] = 50, -50
    field = line_of(sandbox, put(*({"n": value} for value in values)))
    (line,) = field["lines"]
    assert 400 < len(line) <= 4 * 241
    assert [value for _, value in line if abs(value) > 1] == [50, -50]
    assert [at for at, _ in line] == sorted({at for at, _ in line})
    assert (field["values"], line[0][0], line[-1][0]) == (20_000, NOON, NOON + 19_999 * MINUTE)


def test_no_series_is_more_points_than_its_columns_have(sandbox, put):
    minutes = [hour * 60 + second / 60 for hour in range(2000) for second in (0, 1)]
    lines = line_of(sandbox, put(*({"n": minute % 7} for minute in minutes), minutes=minutes))["lines"]
    assert sum(map(len, lines)) <= 4 * 241


def test_only_the_latest_of_very_many_readings_are_drawn_and_it_says_so(sandbox, put):
    sensor = put({"n": 1})
    rows = "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < 50001)"
    sandbox._world.store.run(
        f"{rows} INSERT INTO readings (capture_id, requested, received, synced, body)"
        f" SELECT capture_id, requested + n * {MINUTE}, 0, 0, body FROM readings, i"
    )
    drawn = chart(sandbox, sensor)
    assert (drawn["readings"], drawn["total"], drawn["from"]) == (50_000, 50_002, NOON + 2 * MINUTE)


@pytest.mark.parametrize(("span", "count"), [("", 4), ("week", 3), ("day", 2), ("hour", 1), ("year", 4)])
def test_a_chart_goes_as_far_back_as_asked(sandbox, put, span, count):
    hours = [0, 24 * 20, 24 * 26.5, 24 * 27]
    sensor = put(*({"n": 1} for _ in hours), minutes=[60 * hour for hour in hours])
    assert chart(sandbox, sensor, f"&span={span}")["total"] == count


def test_a_large_reading_is_left_out_with_a_word(sandbox, put):
    drawn = chart(sandbox, put({"n": 1}, {"n": 2, "text": "x" * 70_000}))
    assert (drawn["readings"], drawn["left_out"]) == (2, ["whole readings (too large)"])
    assert drawn["fields"]["items"][0]["values"] == 1


def test_a_sensor_without_numbers_has_no_fields(sandbox, put):
    drawn = chart(sandbox, put({"text": "x"}))
    assert (drawn["fields"]["total"], drawn["fields"]["items"]) == (0, [])


@pytest.mark.parametrize("sensor", ["", "0", "x", "1;DROP%20TABLE%20readings", "%00", "-1", "9" * 40])
def test_a_sensor_that_is_not_there_has_no_chart(sandbox, sensor):
    assert chart(sandbox, sensor) is None
    assert view(sandbox, f"world.json?sensor={sensor}")["sensor"] is None
