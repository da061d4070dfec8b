import dataclasses
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import pytest
from bson.datetime_ms import DatetimeMS
from memory import measured_memory

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.tabular import to_arrow, to_arrow_batches, to_pandas, to_polars
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.rows import json_value
from viam_sync.transfer.output.table_file import TableFile
from viam_sync.utils import create_filter

NOON = datetime(2024, 5, 1, 12, 0, 0, 123456)
AIR = create_filter(component_name="air")
ROWS = [
    {"at": NOON, "data": {"speed": 1.5, "on": True}, "count": 1, "tags": []},
    {"at": None, "data": {"speed": None, "name": "arm"}, "count": 2.5, "tags": ["a"], "odd": 1},
    {"raw": b"abc", "odd": "text", "nothing": None, "many": [[1], [2.5]], "objects": [{"a": 1}]},
]


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


@pytest.fixture
def arrow() -> Any:
    return pytest.importorskip("pyarrow")


@pytest.fixture
def parquet(arrow: Any) -> Any:
    return pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def pandas() -> Any:
    return pytest.importorskip("pandas")


def check(table: Any, arrow: Any) -> None:
    types = {field.name: field.type for field in table.schema}
    assert types == {
        "at": arrow.timestamp("us", "UTC"),
        "data.speed": arrow.float64(),
        "data.on": arrow.bool_(),
        "count": arrow.float64(),
        "tags": arrow.list_(arrow.string()),
        "data.name": arrow.string(),
        "odd": arrow.string(),
        "raw": arrow.binary(),
        "nothing": arrow.float64(),
        "many": arrow.list_(arrow.list_(arrow.float64())),
        "objects": arrow.list_(arrow.string()),
    }
    columns = table.to_pydict()
    assert columns["at"][0].isoformat() == "2024-05-01T12:00:00.123456+00:00"
    assert columns["at"][1:] == [None, None]
    assert columns["data.speed"] == [1.5, None, None]
    assert columns["count"] == [1.0, 2.5, None]
    assert columns["tags"] == [[], ["a"], None]
    assert columns["odd"] == [None, "1", "text"]
    assert columns["raw"] == [None, None, b"abc"]
    assert columns["many"] == [None, None, [[1.0], [2.5]]]
    assert columns["objects"] == [None, None, ['{"a": 1}']]


def test_a_column_has_the_type_of_its_values(arrow: Any) -> None:
    check(to_arrow(ROWS), arrow)
    check(to_arrow(iter(ROWS)), arrow)


