"""A week of readings that goes into a dataset day by day."""

import os
import random
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import pytest
from child_transfers import ChildTransfers
from dataset_readers import sums

from viam_sync.app._data.tabular_records import READING_COLUMNS
from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import data as pb
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

pytest.importorskip("pyarrow")
parquet: Any = pytest.importorskip("pyarrow.parquet")

MONDAY = datetime(2024, 1, 1)
DAY = timedelta(days=1)
LEVEL, FLOW = "data.readings.level", "data.readings.flow"
KILLS = int(os.environ.get("VIAM_SYNC_KILLS", "10")) // 2


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


class Tank:
    """A sensor, and what the cloud and the dataset know of it."""

    def __init__(self, sandbox: Sandbox, data: DataClient, folder: Path) -> None:
        self._sandbox, self._data, self.folder = sandbox, data, folder

    def capture(self, start: datetime, readings: List[Dict[str, Any]]) -> None:
        times = [(start + timedelta(hours=hour),) * 2 for hour in range(len(readings))]
        rows = [{"readings": reading} for reading in readings]
        self._data.tabular_data_capture_upload(
            rows, self._sandbox.robot_part_id, "rdk:component:sensor", "tank", "Readings", data_request_times=times
        )

    def export(self, start: Optional[datetime] = None, end: Optional[datetime] = None, **options: Any) -> int:
        tank = create_filter(component_name="tank", start_time=start, end_time=end)
        return self._data.export_tabular_data_to(tank, self.folder, partition_by="day", **options)

    def in_cloud(self, column: str) -> Any:
        """Return the number of readings in the cloud, and the sum of a column, as SQL has them."""
        query = f"SELECT count(*) AS n, sum({column}) AS total FROM readings WHERE component_name = 'tank'"
        (row,) = self._data.tabular_data_by_sql(self._sandbox.organization_id, query)
        return row["n"], pytest.approx(row["total"])

    def days(self) -> List[str]:
        return sorted(path.parent.name for path in self.folder.rglob("*") if path.is_file())


@pytest.fixture
def tank(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> Tank:
    return Tank(sandbox, data, tmp_path / "tank")


def day_of(number: int) -> datetime:
    return MONDAY + number * DAY


def test_a_week_goes_daily_into_one_dataset_that_every_reader_reads(tank: Tank) -> None:
    for number in range(7):
        today = day_of(number)
        readings: List[Dict[str, Any]] = [
            # On Friday, the flow meter is broken.
            {
                "level": number + hour / 10,
                "flow": None if number == 4 else hour / 3,
                "pump": {"on": hour > 6},
                "tags": ["a"],
            }
            for hour in range(24)
        ]
        # On Wednesday, the sensor is off.
        if number != 2:
            tank.capture(today, readings)
        if number == 3:
            # The network of Tuesday evening is back on Thursday.
            tank.capture(day_of(1) + timedelta(hours=20, minutes=30), readings[:3])
        tank.export(today - 3 * DAY, today + DAY)
        assert sums(tank.folder, LEVEL) == tank.in_cloud(LEVEL)
        assert sums(tank.folder, FLOW) == tank.in_cloud(FLOW)
    assert tank.days() == [f"day=2024-01-0{number}" for number in (1, 2, 4, 5, 6, 7)]
    assert sums(tank.folder, LEVEL)[0] == 6 * 24 + 3


def test_a_dataset_holds_what_one_file_holds(tank: Tank, data: DataClient, tmp_path: Path) -> None:
    tank.capture(MONDAY, [{"level": hour, "name": "a"} for hour in range(60)])
    assert tank.export(workers=2) == 60
    data.export_tabular_data_to(
        create_filter(component_name="tank"), tmp_path / "one.parquet", sort_order=pb.Order.ORDER_ASCENDING
    )
    files = [parquet.ParquetFile(path).read() for path in sorted(tank.folder.rglob("*.parquet"))]
    assert [row for file in files for row in file.to_pylist()] == parquet.read_table(
        tmp_path / "one.parquet"
    ).to_pylist()


@pytest.mark.parametrize("schema", [None, {LEVEL: float}])
def test_a_day_without_readings_may_be_the_first_one(tank: Tank, schema: Any) -> None:
    assert tank.export(day_of(0), day_of(1), schema=schema) == 0
    assert tank.days() == ["day=2024-01-01"]
    (file,) = tank.folder.rglob("*.parquet")
    assert parquet.read_schema(file).names == [*READING_COLUMNS, *(schema or ())]
    if schema:
        assert sums(tank.folder, LEVEL) == (0, 0)
    tank.capture(day_of(1), [{"level": 1.5}])
    assert tank.export(day_of(0), day_of(2)) == 1
    assert tank.days() == ["day=2024-01-02"]
    assert sums(tank.folder, LEVEL) == (1, 1.5)


def test_a_client_with_a_time_zone_makes_the_same_dataset(tank: Tank, data: DataClient, tmp_path: Path) -> None:
    tank.capture(MONDAY, [{"level": hour} for hour in range(30)])
    tank.export()
    in_tokyo = data.options(tz=timezone(timedelta(hours=9)))
    in_tokyo.export_tabular_data_to(create_filter(component_name="tank"), tmp_path / "tokyo", partition_by="day")
    names = [path.relative_to(tank.folder) for path in tank.folder.rglob("*.parquet")]
    assert len(names) == 2
    for name in names:
        assert (tmp_path / "tokyo" / name).read_bytes() == (tank.folder / name).read_bytes()


def test_the_interval_of_a_filter_is_not_part_of_what_a_dataset_is_of(tank: Tank, data: DataClient) -> None:
    tank.capture(MONDAY, [{"level": 1.5}])
    tank.export(day_of(0), day_of(1).replace(tzinfo=timezone.utc))
    # A filter without the empty list of tags that create_filter sets is the same.
    assert data.export_tabular_data_to(pb.Filter(component_name="tank"), tank.folder, partition_by="day") == 1
    with pytest.raises(ValueError, match=r'a dataset of .*"tank".*, but the rows are of .*"air"'):
        data.export_tabular_data_to(create_filter(component_name="air"), tank.folder, partition_by="day")
    with pytest.raises(ValueError, match='"include_internal_data": true'):
        tank.export(include_internal_data=True)
    assert sums(tank.folder, LEVEL) == (1, 1.5)


def test_a_schema_holds_from_the_first_day_on(tank: Tank) -> None:
    tank.capture(MONDAY, [{"level": 1, "name": "a"}])
    schema = {LEVEL: int, "data.readings.name": str, FLOW: float}
    assert tank.export(schema=schema) == 1
    tank.capture(day_of(1), [{"level": 2.5, "flow": 1.5}])
    with pytest.raises(
        ValueError, match=r"has the column 'data.readings.level' as int, but row 2 has a float, 2.5, there"
    ):
        tank.export(schema=schema)
    assert sums(tank.folder, LEVEL) == (1, 1)
    assert tank.export(misfits="null") == 2
    assert sums(tank.folder, FLOW) == (2, 1.5)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"partition_by": "hour"}, "partition_by takes one of 'day'"),
        ({"filter_or_query": "SELECT 1", "organization_id": "o"}, "partition_by goes with a filter, whose interval"),
        ({"filter_or_query": iter([])}, "partition_by goes with a filter, whose interval"),
        ({"format": "csv"}, "format is 'csv', but a dataset is one of Parquet files"),
        ({"path": "rows", "storage_options": {}}, "storage_options are for a URL"),
        ({"sort_order": pb.Order.ORDER_DESCENDING}, "sort_order does not go with partition_by"),
        (
            {"filter_or_query": create_filter(start_time=MONDAY, end_time=MONDAY)},
            "filter_or_query ends before it starts",
        ),
        ({"misfits": "drop"}, "misfits takes one of"),
    ],
)
def test_what_no_dataset_can_be_made_of_is_refused(
    data: DataClient, tmp_path: Path, arguments: Dict[str, Any], text: str
) -> None:
    given = {"filter_or_query": None, "path": tmp_path / "rows", "partition_by": "day", **arguments}
    with pytest.raises(ValueError, match=text):
        data.export_tabular_data_to(**given)
    assert list(tmp_path.iterdir()) == []


