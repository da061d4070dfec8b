import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from bson.datetime_ms import DatetimeMS

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.tabular import to_arrow, to_pandas
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


@pytest.mark.parametrize("group", [1, 2, 1000])
def test_parquet_holds_the_same(arrow: Any, parquet: Any, tmp_path: Path, group: int) -> None:
    assert TableFile(tmp_path / "rows.parquet", group_rows=group).write(ROWS, Progress(None)) == 3
    file = parquet.ParquetFile(tmp_path / "rows.parquet")
    assert file.num_row_groups == -(-3 // group)
    check(file.read(), arrow)
    file.close()


def test_no_rows_make_a_table_without_any(arrow: Any, parquet: Any, tmp_path: Path) -> None:
    assert to_arrow([]).num_rows == 0
    TableFile(tmp_path / "rows.parquet").write([], Progress(None))
    assert parquet.read_table(tmp_path / "rows.parquet").num_rows == 0


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
    assert list(frame.columns)[:3] == ["at", "count", "data.name"]
    assert str(frame["at"].dt.tz) == "UTC"
    assert frame["at"][0] == pandas.Timestamp(NOON, tz="UTC")
    assert frame["at"].isna().tolist() == [False, True, True]
    assert frame["count"][1] == 2.5
    assert frame["raw"][2] == b"abc"
    assert frame["many"][2] == [[1], [2.5]]
    assert len(to_pandas([])) == 0


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
    assert (list(frame["among"]), list(frame["gap"]), list(frame["all"])) == ([odd, 1.5], [odd, None], [odd, 2])
    assert list(map(str, frame.dtypes[:4])) == ["int64", "object", "object", "float64"]
    assert frame["text"].dtype == pandas.DataFrame({"text": ["a", "b"]})["text"].dtype


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


@pytest.mark.parametrize("convert", [to_arrow, to_pandas])
def test_an_object_that_is_no_row_is_rejected(convert: Any) -> None:
    pytest.importorskip({"to_arrow": "pyarrow", "to_pandas": "pandas"}[convert.__name__])
    with pytest.raises(TypeError, match="rows takes what methods for tabular data return, got 7"):
        convert([7])


@pytest.mark.parametrize(
    ("convert", "module", "install"), [(to_arrow, "pyarrow", "viam-sync"), (to_pandas, "pandas", "pandas")]
)
def test_without_the_library_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, convert: Any, module: str, install: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=f"{convert.__name__} takes {module}, .* pip install '{install}"):
        convert([])
