import contextlib
import datetime as dt

import bson
import grpc
import pytest
from bson import Int64, Regex

from sandbox.calls import refused
from sandbox.data_calls import NO_UUID
from sandbox.tabular_calls import Tabular
from viam_sync.sandbox.core.call_errors import CallError
from viam_sync.sandbox.queries.engine import Engine
from viam_sync.sandbox.queries.protocol import Readings

AT = 1_700_000_000
TIME = dt.datetime(2023, 11, 14, 22, 13, 20)
HOT, PIPELINE = 2, 3


@pytest.fixture
def rooms(tabular):
    """Provide the data services with readings of three rooms."""
    tabular.put(
        {"room": "hall", "t": 18}, {"room": "bath", "t": 24}, {"room": "hall", "t": 20}, {"room": "attic"}, at=AT
    )
    return tabular


def test_the_sample_can_be_queried_by_humidity(owner):
    rows = Tabular(owner).mql(
        {"$match": {"component_name": "air", "data.readings.humidity": {"$gte": 64}}},
        {"$group": {"_id": "$robot_id", "n": {"$sum": 1}, "warmest": {"$max": "$data.readings.temperature"}}},
    )
    assert len(rows) == 1
    assert 400 < rows[0]["n"] < 600
    assert rows[0]["warmest"] < 23


def test_a_document_has_all_that_is_known_of_a_reading(tabular):
    sandbox = tabular.sandbox
    tabular.put({"n": 1.5, "deep": {"list": [1, None, True]}, "": "x"}, at=AT, tags=["a"])
    assert tabular.mql() == [
        {
            "organization_id": sandbox.organization_id,
            "location_id": sandbox.location_id,
            "robot_id": sandbox.robot_id,
            "part_id": sandbox.robot_part_id,
            "component_type": "rdk:component:sensor",
            "component_name": "air",
            "method_name": "Readings",
            "time_requested": TIME,
            "time_received": TIME,
            "capture_day": dt.datetime(2023, 11, 14),
            "tags": ["a"],
            "additional_parameters": {},
            "data": {"readings": {"n": 1.5, "deep": {"list": [1.0, None, True]}, "": "x"}},
        }
    ]


def test_a_date_that_no_datetime_holds_costs_no_row(client, sandbox):
    late = bson.datetime_ms.DatetimeMS(300_000_000_000_000)
    pipeline = [{"$limit": 2}, {"$project": {"_id": 0, "late": {"$literal": late}, "name": "$component_name"}}]
    rows = client.data_client.tabular_data_by_mql(sandbox.organization_id, pipeline)
    assert [row["late"] for row in rows] == [late, late]


