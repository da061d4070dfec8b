"""The export with Dask: real processes, of which some are killed."""

import importlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotDone
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Set, Tuple

import pytest
from waiting import until

from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import PermissionDeniedError
from viam_sync.proto.app.data import Filter, Order
from viam_sync.sandbox import Sandbox
from viam_sync.tabular import to_arrow
from viam_sync.utils import create_filter, partition_filter, timestamp_to_datetime

WHY = "the example takes Dask; tox -e dask has it"
distributed = pytest.importorskip("distributed", reason=WHY)
cloudpickle = pytest.importorskip("cloudpickle", reason=WHY)
pq = pytest.importorskip("pyarrow.parquet", reason=WHY)
local_files: Any = pytest.importorskip("fsspec.implementations.local", reason=WHY)

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "dask_export" / "export_readings.py"
sys.path.insert(0, str(EXAMPLE.parent))
export_readings: Any = importlib.import_module("export_readings")
# The workers do not find this one, so what is sent of it goes as code.
cloudpickle.register_pickle_by_value(sys.modules[__name__])

# The number of workers that are killed at some moment, and seconds after which a test fails rather than waits on.
KILLS, PATIENCE = 5, 240
RPC = "TabularDataByFilter"
START = datetime(2024, 5, 1)
HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)
RANGE = create_filter(component_name="probe", start_time=START, end_time=START + 8 * HOUR)

Readings = List[Tuple[datetime, Dict[str, Any]]]
Rows = List[Dict[str, Any]]


