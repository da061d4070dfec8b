import csv
import io
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

import pytest
from memory import measured_memory

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import NotFoundError, PermissionDeniedError
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.table_file import TableFile
from viam_sync.utils import create_filter

AIR = create_filter(component_name="air")
ROWS: List[Dict[str, Any]] = [
    {"at": datetime(2024, 5, 1, 12), "data": {"speed": 1.5, "on": True}},
    {"data": {"speed": None, "name": 'the "arm",\nleft'}, "tags": ["a", "é"]},
    {"data": {"speed": float("nan")}, "raw": b"abc"},
]


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


def write(path: Path, rows: Any, **limits: int) -> int:
    return TableFile(path, **limits).write(rows, Progress(None))


def read_csv(path: Path) -> List[Dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [dict(row) for row in csv.DictReader(file)]


def test_json_lines_keep_nested_objects(tmp_path: Path) -> None:
    assert write(tmp_path / "rows.JSONL", ROWS) == 3
    lines = (tmp_path / "rows.JSONL").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"at": "2024-05-01T12:00:00Z", "data": {"speed": 1.5, "on": True}},
        {"data": {"speed": None, "name": 'the "arm",\nleft'}, "tags": ["a", "é"]},
        {"data": {"speed": "NaN"}, "raw": "YWJj"},
    ]


def test_csv_has_a_column_for_every_value_also_of_late_rows(tmp_path: Path) -> None:
    assert write(tmp_path / "rows.csv", ROWS) == 3
    rows = read_csv(tmp_path / "rows.csv")
    assert list(rows[0]) == ["at", "data.name", "data.on", "data.speed", "raw", "tags"]
    assert [list(row.values()) for row in rows] == [
        ["2024-05-01T12:00:00Z", "", "True", "1.5", "", ""],
        ["", 'the "arm",\nleft', "", "", "", '["a", "\\u00e9"]'],
        ["", "", "", "NaN", "YWJj", ""],
    ]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_without_rows_the_file_is_empty(tmp_path: Path, name: str) -> None:
    assert write(tmp_path / name, []) == 0
    assert (tmp_path / name).read_bytes() == b""


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.csv"])
def test_an_older_file_stays_until_the_new_one_is_complete(tmp_path: Path, name: str) -> None:
    def rows() -> Iterator[Mapping[str, Any]]:
        yield ROWS[0]
        assert (tmp_path / name).read_text(encoding="utf-8") == "old"
        raise RuntimeError("enough")

    (tmp_path / name).write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError, match="enough"):
        write(tmp_path / name, rows())
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize("name", ["rows.json", "rows", "rows.xlsx", ".csv"])
def test_another_ending_is_rejected(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"end in \.jsonl, \.csv, \.parquet"):
        TableFile(tmp_path / name)


def test_parquet_without_pyarrow_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        TableFile(tmp_path / "rows.parquet")


def test_a_folder_that_is_not_there_is_said_before_anything_is_asked(
    sandbox: Sandbox, data: DataClient, tmp_path: Path
) -> None:
    fault = sandbox.faults.fail("TabularDataByFilter", "INTERNAL")
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        data.export_tabular_data_to(None, tmp_path / "absent" / "rows.csv")
    assert fault.met == 0


def test_all_pages_are_written(data: DataClient, tmp_path: Path) -> None:
    assert data.export_tabular_data_to(AIR, tmp_path / "air.jsonl") == 1008
    rows = [json.loads(line) for line in (tmp_path / "air.jsonl").read_text(encoding="utf-8").splitlines()]
    (page, _, _) = data.tabular_data_by_filter(AIR, dest=str(tmp_path / "page.jsonl"))
    first = [json.loads(line) for line in (tmp_path / "page.jsonl").read_text(encoding="utf-8").splitlines()]
    assert rows[: len(page)] == first
    assert len(rows) == 1008
    assert data.export_tabular_data_to(AIR, tmp_path / "air.csv") == 1008
    data.tabular_data_by_filter(AIR, dest=str(tmp_path / "page.csv"))
    assert read_csv(tmp_path / "air.csv")[: len(page)] == read_csv(tmp_path / "page.csv")