@pytest.mark.parametrize(
    ("stages", "rows"),
    [
        ([{"$match": {"data.readings.room": "hall"}}, {"$count": "n"}], [{"n": 2}]),
        ([{"$match": {"data.readings.room": Regex("^H", "i")}}, {"$count": "n"}], [{"n": 2}]),
        ([{"$match": {"data.readings.room": {"$regex": "^h"}}}, {"$count": "n"}], [{"n": 2}]),
        ([{"$match": {"data.readings.t": {"$gt": 18}, "tags": []}}, {"$count": "n"}], [{"n": 2}]),
        ([{"$match": {"data.readings.t": {"$exists": False}}}, {"$count": "n"}], [{"n": 1}]),
        ([{"$match": {"data.readings.t": 99}}, {"$count": "n"}], []),
        ([{"$match": {"data.readings.t": 99}}, {"$group": {"_id": None, "n": {"$sum": 1}}}], []),
        (
            [
                {"$group": {"_id": "$data.readings.room", "mean": {"$avg": "$data.readings.t"}}},
                {"$sort": {"_id": 1.0}},
            ],
            [{"_id": "attic", "mean": None}, {"_id": "bath", "mean": 24}, {"_id": "hall", "mean": 19}],
        ),
        (
            [{"$sortByCount": "$data.readings.room"}, {"$limit": Int64(1)}],
            [{"_id": "hall", "count": 2}],
        ),
        (
            [
                {"$sort": {"data.readings.t": -1}},
                {"$skip": 1.0},
                {"$limit": 1.0},
                {"$replaceWith": "$data.readings"},
                {"$unset": ["room"]},
            ],
            [{"t": 20}],
        ),
        (
            [
                {"$set": {"data.readings.f": {"$add": [{"$multiply": ["$data.readings.t", 1.8]}, 32]}}},
                {"$match": {"data.readings.f": {"$gt": 70}}},
                {"$replaceRoot": {"newRoot": "$data.readings"}},
            ],
            [{"room": "bath", "t": 24, "f": pytest.approx(75.2)}],
        ),
        (
            [
                {"$addFields": {"list": ["a", "b"]}},
                {"$unwind": {"path": "$list", "includeArrayIndex": "i"}},
                {"$match": {"data.readings.t": 24}},
                {"$project": {"_id": 0, "list": 1, "i": 1}},
            ],
            [{"list": "a", "i": 0}, {"list": "b", "i": 1}],
        ),
        (
            [
                {"$match": {"data.readings.t": {"$exists": True}}},
                {"$bucket": {"groupBy": "$data.readings.t", "boundaries": [0, 20, 40]}},
            ],
            [{"_id": 0, "count": 1}, {"_id": 20, "count": 2}],
        ),
        (
            [
                {"$group": {"_id": None, "mean": {"$avg": "$data.readings.t"}}},
                {
                    "$project": {
                        "_id": 0,
                        "a": {"$round": "$mean"},
                        "b": {"$round": ["$mean", 2]},
                        "c": {"$round": "$x"},
                    }
                },
            ],
            [{"a": 21, "b": 20.67, "c": None}],
        ),
        (
            [
                {"$limit": 1},
                {"$project": {"_id": 0, **{f"x{n}": {"$round": [n, -1]} for n in (4, 5, 15)}, "y": {"$round": 2.5}}},
            ],
            [{"x4": 0, "x5": 0, "x15": 20, "y": 2}],
        ),
        ([{"$sample": {"size": 2}}, {"$count": "n"}], [{"n": 2}]),
        ([{"$sample": {"size": 1e15}}, {"$skip": 3}, {"$count": "n"}], [{"n": 1}]),
    ],
)
def test_stages_do_what_mongodb_says(rooms, stages, rows):
    assert rooms.mql(*stages) == rows


@pytest.mark.parametrize(
    "date",
    [
        dt.datetime(2023, 11, 14, 22, 13, 22),
        {"$date": "2023-11-14T22:13:22Z"},
        {"$date": "2023-11-14T22:13:22.0Z"},
        {"$date": "2023-11-14T22:13:21.999999Z"},
        {"$date": "2023-11-15T00:13:22+02:00"},
        {"$date": "2023-11-14T22:13:22"},
        {"$date": 1_700_000_002_000},
        {"$date": 1_700_000_002_000.0},
        {"$date": {"$numberLong": "1700000002000"}},
        {"$date": dt.datetime(2023, 11, 14, 22, 13, 22)},
    ],
)
def test_dates_are_dates_however_they_are_written(rooms, date):
    rows = rooms.mql({"$match": {"time_received": {"$gte": date}, "capture_day": {"$date": "2023-11-14"}}})
    assert [row["time_received"].second for row in rows] == [22, 23]


@pytest.mark.parametrize("date", ["yesterday", "", None, [], {}, 1e300, float("nan"), "9" * 400, {"$numberLong": "x"}])
def test_a_date_that_is_none_is_refused(tabular, date):
    with refused("INVALID_ARGUMENT", "Stage 2 of the pipeline has a $date that is no date"):
        tabular.mql({"$limit": 1}, {"$match": {"time_received": {"$date": date}}})


