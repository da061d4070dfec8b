import contextlib
import datetime as dt
import math

import grpc
import pytest

from sandbox.calls import refused
from sandbox.data_calls import NO_UUID
from sandbox.tabular_calls import Tabular
from viam_sync.sandbox.core.call_errors import CallError
from viam_sync.sandbox.queries.engine import Engine
from viam_sync.sandbox.queries.protocol import Readings

AT = 1_700_000_000
TIME = dt.datetime(2023, 11, 14, 22, 13, 20)


def test_the_sample_can_be_queried_by_hour(owner):
    rows = Tabular(owner).sql(
        "SELECT date_part('hour', time_received) AS hour, avg(data.readings.temperature) AS warmth FROM readings"
        " WHERE component_name = 'air' GROUP BY hour ORDER BY warmth DESC"
    )
    assert len(rows) == 24
    assert rows[0]["hour"] in (14, 15)
    assert rows[0]["warmth"] > 26


def test_a_row_has_all_that_is_known_of_a_reading(tabular):
    sandbox = tabular.sandbox
    tabular.put({"n": 1.5, "deep": {"list": [1, 2]}, "text": "x"}, at=AT, tags=["a"])
    (row,) = tabular.sql("SELECT * FROM readings")
    assert row == {
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
        "data": {"readings": {"n": 1.5, "deep": {"list": [1.0, 2.0]}, "text": "x"}},
    }


@pytest.mark.parametrize(
    "table", ["readings", "sensorData.readings", "`sensorData`.`readings`", '"sensorData"."readings"', "`readings` r"]
)
def test_the_table_has_the_names_that_the_cloud_gives_it(tabular, table):
    tabular.put({"n": 1, "two words": 2}, at=AT)
    (row,) = tabular.sql(f"SELECT `data`.readings.`n`, data.`readings`.`two words` FROM {table}")
    assert row == {"n": 1, "two words": 2}


def test_backticks_in_texts_and_comments_stay_what_they_are(tabular):
    query = """SELECT '`it''s`' AS "a`b", 1 AS `c``d"e` -- `x
    /* ` */ """
    assert tabular.sql(query) == [{"a`b": "`it's`", 'c`d"e': 1}]


def test_dates_compare_as_dates(tabular):
    tabular.put({"n": 1}, {"n": 2}, {"n": 3}, at=AT)
    query = "SELECT data.readings.n AS n, time_received FROM readings WHERE time_received {} ORDER BY n DESC"
    for bound in (
        "> CAST('2023-11-14T22:13:20Z' AS TIMESTAMP)",
        ">= TIMESTAMP '2023-11-14 22:13:21'",
        "> '2023-11-14 22:13:20'",
        "BETWEEN CAST('2023-11-14 22:13:21' AS TIMESTAMP) AND now()",
    ):
        rows = tabular.sql(query.format(bound))
        assert rows == [{"n": n, "time_received": TIME + dt.timedelta(seconds=n - 1)} for n in (3, 2)]


def test_readings_of_many_shapes_are_in_one_table(tabular):
    tabular.put(
        {"a": 1, "s": {"x": 1}, "m": 1, "j": 1, "b": True, "l": [1], "n": None},
        {"a": None, "s": {"y": "z"}, "m": "text", "j": {"k": [1]}, "b": False, "l": [], "o": math.inf},
        {"A": 3, "m": True, "j": None, "l": ["x", 1], "": 4, "o": 2},
        at=AT,
    )
    r = "data.readings"
    rows = tabular.sql(
        f"SELECT {r}.a, {r}.s, {r}.m, {r}.j, {r}.b, {r}.l, {r}.n, {r}._ AS nameless, {r}.o"
        " FROM readings ORDER BY time_received"
    )
    assert [row["a"] for row in rows] == [1, None, 3]
    assert [row["s"] for row in rows] == [{"x": 1}, {"y": "z"}, None]
    assert [row["m"] for row in rows] == ["1.0", "text", "true"]
    assert [row["j"] for row in rows] == [1.0, {"k": [1.0]}, None]
    assert [row["b"] for row in rows] == [True, False, None]
    assert [row["l"] for row in rows] == [[1.0], [], ["x", 1.0]]
    assert [(row["n"], row["nameless"]) for row in rows] == [(None, None), (None, None), (None, 4)]
    assert [row["o"] for row in rows] == [None, None, 2]
    assert tabular.sql(f"SELECT count(*) AS n FROM readings WHERE {r}.m = 'text' AND {r}.s.y = 'z'") == [{"n": 1}]
    assert tabular.sql(f"SELECT {r}.j.k[0] AS k FROM readings WHERE {r}.m = 'text'") == [{"k": 1}]
    assert tabular.sql("SELECT data FROM readings WHERE data.readings.a = 1")[0]["data"]["readings"]["s"]["x"] == 1


SHAPES = (
    {"a": 1, "s": {"x": 1, "l": [{"p": 1}, {"q": None}, None]}, "n": None},
    {"b": "text", "s": {"y": None}},
    {"A": 2, "mixed": {"k": None}},
    {"a": None, "mixed": 1, "s": {}},
    {"s": None, "B": "other", "": None},
    {},
)


