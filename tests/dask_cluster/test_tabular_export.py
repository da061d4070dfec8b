"""Exports of readings on a cluster: real processes, of which some are killed."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from contextlib import suppress
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List, Optional, Set

import pytest
from clusters import (
    HOUR,
    MICROSECOND,
    PATIENCE,
    RANGE,
    RPC,
    START,
    Readings,
    busy,
    cluster,
    fill,
    kill,
    pids,
    upload,
)
from dataset_readers import sums
from waiting import until

from viam_sync.app.viam_client import ViamClient
from viam_sync.dask import export_tabular_data
from viam_sync.errors import PermissionDeniedError
from viam_sync.proto.app.data import Filter, Order
from viam_sync.sandbox import Sandbox
from viam_sync.tabular import to_arrow
from viam_sync.transfer.output.dataset_folder import DatasetFolder
from viam_sync.transfer.output.remote import Location
from viam_sync.utils import create_filter, partition_filter, timestamp_to_datetime

WHY = "tox -e dask has it"
distributed = pytest.importorskip("distributed", reason=WHY)
cloudpickle = pytest.importorskip("cloudpickle", reason=WHY)
pq = pytest.importorskip("pyarrow.parquet", reason=WHY)
# The workers do not find this module, so what is sent of it goes as code.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

#: The number of times that workers are killed at some moment.
KILLS = 4
FORMS = pytest.mark.parametrize("partition_by", [None, "day"])

Rows = List[Dict[str, Any]]


def stop_half_way(waiting: str) -> None:
    """Let the first copy of a file in a worker stop half-way, and say which process waits there."""
    from fsspec.implementations.local import LocalFileSystem

    put_file = LocalFileSystem.put_file

    def half_copied(self: Any, lpath: str, rpath: str, **options: Any) -> None:
        with suppress(FileExistsError):
            # Of two workers that copy at once, one does not stop.
            Path(waiting).touch(exist_ok=False)
            contents = Path(lpath).read_bytes()
            Path(rpath).write_bytes(contents[: len(contents) // 2])
            Path(waiting).write_text(str(os.getpid()), encoding="utf-8")
            threading.Event().wait()
        put_file(self, lpath, rpath, **options)

    LocalFileSystem.put_file = half_copied


def in_order(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: (row["timeRequested"], json.dumps(row, default=str, sort_keys=True)))


def in_the_service(client: ViamClient, filter: Filter) -> Rows:
    rows: Rows = to_arrow(client.data_client.iter_tabular_data(filter)).to_pylist()
    return in_order(rows)


def in_the_dataset(folder: Path) -> Rows:
    """Return the rows of a folder that is complete, whichever form it has; no unfinished file is left."""
    assert not (folder.parent / f".{folder.name}.viam-dask").exists()
    files = sorted(folder.rglob("*.parquet"))
    assert len({str(pq.read_schema(path)) for path in files}) == 1
    if (folder / "_SUCCESS").exists():
        assert {path.name[:5] for path in folder.iterdir()} == {"_SUCC", "_expo", "part-"}
        told = json.loads((folder / "_SUCCESS").read_text(encoding="utf-8"))
        counts = {path.name: pq.read_metadata(path).num_rows for path in files}
        assert told == {"rows": sum(counts.values()), "parts": counts}
    else:
        assert {path.name for path in folder.rglob("*") if not path.is_dir()} == {"rows.parquet"}
    rows: Rows = pytest.importorskip("pyarrow.dataset").dataset(folder).to_table().to_pylist()
    return in_order(rows)


def fetched(folder: Path) -> Set[str]:
    """Return the parts that were fetched so far."""
    return {path.name[:13] for path in folder.parent.glob(f".{folder.name}.viam-dask/*/fetched-*.json")}


@FORMS
def test_each_reading_is_in_the_dataset_once(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path, partition_by: Optional[str]
) -> None:
    fill(client, sandbox)
    folder = tmp_path / "readings"
    assert export_tabular_data(client, RANGE, f"file://{folder}", partitions=8, partition_by=partition_by) == 900
    assert in_the_dataset(folder) == in_the_service(client, RANGE)
    for path in filter(Path.is_file, folder.rglob("*")):
        assert sandbox.api_key.encode() not in path.read_bytes()
    for path in folder.rglob("*.parquet"):
        moments = pq.read_table(path).column("timeRequested").to_pylist()
        assert moments == sorted(moments)


@FORMS
def test_a_reading_at_the_border_of_two_parts_is_in_one_of_them(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path, partition_by: Optional[str]
) -> None:
    borders = [timestamp_to_datetime(part.interval.start) for part in partition_filter(RANGE, 7)]
    borders.append(timestamp_to_datetime(RANGE.interval.end))
    moments = [border + step * MICROSECOND for border in borders for step in (-1, 0, 0, 1)]
    upload(client, sandbox, [(moment, {"number": number}) for number, moment in enumerate(moments)])
    # Of those at the start, one is before it; of those at the end, only one is before it.
    folder = tmp_path / "readings"
    assert export_tabular_data(client, RANGE, folder, partitions=7, partition_by=partition_by) == 4 * 8 - 1 - 3
    rows = in_the_dataset(folder)
    assert sorted(row["data.number"] for row in rows) == list(range(1, 29))
    assert rows == in_the_service(client, RANGE)


@FORMS
def test_two_workers_that_are_killed_while_they_fetch_cost_no_reading_and_double_none(
    client: ViamClient,
    sandbox: Sandbox,
    background: ThreadPoolExecutor,
    doomed: Any,
    tmp_path: Path,
    partition_by: Optional[str],
) -> None:
    fill(client, sandbox)
    folder = tmp_path / "readings"
    fault = sandbox.faults.delay(RPC, 3600, times=2)
    before = pids(doomed)
    rows = background.submit(export_tabular_data, client, RANGE, folder, partitions=8, partition_by=partition_by)
    until(lambda: fault.met == 2 and len(busy(doomed)) == 2, PATIENCE)
    for pid in before.values():
        kill(pid)
    assert rows.result(PATIENCE) == 900
    assert in_the_dataset(folder) == in_the_service(client, RANGE)
    assert not set(before.values()) & set(pids(doomed).values())


def test_a_worker_that_is_killed_while_it_writes_leaves_no_part_of_a_file(
    client: ViamClient, sandbox: Sandbox, background: ThreadPoolExecutor, doomed: Any, tmp_path: Path
) -> None:
    fill(client, sandbox)
    folder, waiting = tmp_path / "readings", tmp_path / "waiting"
    doomed.run(stop_half_way, str(waiting))
    rows = background.submit(export_tabular_data, client, RANGE, folder, partitions=8)
    until(lambda: len(fetched(folder)) == 7 and waiting.exists() and waiting.read_text(encoding="utf-8"), PATIENCE)
    (half,) = tmp_path.glob(".readings.viam-dask/*/.viam-export-*.part")
    assert half.stat().st_size > 0
    kill(int(waiting.read_text(encoding="utf-8")))
    assert rows.result(PATIENCE) == 900
    assert in_the_dataset(folder) == in_the_service(client, RANGE)


@pytest.mark.parametrize("turn", range(KILLS))
def test_workers_that_are_killed_at_any_moment_cost_no_reading_and_double_none(
    client: ViamClient, sandbox: Sandbox, background: ThreadPoolExecutor, doomed: Any, tmp_path: Path, turn: int
) -> None:
    fill(client, sandbox)
    options: Dict[str, Any] = {"partitions": 8, "partition_by": [None, "day"][turn % 2]}
    started = time.perf_counter()
    export_tabular_data(client, RANGE, tmp_path / "whole", **options)
    duration = time.perf_counter() - started
    folder = tmp_path / "readings"
    victims = list(pids(doomed).values())
    rows = background.submit(export_tabular_data, client, RANGE, folder, **options)
    for victim in victims:
        with suppress(NotDone):
            rows.exception(random.uniform(0, duration / 2))
        kill(victim)
    assert rows.result(PATIENCE) == 900
    assert in_the_dataset(folder) == in_the_service(client, RANGE)


#: A program that exports into a folder, with a cluster at an address.
PROGRAM = """
import sys
from clusters import RANGE
from distributed import Client
from viam_sync import ViamClient
from viam_sync.dask import export_tabular_data
address, folder, form = sys.argv[1:]
with ViamClient.create_from_env_vars() as client, Client(address):
    export_tabular_data(client, RANGE, folder, partitions=8, partition_by=form or None)