def test_a_filter_that_nothing_matches_gives_no_rows(data: DataClient, tmp_path: Path) -> None:
    assert data.export_tabular_data_to(create_filter(component_name="x"), tmp_path / "rows.csv") == 0


def test_a_query_in_sql_is_written(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    query = "SELECT time_received, data FROM readings WHERE time_received > '2020-01-01' LIMIT 5"
    path = tmp_path / "rows.csv"
    assert data.export_tabular_data_to(query, path, organization_id=sandbox.organization_id) == 5
    (first, *_) = read_csv(path)
    assert sorted(first) == [*(f"data.readings.{name}" for name in ("co2", "humidity", "temperature")), "time_received"]
    assert first["time_received"].endswith("Z")


def test_a_query_in_mql_is_written(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    pytest.importorskip("mongomock")
    path = tmp_path / "rows.jsonl"
    stages = [{"$limit": 3}, {"$project": {"component_name": 1}}]
    assert data.export_tabular_data_to(stages, path, organization_id=sandbox.organization_id) == 3
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {row["component_name"] for row in rows} == {"air"}


@pytest.mark.parametrize(
    ("source", "organization", "error", "text"),
    [
        ("SELECT 1", None, ValueError, "give its ID as organization_id"),
        ([{"$limit": 1}], None, ValueError, "give its ID as organization_id"),
        (None, "org", ValueError, "organization_id goes with a query"),
        (AIR, "org", ValueError, "organization_id goes with a query"),
        (iter([]), "org", ValueError, "organization_id goes with a query; filter_or_query is an iterator of rows"),
        ([], None, ValueError, r"if it is a list of rows, give iter\(rows\)"),
        (io.StringIO("speed"), None, TypeError, "filter_or_query takes a Filter, SQL as a str, .* got a StringIO"),
        (iter([7]), None, TypeError, "filter_or_query takes what methods for tabular data return, got 7"),
        (7, "org", TypeError, "filter_or_query takes a Filter, SQL as a str"),
        ({"$limit": 1}, "org", TypeError, "got a dict"),
        (b"x", "org", TypeError, "got bytes"),
    ],
)
def test_arguments_that_do_not_go_together_are_rejected(
    data: DataClient, tmp_path: Path, source: Any, organization: Optional[str], error: "type[Exception]", text: str
) -> None:
    with pytest.raises(error, match=text):
        data.export_tabular_data_to(source, tmp_path / "rows.csv", organization_id=organization)
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_is_refused_leaves_nothing(data: DataClient, tmp_path: Path) -> None:
    with pytest.raises((NotFoundError, PermissionDeniedError)):
        data.export_tabular_data_to(
            "SELECT 1", tmp_path / "x.csv", organization_id="0" * 8 + "-0000-4000-8000-" + "0" * 12
        )
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_the_rows(data: DataClient, tmp_path: Path) -> None:
    told: List[Tuple[int, Optional[int], str]] = []
    data.export_tabular_data_to(AIR, tmp_path / "rows.csv", progress=lambda *given: told.append(given))
    assert told == [(number, 1008, "rows") for number in range(1009)]


def test_a_page_that_cannot_be_had_leaves_no_file(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    def told(done: int, total: Optional[int], unit: str) -> None:
        if done == 50:
            sandbox.faults.fail("TabularDataByFilter", "PERMISSION_DENIED", times=None)

    with pytest.raises(PermissionDeniedError):
        data.export_tabular_data_to(AIR, tmp_path / "rows.csv", progress=told)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, suffix: str) -> None:
    if suffix == "parquet":
        pytest.importorskip("pyarrow")

    def peak(count: int) -> int:
        rows = ({"number": number, "text": "x" * 200, "list": [1, 2, 3]} for number in range(count))
        with measured_memory() as memory:
            write(tmp_path / f"rows.{suffix}", rows, group_rows=500, group_bytes=200_000)
            return memory.most

    peak(100)
    assert peak(20_000) < peak(2_000) * 2


@pytest.mark.skipif(os.name == "nt", reason="Windows shows files that are open")
def test_the_temporary_file_has_no_name(tmp_path: Path) -> None:
    def rows() -> Iterator[Mapping[str, Any]]:
        yield ROWS[0]
        assert len(list(tmp_path.iterdir())) == 1  # that in the making

    write(tmp_path / "rows.csv", rows())