def test_a_row_has_the_fields_that_its_reading_has_and_no_others(tabular):
    tabular.put(*SHAPES, at=AT)
    rows = [row["data"]["readings"] for row in tabular.sql("SELECT data FROM readings ORDER BY time_received")]
    # A name is spelled as at its first occurrence, and an empty one is "_".
    assert rows == [*SHAPES[:2], {"a": 2, "mixed": {"k": None}}, SHAPES[3], {"s": None, "b": "other", "_": None}, {}]
    for query in ("SELECT data.readings AS r FROM readings", "SELECT list_value(data.readings)[1] AS r FROM readings"):
        assert [row["r"] for row in tabular.sql(f"{query} ORDER BY time_received")] == rows
    (columns,) = tabular.sql("SELECT unnest(data.readings) FROM readings WHERE data.readings.a = 1")
    assert columns == {"a": 1, "b": None, "mixed": None, "n": None, "_": None, "s": rows[0]["s"]}


def test_readings_alike_without_a_null_have_no_field_but_theirs(tabular):
    tabular.put({"n": 1}, {"n": 1}, at=AT)
    rows = tabular.sql("SELECT CAST(data AS VARCHAR) AS text FROM readings")
    assert [row["text"] for row in rows] == ["{'readings': {'n': 1.0}}"] * 2


def test_odd_names_and_very_wide_readings_can_be_stored_and_queried(tabular):
    names = ["it's", 'a"b', "a.b", "a/b~c", "é", "x\0y", "select", "$date"]
    tabular.put(dict.fromkeys(names, 1), at=AT)
    tabular.put(dict.fromkeys(names, "text"), at=AT + 1)
    tabular.put({f"field {number}": number for number in range(400)}, at=AT + 2, component_name="wide")
    (row,) = tabular.sql("SELECT data FROM readings WHERE component_name = 'wide'")
    assert row["data"]["readings"]["field 399"] == 399
    tabular.DeleteTabularData(organization_id=tabular.organization_id, filter={"component_name": "wide"})
    first, second = (row["r"] for row in tabular.sql("SELECT data.readings AS r FROM readings ORDER BY time_received"))
    assert set(first.values()) == {"1.0"}
    assert set(second.values()) == {"text"}
    assert set(first) == {name.replace("\0", "") for name in names}


def test_every_type_of_the_answer_has_a_form(tabular):
    (row,) = tabular.sql(
        "SELECT 1 AS i, 2.5 AS d, 10000000000000000000000 AS huge, date '2024-01-31' AS day, time '10:00' AS hour,"
        " interval 90 second AS span, 'a'::blob AS bytes, map {'k': 1} AS m, [1, NULL] AS l, {'a': [{'b': 1}]} AS s,"
        " uuid() AS u, '{\"a\": [1]}'::json AS j, [ '1'::json ] AS js, {'x': 'null'::json} AS sj, 'nan'::double AS nan,"
        " TIMESTAMP 'infinity' AS never, now() AS now, 1 AS i, 1 AS i, 99999999999999999999::json AS big"
    )
    assert (row["i"], row["i_1"], row["i_2"], row["d"], row["huge"]) == (1, 1, 1, 2.5, 1e22)
    assert (row["day"], row["hour"], row["span"]) == (dt.datetime(2024, 1, 31), "10:00:00", 90)
    assert (row["bytes"], row["m"], row["l"], row["s"]) == (b"a", {"k": 1}, [1, None], {"a": [{"b": 1}]})
    assert (row["j"], row["js"], row["sj"], row["big"]) == ({"a": [1]}, [1], {"x": None}, 1e20)
    assert (len(row["u"]), math.isnan(row["nan"]), row["never"].year) == (36, True, 9999)
    assert abs(row["now"] - dt.datetime.now(dt.timezone.utc).replace(tzinfo=None)) < dt.timedelta(minutes=5)


def test_with_and_joins_and_windows_work(tabular):
    tabular.put({"n": 1}, {"n": 2}, {"n": 4}, at=AT)
    rows = tabular.sql(
        "WITH numbers AS (SELECT data.readings.n AS n, time_received AS t FROM readings)"
        " SELECT a.n, b.n - a.n AS step, sum(a.n) OVER (ORDER BY a.t) AS sum"
        " FROM numbers a JOIN numbers b ON b.t = a.t + INTERVAL 1 SECOND ORDER BY a.n"
    )
    assert rows == [{"n": 1, "step": 1, "sum": 1}, {"n": 2, "step": 2, "sum": 3}]
    assert tabular.sql("SELECT count(*) AS n FROM range(5), readings, unnest([1, 2])") == [{"n": 30}]


