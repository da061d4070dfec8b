"""Runs of a mirror over rows that no service has to give."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Tuple

import pytest

from viam_sync.errors import InternalError
from viam_sync.transfer.mirror.mirror_result import MirrorResult
from viam_sync.transfer.mirror.mirror_run import MirrorPlan, run_mirror
from viam_sync.transfer.mirror.open_mirror import open_mirror
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.remote import Location

pytest.importorskip("pyarrow")
duckdb: Any = pytest.importorskip("duckdb")

NOON = datetime(2024, 1, 1, 12)
MICROSECOND = timedelta(microseconds=1)
Row = Mapping[str, Any]


@pytest.fixture(params=["rows.duckdb", "rows"])
def dest(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / request.param


def run(dest: Path, rows: List[Row], start: Optional[datetime] = None, end: Optional[datetime] = None) -> MirrorResult:
    result = MirrorResult(str(dest))
    plan = MirrorPlan({}, {"at": "time"}, Interval(start, end), None)
    with open_mirror(Location("dest", dest), "readings", {}, "at") as target:
        run_mirror(target, rows, plan, Progress(None), result)
    return result


def at(moment: datetime, n: Any) -> Row:
    return {"at": moment, "n": n}


def column(dest: Path, name: str = "n") -> Tuple[str, List[Any]]:
    """Return the type of a column, as DuckDB names it, and its values in the order of the times."""
    with duckdb.connect() as connection:
        if dest.suffix:
            connection.execute(f"ATTACH '{dest}' AS mirror; USE mirror")
        source = "readings" if dest.suffix else f"'{dest}/*/*.parquet'"
        found = connection.execute(f'SELECT "{name}", typeof("{name}") FROM {source} ORDER BY "at"').fetchall()
    return found[0][1], [value for value, _ in found]


def test_rows_that_the_service_gives_of_other_times_are_left_out(dest: Path) -> None:
    run(dest, [at(NOON + n * MICROSECOND, n) for n in range(5)])
    # Its ends of an interval may belong to it, and be rounded.
    start, end = NOON + MICROSECOND, NOON + 4 * MICROSECOND
    result = run(dest, [at(NOON, 7), at(NOON + 2 * MICROSECOND, 20), at(end, 40)], start, end)
    assert (result.added, result.removed) == (1, 3)
    assert column(dest) == ("BIGINT", [0, 20, 4])


def test_rows_in_any_order_within_a_millisecond_are_all_there(dest: Path) -> None:
    order = [2, 0, 1, 1, 999]
    run(dest, [at(NOON + n * MICROSECOND, n) for n in order])
    assert column(dest)[1] == sorted(order)
    assert run(dest, [at(NOON + n * MICROSECOND, n) for n in reversed(order)]).added == 0


def test_rows_that_are_not_in_order_are_an_error(dest: Path) -> None:
    with pytest.raises(InternalError, match="The service gave rows in another order than that of their times"):
        run(dest, [at(NOON, 1), at(NOON - timedelta(seconds=1), 2)])


@pytest.mark.parametrize(
    ("values", "type", "found"),
    [
        ([1, 2.5], "DOUBLE", [1.0, 2.5]),
        ([2**53 + 1, 2.5], "VARCHAR", ["9007199254740993", "2.5"]),
        ([2.5, 2**53 + 1], "VARCHAR", ["2.5", "9007199254740993"]),
        ([1, 2**60, 3], "BIGINT", [1, 2**60, 3]),
        ([1, 2**64], "VARCHAR", ["1", "18446744073709551616"]),
        ([None, 5], "BIGINT", [None, 5]),
        ([True, 1], "VARCHAR", ["true", "1"]),
        ([1e16, float("nan"), -0.5, "a"], "VARCHAR", ["1e+16", "NaN", "-0.5", "a"]),
        ([[], [1]], "BIGINT[]", [[], [1]]),
        # The whole number has become one with a point before it became text.
        ([[1], [2.5], ["a", None]], "VARCHAR[]", [["1.0"], ["2.5"], ["a", None]]),
        ([[1], "a", {}], "VARCHAR", ["[1]", "a", "{}"]),
    ],
)
def test_a_column_widens_run_by_run_and_loses_nothing(
    dest: Path, values: List[Any], type: str, found: List[Any]
) -> None:
    rows: List[Row] = []
    for number, value in enumerate(values):
        # Only the last day is compared.
        rows = [at(NOON + timedelta(days=number), value)]
        run(dest, rows, rows[0]["at"])
    assert column(dest) == (type, found)
    assert run(dest, rows, rows[0]["at"]).changed_columns == []


def test_a_run_in_many_slices_that_fails_goes_on_where_it_was(dest: Path) -> None:
    text = "x" * (1 << 19)
    rows = [at(NOON + timedelta(hours=n), f"{n}{text}") for n in range(30)]

    class LostError(Exception):
        pass

    def lost() -> Any:
        yield from rows[:25]
        raise LostError

    with pytest.raises(LostError):
        run(dest, lost())
    with open_mirror(Location("dest", dest), "readings", {}, "at") as target:
        assert target.state is not None
        until = target.state.until
        count = target.count_rows()
    assert until is not None
    assert NOON < until <= NOON + timedelta(hours=25)
    assert count == sum(row["at"] < until for row in rows) > 0
    assert run(dest, [row for row in rows if row["at"] >= until], until).added == 30 - count
    assert [value[:2] for value in column(dest)[1]] == [f"{n}x"[:2] for n in range(30)]


def test_two_thousand_columns_come_in_slices_of_their_own(dest: Path) -> None:
    def wide(first: int) -> Dict[str, Any]:
        return {f"c{number}": number for number in range(first, first + 1000)}

    run(dest, [{"at": NOON, **wide(0)}])
    result = run(dest, [{"at": NOON + timedelta(days=1), **wide(1000)}], NOON + timedelta(days=1))
    assert len(result.new_columns) == 1000
    assert column(dest, "c1999") == ("BIGINT", [None, 1999])
