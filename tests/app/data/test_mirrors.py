"""Readings that a copy at home follows, in a table of DuckDB and in a folder of Parquet files."""

import json
import os
import random
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

import pytest
from child_transfers import ChildTransfers
from mirrored_rows import in_mirror, in_service

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import PermissionDeniedError
from viam_sync.proto.app import data as pb
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

pytest.importorskip("pyarrow")
duckdb: Any = pytest.importorskip("duckdb")
parquet: Any = pytest.importorskip("pyarrow.parquet")

MONDAY = datetime(2024, 1, 1)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
LEVEL = "data.readings.level"
KILLS = int(os.environ.get("VIAM_SYNC_KILLS", "10")) // 2


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


class Plant:
    """Sensors of a sandbox that has no other readings, and a mirror of all of them."""

    def __init__(self, sandbox: Sandbox, data: DataClient, dest: Path) -> None:
        self.sandbox, self.data, self.dest = sandbox, data, dest
        data.delete_tabular_data(sandbox.organization_id, 0)

    def capture(
        self, start: datetime, readings: Sequence[Mapping[str, Any]], step: timedelta = HOUR, **more: Any
    ) -> None:
        """Upload readings with some time between them; ``tags`` are for `delete`."""
        times = [(moment, moment) for moment in (start + number * step for number in range(len(readings)))]
        rows = [{"readings": reading} for reading in readings]
        part, api = self.sandbox.robot_part_id, "rdk:component:sensor"
        self.data.tabular_data_capture_upload(rows, part, api, "tank", "Readings", data_request_times=times, **more)

    def delete(self, tag: str) -> None:
        """Delete the readings that were uploaded with a tag."""
        tags = pb.TagsFilter(type=pb.TagsFilterType.TAGS_FILTER_TYPE_MATCH_BY_OR, tags=[tag])
        filter = pb.DeleteTabularFilter(tags_filter=tags)
        assert self.data.delete_tabular_data(self.sandbox.organization_id, 0, filter) > 0

    def mirror(self, filter: Optional[pb.Filter] = None, **options: Any) -> DataClient.MirrorResult:
        return self.data.mirror_tabular_data(filter, self.dest, **options)

    def is_equal(self) -> bool:
        return in_mirror(self.dest) == in_service(self.data)

    def levels(self) -> List[float]:
        """Return the levels in the mirror, sorted."""
        rows = (dict(row) for row in in_mirror(self.dest).elements())  # type: ignore[attr-defined]
        return sorted(float(row[LEVEL]) for row in rows)


@pytest.fixture(params=["readings.duckdb", "readings"])
def plant(request: pytest.FixtureRequest, sandbox: Sandbox, data: DataClient, tmp_path: Path) -> Plant:
    return Plant(sandbox, data, tmp_path / request.param)