"""


@FORMS
def test_an_export_that_is_killed_goes_on_where_it_was(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path, partition_by: Optional[str]
) -> None:
    fill(client, sandbox)
    folder = tmp_path / "readings"
    fault = sandbox.faults.delay(RPC, 3600, times=1)
    paths = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with cluster(tmp_path / "dask") as other:
        command = [sys.executable, "-c", PROGRAM, other.scheduler.address, str(folder), partition_by or ""]
        with subprocess.Popen(command, env={**os.environ, **sandbox.env_vars(), **paths}) as process:
            until(lambda: len(fetched(folder)) == 7 and fault.met == 1)
            process.kill()
    assert not list(folder.rglob("*.parquet"))
    sandbox.faults.clear()
    refusal = sandbox.faults.fail(RPC, "PERMISSION_DENIED", times=None)
    options: Dict[str, Any] = {"partitions": 8, "partition_by": partition_by, "cluster": engine}
    with pytest.raises(PermissionDeniedError):
        export_tabular_data(client, RANGE, folder, **options)
    # The parts that are there are not asked for again; the one that is missing is tried three times.
    assert refusal.met == 3
    sandbox.faults.clear()
    assert export_tabular_data(client, RANGE, folder, **options) == 900
    assert in_the_dataset(folder) == in_the_service(client, RANGE)


def test_an_export_that_is_complete_asks_for_nothing(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    fill(client, sandbox)
    folder = tmp_path / "readings"
    assert export_tabular_data(client, RANGE, folder, partitions=3) == 900
    refusal = sandbox.faults.fail("all", "PERMISSION_DENIED", times=None)
    assert export_tabular_data(client, RANGE, folder, partitions=3) == 900
    assert refusal.met == 0


DIFFERENT: List[Dict[str, Any]] = [
    {"early": True, "mixed": 1.5, "none": None, "list": [], "lists": [[1]], "at": 1, "texts": [1], "a.b": {}},
    {"early": None, "mixed": "text", "none": None, "list": ["a"], "lists": [], "at": {"x": 1}, "texts": ["a", None]},
    {"late": "ä", "mixed": [1], "none": None, "list": None, "lists": [["b"]], "at": {"x": {"y": 2}}},
    {"mixed": False, "late": None, "lists": 7},
]


def different(hours: int) -> Readings:
    """Return readings with different columns, some hours apart."""
    return [(START + number * hours * HOUR, {"number": number, **each}) for number, each in enumerate(DIFFERENT)]


def test_columns_that_differ_between_parts_are_those_of_one_export(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    upload(client, sandbox, different(2))
    assert export_tabular_data(client, RANGE, tmp_path / "many", partitions=8) == 4
    client.data_client.export_tabular_data_to(RANGE, tmp_path / "one.parquet", sort_order=Order.ORDER_ASCENDING)
    one = pq.read_table(tmp_path / "one.parquet")
    assert in_the_dataset(tmp_path / "many") == one.to_pylist()
    assert pq.read_schema(tmp_path / "many" / "part-00007.parquet") == one.schema


def days(first: int, last: int, **others: Any) -> Filter:
    """Return a filter for days of May."""
    times = {"start_time": datetime(2024, 5, first), "end_time": datetime(2024, 5, last) + timedelta(1), **others}
    return create_filter(component_name="probe", **times)


def day_files(folder: Path) -> Dict[str, Any]:
    """Return the tables in the files of a dataset, with what their metadata says."""
    return {path.parent.name: pq.read_table(path, partitioning=None) for path in sorted(folder.rglob("*.parquet"))}


@pytest.mark.parametrize("partitions", [1, 3, 20])
def test_days_are_what_one_process_would_write(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path, partitions: int
) -> None:
    upload(client, sandbox, different(30))
    week = days(1, 7)
    assert export_tabular_data(client, week, tmp_path / "many", partitions=partitions, partition_by="day") == 4
    assert client.data_client.export_tabular_data_to(week, tmp_path / "one", partition_by="day") == 4
    many, one = day_files(tmp_path / "many"), day_files(tmp_path / "one")
    assert many == one
    assert [table.schema.metadata for table in many.values()] == [table.schema.metadata for table in one.values()]


def test_the_next_day_is_added_and_what_was_late_comes_in_whoever_runs(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "readings"
    half_hours = [START + number * HOUR / 2 for number in range(48 * 5)]
    upload(client, sandbox, [(each, {"n": number}) for number, each in enumerate(half_hours) if number % 3])
    with_dask = {"partitions": 4, "partition_by": "day"}
    assert export_tabular_data(client, days(1, 2), folder, **with_dask) == 64
    upload(client, sandbox, [(each, {"n": number}) for number, each in enumerate(half_hours) if not number % 3])
    assert client.data_client.export_tabular_data_to(days(2, 3), folder, partition_by="day") == 96
    # It begins amid a day, of which the first half stays as it is.
    later = days(3, 5, start_time=datetime(2024, 5, 3, 12))
    assert export_tabular_data(client, later, folder, **with_dask) == 24 + 96
    assert client.data_client.export_tabular_data_to(days(1, 1), folder, partition_by="day") == 48
    assert in_the_dataset(folder) == in_the_service(client, days(1, 5))
    assert sums(folder, "data.n") == (240, sum(range(240)))
    age = datetime.now(timezone.utc).date() - date(2024, 5, 3)
    # A day more, as 1 would delete all from before today.
    client.data_client.delete_tabular_data(sandbox.organization_id, age.days + 1)
    assert export_tabular_data(client, days(1, 3), folder, **with_dask) == 48
    assert in_the_dataset(folder) == in_the_service(client, days(1, 5))
    assert list(day_files(folder)) == ["day=2024-05-03", "day=2024-05-04", "day=2024-05-05"]


def test_pandas_duckdb_and_dask_read_the_files_of_parts(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    pandas = pytest.importorskip("pandas", reason=WHY)
    frames = pytest.importorskip("dask.dataframe", reason=WHY)
    duckdb = pytest.importorskip("duckdb", reason=WHY)
    early: Readings = [(START + number * MICROSECOND, {"early": number}) for number in range(5)]
    upload(client, sandbox, [*early, (START + 7 * HOUR, {"late": "x"})])
    folder = tmp_path / "readings"
    export_tabular_data(client, RANGE, folder, partitions=4)
    frame = pandas.read_parquet(folder)
    assert (len(frame), frame["data.early"].sum(), list(frame["data.late"].dropna())) == (6, 10, ["x"])
    assert str(frame["timeRequested"].dt.tz) == "UTC"
    read = frames.read_parquet(str(folder))
    assert (len(read), read["data.early"].sum().compute()) == (6, 10)
    with duckdb.connect() as connection:
        found = connection.sql(f"SELECT count(*), sum(\"data.early\") FROM '{folder}/*.parquet'").fetchall()
    assert found == [(6, 10)]


@FORMS
def test_a_filter_without_matches_gives_a_dataset_without_rows(
    client: ViamClient, engine: Any, tmp_path: Path, partition_by: Optional[str]
) -> None:
    folder = tmp_path / "readings"
    assert export_tabular_data(client, RANGE, folder, partitions=3, partition_by=partition_by) == 0
    assert in_the_dataset(folder) == []


def test_a_folder_is_for_one_export(client: ViamClient, engine: Any, tmp_path: Path) -> None:
    export_tabular_data(client, RANGE, tmp_path / "one", partitions=2)
    with pytest.raises(ValueError, match=r"one'.* for the export of .*'partitions': 2.*, not of .*'partitions': 3"):
        export_tabular_data(client, RANGE, tmp_path / "one", partitions=3)
    with pytest.raises(FileExistsError, match=r"one', but '_SUCCESS' in it was not written by an export of a dataset"):
        export_tabular_data(client, RANGE, tmp_path / "one", partition_by="day")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "part-00000.parquet").write_text("mine", encoding="utf-8")
    for form, text in ((None, "mine', which holds 'part-00000.parquet'"), ("day", "mine', but 'part-00000.parquet'")):
        with pytest.raises(FileExistsError, match=text):
            export_tabular_data(client, RANGE, tmp_path / "mine", partition_by=form)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["part-00000.parquet"]
    export_tabular_data(client, RANGE, tmp_path / "days", partition_by="day")
    other = create_filter(component_name="other", start_time=START, end_time=START + HOUR)
    with pytest.raises(ValueError, match=r"days', a dataset of .*probe.*, but the rows are of .*other"):
        export_tabular_data(client, other, tmp_path / "days", partition_by="day")


@FORMS
def test_two_exports_into_one_folder_are_kept_apart(
    client: ViamClient, engine: Any, tmp_path: Path, partition_by: Optional[str]
) -> None:
    folder = tmp_path / "readings"
    with DatasetFolder(Location("path", folder)).exclusive(), pytest.raises(
        BlockingIOError, match="readings', where another export is at work"
    ):
        export_tabular_data(client, RANGE, folder, partitions=2, partition_by=partition_by)
    assert export_tabular_data(client, RANGE, folder, partitions=2, partition_by=partition_by) == 0


def test_a_value_that_does_not_fit_is_named_with_its_part_and_changes_nothing(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "readings"
    upload(client, sandbox, [(START, {"level": 1.5}), (START + 30 * HOUR, {"level": "n/a"})])
    options: Dict[str, Any] = {"partitions": 2, "partition_by": "day"}
    assert export_tabular_data(client, days(1, 1), folder, **options) == 1
    before = day_files(folder)
    text = r"schema has the column 'data.level' as float, but row 1 has a str.*\(among the readings from 2024-05-02"
    with pytest.raises(ValueError, match=text):
        export_tabular_data(client, days(1, 2), folder, **options)
    assert day_files(folder) == before
    # What is left of it is not in the way of another run.
    assert export_tabular_data(client, days(1, 2), folder, misfits="null", **options) == 2
    assert [row["data.level"] for row in in_the_dataset(folder)] == [1.5, None]


def names_in(url: str) -> Set[str]:
    """Return the names of the objects beside a folder and in it."""
    store, root = pytest.importorskip("fsspec").core.url_to_fs(url)
    store.invalidate_cache()
    parent = root.rpartition("/")[0]
    return {path[len(parent) + 1 :] for path in store.find(parent)}


def test_a_bucket_takes_both_forms(client: ViamClient, sandbox: Sandbox, remote_folder: str) -> None:
    fill(client, sandbox)
    # The memory is that of one process, so the workers are threads here.
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0"):
        for _ in range(2):
            assert export_tabular_data(client, RANGE, f"{remote_folder}/parts/", partitions=8) == 900
            assert export_tabular_data(client, RANGE, f"{remote_folder}/days", partition_by="day") == 900
    parts = {f"parts/part-{number:05}.parquet" for number in range(8)}
    assert names_in(f"{remote_folder}/parts") == {
        "parts/_SUCCESS",
        "parts/_export.json",
        "days/day=2024-05-01/rows.parquet",
        *parts,
    }
    with pytest.importorskip("fsspec").open(f"{remote_folder}/days/day=2024-05-01/rows.parquet") as file:
        assert in_order(pq.read_table(file).to_pylist()) == in_the_service(client, RANGE)
    # The threads left the connection of the caller open.
    assert client.data_client.tabular_data_by_filter(RANGE, count_only=True)[1] == 900


def test_without_a_cluster_the_error_says_how_to_make_one(
    client: ViamClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_client() -> None:
        raise ValueError("No clients found")

    # Other tests may have made one.
    monkeypatch.setattr(distributed, "get_client", no_client)
    with pytest.raises(ValueError, match=r"cluster is None, and .*; make one first, with distributed\.Client\(\)"):
        export_tabular_data(client, RANGE, tmp_path / "readings")
    with pytest.raises(TypeError, match=r"cluster takes a distributed\.Client, got a str"):
        export_tabular_data(client, RANGE, tmp_path / "readings", cluster="tcp://10.0.0.1")
    assert list(tmp_path.iterdir()) == []
