"""Tables as DuckDB, Polars, pandas and pyarrow read them: no value is lost, and files of several days go together."""

import csv
import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import pytest

from viam_sync.app._data.tabular_records import READING_COLUMNS, TabularData, TabularDataPoint, plain_rows
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import data as pb
from viam_sync.sandbox import Sandbox
from viam_sync.tabular import to_arrow, to_pandas
from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.schema import Schema
from viam_sync.transfer.output.table_file import TableFile
from viam_sync.utils import create_filter

NOON = datetime(2024, 5, 1, 12)
METADATA = pb.CaptureMetadata(component_name="air", tags=["a"])

#: Rows whose keys give one name where they are joined without care, or where case is ignored.
ROWS: List[Dict[str, Any]] = [
    {"x.y": 1, "x": {"y": 2}, "Speed": 3, "speed": 4, "": 5, "e": {"": 6}, "b\\": 7, "b": {"\\": 8}, "o": {}},
    {"x": 9, "a,b": {'"': 10}, "deep": {"er": {}}},
]
NAMES = ["", "Speed", r'a,b."', r"b.\\", r"b\\", "deep.er", "e.", "o", "speed", "x", "x.y", r"x\.y"]
FOUND = [5, 3, None, 8, 7, None, 6, "{}", 4, None, 2, 1]


def write(path: Path, rows: Any, columns: Optional[Columns] = None) -> Path:
    TableFile(path, columns=columns).write(rows, Progress(None))
    return path


def ask_duckdb(query: str) -> List[Any]:
    # The connection that all share may be at work on a query of another test.
    with pytest.importorskip("duckdb").connect() as connection:
        found: List[Any] = connection.execute(query).fetchall()
    return found


def duckdb_rows(path: Path) -> List[List[Any]]:
    return [list(row) for row in ask_duckdb(f"SELECT * FROM '{path}'")]


def polars_rows(path: Path) -> List[List[Any]]:
    polars = pytest.importorskip("polars")
    return [list(row) for row in polars.read_parquet(path).rows()]


def pandas_rows(path: Path) -> List[List[Any]]:
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_parquet(path).astype(object)
    return [[None if value != value else value for value in row] for row in frame.values.tolist()]


def arrow_rows(path: Path) -> List[List[Any]]:
    dataset = pytest.importorskip("pyarrow.dataset")
    return [list(row.values()) for row in dataset.dataset(path).to_table().to_pylist()]


READERS = pytest.mark.parametrize("read", [duckdb_rows, polars_rows, pandas_rows, arrow_rows])


@READERS
def test_no_value_is_lost_in_parquet(tmp_path: Path, read: Callable[[Path], List[List[Any]]]) -> None:
    pytest.importorskip("pyarrow")
    first, second = read(write(tmp_path / "rows.parquet", ROWS))
    assert [None if value != value else value for value in first] == FOUND
    assert (second[2], second[5], second[9]) == (10, "{}", 9)


def test_no_value_is_lost_in_csv(tmp_path: Path) -> None:
    with write(tmp_path / "rows.csv", ROWS).open(encoding="utf-8", newline="") as file:
        header, first, _ = csv.reader(file)
    assert header == NAMES
    assert first == ["" if value is None else str(value) for value in FOUND]


def test_no_value_is_lost_in_a_table() -> None:
    arrow = pytest.importorskip("pyarrow")
    table = to_arrow(ROWS)
    assert isinstance(table, arrow.Table)
    assert {name: table[name][0].as_py() for name in table.column_names} == dict(zip(NAMES, FOUND))


def test_no_value_is_lost_in_a_data_frame() -> None:
    pytest.importorskip("pandas")
    frame = to_pandas(ROWS)
    assert list(frame.columns) == NAMES
    assert (frame["x.y"][0], frame[r"x\.y"][0], frame["x"][1]) == (2, 1, 9)


def test_duckdb_reads_csv_whose_names_differ_in_case_alone(tmp_path: Path) -> None:
    (first, _) = ask_duckdb(f"SELECT * FROM read_csv('{write(tmp_path / 'rows.csv', ROWS)}', header=true)")
    assert [value for value in first if isinstance(value, int)] == [5, 3, 8, 7, 6, 4, 2, 1]


