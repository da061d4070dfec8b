import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import datetime
from itertools import chain, product
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional

import pytest
from child_datasets import Rows, write
from dataset_readers import sums

from viam_sync.transfer.output.dataset import PartitionedDataset
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.dataset_folder import DatasetFolder
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.remote import Location

pytest.importorskip("pyarrow")
parquet: Any = pytest.importorskip("pyarrow.parquet")

# Numbers that are powers of two: their sum tells which rows it is of, if each is there once.
OLD: Rows = [
    ("2024-01-01T06:00:00", 1),
    ("2024-01-01T18:00:00", 2),
    ("2024-01-02T12:00:00", 4),
    ("2024-01-03T12:00:00", 8),
]
NEW: Rows = [("2024-01-01T18:30:00", 32), ("2024-01-03T13:00:00", 64), ("2024-01-04T00:00:00", 128)]
#: The interval of the new rows: half of the first day, and all of the others.
INTERVAL = {"start": "2024-01-01T12:00:00", "end": "2024-01-05T00:00:00"}


def sum_of(*numbers: float) -> Any:
    return len(numbers), float(sum(numbers))


def names_in(folder: Path) -> List[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def files_of(*days: str) -> List[str]:
    return [f"day={day}/rows.parquet" for day in days]


def dataset(folder: Path, source: Optional[Dict[str, Any]] = None, **options: Any) -> PartitionedDataset:
    options.setdefault("interval", Interval(None, None))
    return PartitionedDataset(
        DatasetFolder(Location("path", folder)), source=source or {}, fixed={"at": "time"}, **options
    )


def put(folder: Path, *values: Mapping[str, Any], **options: Any) -> int:
    """Write rows with a minute between them."""
    rows = [{"at": datetime(2024, 1, 1, 0, minute), **value} for minute, value in enumerate(values)]
    return dataset(folder, **options).write(rows, Progress(None))


def column(folder: Path, name: str) -> Any:
    return [
        value
        for file in names_in(folder)
        for value in parquet.read_table(folder / file, partitioning=None)[name].to_pylist()
    ]


def test_each_day_has_a_file_and_all_readers_read_it(tmp_path: Path) -> None:
    assert write(f"{tmp_path}/rows", OLD) == 4
    assert names_in(tmp_path / "rows") == files_of("2024-01-01", "2024-01-02", "2024-01-03")
    assert sums(tmp_path / "rows", "n") == sum_of(1, 2, 4, 8)


def test_a_run_replaces_the_rows_of_its_interval_and_keeps_all_others(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    write(str(folder), OLD)
    for _ in range(2):
        assert write(str(folder), NEW, **INTERVAL) == 3
        assert names_in(folder) == files_of("2024-01-01", "2024-01-03", "2024-01-04")
        assert sums(folder, "n") == sum_of(1, 32, 64, 128)


@pytest.mark.parametrize(
    ("interval", "kept"),
    [
        ({"start": "2024-01-01T18:00:00"}, [1]),
        ({"end": "2024-01-01T18:00:00"}, [2, 4, 8]),
        ({"start": "2024-01-01T06:00:00.000001", "end": "2024-01-01T18:00:00.000001"}, [1, 4, 8]),
        ({"start": "2024-01-02T00:00:00", "end": "2024-01-03T00:00:00"}, [1, 2, 8]),
        ({"start": "2025-01-01T00:00:00", "end": "2026-01-01T00:00:00"}, [1, 2, 4, 8]),
        ({}, []),
    ],
)
def test_an_interval_includes_its_start_and_excludes_its_end(
    tmp_path: Path, interval: Dict[str, str], kept: List[float]
) -> None:
    write(f"{tmp_path}/rows", OLD)
    assert write(f"{tmp_path}/rows", [], **interval) == 0
    assert sums(tmp_path / "rows", "n") == sum_of(*kept)


def test_rows_that_the_service_gives_of_other_times_are_left_out(tmp_path: Path) -> None:
    write(f"{tmp_path}/rows", OLD)
    write(f"{tmp_path}/rows", [*OLD, *NEW], start="2024-01-04T00:00:00", end="2024-01-05T00:00:00")
    assert sums(tmp_path / "rows", "n") == sum_of(1, 2, 4, 8, 128)


def test_rows_that_are_not_in_order_are_an_error(tmp_path: Path) -> None:
    rows = [{"at": datetime(2024, 1, day)} for day in (1, 2, 1) for _ in range(1000)]
    with pytest.raises(ValueError, match="the service returned rows that are not in the order of their times"):
        dataset(tmp_path / "rows").write(rows, Progress(None))
    assert not (tmp_path / "rows").exists()


def test_a_dataset_without_rows_is_read_too(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    write(str(folder), [], **INTERVAL, schema={"n": float})
    assert names_in(folder) == files_of("2024-01-01")
    assert sums(folder, "n") == sum_of()
    write(str(folder), NEW, **INTERVAL)
    write(str(folder), [], **INTERVAL)
    assert names_in(folder) == files_of("2024-01-01")
    assert sums(folder, "n") == sum_of()


@pytest.mark.parametrize(
    ("interval", "day"),
    [
        (Interval(datetime(2024, 1, 31), None), "2024-01-31"),
        (Interval(None, datetime(2024, 1, 31)), "2024-01-30"),
        (Interval(None, None), "1970-01-01"),
    ],
)
def test_the_file_without_rows_is_of_a_day_of_the_interval(tmp_path: Path, interval: Interval, day: str) -> None:
    put(tmp_path / "rows", interval=interval)
    assert names_in(tmp_path / "rows") == files_of(day)


def test_the_columns_of_a_dataset_without_rows_come_with_its_first_row(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    write(str(folder), [], start="2024-02-01T00:00:00")
    assert parquet.read_schema(folder / "day=2024-02-01" / "rows.parquet").names == ["at"]
    write(str(folder), NEW, **INTERVAL)
    assert names_in(folder) == files_of("2024-01-01", "2024-01-03", "2024-01-04")
    assert sums(folder, "n") == sum_of(32, 64, 128)


def test_a_large_day_has_several_row_groups_in_order(tmp_path: Path) -> None:
    rows = [{"at": datetime(2024, 1, 1, hour, minute), "n": float(hour)} for hour in range(24) for minute in range(60)]
    for options, groups in (({"group_rows": 720}, 3), ({"group_bytes": 1}, 3), ({}, 1)):
        dataset(tmp_path / "rows", **options).write(rows, Progress(None))
        (file,) = (tmp_path / "rows").rglob("*.parquet")
        assert parquet.read_metadata(file).num_row_groups == groups
        assert column(tmp_path / "rows", "n") == [row["n"] for row in rows]


def test_a_column_without_values_at_first_is_one_of_numbers(tmp_path: Path) -> None:
    put(tmp_path / "rows", {"n": None, "tags": []})
    put(tmp_path / "rows", {"n": 1.5, "tags": [2.5]})
    assert (column(tmp_path / "rows", "n"), column(tmp_path / "rows", "tags")) == ([1.5], [[2.5]])


def test_what_does_not_fit_the_files_is_an_error_before_any_is_changed(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    write(str(folder), OLD)
    for value, text in (
        ({"n": "x"}, "has the column 'n' as float, but row 2 has a str"),
        ({"m": 1.0}, "lacks the column 'm'"),
    ):
        with pytest.raises(ValueError, match=text):
            put(folder, {"n": 1.0}, value)
    assert sums(folder, "n") == sum_of(1, 2, 4, 8)
    put(folder, {"n": 1.0}, {"n": "x", "m": 1.0}, misfits="null")
    assert column(folder, "n") == [1.0, None]


def test_what_does_not_fit_is_rescued_by_a_dataset_that_was_begun_so(tmp_path: Path) -> None:
    put(tmp_path / "rows", {"n": 1.0}, misfits="rescue")
    put(tmp_path / "rows", {"n": "x"}, misfits="rescue")
    assert column(tmp_path / "rows", "_rescued_data") == ['{"n": "x"}']
    put(tmp_path / "rows", {"n": 1.0})
    write(f"{tmp_path}/plain", OLD)
    with pytest.raises(ValueError, match="schema has the column '_rescued_data' as str, but the files of the dataset"):
        put(tmp_path / "plain", {"n": "x"}, misfits="rescue")


@pytest.mark.parametrize(
    "values", [["n/a", 2.0], [{}, "a"], [["a"], 1.0], [["a", 1.0], ["b"]], [[{"x": 1.0}]], [2.0, True]]
)
def test_values_of_several_types_are_text_in_every_run(tmp_path: Path, values: List[Any]) -> None:
    folder = tmp_path / "rows"
    put(folder, *({"n": value} for value in values))
    first = (folder / "day=2024-01-01" / "rows.parquet").read_bytes()
    put(folder, *({"n": value} for value in values))
    assert (folder / "day=2024-01-01" / "rows.parquet").read_bytes() == first


def test_text_alone_takes_no_number_later(tmp_path: Path) -> None:
    put(tmp_path / "rows", {"n": "a", "tags": ["b"]})
    for value in ({"n": 1.0}, {"tags": [1.0]}):
        with pytest.raises(ValueError, match="schema has the column"):
            put(tmp_path / "rows", value)


def test_a_schema_that_is_given_again_must_be_the_same_in_any_order(tmp_path: Path) -> None:
    folder = tmp_path / "rows"
    schema = {"n": int, "more": dict, "name": str}
    put(folder, {"n": 1.0, "more": {}}, schema=schema)
    put(folder, {"n": 2.0, "more": {}}, schema=dict(reversed(schema.items())))
    put(folder, {"n": 2.0, "more": {}})
    assert (column(folder, "n"), column(folder, "more"), column(folder, "name")) == ([2], ["{}"], [None])
    for other, text in (
        (
            {**schema, "n": float},
            "schema has the column 'n' as float, but the files of the dataset have the column 'n' as int",
        ),
        ({**schema, "m": str}, "schema has the column 'm' as str, but the files of the dataset have no column 'm'"),
        (
            {"n": int, "more": dict},
            "schema has no column 'name', but the files of the dataset have the column 'name' as str",
        ),
    ):
        with pytest.raises(ValueError, match=text):
            put(folder, {"n": 1.0}, schema=other)


def test_a_dataset_of_other_rows_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "rows", {"n": 1.0}, source={"filter": "air"})
    with pytest.raises(
        ValueError, match=r'path is .*rows\', a dataset of {"filter": "air"}, but .* {"filter": "soil"}'
    ):
        put(tmp_path / "rows", {"n": 2.0}, source={"filter": "soil"})
    assert column(tmp_path / "rows", "n") == [1.0]


@pytest.mark.parametrize(
    "name",
    ["notes.txt", ".hidden", "rows.parquet", "day=2024-01-01/more.parquet", "day=20240101/rows.parquet", "other/x"],
)
def test_a_folder_with_something_else_in_it_is_refused_and_stays_what_it_is(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "rows"
    write(str(folder), OLD)
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine")
    before = names_in(folder)
    with pytest.raises(FileExistsError, match=r"path is .*rows', but .* was not written by an export of a dataset"):
        write(str(folder), NEW)
    assert names_in(folder) == before
    assert path.read_text() == "mine"


def test_a_file_of_another_program_under_the_name_of_a_day_is_refused(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    path = tmp_path / "rows" / "day=2024-01-01" / "rows.parquet"
    path.parent.mkdir(parents=True)
    parquet.write_table(arrow.table({"at": [1]}), path)
    for contents in (path.read_bytes(), b"", b"PAR1"):
        path.write_bytes(contents)
        with pytest.raises(FileExistsError, match="the file of 2024-01-01"):
            write(f"{tmp_path}/rows", NEW)
        assert path.read_bytes() == contents


def test_two_runs_at_a_time_are_kept_apart(tmp_path: Path) -> None:
    place = DatasetFolder(Location("path", tmp_path / "rows"))
    with place.exclusive(), pytest.raises(BlockingIOError, match="where another export is at work"):
        write(f"{tmp_path}/rows", OLD)
    assert write(f"{tmp_path}/rows", OLD) == 4


def test_a_link_is_followed_to_the_dataset(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "disk" / "rows")
    write(f"{tmp_path}/link", OLD)
    assert sorted(path.name for path in (tmp_path / "disk").iterdir()) == [".rows.viam-export", "rows"]


def test_a_place_where_no_dataset_can_be_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="a file; a dataset is a folder"):
        DatasetFolder(Location("path", tmp_path / "file"))
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        DatasetFolder(Location("path", tmp_path / "none" / "rows"))
    if os.path.ismount("/proc"):
        with pytest.raises(PermissionError, match=r"path is '/proc', a disk of its own; name a folder in it"):
            DatasetFolder(Location("path", "/proc"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_beside_which_nothing_may_be_written_is_an_error_at_once(tmp_path: Path) -> None:
    (tmp_path / "rows").mkdir()
    tmp_path.chmod(0o555)
    try:
        with pytest.raises(PermissionError, match="nothing may be written in"):
            DatasetFolder(Location("path", tmp_path / "rows"))
    finally:
        tmp_path.chmod(0o755)


def test_a_full_disk_leaves_the_dataset_as_it_was(tmp_path: Path, small_disk: None) -> None:
    folder = tmp_path / "rows"
    write(str(folder), OLD, schema={"n": float})
    many = [{"at": datetime(2024, 1, 1), "n": number / 7} for number in range(2000)]
    with pytest.raises(OSError, match="too large") as caught:
        dataset(folder).write(many, Progress(None))
    assert caught.value.filename == str(folder)
    assert sums(folder, "n") == sum_of(1, 2, 4, 8)
    assert [path.name for path in (tmp_path / ".rows.viam-export").iterdir()] == ["lock"]


@pytest.fixture(scope="module")
def killed() -> Iterator[Any]:
    """A function that runs a dataset in a process that is killed before a step, and tells whether it was."""
    script = Path(sys.modules["child_datasets"].__file__ or "")
    root = Path(__file__).parents[3]
    path = os.pathsep.join([str(root), str(script.parent), os.environ.get("PYTHONPATH", "")])
    with subprocess.Popen(
        [sys.executable, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env={**os.environ, "PYTHONPATH": path},
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def run(step: int, folder: Path, rows: Rows, interval: Mapping[str, str]) -> bool:
            order = {"step": step, "folder": str(folder), "rows": rows, **interval}
            process.stdin.write(json.dumps(order).encode() + b"\n")
            status = int(process.stdout.readline())
            assert status in (0, signal.SIGKILL)
            return status == signal.SIGKILL

        yield run
        process.kill()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.parametrize(
    ("old", "new", "interval"),
    [(OLD, NEW, INTERVAL), (None, OLD, {}), ([], NEW, INTERVAL), (OLD, [], {}), (OLD[:1], NEW[2:], {})],
    ids=["a part of it", "the first run", "the first rows", "the last rows", "all of it"],
)
def test_a_run_that_is_killed_at_any_step_leaves_each_day_old_or_new(
    tmp_path: Path, killed: Any, old: Optional[Rows], new: Rows, interval: Dict[str, str]
) -> None:
    whole = tmp_path / "whole"
    if old is not None:
        write(str(whole), old, start="2024-01-01T00:00:00")
    step, seen, is_killed = 0, set(), True
    while is_killed:
        step += 1
        place = tmp_path / f"{step}"
        if old is None:
            place.mkdir()
        else:
            shutil.copytree(whole, place / "rows")
        is_killed = killed(step, place / "rows", new, interval)
        # A dataset that is not there yet appears at once.
        seen.add(state_of(place / "rows") if old is not None or (place / "rows").exists() else (0, 0.0))
        write(str(place / "rows"), new, **interval)
        assert state_of(place / "rows") == sum_of(*(number for _, number in after(old or [], new, interval)))
    assert seen <= set(states(old or [], new, interval))
    assert {sum_of(*(number for _, number in old or [])), state_of(place / "rows")} <= seen
    assert step > 10


def after(old: Rows, new: Rows, interval: Dict[str, str]) -> Rows:
    """Return the rows that a dataset has after a run."""
    start, end = interval.get("start", ""), interval.get("end", "9999")
    return [row for row in old if not start <= row[0] < end] + new


def states(old: Rows, new: Rows, interval: Dict[str, str]) -> Iterator[Any]:
    """Yield what readers may say of a dataset where each day is as before a run or as after it."""
    both = (old, after(old, new, interval))
    days = {time[:10] for rows in both for time, _ in rows}
    choices = [[[n for time, n in rows if time.startswith(day)] for rows in both] for day in days]
    for chosen in product(*choices):
        yield sum_of(*chain(*chosen))


def state_of(folder: Path) -> Any:
    """Return what readers say of a dataset, which has no numbers where it never had a row."""
    names = {tuple(parquet.read_schema(folder / name).names) for name in names_in(folder)}
    assert len(names) == 1
    return sums(folder, "n") if "n" in names.pop() else sum_of()
