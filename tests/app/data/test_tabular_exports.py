"""Exports of rows to a file: several workers, and rows that the caller has as an iterator."""

import csv
import json
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

import grpc
import pytest
from servers import FakeService

from viam_sync.app._data.tabular_records import POINT_COLUMNS, READING_COLUMNS
from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import InternalError, PermissionDeniedError, UnavailableError
from viam_sync.proto.app import data as pb
from viam_sync.rpc.dial import Channel
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

AIR = create_filter(component_name="air")
NAMES = ["rows.jsonl", "rows.csv", "rows.parquet"]


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


@pytest.fixture(params=NAMES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param.endswith("parquet"):
        pytest.importorskip("pyarrow")
    return tmp_path / request.param


def air(data: DataClient) -> Tuple[str, str, str, str]:
    (row,), _, _ = data.tabular_data_by_filter(AIR, limit=1)
    return row.metadata.part_id, "air", "rdk:component:sensor", "Readings"


@pytest.mark.parametrize("order", [None, pb.Order.ORDER_ASCENDING])
def test_several_workers_write_the_same_bytes_as_one(data: DataClient, path: Path, order: Any) -> None:
    other = path.with_name(f"other{path.suffix}")
    assert data.export_tabular_data_to(None, path, sort_order=order) == 1008
    assert data.export_tabular_data_to(None, other, sort_order=order, workers=8) == 1008
    assert path.read_bytes() == other.read_bytes()


def test_the_rows_of_several_workers_are_counted(data: DataClient, tmp_path: Path) -> None:
    told: List[Any] = []
    data.export_tabular_data_to(AIR, tmp_path / "rows.csv", workers=4, progress=lambda *each: told.append(each))
    assert told == [(number, 1008, "rows") for number in range(1009)]


def test_a_page_that_several_workers_cannot_get_keeps_the_older_file(
    sandbox: Sandbox, data: DataClient, path: Path
) -> None:
    def told(done: int, total: Any, unit: str) -> None:
        if done == 50:
            sandbox.faults.fail("TabularDataByFilter", "PERMISSION_DENIED", times=None)

    path.write_bytes(b"old")
    with pytest.raises(PermissionDeniedError):
        data.export_tabular_data_to(AIR, path, workers=4, progress=told)
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_rows_without_a_time_are_for_one_worker(server: FakeService, channel: Channel, tmp_path: Path) -> None:
    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        asked = pb.TabularDataByFilterRequest.FromString(request).data_request
        number = int(asked.last or 0)
        rows = [pb.TabularData(data={"n": number}, time_requested={"seconds": 1000 + number // 2 if number < 3 else 0})]
        last = str(number + 1) if number < 6 else ""
        return pb.TabularDataByFilterResponse(data=rows, last=last).SerializeToString()

    server.unary["TabularDataByFilter"] = answer
    data = DataClient(channel, {})
    assert data.export_tabular_data_to(None, tmp_path / "rows.jsonl") == 7
    with pytest.raises(InternalError, match="use workers=1"):
        data.export_tabular_data_to(None, tmp_path / "other.jsonl", workers=2)
    assert [each.name for each in tmp_path.iterdir()] == ["rows.jsonl"]


def test_readings_of_one_resource_are_written_as_their_stream_brings_them(
    sandbox: Sandbox, data: DataClient, path: Path
) -> None:
    resource = air(data)
    points = data.iter_export_tabular_data(*resource)
    pages = sandbox.faults.fail("TabularDataByFilter", "INTERNAL", times=None)
    assert data.export_tabular_data_to(points, path) == 1008
    assert pages.met == 0
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert [row["payload"] for row in rows] == [point.payload for point in data.export_tabular_data(*resource)]
    elif path.suffix == ".csv":
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        assert {row["resource_name"] for row in rows} == {"air"}
        assert len({row["time_captured"] for row in rows}) == 1008


@pytest.mark.parametrize(
    "rows",
    [lambda data: data.iter_tabular_data(AIR), lambda data: iter(list(data.iter_tabular_data(AIR)))],
    ids=["pages", "list"],
)
def test_rows_of_an_iterator_are_written_as_those_of_its_filter(
    data: DataClient, path: Path, rows: Callable[[DataClient], Iterator[Any]]
) -> None:
    other = path.with_name(f"other{path.suffix}")
    assert data.export_tabular_data_to(AIR, path) == data.export_tabular_data_to(rows(data), other) == 1008
    assert path.read_bytes() == other.read_bytes()


def test_rows_of_a_generator_may_be_mappings(data: DataClient, tmp_path: Path) -> None:
    def rows() -> Iterator[Dict[str, Any]]:
        for row in data.iter_tabular_data(AIR, limit=3):
            yield {"at": row.time_requested, **row.data["readings"]}

    assert data.export_tabular_data_to(rows(), tmp_path / "rows.csv") == 3
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        assert [sorted(row) for row in csv.DictReader(file)] == [["at", "co2", "humidity", "temperature"]] * 3


def test_the_rows_of_an_iterator_are_counted_and_have_no_total(data: DataClient, tmp_path: Path) -> None:
    told: List[Any] = []
    data.export_tabular_data_to(iter([{}, {}]), tmp_path / "rows.csv", progress=lambda *each: told.append(each))
    assert told == [(0, None, "rows"), (1, None, "rows"), (2, None, "rows")]


class Rows(Iterator[Dict[str, Any]]):
    """Rows without end, which tell whether they were closed."""

    closed = False

    def __next__(self) -> Dict[str, Any]:
        return {"speed": 1}

    def close(self) -> None:
        self.closed = True


def test_an_iterator_is_closed_where_the_export_fails(data: DataClient, tmp_path: Path) -> None:
    def told(done: int, total: Any, unit: str) -> None:
        if done == 3:
            raise RuntimeError("enough")

    rows = Rows()
    with pytest.raises(RuntimeError, match="enough"):
        data.export_tabular_data_to(rows, tmp_path / "rows.csv", progress=told)
    assert rows.closed
    assert list(tmp_path.iterdir()) == []


def test_a_stream_that_breaks_keeps_the_older_file(server: FakeService, channel: Channel, path: Path) -> None:
    def breaking(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield pb.ExportTabularDataResponse(payload={"n": 1}).SerializeToString()
        context.abort(grpc.StatusCode.UNAVAILABLE, "busy")

    server.stream["ExportTabularData"] = breaking
    data = DataClient(channel, {})
    path.write_bytes(b"old")
    with pytest.raises(UnavailableError, match="busy"):
        data.export_tabular_data_to(data.iter_export_tabular_data("p", "arm", "api", "Readings"), path)
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("source", ["SELECT 1", [{"$limit": 1}], iter([{"speed": 1}])], ids=["SQL", "MQL", "rows"])
@pytest.mark.parametrize(
    ("option", "value"), [("workers", 2), ("sort_order", pb.Order.ORDER_DESCENDING), ("include_internal_data", True)]
)
def test_an_option_of_pages_goes_with_a_filter_alone(
    server: FakeService, channel: Channel, tmp_path: Path, source: Any, option: str, value: Any
) -> None:
    given: Dict[str, Any] = {option: value}
    kind = "an iterator of rows" if isinstance(source, Iterator) else "a query"
    with pytest.raises(ValueError, match=f"^{option} goes with a filter; filter_or_query is {kind}"):
        DataClient(channel, {}).export_tabular_data_to(source, tmp_path / "rows.csv", **given)
    assert server.calls == []
    assert list(tmp_path.iterdir()) == []


def test_an_iterator_takes_no_timeout(data: DataClient, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^timeout goes with a filter or a query; filter_or_query is an iterator"):
        data.export_tabular_data_to(iter([]), tmp_path / "rows.csv", timeout=5)


@pytest.mark.parametrize("workers", [0, 65, True, "2"])
def test_workers_that_do_not_fit_are_named_before_anything_is_asked(
    server: FakeService, channel: Channel, tmp_path: Path, workers: Any
) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^workers takes an int from 1 to 64"):
        DataClient(channel, {}).export_tabular_data_to(None, tmp_path / "rows.csv", workers=workers, progress=print)
    assert server.calls == []


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        (lambda data: data.iter_export_tabular_data(*air(data)[:3], "Nothing"), POINT_COLUMNS),
        (lambda data: data.iter_tabular_data(create_filter(component_name="nothing")), READING_COLUMNS),
    ],
    ids=["points", "readings"],
)
def test_without_rows_the_columns_that_an_iterator_always_has_are_there(
    data: DataClient, tmp_path: Path, rows: Callable[[DataClient], Iterator[Any]], columns: Mapping[str, Any]
) -> None:
    assert data.export_tabular_data_to(rows(data), tmp_path / "rows.csv") == 0
    assert (tmp_path / "rows.csv").read_text(encoding="utf-8").split() == [",".join(columns)]


def test_the_columns_of_points_are_in_their_order(data: DataClient, tmp_path: Path) -> None:
    data.export_tabular_data_to(iter(data.export_tabular_data(*air(data))), tmp_path / "rows.csv")
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        names = next(csv.reader(file))
    assert names == [*POINT_COLUMNS, *(f"payload.readings.{name}" for name in ("co2", "humidity", "temperature"))]


def test_a_schema_is_for_the_rows_of_an_iterator_too(data: DataClient, tmp_path: Path) -> None:
    rows: Iterator[Mapping[str, Any]] = iter([{"speed": 2.0}, {"speed": 3.5}])
    with pytest.raises(ValueError, match=r"row 2 has a float, 3\.5"):
        data.export_tabular_data_to(rows, tmp_path / "rows.csv", schema={"speed": int})
    assert list(tmp_path.iterdir()) == []