@pytest.mark.parametrize(
    "contents",
    [b"", b"\0", b"malformed", bson.encode({"$limit": 1})[:-1], bson.encode({"$limit": 1}) + b"\0", b"\x05\0\0\0\1"],
)
def test_malformed_bson_is_refused(tabular, contents):
    with refused("INVALID_ARGUMENT", "Stage 2 of the pipeline is no BSON document that can be read"):
        tabular.mql({"$limit": 1}, contents)


def nested(depth):
    value = 1
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("stage", "text"),
    [
        ({}, "Stage 1 of the pipeline has 0 fields; give it one"),
        ({"$limit": 1, "$skip": 1}, "Stage 1 of the pipeline has 2 fields"),
        ({"$lookup": {"from": "x"}}, "$lookup, is not allowed; use only $addFields"),
        ({"$out": "x"}, "$out, is not allowed"),
        ({"$merge": "x"}, "$merge, is not allowed"),
        ({"$facet": {"a": []}}, "$facet, is not allowed"),
        ({"$unionWith": "x"}, "$unionWith, is not allowed"),
        ({"$indexStats": {}}, "$indexStats, is not allowed"),
        ({"match": {}}, "match, is not allowed"),
        ({"x" * 10_000: 1}, "is not allowed"),
        ({"$match": {"$where": "sleep(1000)"}}, "holds $where, which is not allowed"),
        ({"$project": {"x": {"$function": {"body": "", "args": [], "lang": "js"}}}}, "holds $function, which"),
        ({"$group": {"_id": None, "x": {"$accumulator": {}}}}, "holds $accumulator, which is not allowed"),
        ({"$match": {"$or": [{"a": [{"$lookup": 1}]}]}}, "holds $lookup, which is not allowed"),
        ({"$match": nested(101)}, "nested deeper than 100 levels"),
        ({"$match": []}, "$match cannot be run"),
        ({"$match": {"$nothing": 1}}, "unknown top level operator"),
        ({"$match": {"part_id": {"$regex": "("}}}, "$match cannot be run"),
        ({"$limit": 0}, "$limit, takes a whole number from 1 on, not 0"),
        ({"$limit": True}, "takes a whole number"),
        ({"$limit": float("nan")}, "takes a whole number"),
        ({"$limit": float("inf")}, "takes a whole number"),
        ({"$limit": "5"}, "takes a whole number"),
        ({"$skip": -1}, "$skip, takes a whole number from 0 on, not -1"),
        ({"$sample": 5}, "$sample, takes a document"),
        ({"$sample": {"size": 1, "x": 1}}, "takes one field, size"),
        ({"$sort": {"a": 2}}, "$sort, takes 1 or -1 for each field"),
        ({"$sort": {}}, "takes a document with at least one field"),
        ({"$group": {"n": {"$sum": 1}}}, "$group, needs an _id"),
        ({"$group": {"_id": 1, "n": 1}}, "$group cannot be run"),
        ({"$unset": [1]}, "takes the name of a field"),
        ({"$unset": []}, "takes the name of a field"),
        ({"$count": "$x"}, "the count field cannot be a $-prefixed path"),
        ({"$unwind": "tags"}, "$unwind cannot be run"),
        ({"$unwind": {}}, "$unwind cannot be run"),
        ({"$bucket": {}}, "$bucket requires"),
        ({"$replaceRoot": {"newRoot": "$part_id"}}, "$replaceRoot cannot be run"),
        ({"$project": {"a": 1, "b": 0}}, "$project cannot be run"),
        ({"$addFields": {}}, "$addFields cannot be run"),
        ({"$set": {"x": {"$round": "$part_id"}}}, "$round takes numbers, not"),
        ({"$set": {"x": {"$round": [1, 0.5]}}}, "$round takes from -20 to 100 decimal places, not 0.5"),
        ({"$set": {"x": {"$round": []}}}, "$round takes a number, and the number of decimal places"),
    ],
)
def test_a_stage_that_is_not_allowed_or_makes_no_sense_is_refused(rooms, stage, text):
    with refused("INVALID_ARGUMENT", text):
        rooms.mql(stage)