@pytest.fixture
def database(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> Plant:
    return Plant(sandbox, data, tmp_path / "readings.duckdb")


@pytest.fixture
def folder(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> Plant:
    return Plant(sandbox, data, tmp_path / "readings")


def levels(*numbers: float) -> List[Dict[str, Any]]:
    return [{"level": number} for number in numbers]


def test_the_first_run_brings_all_and_the_second_one_nothing(plant: Plant) -> None:
    plant.capture(MONDAY + DAY, levels(float("nan"), float("nan"), -0.0))
    plant.capture(MONDAY, [{"level": n / 2, "name": f"é{n}", "on": n > 3, "at": [n]} for n in range(150)])
    first = plant.mirror()
    assert (first.added, first.removed, first.rows, first.start, first.end) == (153, 0, 153, None, None)
    assert first.new_columns == [f"data.readings.{name}" for name in ("at", "level", "name", "on")]
    assert plant.is_equal()
    again = plant.mirror()
    assert (again.added, again.removed, again.rows, again.new_columns, again.changed_columns) == (0, 0, 153, [], [])
    assert again.start is not None
    assert MONDAY + 149 * HOUR - 8 * DAY < again.start <= MONDAY + 149 * HOUR - 7 * DAY
    assert repr(again) == f"MirrorResult(dest={str(plant.dest)!r}, 153 rows: 0 added, 0 removed)"


def test_a_run_brings_what_is_new_and_late_and_takes_out_what_was_deleted(plant: Plant) -> None:
    plant.capture(MONDAY, levels(*range(240)))
    plant.capture(MONDAY + 5 * DAY, levels(1000, 1001), tags=["wrong"])
    plant.mirror()
    plant.delete("wrong")
    plant.capture(MONDAY + 4 * DAY + HOUR / 2, levels(2000, 2001, 2002))
    plant.capture(MONDAY + 10 * DAY, levels(3000))
    result = plant.mirror()
    assert (result.added, result.removed, result.rows) == (4, 2, 244)
    assert plant.is_equal()


def test_readings_before_the_look_back_stay_as_they_are_unless_all_is_compared(plant: Plant) -> None:
    plant.capture(MONDAY, levels(1), tags=["old"])
    plant.capture(MONDAY + 20 * DAY, levels(2))
    plant.mirror()
    plant.delete("old")
    plant.capture(MONDAY + HOUR, levels(3))
    assert plant.mirror(look_back=timedelta(days=3)).start >= MONDAY + 16 * DAY  # type: ignore[operator]
    assert plant.levels() == [1, 2]
    result = plant.mirror(look_back=None)
    assert (result.start, result.added, result.removed) == (None, 1, 1)
    assert plant.levels() == [2, 3]


def test_equal_readings_are_as_often_there_as_in_the_service(plant: Plant) -> None:
    plant.capture(MONDAY, levels(1, 1, 1), timedelta(0))
    plant.mirror()
    plant.capture(MONDAY, levels(1), tags=[])
    result = plant.mirror()
    assert (result.added, result.removed, result.rows) == (1, 0, 4)
    assert plant.is_equal()


def test_all_readings_may_be_deleted_and_come_again(plant: Plant) -> None:
    plant.capture(MONDAY, levels(1, 2), tags=["all"])
    plant.mirror()
    plant.delete("all")
    assert (plant.mirror().removed, plant.mirror().rows) == (2, 0)
    plant.capture(MONDAY + DAY, levels(3))
    assert plant.mirror().added == 1
    assert plant.is_equal()


def test_there_may_be_no_reading_at_first(plant: Plant) -> None:
    assert plant.mirror().rows == plant.mirror().rows == 0
    plant.capture(MONDAY, levels(1, 2))
    assert plant.mirror().added == 2
    assert plant.is_equal()


def test_a_machine_whose_clock_is_ahead_loses_no_reading_of_others(plant: Plant) -> None:
    plant.capture(MONDAY, levels(1))
    plant.capture(datetime(2090, 1, 1), levels(2), tags=["ahead"])
    assert plant.mirror().rows == 2
    # The next readings come years before the newest one.
    plant.capture(MONDAY + DAY, levels(3))
    assert plant.mirror().added == 1
    assert plant.is_equal()
    plant.delete("ahead")
    assert plant.mirror().removed == 1
    assert plant.is_equal()


def test_a_computer_whose_clock_is_behind_all_readings_compares_them_all(plant: Plant) -> None:
    plant.capture(datetime(2090, 1, 1), levels(1, 2))
    plant.mirror()
    plant.capture(datetime(2089, 1, 1), levels(3))
    assert plant.mirror().added == 1
    assert plant.is_equal()


def test_a_sensor_that_was_silent_for_long_loses_nothing(plant: Plant) -> None:
    plant.capture(MONDAY, levels(1))
    plant.mirror()
    # The clock here is years ahead of the readings, but it does not tell where the next run begins.
    plant.capture(MONDAY + HOUR, levels(*range(300)))
    plant.mirror(look_back=timedelta(0))
    assert plant.is_equal()


def test_the_interval_of_a_filter_bounds_the_mirror(plant: Plant) -> None:
    plant.capture(MONDAY, levels(*range(96)))
    tank = create_filter(start_time=MONDAY + DAY, end_time=MONDAY + 2 * DAY + 6 * HOUR)
    result = plant.mirror(tank)
    assert (result.start, result.end) == (MONDAY + DAY, MONDAY + 2 * DAY + 6 * HOUR)
    assert plant.levels() == list(range(24, 54))
    later = create_filter(start_time=MONDAY + DAY, end_time=MONDAY + 3 * DAY)
    assert plant.mirror(later).added == 18
    assert plant.levels() == list(range(24, 72))
    # What an earlier end leaves out stays.
    assert plant.mirror(tank).rows == 48
    for other in (None, create_filter(start_time=MONDAY), create_filter(component_name="air")):
        with pytest.raises(ValueError, match=r'"start": "2024-01-02T00:00:00Z".*, but the rows are of .*name another'):
            plant.mirror(other)
    assert plant.levels() == list(range(24, 72))


def test_one_worker_makes_the_same_mirror_and_progress_counts_the_rows(plant: Plant) -> None:
    plant.capture(MONDAY, levels(*range(250)))
    seen: List[Any] = []
    plant.mirror(workers=1, progress=lambda *numbers: seen.append(numbers))
    assert (seen[0], seen[-1]) == ((0, 250, "rows"), (250, 250, "rows"))
    assert plant.is_equal()
    assert plant.mirror(workers=3).added == 0


def test_times_of_the_result_are_in_the_zone_of_the_client(plant: Plant) -> None:
    tokyo = timezone(9 * HOUR)
    plant.capture(MONDAY, levels(1))
    plant.data = plant.data.options(tz=tokyo)
    filter = create_filter(start_time=MONDAY)
    assert plant.mirror(filter).start == MONDAY.replace(tzinfo=timezone.utc).astimezone(tokyo)
    plant.data = plant.data.options(tz=None)
    assert plant.mirror(filter).added == 0


#: Values of one column, run by run, and the type that it has then, as DuckDB names it.
WIDENED = [
    ([None], "DOUBLE"),
    ([True], "BOOLEAN"),
    ([1.5, float("inf")], "VARCHAR"),
    (["a"], "VARCHAR"),
    ([[1, 2]], "VARCHAR"),
]


def test_a_value_of_another_type_widens_its_column_and_earlier_ones_stay(plant: Plant) -> None:
    for number, (values, type) in enumerate(WIDENED):
        plant.capture(MONDAY + number * DAY, [{"x": value, "list": [value]} for value in values])
        result = plant.mirror(look_back=timedelta(0))
        name = "data.readings.x"
        assert ((name in result.new_columns), (name in result.changed_columns)) == (number == 0, number in (1, 2))
        assert plant.is_equal()
        if plant.dest.suffix:
            with duckdb.connect(str(plant.dest)) as connection:
                found = {column: type for column, type, *_ in connection.execute("DESCRIBE readings").fetchall()}
            assert (found[name], found["data.readings.list"]) == (type, f"{type}[]")


def test_a_new_column_has_no_value_in_earlier_rows(plant: Plant) -> None:
    plant.capture(MONDAY, levels(1, 2))
    plant.mirror()
    plant.capture(MONDAY + 30 * DAY, [{"level": 3, "flow": 1.5, "note": "n/a"}])
    result = plant.mirror()
    assert result.new_columns == ["data.readings.flow", "data.readings.note"]
    assert plant.is_equal()
    assert repr(result).endswith("3 rows: 1 added, 0 removed, 2 new columns)")
    if not plant.dest.suffix:
        query = f"""SELECT sum("{LEVEL}"), sum("data.readings.flow") FROM '{plant.dest}/*/*.parquet'"""
        with duckdb.connect() as connection:
            assert connection.execute(query).fetchall() == [(6, 1.5)]


NAMES = ["Speed", "speed", "SPEED", "speed_1", "select", "a.b", "a b", 'quo"ted', "é", "É", "nul\0", "", "\\", "日本"]


def test_any_name_can_be_that_of_a_column(plant: Plant) -> None:
    plant.capture(MONDAY, [{name: number for number, name in enumerate(NAMES)}])
    assert len(plant.mirror().new_columns) == len(NAMES)
    assert plant.is_equal()
    assert plant.mirror().added == 0


def test_names_that_differ_by_case_keep_their_columns_in_later_runs(database: Plant) -> None:
    database.capture(MONDAY, [{"speed": 1}])
    database.mirror()
    database.capture(MONDAY + DAY, [{"Speed": 2, "speed": 3}])
    assert database.mirror().new_columns == ["data.readings.Speed_1"]
    with duckdb.connect(str(database.dest)) as connection:
        query = 'SELECT "data.readings.speed", "data.readings.Speed_1" FROM readings ORDER BY 1'
        assert connection.execute(query).fetchall() == [(1, None), (3, 2)]


def test_there_may_be_two_thousand_columns(plant: Plant) -> None:
    plant.capture(MONDAY, [{f"c{number}": number for number in range(1000)}])
    plant.mirror()
    plant.capture(MONDAY + DAY, [{f"c{number}": number for number in range(2000)}])
    assert len(plant.mirror().new_columns) == 1000
    assert plant.is_equal()


@pytest.mark.parametrize("made", ["CREATE TABLE Readings (n INT)", "CREATE VIEW readings AS SELECT 1 AS n"])
def test_what_no_mirror_has_made_is_refused(database: Plant, made: str) -> None:
    database.capture(MONDAY, levels(1))
    with duckdb.connect(str(database.dest)) as connection:
        connection.execute(made)
    with pytest.raises(FileExistsError, match="table 'readings' was not made by a mirror; name another table"):
        database.mirror()
    assert database.mirror(table="tank").rows == 1
    with duckdb.connect(str(database.dest)) as connection:
        assert [column for column, *_ in connection.execute("DESCRIBE readings").fetchall()] == ["n"]


def test_a_table_with_other_columns_than_the_last_run_left_is_refused(database: Plant) -> None:
    database.capture(MONDAY, levels(1))
    database.mirror()
    with duckdb.connect(str(database.dest)) as connection:
        connection.execute("ALTER TABLE readings ADD COLUMN note VARCHAR")
    with pytest.raises(FileExistsError, match="has other columns than its last run left; drop it, or name another"):
        database.mirror()
    with duckdb.connect(str(database.dest)) as connection:
        connection.execute("DROP TABLE readings")
    assert database.mirror().added == 1


def test_several_mirrors_and_other_tables_are_in_one_file(database: Plant) -> None:
    database.capture(MONDAY, levels(1, 2))
    with duckdb.connect(str(database.dest)) as connection:
        connection.execute("CREATE TABLE mine AS SELECT 42 AS n")
    night = create_filter(start_time=MONDAY + HOUR)
    for _ in range(2):
        assert database.mirror().rows == 2
        assert database.mirror(night, table='the "night"').rows == 1
    with duckdb.connect(str(database.dest)) as connection:
        assert connection.execute("FROM mine").fetchall() == [(42,)]
        tables = {name for (name,) in connection.execute("SHOW TABLES").fetchall()}
    assert tables == {"mine", "readings", 'the "night"'}


def sqlite_file(path: Path) -> None:
    connection = sqlite3.connect(str(path))
    connection.execute("CREATE TABLE t (a)")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "write", [lambda path: path.write_text("a,b\n" * 9), lambda path: path.write_bytes(b"DUC"), sqlite_file]
)
def test_a_file_that_is_no_database_of_duckdb_is_refused(data: DataClient, tmp_path: Path, write: Any) -> None:
    path = tmp_path / "readings.db"
    write(path)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"dest is '.*readings\.db', which is no database of DuckDB"):
        data.mirror_tabular_data(None, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("size", [0, 4096, 8192])
def test_a_file_that_was_just_begun_as_a_database_is_made_one(database: Plant, size: int) -> None:
    database.capture(MONDAY, levels(1))
    duckdb.connect(str(database.dest)).close()
    os.truncate(database.dest, size)
    assert database.mirror().added == 1


@pytest.mark.parametrize("name", ["temp", "system", "main", "memory", "viam_sync", "mirrors", "readings", "a.b c"])
def test_a_file_of_any_name_can_be_a_mirror(database: Plant, name: str) -> None:
    database.capture(MONDAY, levels(1))
    database.dest = database.dest.with_name(f"{name}.duckdb")
    assert database.mirror().added == 1
    database.capture(MONDAY + DAY, [{"level": "n/a", "flow": 1}])
    assert database.mirror().added == 1
    assert database.is_equal()


def checksum_of(block: bytes) -> bytes:
    """Return the checksum of a block, with which DuckDB begins it."""
    sum = 5381
    for at in range(0, len(block), 8):
        sum ^= int.from_bytes(block[at : at + 8], "little") * 0xBF58476D1CE4E5B9 % 2**64
    return sum.to_bytes(8, "little")


def test_a_database_of_a_newer_duckdb_is_refused(database: Plant) -> None:
    database.mirror()
    contents = database.dest.read_bytes()
    head = contents[8:4096]
    assert checksum_of(head) == contents[:8]
    newer = head[:4] + (10**6).to_bytes(8, "little") + head[12:]
    database.dest.write_bytes(checksum_of(newer) + newer + contents[4096:])
    with pytest.raises(OSError, match="written by a newer version of DuckDB; pip install --upgrade duckdb"):
        database.mirror()


def test_a_database_that_another_process_has_open_is_refused_with_its_name(database: Plant) -> None:
    database.mirror()
    script = f"import duckdb; c = duckdb.connect({str(database.dest)!r}); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"open\n"
        with pytest.raises(BlockingIOError, match=rf"which .* \(PID {other.pid}\) has open; close it there first"):
            database.mirror()
        other.communicate(b"\n")
    assert database.mirror().rows == 0


def test_a_connection_of_the_same_process_may_read_meanwhile(database: Plant) -> None:
    database.capture(MONDAY, levels(1, 2))
    database.mirror()
    with duckdb.connect(str(database.dest)) as connection:
        database.capture(MONDAY + DAY, levels(3))
        database.mirror()
        assert connection.execute("SELECT count(*) FROM readings").fetchall() == [(3,)]
    with duckdb.connect(str(database.dest), read_only=True), pytest.raises(BlockingIOError, match="read_only=True"):
        database.mirror()


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"look_back": 7}, TypeError, "look_back takes a timedelta or None, got 7"),
        ({"look_back": -DAY}, ValueError, "look_back is negative"),
        ({"workers": 0}, ValueError, "workers takes an int from 1 to 64"),
        ({"table": ""}, ValueError, "table is an empty string"),
        ({"table": 5}, TypeError, "table takes a str"),
        ({"filter": "air"}, TypeError, "filter takes a"),
        ({"filter": create_filter(start_time=MONDAY, end_time=MONDAY)}, ValueError, "filter ends before it starts"),
        ({"dest": 5}, TypeError, "dest takes a path, got 5"),
        ({"dest": "rows", "table": "mine"}, ValueError, "table is for a file of DuckDB, which ends in .duckdb, but"),
        ({"dest": "s3://bucket/rows.duckdb"}, ValueError, "a database of DuckDB is a file on a disk"),
        ({"dest": "none/rows.duckdb"}, FileNotFoundError, "but there is no folder"),
        ({"storage_options": {}}, ValueError, "storage_options are for a URL"),
        ({"include_internal_data": 1}, TypeError, "include_internal_data takes a bool"),
        ({"progress": 1}, TypeError, "progress takes True, a callable or None"),
    ],
)
def test_wrong_arguments_are_refused_and_nothing_is_written(
    data: DataClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: Dict[str, Any], error: Any, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=text):
        data.mirror_tabular_data(**{"filter": None, "dest": "rows.duckdb", **arguments})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_the_ending_of_a_database_is_refused(data: DataClient, tmp_path: Path) -> None:
    folder = tmp_path / "rows.db"
    folder.mkdir()
    with pytest.raises(IsADirectoryError, match="a folder; name a file in it"):
        data.mirror_tabular_data(None, folder)