class HalfCopied(local_files.LocalFileSystem):
    """Files on this disk; the first copy stops half-way, and says which process waits there."""

    protocol = "file"

    def put_file(self, lpath: str, rpath: str, **options: Any) -> None:
        waiting = Path(rpath).parents[1].with_suffix(".waiting")
        if lpath.endswith(".parquet") and _is_first(waiting):
            contents = Path(lpath).read_bytes()
            Path(rpath).write_bytes(contents[: len(contents) // 2])
            waiting.write_text(str(os.getpid()))
            threading.Event().wait()
        super().put_file(lpath, rpath, **options)


def _is_first(path: Path) -> bool:
    """Make a file, and tell whether this process has: of two workers that copy at once, one does not stop."""
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


#: A cluster, in a process that has no gRPC: to start a worker is to fork, where Python is older than 3.11.
CLUSTER = """
import threading
from distributed import LocalCluster
cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0")
print(cluster.scheduler_address, flush=True)
threading.Event().wait()
"""


@contextmanager
def cluster(folder: Path) -> Iterator[Any]:
    """Start a cluster of two processes, which writes what it needs for itself into a folder."""
    paths = {"PYTHONPATH": os.pathsep.join(sys.path), "DASK_TEMPORARY_DIRECTORY": str(folder)}
    command = [sys.executable, "-c", CLUSTER]
    with subprocess.Popen(command, env={**os.environ, **paths}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            with distributed.Client(process.stdout.readline().strip()) as client:
                client.wait_for_workers(2)
                yield client
        finally:
            # Its workers end with it. Asked to close, Dask at times waits for one that was killed.
            process.kill()


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with cluster(tmp_path_factory.mktemp("dask")) as client:
        yield client


@pytest.fixture
def doomed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A cluster of which a worker may be killed; not all versions of Dask are sure to start it anew."""
    with cluster(tmp_path_factory.mktemp("dask")) as client:
        yield client


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    """A thread, which waits for what it does: a test asks for it before its cluster, whose end ends that."""
    with ThreadPoolExecutor(1) as pool:
        yield pool


def upload(client: ViamClient, sandbox: Sandbox, readings: Readings) -> None:
    client.data_client.tabular_data_capture_upload(
        [values for _, values in readings],
        sandbox.robot_part_id,
        "rdk:component:sensor",
        "probe",
        "Readings",
        data_request_times=[(moment, moment) for moment, _ in readings],
    )


def fill(client: ViamClient, sandbox: Sandbox) -> None:
    """Upload readings of which most are in the first two hours, and none in the last three."""
    moments = [START + number * timedelta(seconds=9) for number in range(800)]
    moments += [START + 2 * HOUR + number * timedelta(seconds=99) for number in range(100)]
    upload(client, sandbox, [(moment, {"number": number, "name": "ä"}) for number, moment in enumerate(moments)])


def in_order(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: (row["timeRequested"], json.dumps(row, default=str, sort_keys=True)))


def in_the_service(client: ViamClient, filter: Filter) -> Rows:
    rows: Rows = to_arrow(client.data_client.iter_tabular_data(filter)).to_pylist()
    return in_order(rows)


def in_the_dataset(folder: Path) -> Rows:
    """Return the rows of a dataset that is complete."""
    assert {path.name[:5] for path in folder.iterdir()} == {"_SUCC", "_expo", "part-"}
    told = json.loads((folder / "_SUCCESS").read_text(encoding="utf-8"))
    counts = {path.name: pq.read_metadata(path).num_rows for path in folder.glob("*.parquet")}
    assert told == {"rows": sum(counts.values()), "parts": counts}
    assert len({str(pq.read_schema(path)) for path in folder.glob("*.parquet")}) == 1
    rows: Rows = pytest.importorskip("pyarrow.dataset").dataset(folder).to_table().to_pylist()
    return in_order(rows)


def pids(engine: Any) -> Dict[str, int]:
    """Return the processes of the workers that answer, by their addresses."""
    found: Dict[str, int] = engine.run(os.getpid, on_error="ignore")
    return found


def busy(engine: Any) -> List[str]:
    """Return the addresses of the workers that have something to do."""
    return [address for address, keys in engine.processing().items() if keys]


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def parts(folder: Path) -> Set[str]:
    """Return the names of the parts that were fetched so far."""
    return {path.name for path in (folder / "_temporary").glob("part-*")}


def test_each_reading_is_in_the_dataset_once(client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path) -> None:
    fill(client, sandbox)
    folder = tmp_path / "new" / "readings"
    assert export_readings.export(engine, client, RANGE, f"file://{folder}", partitions=8) == 900
    assert in_the_dataset(folder) == in_the_service(client, RANGE)
    assert len(in_the_dataset(folder)) == 900
    assert pq.read_metadata(folder / "part-00007.parquet").num_rows == 0
    moments = pq.read_table(folder / "part-00000.parquet").column("timeRequested").to_pylist()
    assert moments == sorted(moments)
    assert not [path for path in folder.iterdir() if sandbox.api_key.encode() in path.read_bytes()]


def test_a_reading_at_the_border_of_two_parts_is_in_one_of_them(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    borders = [timestamp_to_datetime(part.interval.start) for part in partition_filter(RANGE, 7)]
    borders.append(timestamp_to_datetime(RANGE.interval.end))
    moments = [border + step * MICROSECOND for border in borders for step in (-1, 0, 0, 1)]
    upload(client, sandbox, [(moment, {"number": number}) for number, moment in enumerate(moments)])
    # Of those at the start, one is before it; of those at the end, only one is before it.
    assert export_readings.export(engine, client, RANGE, str(tmp_path), partitions=7) == 4 * 8 - 1 - 3
    rows = in_the_dataset(tmp_path)
    assert sorted(row["data.number"] for row in rows) == list(range(1, 29))
    assert rows == in_the_service(client, RANGE)


def test_a_worker_that_is_killed_while_it_fetches_costs_no_reading_and_doubles_none(
    client: ViamClient, sandbox: Sandbox, background: ThreadPoolExecutor, doomed: Any, tmp_path: Path
) -> None:
    fill(client, sandbox)
    fault = sandbox.faults.delay(RPC, 3600, times=1)
    before = pids(doomed)
    rows = background.submit(export_readings.export, doomed, client, RANGE, str(tmp_path), 8)
    # All others are done, so the one that works is the one that waits for the service.
    until(lambda: len(parts(tmp_path)) == 7 and fault.met == 1 and len(busy(doomed)) == 1, PATIENCE)
    (worker,) = busy(doomed)
    kill(before[worker])
    assert rows.result(PATIENCE) == 900
    assert in_the_dataset(tmp_path) == in_the_service(client, RANGE)
    assert before[worker] not in pids(doomed).values()


def test_a_worker_that_is_killed_while_it_writes_leaves_no_part_of_a_file(
    client: ViamClient,
    sandbox: Sandbox,
    background: ThreadPoolExecutor,
    doomed: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fill(client, sandbox)
    folder = tmp_path / "readings"
    monkeypatch.setattr(export_readings, "url_to_fs", lambda url: (HalfCopied(), url))
    rows = background.submit(export_readings.export, doomed, client, RANGE, str(folder), 8)
    waiting = tmp_path / "readings.waiting"
    until(lambda: len(parts(folder)) == 7 and waiting.exists() and waiting.read_text(), PATIENCE)
    (half,) = [path for path in (folder / "_temporary").iterdir() if path.suffix != ".parquet"]
    assert half.stat().st_size > 0
    for name in parts(folder):
        pq.read_table(folder / "_temporary" / name)
    kill(int(waiting.read_text()))
    assert rows.result(PATIENCE) == 900
    assert in_the_dataset(folder) == in_the_service(client, RANGE)


@pytest.mark.parametrize("turn", range(KILLS))
def test_a_worker_that_is_killed_at_any_moment_costs_no_reading_and_doubles_none(
    client: ViamClient, sandbox: Sandbox, background: ThreadPoolExecutor, doomed: Any, tmp_path: Path, turn: int
) -> None:
    fill(client, sandbox)
    export_readings.export(doomed, client, RANGE, str(tmp_path / "warm"), 8)
    started = time.perf_counter()
    export_readings.export(doomed, client, RANGE, str(tmp_path / "whole"), 8)
    duration = time.perf_counter() - started
    victim = random.choice(list(pids(doomed).values()))
    rows = background.submit(export_readings.export, doomed, client, RANGE, str(tmp_path / str(turn)), 8)
    with suppress(NotDone):
        rows.exception(random.uniform(0, duration))
    kill(victim)
    assert rows.result(PATIENCE) == 900
    assert in_the_dataset(tmp_path / str(turn)) == in_the_service(client, RANGE)


def as_a_beginner(sandbox: Optional[Sandbox], *arguments: str) -> Tuple[List[str], Dict[str, str]]:
    """Return the command that runs the example, and its environment."""
    variables = {key: value for key, value in os.environ.items() if not key.startswith("VIAM_")}
    if sandbox is not None:
        variables["VIAM_API_KEY"], variables["VIAM_API_KEY_ID"] = sandbox.api_key, sandbox.api_key_id
        variables["VIAM_APP_URL"] = sandbox.url
    return [sys.executable, str(EXAMPLE), *arguments, "--workers", "2"], variables


def test_an_export_that_is_killed_goes_on_where_it_was(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    fill(client, sandbox)
    filter = create_filter(organization_ids=[sandbox.organization_id])
    filter.interval.CopyFrom(RANGE.interval)
    folder = tmp_path / "readings"
    fault = sandbox.faults.delay(RPC, 3600, times=1)
    times = ("--start", "2024-05-01", "--end", "2024-05-01T08:00:00+00:00", "--partitions", "8")
    command, variables = as_a_beginner(sandbox, str(folder), *times)
    with subprocess.Popen(command, env=variables, start_new_session=True) as process:
        until(lambda: len(parts(folder)) == 7 and fault.met == 1)
        os.killpg(process.pid, signal.SIGKILL)
    assert not (folder / "_SUCCESS").exists()
    there = {name: (folder / "_temporary" / name).stat().st_mtime_ns for name in parts(folder)}
    sandbox.faults.clear()
    refusal = sandbox.faults.fail(RPC, "PERMISSION_DENIED", times=None)
    with pytest.raises(PermissionDeniedError):
        export_readings.export(engine, client, filter, str(folder), 8)
    # The parts that are there are not asked for again; the one that is missing is tried three times.
    assert refusal.met == 3
    assert {name: (folder / "_temporary" / name).stat().st_mtime_ns for name in parts(folder)} == there
    sandbox.faults.clear()
    assert export_readings.export(engine, client, filter, str(folder), 8) == 900
    assert in_the_dataset(folder) == in_the_service(client, filter)
    refusal = sandbox.faults.fail("all", "PERMISSION_DENIED", times=None)
    assert export_readings.export(engine, client, filter, str(folder), 8) == 900
    assert refusal.met == 0


def test_columns_that_differ_between_parts_are_those_of_one_export(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path
) -> None:
    values: List[Dict[str, Any]] = [
        {"early": True, "mixed": 1.5, "none": None, "list": [], "lists": [[1]], "at": 1, "texts": [1]},
        {
            "early": None,
            "mixed": "text",
            "none": None,
            "list": ["a"],
            "lists": [],
            "at": {"x": 1},
            "texts": ["a", None],
        },
        {"late": "ä", "mixed": [1], "none": None, "list": None, "lists": [["b"]], "at": {"x": {"y": 2}}},
        {"mixed": False, "late": None, "lists": 7},
    ]
    upload(
        client, sandbox, [(START + number * 2 * HOUR, {"number": number, **each}) for number, each in enumerate(values)]
    )
    assert export_readings.export(engine, client, RANGE, str(tmp_path / "many"), 8) == 4
    client.data_client.export_tabular_data_to(RANGE, tmp_path / "one.parquet", sort_order=Order.ORDER_ASCENDING)
    one = pq.read_table(tmp_path / "one.parquet")
    rows = in_the_dataset(tmp_path / "many")
    assert rows == one.to_pylist()
    assert [row["data.mixed"] for row in rows] == ["1.5", "text", "[1.0]", "false"]
    schema = pq.read_schema(tmp_path / "many" / "part-00007.parquet")
    assert {field.name: field.type for field in schema} == {field.name: field.type for field in one.schema}


def test_a_filter_without_matches_gives_a_dataset_without_rows(client: ViamClient, engine: Any, tmp_path: Path) -> None:
    assert export_readings.export(engine, client, RANGE, str(tmp_path), 3) == 0
    assert in_the_dataset(tmp_path) == []


def test_whole_numbers_of_one_part_have_a_point_if_others_do() -> None:
    pa = pytest.importorskip("pyarrow")
    whole, broken = pa.table({"a": [1], "b": [[1]]}), pa.table({"a": [1.5], "b": [[None]], "c": ["x"]})
    for tables in (whole, broken), (broken, whole):
        schema = export_readings.common_schema([table.schema for table in tables])
        assert {field.name: field.type for field in schema} == {
            "a": pa.float64(),
            "b": pa.list_(pa.int64()),
            "c": pa.string(),
        }
        assert export_readings.fitted(whole, schema).to_pylist() == [{"a": 1.0, "b": [1], "c": None}]


def test_pandas_and_dask_read_the_dataset(client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason=WHY)
    frames = pytest.importorskip("dask.dataframe", reason=WHY)
    early: Readings = [(START + number * MICROSECOND, {"early": number}) for number in range(5)]
    upload(client, sandbox, [*early, (START + 7 * HOUR, {"late": "x"})])
    export_readings.export(engine, client, RANGE, str(tmp_path), 4)
    frame = pandas.read_parquet(tmp_path)
    assert frame["data.early"].sum() == 10
    assert list(frame["data.late"].dropna()) == ["x"]
    assert str(frame["timeRequested"].dt.tz) == "UTC"
    read = frames.read_parquet(str(tmp_path))
    assert (len(read), read["data.early"].sum().compute()) == (6, 10)


def test_a_folder_is_for_one_export(client: ViamClient, engine: Any, tmp_path: Path) -> None:
    export_readings.export(engine, client, RANGE, str(tmp_path / "one"), 2)
    with pytest.raises(ValueError, match=r"one is for the export of .*'partitions': 2.*, not of .*'partitions': 3"):
        export_readings.export(engine, client, RANGE, str(tmp_path / "one"), 3)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "part-00000.parquet").write_text("mine")
    with pytest.raises(ValueError, match="mine holds something else; name a folder that is empty or not there"):
        export_readings.export(engine, client, RANGE, str(tmp_path / "mine"), 2)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["part-00000.parquet"]


def test_a_part_that_came_anew_with_other_columns_is_not_cut(
    client: ViamClient, sandbox: Sandbox, engine: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(client, sandbox, [(START, {"number": 1})])
    pa = pytest.importorskip("pyarrow")
    monkeypatch.setattr(export_readings, "common_schema", lambda schemas: pa.schema([]))
    with pytest.raises(RuntimeError, match=r"part [01] has been fetched once more, with new columns; start"):
        export_readings.export(engine, client, RANGE, str(tmp_path), 2)


def test_a_store_without_folders_takes_a_dataset(client: ViamClient, sandbox: Sandbox) -> None:
    fill(client, sandbox)
    # The memory is that of one process, so the workers are threads here.
    with distributed.Client(processes=False, n_workers=1, threads_per_worker=2, dashboard_address=":0") as engine:
        for _ in range(2):
            assert export_readings.export(engine, client, RANGE, "memory://bucket/readings/", 8) == 900
    memory = pytest.importorskip("fsspec").filesystem("memory")
    names = {path.rpartition("/")[2] for path in memory.find("/bucket")}
    assert names == {"_SUCCESS", "_export.json", *(f"part-{number:05}.parquet" for number in range(8))}
    with memory.open("/bucket/readings/part-00000.parquet", "rb") as file:
        assert len(pq.read_table(file)) == 400
    # The threads left the connection of the caller open.
    assert client.data_client.tabular_data_by_filter(RANGE, count_only=True)[1] == 900


def test_a_beginner_runs_it_on_the_sandbox(tmp_path: Path) -> None:
    command, variables = as_a_beginner(None, str(tmp_path / "readings"))
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    first, last = done.stdout.splitlines()
    rows = len(in_the_dataset(tmp_path / "readings"))
    assert first == "VIAM_API_KEY is not set, so this is the sandbox:"
    assert last.startswith(f"{tmp_path / 'readings'} has {rows} readings from 20")
    assert rows > 700