def test_without_readings_there_is_nothing_to_find(tabular):
    assert tabular.sql("SELECT count(*) AS n FROM readings") == [{"n": 0}]
    assert tabular.sql("SELECT data.readings.n FROM readings WHERE data.readings.n > 3") == []
    assert tabular.sql("SELECT avg(data.readings.n) FROM readings") == []


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("", "The query is empty"),
        ("-- nothing", "0 statements"),
        ("SELEC 1", "Parser Error: syntax error at or near"),
        ("SELECT 1; SELECT 2", "The query has 2 statements"),
        ("SELECT 1; DROP TABLE readings", "The query has 2 statements"),
        ("SELECT nothing FROM readings", "Binder Error: Referenced column"),
        ("SELECT data.readings.m FROM readings", 'Could not find key "m" in struct Candidate Entries: "n"'),
        ("SELECT * FROM elsewhere", "Catalog Error: Table with name elsewhere does not exist!"),
        ("SELECT CAST('x' AS INTEGER)", "Conversion Error"),
        ("SELECT ?", "Error"),
        ("SELECT 1\0", "NUL"),
        ("SELECT " + "1 + " * 50_000 + "1", "100000"),
        ("SELECT " + "(" * 40_000 + "1" + ")" * 40_000, ""),
        ("DELETE FROM readings", "Only a SELECT can be run, and this is a statement of type DELETE"),
        ("UPDATE readings SET part_id = ''", "type UPDATE"),
        ("CREATE TABLE t AS SELECT 1", "type CREATE"),
        ("INSERT INTO readings SELECT * FROM readings", "type INSERT"),
        ("COPY readings TO '/tmp/x'", "Only a SELECT"),
        ("ATTACH '/tmp/x'", "type ATTACH"),
        ("PRAGMA version", "Only a"),
        ("SET memory_limit = '100GB'", "type SET"),
        ("INSTALL httpfs", "Only a SELECT"),
        ("EXPLAIN SELECT 1", "type EXPLAIN"),
        ("SELECT * FROM read_csv('/etc/passwd')", "The function read_csv cannot be used as a table"),
        ("SELECT (SELECT count(*) FROM READ_TEXT('/etc/passwd'))", "The function read_text cannot be used"),
        ("WITH x AS (SELECT * FROM glob('/*')) SELECT * FROM x", "The function glob cannot be used as a table"),
        ("SELECT * FROM query('SELECT 1')", "The function query cannot be used as a table"),
        ("SELECT * FROM duckdb_settings()", "The function duckdb_settings cannot be used as a table"),
        ("SELECT * FROM '/etc/passwd'", "Error"),
        ("SELECT * FROM 'https://example.com/x.parquet'", "Error"),
        ("SELECT getenv('HOME')", "getenv does not exist"),
        ("SELECT * FROM documents", "documents does not exist"),
    ],
)
def test_statements_other_than_queries_of_readings_are_refused(tabular, query, text):
    tabular.put({"n": 1}, at=AT)
    with pytest.raises(grpc.RpcError) as raised:
        tabular.sql(query)
    assert raised.value.code() in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.RESOURCE_EXHAUSTED)
    assert text in raised.value.details()
    if text:
        assert raised.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_a_query_sees_the_readings_of_its_organization_only(tabular, foreign_data):
    tabular.put({"n": 1}, at=AT)
    theirs = Tabular(foreign_data.caller)
    assert theirs.sql("SELECT count(*) AS n FROM readings", foreign_data.organization_id) == [{"n": 0}]
    with refused("PERMISSION_DENIED", "read_organization_data_management"):
        theirs.sql("SELECT 1")
    with refused("NOT_FOUND"):
        tabular.sql("SELECT 1", NO_UUID)
    with refused("INVALID_ARGUMENT"):
        tabular.sql("SELECT 1", "odd")
    assert tabular.sql("SELECT count(*) AS n FROM readings", tabular.organization_id.upper()) == [{"n": 1}]


def test_a_query_takes_any_role_on_the_organization(tabular, caller_with):
    sandbox = tabular.sandbox
    assert Tabular(caller_with("operator", "organization", sandbox.organization_id)).sql("SELECT 1 AS n") == [{"n": 1}]
    with refused("PERMISSION_DENIED"):
        Tabular(caller_with("owner", "location", sandbox.location_id)).sql("SELECT 1")


@pytest.mark.parametrize(
    "query",
    ["SELECT repeat('x', 2000000000)", "SELECT list(range) FROM range(1000000000)", "SELECT repeat('x', 40000000)"],
)
def test_a_query_that_takes_too_much_memory_is_ended(tabular, query):
    with refused("RESOURCE_EXHAUSTED"):
        tabular.sql(query)
    assert tabular.sql("SELECT 1 AS n") == [{"n": 1}]


def test_a_query_that_takes_too_long_is_ended():
    query = "SELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b"
    late = pytest.raises(CallError, match=r"The query took longer than 0\.01 seconds and was ended")
    with contextlib.closing(Engine("sql", "duckdb", timeout=0.01)) as engine, late as raised:
        engine.run(query, lambda known: ((), Readings([], [])))
    assert raised.value.status is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_without_duckdb_the_answer_says_what_to_install(tabular, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with refused("FAILED_PRECONDITION", "pip install duckdb mongomock"):
        tabular.sql("SELECT 1")
    with refused("FAILED_PRECONDITION", "mongomock"):
        tabular.mql({"$limit": 1})
    assert tabular.count() == 0