@pytest.mark.parametrize("size", [1, 16 << 20])  # one that needs a temporary file, and one that does not
@pytest.mark.parametrize("group", [1, 2, 1000])
def test_parquet_holds_the_same(arrow: Any, parquet: Any, tmp_path: Path, group: int, size: int) -> None:
    file = TableFile(tmp_path / "rows.parquet", group_rows=group, group_bytes=size)
    assert file.write(ROWS, Progress(None)) == 3
    file = parquet.ParquetFile(tmp_path / "rows.parquet")
    assert file.num_row_groups == -(-3 // group)
    check(file.read(), arrow)
    file.close()


def test_no_rows_make_a_table_with_the_columns_of_readings(arrow: Any, pandas: Any) -> None:
    times = {"timeRequested": arrow.timestamp("us", "UTC"), "timeReceived": arrow.timestamp("us", "UTC")}
    table = to_arrow([], schema={"data.speed": float})
    assert table.num_rows == 0
    assert {field.name: field.type for field in list(table.schema)[:2]} == times
    assert table.schema.field("metadata.tags").type == arrow.list_(arrow.string())
    assert table.schema.names[-1] == "data.speed"
    (batch,) = to_arrow_batches([], schema={"data.speed": float})
    assert batch.schema == table.schema
    frame = to_pandas([], schema={"data.speed": float})
    assert list(frame.columns) == table.schema.names
    assert str(frame["timeRequested"].dt.tz) == "UTC"
    assert frame.dtypes[["metadata.robotId", "data.speed"]].astype(str).tolist() == ["string", "Float64"]


def test_no_rows_make_parquet_without_any(parquet: Any, tmp_path: Path) -> None:
    TableFile(tmp_path / "rows.parquet").write([], Progress(None))
    assert parquet.read_table(tmp_path / "rows.parquet").num_rows == 0


def test_an_empty_list_among_other_values_is_kept(arrow: Any, pandas: Any) -> None:
    rows = [{"on": True, "name": "arm", "deep": ["a"]}, {"on": [], "name": [], "deep": [[]]}]
    text = {"deep": [["a"], ["[]"]], "name": ["arm", "[]"], "on": ["true", "[]"]}
    assert to_arrow(rows).to_pydict() == text
    assert to_pandas(rows).to_dict("list") == {"deep": [["a"], [[]]], "name": ["arm", []], "on": [True, []]}


def test_times_become_text_without_a_database_of_time_zones(arrow: Any) -> None:
    program = (
        "import sys; sys.modules['pytz'] = sys.modules['zoneinfo'] = None\n"
        "from datetime import datetime\n"
        "from viam_sync.tabular import to_arrow\n"
        "noon = datetime(2024, 5, 1, 12)\n"
        "table = to_arrow([{'at': noon, 'all': [[noon]]}] * 500 + [{'at': 'noon', 'all': 'day'}])\n"
        "print(table['at'][0], table['all'][0])"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == '2024-05-01T12:00:00Z [["2024-05-01T12:00:00Z"]]'


def test_a_row_without_values_is_a_row(arrow: Any, pandas: Any) -> None:
    rows = [{}] * 1001 + [{"speed": 1.5}]
    assert to_arrow(rows)["speed"].to_pylist() == [None] * 1001 + [1.5]
    assert to_pandas(rows)["speed"].isna().sum() == 1001


def test_readings_become_a_table(data: DataClient, arrow: Any) -> None:
    page, _, _ = data.tabular_data_by_filter(AIR, limit=3)
    table = to_arrow(page)
    assert table["data.readings.temperature"].to_pylist() == [row.data["readings"]["temperature"] for row in page]
    assert table["metadata.componentName"].to_pylist() == ["air"] * 3
    assert table.schema.field("timeRequested").type == arrow.timestamp("us", "UTC")
    with data.iter_tabular_data(AIR) as rows:
        assert to_arrow(rows).num_rows == 1008


def test_points_become_a_table(data: DataClient, arrow: Any) -> None:
    (row,), _, _ = data.tabular_data_by_filter(AIR, limit=1)
    points = data.export_tabular_data(row.metadata.part_id, "air", "rdk:component:sensor", "Readings")
    table = to_arrow(points)
    assert table.num_rows == 1008
    assert {"part_id", "time_captured", "payload.readings.co2", "tags"} <= set(table.column_names)


def test_an_export_is_the_same_as_a_table(data: DataClient, parquet: Any, tmp_path: Path) -> None:
    assert data.export_tabular_data_to(AIR, tmp_path / "air.parquet") == 1008
    with data.iter_tabular_data(AIR) as rows:
        assert parquet.read_table(tmp_path / "air.parquet").equals(to_arrow(rows))


def test_the_rows_of_a_query_become_a_table(sandbox: Sandbox, data: DataClient, arrow: Any, pandas: Any) -> None:
    pytest.importorskip("mongomock")
    rows = data.tabular_data_by_mql(sandbox.organization_id, [{"$limit": 4}])
    assert to_arrow(rows).num_rows == 4
    assert to_arrow(rows).schema.field("time_received").type == arrow.timestamp("us", "UTC")
    assert len(to_pandas(rows)) == 4


def test_rows_become_a_data_frame(pandas: Any) -> None:
    frame = to_pandas(ROWS)
    assert frame.dtypes.drop("at").astype(str).to_dict() == {
        "count": "Float64",
        "data.name": "string",
        "data.on": "boolean",
        "data.speed": "Float64",
        "many": "object",
        "nothing": "Float64",
        "objects": "object",
        "odd": "object",
        "raw": "object",
        "tags": "object",
    }
    assert str(frame["at"].dt.tz) == "UTC"
    assert frame["at"][0] == pandas.Timestamp(NOON, tz="UTC")
    assert frame["at"].isna().tolist() == [False, True, True]
    assert frame["count"][1] == 2.5
    assert frame["odd"].tolist() == [None, 1, "text"]
    assert frame["raw"][2] == b"abc"
    assert frame["many"][2] == [[1], [2.5]]


def test_a_data_frame_tells_a_missing_value_from_nan(pandas: Any) -> None:
    frame = to_pandas([{"speed": float("nan")}, {}, {"speed": 1.5}])
    assert frame["speed"].isna().tolist() == [False, True, False]


def test_a_data_frame_takes_no_pyarrow() -> None:
    pytest.importorskip("pandas")
    program = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from viam_sync.tabular import to_pandas\n"
        "print(to_pandas([{'name': 'arm', 'count': 2**60 + 1}, {}])['count'][0])"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.strip() == str(2**60 + 1)


def test_readings_become_a_data_frame(data: DataClient, pandas: Any) -> None:
    with data.iter_tabular_data(AIR) as rows:
        frame = to_pandas(rows)
    assert len(frame) == 1008
    assert frame.set_index("timeReceived")["data.readings.temperature"].mean() == pytest.approx(21, abs=3)


@pytest.mark.parametrize("year", [1, 1676, 2263, 9999])
def test_a_time_far_from_now_keeps_the_data_frame(pandas: Any, year: int) -> None:
    frame = to_pandas([{"at": NOON.replace(year=year)}, {"at": NOON}, {}])
    assert [moment.isoformat()[:10] for moment in frame["at"][:2]] == [f"{year:04}-05-01", "2024-05-01"]
    assert all(moment.tzinfo is not None for moment in frame["at"][:2])
    assert frame["at"].isna().tolist() == [False, False, True]


def test_no_table_rounds_a_whole_number(arrow: Any, pandas: Any, parquet: Any, tmp_path: Path) -> None:
    odd = 2**53 + 1
    rows = [{"among": odd, "gap": odd, "all": odd, "small": 1, "text": "a"}, {"among": 1.5, "all": 2, "text": "b"}]
    table = {"among": [str(odd), "1.5"], "gap": [odd, None], "all": [odd, 2], "small": [1, None], "text": ["a", "b"]}
    assert to_arrow(rows).to_pydict() == table
    TableFile(tmp_path / "rows.parquet").write(rows, Progress(None))
    assert parquet.read_table(tmp_path / "rows.parquet").to_pydict() == table
    frame = to_pandas(rows)
    assert (list(frame["among"]), list(frame["all"])) == ([odd, 1.5], [odd, 2])
    assert list(frame["gap"]) == [odd, pandas.NA]
    assert list(map(str, frame.dtypes)) == ["Int64", "object", "Int64", "Int64", "string"]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (8_640_000_000_000_000, "+275760-09-13T00:00:00.000Z"),  # the last date of JavaScript
        (-62_135_769_600_000, "+000000-12-30T00:00:00.000Z"),  # the first of January of the year 1, in another calendar
        (-62_167_219_200_001, "-000001-12-31T23:59:59.999Z"),
        (2**63 - 1, "+292278994-08-17T07:12:55.807Z"),
        (-(2**63), "-292275055-05-16T16:47:04.192Z"),
    ],
)
def test_a_date_that_no_datetime_holds_is_written_as_iso_8601_has_it(milliseconds: int, text: str) -> None:
    assert json_value([DatetimeMS(milliseconds)]) == [text]