@pytest.mark.parametrize("stage", ["$bucketAuto", "$densify", "$fill", "$geoNear", "$redact", "$setWindowFields"])
def test_a_stage_that_the_sandbox_lacks_is_named(rooms, stage):
    with refused("UNIMPLEMENTED", f"Stage 2 of the pipeline, {stage}, is not part of the sandbox; the cloud has it"):
        rooms.mql({"$limit": 1}, {stage: {}})


def test_an_expression_that_the_sandbox_lacks_is_named(rooms):
    with refused("UNIMPLEMENTED", "$tsSecond"):
        rooms.mql({"$project": {"x": {"$tsSecond": "$time_received"}}})
    with refused("UNIMPLEMENTED", "$range"):
        rooms.mql({"$project": {"x": {"$range": [0, 10**9]}}})


def test_a_pipeline_has_at_most_1000_stages(rooms):
    assert len(rooms.mql(*[{"$limit": 2}] * 1000)) == 2
    with refused("INVALID_ARGUMENT", "The pipeline has 1001 stages"):
        rooms.mql(*[{"$limit": 2}] * 1001)


def test_a_pipeline_sees_the_readings_of_its_organization_only(rooms, foreign_data, caller_with):
    theirs = Tabular(foreign_data.caller)
    assert theirs.mql(organization_id=foreign_data.organization_id) == []
    with refused("PERMISSION_DENIED", "read_organization_data_management"):
        theirs.mql()
    with refused("NOT_FOUND"):
        rooms.mql(organization_id=NO_UUID)
    with refused("INVALID_ARGUMENT"):
        rooms.mql(organization_id="odd")
    sandbox = rooms.sandbox
    assert len(Tabular(caller_with("operator", "organization", sandbox.organization_id)).mql()) == 4
    with refused("PERMISSION_DENIED"):
        Tabular(caller_with("owner", "robot", sandbox.robot_id)).mql()


def test_the_hot_storage_has_the_same_readings_and_there_are_no_pipelines_or_saved_queries(rooms):
    assert len(rooms.mql(data_source={"type": HOT})) == len(rooms.mql(use_recent_data=True)) == 4
    with refused("NOT_FOUND", "No data pipeline has the ID 'p'"):
        rooms.mql(data_source={"type": PIPELINE, "pipeline_id": "p"})
    with refused("INVALID_ARGUMENT", "pipeline_id"):
        rooms.mql(data_source={"type": PIPELINE})
    with refused("NOT_FOUND", "No saved query is named 'q'"):
        rooms.mql(query_prefix_name="q")


def test_a_pattern_that_never_ends_is_ended():
    origins = [{"tags": [], "additional_parameters": {}}]
    encoded = [bson.encode({"origin": 0, "requested": 0, "received": 0, "data": {"text": "a" * 60 + "!"}})]
    with contextlib.closing(Engine("mql", "mongomock", timeout=3)) as engine:
        with pytest.raises(CallError, match="The query took longer than 3 seconds and was ended") as raised:
            engine.run(
                [{"$match": {"data.text": {"$regex": "(a+)+$"}}}], lambda known: ((), Readings(origins, encoded))
            )
        assert raised.value.status is grpc.StatusCode.RESOURCE_EXHAUSTED
    with contextlib.closing(Engine("mql", "mongomock")) as engine:
        assert engine.run([{"$count": "n"}], lambda known: ((), Readings(origins, encoded))) == [bson.encode({"n": 1})]


def test_an_answer_that_is_too_long_for_a_message_is_refused(tabular):
    tabular.put(*({"text": "x" * 2_000_000} for _ in range(12)), at=AT)
    tabular.put(*({"text": "x" * 2_000_000} for _ in range(12)), at=AT)
    with refused("RESOURCE_EXHAUSTED", "ask for fewer rows or fields"):
        tabular.mql()
    assert tabular.mql({"$count": "n"}) == [{"n": 24}]
