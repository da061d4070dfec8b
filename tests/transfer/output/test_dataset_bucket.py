from datetime import date, datetime
from typing import Any, Dict, List

import pytest

from viam_sync.app.viam_client import ViamClient
from viam_sync.transfer.output.dataset import PartitionedDataset
from viam_sync.transfer.output.dataset_bucket import DatasetBucket
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.remote import Location, Remote
from viam_sync.utils import create_filter

parquet: Any = pytest.importorskip("pyarrow.parquet")


ALWAYS = Interval(None, None)


def put(folder: str, rows: List[Dict[str, Any]], interval: Interval = ALWAYS) -> int:
    place = DatasetBucket(Location("path", folder))
    return PartitionedDataset(place, source={}, fixed={"at": "time"}, interval=interval).write(rows, Progress(None))


def connect(folder: str) -> Remote:
    return Location("path", folder).connect()


def numbers(folder: str) -> Dict[str, List[float]]:
    place = DatasetBucket(Location("path", folder))
    return {str(day): parquet.read_table(place.open(day))["n"].to_pylist() for day in place.days()}


def test_a_run_replaces_the_rows_of_its_interval_in_a_bucket_and_keeps_all_others(remote_folder: str) -> None:
    put(
        remote_folder,
        [{"at": datetime(2024, 1, day, hour), "n": day + hour / 100} for day in (1, 2) for hour in (6, 18)],
    )
    for _ in range(2):
        new = [{"at": datetime(2024, 1, 3), "n": 7.0}]
        assert put(remote_folder, new, Interval(datetime(2024, 1, 1, 12), datetime(2024, 1, 4))) == 1
        assert numbers(remote_folder) == {"2024-01-01": [1.06], "2024-01-03": [7.0]}
    assert set(connect(remote_folder).sizes()) == {f"day=2024-01-0{day}/rows.parquet" for day in (1, 3)}
    put(remote_folder, [])
    assert numbers(remote_folder) == {"2024-01-01": []}


def test_a_footer_that_is_longer_than_what_is_read_at_first_is_read_whole(remote_folder: str) -> None:
    row = {"at": datetime(2024, 1, 1), "n": 1.0, **{f"column {number}": 1.0 for number in range(1000)}}
    for _ in range(2):
        put(remote_folder, [row])
    place = DatasetBucket(Location("path", remote_folder))
    assert len(place.open_footer(date(2024, 1, 1)).read()) > 64 << 10
    assert numbers(remote_folder) == {"2024-01-01": [1.0]}


@pytest.mark.parametrize("name", ["notes.txt", "day=2024-01-01/more.parquet", "day=2024-01-01/rows.parquet"])
def test_a_folder_in_a_bucket_with_something_else_in_it_is_refused(remote_folder: str, name: str) -> None:
    connect(remote_folder).write(b"mine", name)
    with pytest.raises(FileExistsError, match=r"path is '\w+://.*', but .* was not written by an export of a dataset"):
        put(remote_folder, [{"at": datetime(2024, 1, 1)}])
    assert connect(remote_folder).read(name) == b"mine"


def test_readings_go_into_a_bucket_by_days(client: ViamClient, remote_folder: str) -> None:
    air = create_filter(component_name="air")
    for _ in range(2):
        assert client.data_client.export_tabular_data_to(air, remote_folder, partition_by="day") == 1008
    place = DatasetBucket(Location("path", remote_folder))
    tables = [parquet.read_table(place.open(day)) for day in place.days()]
    assert sum(table.num_rows for table in tables) == 1008
    assert len(tables) in (7, 8)