def test_a_time_that_a_dataset_cannot_hold_is_refused(data: DataClient, tmp_path: Path) -> None:
    exact = create_filter(start_time=MONDAY)
    exact.interval.start.nanos = 1
    with pytest.raises(ValueError, match="filter_or_query has a start finer than a microsecond"):
        data.export_tabular_data_to(exact, tmp_path / "rows", partition_by="day")


def test_tags_in_another_order_are_the_same_filter(data: DataClient, tmp_path: Path) -> None:
    for tags in (["a", "b"], ["b", "a"]):
        assert data.export_tabular_data_to(create_filter(tags=tags), tmp_path / "rows", partition_by="day") == 0


@pytest.fixture
def children() -> Iterator[ChildTransfers]:
    with ChildTransfers() as running:
        yield running


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_an_export_that_is_killed_at_any_moment_leaves_a_dataset_with_each_row_once(
    sandbox: Sandbox, data: DataClient, children: ChildTransfers, tmp_path: Path
) -> None:
    query = "SELECT count(*) AS n, sum(data.readings.co2) AS total FROM readings"
    (row,) = data.tabular_data_by_sql(sandbox.organization_id, query)
    all_of_it = row["n"], pytest.approx(row["total"])
    source, duration, killed = random.Random(), 0.0, 0
    for turn in range(KILLS + 1):
        arguments = {"filter_or_query": None, "path": f"{tmp_path}/rows", "partition_by": "day"}
        # The last one that was left alone shows how long it takes; each writes all days anew.
        limit = source.uniform(0, duration) if turn else 60
        was_killed, seconds = children.run(sandbox, "export_tabular_data_to", arguments, limit)
        duration, killed = duration if was_killed else seconds, killed + was_killed
        assert sums(tmp_path / "rows", "data.readings.co2") == all_of_it
    assert killed
    assert data.export_tabular_data_to(None, tmp_path / "rows", partition_by="day") == row["n"]
    assert sums(tmp_path / "rows", "data.readings.co2") == all_of_it


def test_an_object_stays_whole_in_a_column_of_objects_in_later_runs_too(tank: Tank) -> None:
    tank.capture(MONDAY, [{"at": {"x": 1.5}}])
    tank.capture(day_of(1), [{"at": {"x": 2.5}}])
    tank.export(day_of(0), day_of(1), schema={"data.readings.at": dict})
    tank.export(day_of(1), day_of(2))
    texts = [
        text
        for path in sorted(tank.folder.rglob("*.parquet"))
        for text in parquet.ParquetFile(path).read()["data.readings.at"].to_pylist()
    ]
    assert texts == ['{"x": 1.5}', '{"x": 2.5}']