def test_a_date_that_no_datetime_holds_is_in_every_table(arrow: Any, pandas: Any, parquet: Any, tmp_path: Path) -> None:
    far = DatetimeMS(253_402_300_800_000)
    rows = [{"at": NOON}, {"at": far}, {}]
    written = ["2024-05-01T12:00:00.123456Z", "+010000-01-01T00:00:00.000Z", None]
    assert to_arrow(rows)["at"].to_pylist() == written
    assert to_pandas(rows)["at"].tolist() == [NOON.replace(tzinfo=timezone.utc), far, None]
    for suffix in ("parquet", "csv"):
        TableFile(tmp_path / f"rows.{suffix}").write(rows, Progress(None))
    assert parquet.read_table(tmp_path / "rows.parquet")["at"].to_pylist() == written
    assert (tmp_path / "rows.csv").read_text().split()[:3] == ["at", *written[:2]]


MODULES = {to_arrow: "pyarrow", to_arrow_batches: "pyarrow", to_pandas: "pandas", to_polars: "polars"}
INSTALLED = {"pyarrow": "pyarrow", "pandas": "pandas", "polars": "polars pyarrow"}


@pytest.fixture(params=MODULES, ids=[convert.__name__ for convert in MODULES])
def convert(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Each of the functions, if what it takes is installed; one that returns batches, as a list of them."""
    pytest.importorskip(MODULES[request.param])
    if request.param is to_arrow_batches:
        return lambda *given, **options: list(to_arrow_batches(*given, **options))
    return request.param  # type: ignore[no-any-return]


def test_an_object_that_is_no_row_is_rejected(convert: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="rows takes what methods for tabular data return, got 7"):
        convert([7])


def test_what_does_not_fit_a_schema_is_rejected(convert: Callable[..., Any]) -> None:
    rows = [{"speed": 1.5}, {"speed": "fast"}]
    with pytest.raises(ValueError, match="schema has the column 'speed' as float, but row 2 has a str there"):
        convert(rows, schema={"speed": float})
    with pytest.raises(ValueError, match=r"schema lacks the column 'speed', but row 1 has a float, 1\.5, there"):
        convert(rows, schema={"name": str})


def test_what_does_not_fit_a_schema_is_rescued_where_asked(convert: Callable[..., Any]) -> None:
    made = convert([{"speed": 1.0}, {"speed": "fast"}], schema={"speed": int}, misfits="rescue")
    table = made[0] if isinstance(made, list) else made
    speeds, rescued = (list(map(str, table[name])) for name in ("speed", "_rescued_data"))
    assert (speeds[0], rescued[1]) == ("1", '{"speed": "fast"}')
    assert {speeds[1], rescued[0]} <= {"None", "<NA>"}


@pytest.mark.parametrize("convert", MODULES, ids=[convert.__name__ for convert in MODULES])
def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, convert: Any) -> None:
    module = MODULES[convert]
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"{convert.__name__} takes {module}, .* pip install {INSTALLED[module]} "):
        convert([])


@pytest.mark.parametrize("one", [1, [1]])
def test_a_later_batch_may_have_a_larger_whole_number(arrow: Any, one: Any) -> None:
    large = [2**60] if isinstance(one, list) else 2**60
    batches = to_arrow_batches([{"x": one}, {"x": large}], batch_rows=1)
    assert [batch.to_pylist() for batch in batches] == [[{"x": one}], [{"x": large}]]


def test_batches_come_before_all_rows_are_read(arrow: Any) -> None:
    read: List[int] = []

    def rows() -> Iterator[Dict[str, Any]]:
        for number in range(10_000):
            read.append(number)
            yield {"number": number, "text": "x" * number, "nothing": None}

    batches = to_arrow_batches(rows(), batch_rows=1000)
    assert next(batches).num_rows == 1000
    assert len(read) == 1000
    sizes = [batch.nbytes for batch in batches]
    assert len(read) == 10_000
    assert max(sizes) < 5 << 20  # as texts of 4 MiB end a batch


def test_batches_have_one_schema(arrow: Any) -> None:
    rows = [{"speed": 1.5, "tags": [], "id": {}}, {"speed": 2, "tags": [1.5]}, {"speed": None, "id": 7}]
    first, *others = to_arrow_batches(rows, batch_rows=1)
    assert [batch.schema for batch in others] == [first.schema] * 2
    table = arrow.Table.from_batches([first, *others])
    assert table.to_pydict() == {"id": ["{}", None, "7"], "speed": [1.5, 2, None], "tags": [[], [1.5], None]}


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"speed": 1.5}, "the column 'speed' is int in the first batch, but row 3 has a float, 1.5, there"),
        ({"tags": "a"}, r"the column 'tags' is \[str\] in the first batch, but row 3 has a str there"),
        ({"new": True}, "the column 'new' has no value in the first batch, but row 3 has a bool, True, there"),
        ({"empty": "a"}, "the column 'empty' has no value in the first batch, but row 3 has a str there"),
    ],
)
def test_a_row_that_does_not_fit_the_first_batch_is_rejected(arrow: Any, row: Dict[str, Any], text: str) -> None:
    batches = to_arrow_batches([{"speed": 1, "tags": ["a"], "empty": None}] * 2 + [row], batch_rows=2)
    assert next(batches).num_rows == 2
    with pytest.raises(ValueError, match=f"rows: {text}; give the names and types of all columns as schema"):
        next(batches)


@pytest.mark.parametrize("batch_rows", [0, -1, 1.5, "x"])
def test_a_size_of_batches_that_is_none_is_rejected_at_once(arrow: Any, batch_rows: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="batch_rows takes an int from 1 on"):
        to_arrow_batches([], batch_rows=batch_rows)


def test_rows_become_a_polars_frame(arrow: Any) -> None:
    polars = pytest.importorskip("polars")
    rows = ROWS * 2000  # more than go over to Polars at a time
    frame = to_polars(iter(rows))
    assert frame.equals(polars.from_arrow(to_arrow(rows)))
    assert frame.schema["at"] == polars.Datetime("us", "UTC")
    assert to_polars([]).height == 0


def test_a_polars_frame_has_the_names_of_all_columns(arrow: Any) -> None:
    pytest.importorskip("polars")
    frame = to_polars([{"": 1, "column_0": 2}])
    assert (frame.columns, frame.rows()) == (["", "column_0"], [(1, 2)])


def test_duckdb_reads_a_table(data: DataClient, arrow: Any) -> None:
    duckdb = pytest.importorskip("duckdb")
    with data.iter_tabular_data(AIR) as rows:
        readings = to_arrow(rows)
    ((count, mean),) = duckdb.sql('SELECT count(*), avg("data.readings.co2") FROM readings').fetchall()
    assert (count, mean) == (1008, pytest.approx(sum(readings["data.readings.co2"].to_pylist()) / 1008))


def mixed_rows(data: DataClient) -> Iterator[Any]:
    """Numbers of which every second one is whole."""
    return (
        {f"value{column}": number / 2 if number % 2 else number for column in range(10)} for number in range(20_000)
    )


def many_readings(data: DataClient) -> Iterator[Any]:
    with data.iter_tabular_data(AIR) as rows:
        page = list(rows)
    for _ in range(20):
        yield from (dataclasses.replace(row, data={**row.data, "note": f"{row.time_received}"}) for row in page)


@pytest.mark.parametrize("rows", [mixed_rows, many_readings])
@pytest.mark.parametrize("convert", [to_arrow, to_pandas])
def test_at_most_twice_the_memory_of_a_table_is_taken(data: DataClient, arrow: Any, convert: Any, rows: Any) -> None:
    pytest.importorskip(MODULES[convert])
    given = rows(data)
    convert([next(given)])  # so that what comes with the first table is not counted
    with measured_memory() as memory:
        table = convert(given)
        assert memory.now > 1 << 20
        assert memory.most < 2 * memory.now
        del table