@pytest.mark.parametrize("reader", ["polars", "pandas"])
def test_numbers_without_an_end_are_numbers_in_csv(tmp_path: Path, reader: str) -> None:
    library = pytest.importorskip(reader)
    rows = [{"x": 1.5}, {"x": float("inf")}, {"x": float("-inf")}, {"x": float("nan")}]
    found = library.read_csv(write(tmp_path / "rows.csv", rows))["x"]
    assert found.dtype == (library.Float64 if reader == "polars" else "float64")
    assert list(found)[:3] == [1.5, float("inf"), float("-inf")]


def test_a_number_among_texts_makes_a_column_of_text_without_a_schema(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    rows = [{"x": 1.5}, {"x": "n/a"}, {"x": {}}]
    assert arrow_rows(write(tmp_path / "rows.parquet", rows)) == [["1.5"], ["n/a"], ["{}"]]
    with pytest.raises(ValueError, match="schema has the column 'x' as float, but row 2 has a str there"):
        write(tmp_path / "strict.parquet", rows, Schema({"x": float}))
    assert not (tmp_path / "strict.parquet").exists()
    kept = write(tmp_path / "rescued.parquet", rows, Schema({"x": float}, misfits="rescue"))
    assert arrow_rows(kept) == [[1.5, None], [None, '{"x": "n/a"}'], [None, '{"x": {}}']]


def reading(**values: Any) -> TabularData:
    return TabularData({"readings": values}, METADATA, NOON, NOON)


#: Days that do not go together without a schema: a sensor that says nothing, one that says "n/a", another key, no rows.
DAYS: List[List[TabularData]] = [
    [reading(speed=1.5, count=1.0), reading(speed=2.5, names=["a"])],
    [reading(speed=None, count=None, names=[])],
    [reading(speed="n/a"), reading(extra=True)],
    [],
]


SCHEMA = {"data.readings.speed": float, "data.readings.count": int, "data.readings.names": [str]}


def days_with_a_schema(folder: Path, suffix: str) -> None:
    for number, day in enumerate(DAYS):
        schema = Schema(SCHEMA, fixed=READING_COLUMNS, misfits="rescue")
        write(folder / f"{number}.{suffix}", plain_rows(day), schema)


def _sum_of_duckdb(files: str) -> Any:
    (sums,) = ask_duckdb(f"SELECT count(*), sum(\"data.readings.speed\"), count(_rescued_data) FROM '{files}'")
    return sums


def _sum_of_polars(files: str) -> Any:
    polars = pytest.importorskip("polars")
    frame = polars.read_parquet(files)
    return len(frame), frame["data.readings.speed"].sum(), frame["_rescued_data"].count()


def _sum_of_pyarrow(files: str) -> Any:
    dataset = pytest.importorskip("pyarrow.dataset")
    table = dataset.dataset(Path(files).parent).to_table()
    speeds = [speed for speed in table["data.readings.speed"].to_pylist() if speed is not None]
    return len(table), sum(speeds), len(table) - table["_rescued_data"].null_count


def _sum_of_pandas(files: str) -> Any:
    pandas = pytest.importorskip("pandas")
    folder, _, suffix = files.partition("*.")
    read = pandas.read_parquet if suffix == "parquet" else pandas.read_csv
    frames = [read(path) for path in sorted(Path(folder).iterdir())]
    frame = pandas.concat([frame for frame in frames if len(frame)])
    return len(frame), frame["data.readings.speed"].sum(), frame["_rescued_data"].count()


@pytest.mark.filterwarnings("ignore:The behavior of .* concatenation with empty or all-NA entries:FutureWarning")
@pytest.mark.parametrize(
    ("suffix", "summed"),
    [
        ("parquet", _sum_of_duckdb),
        ("parquet", _sum_of_polars),
        ("parquet", _sum_of_pyarrow),
        ("parquet", _sum_of_pandas),
        # CSV has no types; the others take those of the first file, or what they guess.
        ("csv", _sum_of_pandas),
    ],
)
def test_files_of_several_days_go_together_with_a_schema(
    tmp_path: Path, suffix: str, summed: Callable[[str], Any]
) -> None:
    pytest.importorskip("pyarrow")
    days_with_a_schema(tmp_path, suffix)
    assert tuple(summed(str(tmp_path / f"*.{suffix}"))) == (5, 4.0, 2)


def test_files_with_a_schema_have_one_schema(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    days_with_a_schema(tmp_path, "parquet")
    first, *others = [parquet.read_schema(path) for path in sorted(tmp_path.iterdir())]
    assert all(other.equals(first) for other in others)
    assert first.names == [*READING_COLUMNS, *SCHEMA, "_rescued_data"]
    assert [str(kind).partition("<")[0] for kind in first.types[-4:]] == ["double", "int64", "list", "string"]


def test_json_lines_fit_a_schema_too(tmp_path: Path) -> None:
    days_with_a_schema(tmp_path, "jsonl")
    lines = [json.loads(line) for path in sorted(tmp_path.iterdir()) for line in path.read_text().splitlines()]
    assert lines[0]["data"] == {"readings": {"speed": 1.5, "count": 1}}
    assert [line.get("_rescued_data") for line in lines[3:]] == [
        '{"data.readings.speed": "n/a"}',
        '{"data.readings.extra": true}',
    ]
    assert lines[4]["metadata"] == {"componentName": "air", "tags": ["a"]}


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_without_readings_has_their_fixed_columns(client: ViamClient, tmp_path: Path, suffix: str) -> None:
    nothing, path = create_filter(component_name="x"), tmp_path / f"rows.{suffix}"
    if suffix == "csv":
        assert client.data_client.export_tabular_data_to(nothing, path) == 0
        assert path.read_text().split() == [",".join(READING_COLUMNS)]
        client.data_client.tabular_data_by_filter(nothing, dest=str(path))
        assert path.read_text().split() == [",".join(READING_COLUMNS)]
    else:
        parquet = pytest.importorskip("pyarrow.parquet")
        assert client.data_client.export_tabular_data_to(nothing, path) == 0
        assert parquet.read_schema(path).names == list(READING_COLUMNS)


def test_the_fixed_columns_are_the_fields_of_the_metadata() -> None:
    fields = [field.json_name for field in pb.CaptureMetadata.DESCRIPTOR.fields]
    metadata = [f"metadata.{name}" for name in fields if name != "methodParameters"]
    assert list(READING_COLUMNS) == ["timeRequested", "timeReceived", *metadata]


def test_the_metadata_of_readings_keeps_few_pages_in_memory() -> None:
    messages = [pb.CaptureMetadata(component_name="air", tags=["a"]) for _ in range(100)]

    def kept() -> int:
        # Each is in the list, in a loop, and in the call that counts.
        return sum(sys.getrefcount(message) > 3 for message in messages)

    rows = plain_rows(TabularData({}, message, NOON, NOON) for message in messages)
    assert kept() == 0
    first, *others = rows
    del rows
    assert all(row["metadata"] is first["metadata"] for row in others)
    rows = plain_rows(TabularData({}, message, NOON, NOON) for message in messages)
    assert [next(rows)["metadata"] for _ in range(99)] == [first["metadata"]] * 99
    assert 0 < kept() < 10


def test_points_without_parameters_have_no_column_of_them() -> None:
    arrow = pytest.importorskip("pyarrow")
    fields: Dict[str, Any] = {**dict.fromkeys(TabularDataPoint.__annotations__, "x"), "time_captured": NOON, "tags": []}
    points = [TabularDataPoint(**{**fields, "method_parameters": {}, "payload": {"speed": 1.5, "empty": {}}})]
    table = to_arrow(points)
    assert table.column_names[-3:] == ["tags", "payload.empty", "payload.speed"]
    assert table.schema.field("tags").type == arrow.list_(arrow.string())


def test_an_export_takes_a_schema(sandbox: Sandbox, client: ViamClient, tmp_path: Path) -> None:
    data, path = client.data_client, tmp_path / "rows.csv"
    data.tabular_data_capture_upload([{"n": 1}, {"n": "n/a"}], sandbox.robot_part_id, "sensor", "spy", "Readings")
    spy = create_filter(component_name="spy")
    with pytest.raises(ValueError, match=r"schema has the column 'data\.n' as int, but row \d has a str there"):
        data.export_tabular_data_to(spy, path, schema={"data.n": int})
    assert not path.exists()
    assert data.export_tabular_data_to(spy, path, schema={"data.n": int}, misfits="null") == 2
    with path.open(newline="") as file:
        assert sorted(row["data.n"] for row in csv.DictReader(file)) == ["", "1"]


def test_a_schema_that_is_none_is_refused_before_anything_is_asked(
    sandbox: Sandbox, client: ViamClient, tmp_path: Path
) -> None:
    fault = sandbox.faults.fail("TabularDataByFilter", "INTERNAL")
    with pytest.raises(TypeError, match=r"schema\['x'\] takes one of the types"):
        client.data_client.export_tabular_data_to(None, tmp_path / "rows.csv", schema={"x": "float"})
    assert fault.met == 0