def test_a_call_that_fails_leaves_no_new_file(sandbox: Sandbox, data: DataClient, tmp_path: Path) -> None:
    sandbox.faults.fail("TabularDataByFilter", "PERMISSION_DENIED", times=None)
    for name in ("rows.duckdb", "rows"):
        with pytest.raises(PermissionDeniedError):
            data.mirror_tabular_data(None, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == [".rows.viam-export"]


def test_a_folder_of_another_export_is_refused(folder: Plant) -> None:
    folder.capture(MONDAY, levels(1))
    folder.data.export_tabular_data_to(None, folder.dest, partition_by="day")
    with pytest.raises(ValueError, match=r"a dataset of .*, but the rows are of .*; name another folder"):
        folder.mirror()
    (folder.dest / "day=2024-01-01" / "rows.parquet").write_bytes(b"")
    with pytest.raises(FileExistsError, match="'the file of 2024-01-01' in it was not written by an export"):
        folder.mirror()
    (folder.dest / "a.txt").touch()
    with pytest.raises(FileExistsError, match=r"'a\.txt' in it was not written by an export of a dataset"):
        folder.mirror()


def test_a_folder_that_was_moved_without_its_state_is_compared_anew(folder: Plant) -> None:
    folder.capture(MONDAY, [{"level": 1, "note": None}])
    folder.capture(MONDAY + 60 * DAY, levels(2))
    folder.mirror()
    folder.capture(MONDAY + DAY, [{"level": 3, "note": "late"}])
    folder.dest = folder.dest.rename(folder.dest.with_name("moved"))
    result = folder.mirror()
    assert (result.start, result.added, result.removed) == (None, 1, 0)
    assert folder.is_equal()


def test_a_folder_is_begun_anew_where_it_was_removed(folder: Plant) -> None:
    folder.capture(MONDAY, levels(1))
    folder.mirror()
    folder.dest.rename(folder.dest.with_name("old"))
    assert folder.mirror().added == 1


def test_files_whose_columns_a_killed_run_has_left_get_them_in_the_next_one(folder: Plant) -> None:
    folder.capture(MONDAY, levels(1))
    folder.capture(MONDAY + 60 * DAY, levels(2))
    folder.mirror()
    first = folder.dest / "day=2024-01-01" / "rows.parquet"
    before = first.read_bytes()
    folder.capture(MONDAY + 61 * DAY, [{"level": "n/a", "flow": 1}])
    folder.mirror()
    assert first.read_bytes() != before
    first.write_bytes(before)
    folder.capture(MONDAY + 62 * DAY, levels(3))
    assert folder.mirror().added == 1
    assert folder.is_equal()
    assert len({parquet.read_schema(path).field(LEVEL).type for path in folder.dest.rglob("*.parquet")}) == 1


def test_days_that_have_not_changed_keep_their_files(folder: Plant) -> None:
    folder.capture(MONDAY, levels(*range(72)))
    folder.mirror()
    before = {path: path.stat().st_ino for path in folder.dest.rglob("*.parquet")}
    folder.capture(MONDAY + DAY + HOUR / 2, levels(1))
    folder.mirror()
    changed = {path.parent.name for path, number in before.items() if path.stat().st_ino != number}
    assert changed == {"day=2024-01-02"}


def test_a_mirror_in_a_bucket_is_what_one_in_a_folder_is(folder: Plant, remote_folder: str, tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    dest = f"{remote_folder}/readings"
    for number in range(3):
        folder.capture(MONDAY + number * DAY, [{"level": number, f"n{number}": 1}])
        result = folder.data.mirror_tabular_data(None, dest)
        assert (result.added, result.rows) == (1, number + 1)
    store, root = fsspec.core.url_to_fs(dest)
    store.get(root, str(folder.dest), recursive=True)
    assert folder.is_equal()
    state = json.loads(store.cat_file(f"{root.rpartition('/')[0]}/.readings.viam-export/mirror.json"))
    assert state["newest"] == "2024-01-03T00:00:00"


def test_a_mirror_needs_a_folder_in_the_bucket(data: DataClient, bucket: str) -> None:
    fsspec = pytest.importorskip("fsspec")
    with pytest.raises(ValueError, match="a bucket; name a folder in it"):
        data.mirror_tabular_data(None, bucket)
    store, root = fsspec.core.url_to_fs(bucket)
    assert store.find(root) == []


#: A program that runs a mirror with room for a file of so many bytes, as on a disk that is nearly full.
SMALL_DISK = """
import json, resource, sys
from viam_sync.app.viam_client import ViamClient
from viam_sync.rpc.dial import DialOptions
order = json.load(sys.stdin)
options = DialOptions.with_api_key(order["key"], order["key_id"])
options.insecure = True
with ViamClient.create_from_dial_options(options, order["url"]) as client:
    import duckdb, pyarrow.parquet
    resource.setrlimit(resource.RLIMIT_FSIZE, (order["room"], order["room"]))
    try:
        client.data_client.mirror_tabular_data(None, order["dest"])
    except OSError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_disk_that_is_full_is_an_error_and_the_next_run_does_the_rest(plant: Plant) -> None:
    source = random.Random(5)
    plant.capture(MONDAY, [{"level": n, "noise": f"{source.getrandbits(40_000):x}"} for n in range(200)])
    sandbox = plant.sandbox
    order = {"url": sandbox.url, "key": sandbox.api_key, "key_id": sandbox.api_key_id, "dest": str(plant.dest)}
    done = subprocess.run(
        [sys.executable, "-c", SMALL_DISK],
        input=json.dumps({**order, "room": 200_000}).encode(),
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
        env=environment(),
    )
    assert str(plant.dest) in done.stdout.decode()
    assert "File too large" in done.stdout.decode()
    plant.mirror()
    assert plant.is_equal()


def environment() -> Dict[str, str]:
    root = str(Path(__file__).parents[3])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}


@pytest.fixture
def children() -> Iterator[ChildTransfers]:
    with ChildTransfers() as running:
        yield running


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_a_mirror_that_is_killed_at_any_moment_holds_each_row_once_after_the_next_run(
    plant: Plant, children: ChildTransfers
) -> None:
    # Each reading is so large that a run has several slices.
    source, duration, killed = random.Random(15), 0.0, 0
    for turn in range(KILLS + 1):
        today = MONDAY + turn * DAY
        plant.capture(today, [{"level": hour, "scan": "x" * 100_000, f"n{turn}": 1} for hour in range(24)], tags=["a"])
        if turn:
            # Some arrive late, and some are deleted, as far back as the look-back goes.
            late = today - timedelta(hours=source.randrange(24 * 6))
            plant.capture(late, levels(turn, turn), source.random() * HOUR, tags=[f"late{turn}"])
            if turn % 2 == 0:
                plant.delete(f"late{turn - 1}")
        # The last one that was left alone shows how long it takes.
        limit = source.uniform(0, duration) if turn else 60
        was_killed, seconds = children.run(
            plant.sandbox, "mirror_tabular_data", {"filter": None, "dest": str(plant.dest)}, limit
        )
        duration, killed = duration if was_killed else 2 * seconds, killed + was_killed
        if source.random() < 0.5:
            plant.mirror()
            assert plant.is_equal()
    assert killed
    plant.mirror()
    assert plant.is_equal()
