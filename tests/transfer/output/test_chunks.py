"""Rows as columns, a block at a time: the same as row by row, with little work for each row."""

import datetime as dt
import sys
from functools import reduce
from typing import Any, Dict, Iterator, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from viam_sync.tabular import to_arrow
from viam_sync.transfer.output.chunks import chunks
from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.common_kinds import common_kind
from viam_sync.transfer.output.flatten import flat_columns, flatten
from viam_sync.transfer.output.kinds import Kind, arrow_type, fitted, merged, value_kind
from viam_sync.transfer.output.schema import Schema

#: A busy machine is no fault of the code.
anyhow = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)

KEYS = st.sampled_from(["a", "A", "a.b", "x\\y", "", "é"])
WHOLE = st.sampled_from([0, -1, 2**53, 2**53 + 1, -(2**63), 2**63, 2**70])
LEAVES = [
    st.none(),
    st.booleans(),
    st.integers() | WHOLE,
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.datetimes() | st.datetimes(timezones=st.just(dt.timezone(dt.timedelta(hours=2)))),
]
VALUES = st.recursive(
    st.one_of(LEAVES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=4,
)
ROWS = st.lists(st.dictionaries(KEYS, VALUES, max_size=4), min_size=1, max_size=8)


@anyhow
@given(ROWS, st.sets(KEYS))
def test_rows_as_columns_hold_what_they_hold_one_by_one(rows: List[Dict[str, Any]], whole: Any) -> None:
    flat = [flatten(row, whole) for row in rows]
    names = {name for row in flat for name in row}
    assert flat_columns(rows, whole) == {name: [row.get(name) for row in flat] for name in names}


def test_rows_that_share_an_object_have_columns_of_their_own() -> None:
    shared = {"name": "air", "tags": ["a"]}
    columns = flat_columns([{"metadata": shared, "n": number} for number in range(3)])
    assert columns == {"metadata.name": ["air"] * 3, "metadata.tags": [["a"]] * 3, "n": [0, 1, 2]}


@anyhow
@given(st.lists(VALUES, max_size=6) | st.one_of([st.lists(st.none() | leaf, max_size=6) for leaf in LEAVES]))
def test_the_kind_of_a_column_is_that_of_its_values_one_by_one(values: List[Any]) -> None:
    null: Kind = "null"
    assert common_kind(values)[0] == reduce(merged, map(value_kind, values), null)


@anyhow
@given(ROWS)
def test_a_table_is_that_of_all_values_one_by_one(rows: List[Dict[str, Any]]) -> None:
    arrow = pytest.importorskip("pyarrow")
    columns = Columns()
    flat = [columns.add(columns.flat_row(row)) for row in rows]
    table = to_arrow(rows * 40)
    assert dict(zip(table.schema.names, table.schema.types)) == {
        name: arrow_type(kind, arrow) for name, kind in columns.kinds.items()
    }
    for name, kind in columns.kinds.items():
        values = [fitted(row.get(name), kind) for row in flat]
        assert table[name].combine_chunks().equals(arrow.array(values * 40, arrow_type(kind, arrow)))


@anyhow
@given(ROWS, st.integers(1, 5), st.integers(0, 20))
def test_chunks_hold_all_rows_whatever_their_size(rows: List[Dict[str, Any]], most_rows: int, most_bytes: int) -> None:
    columns = Columns()
    found = list(chunks(rows, columns, most_rows, most_bytes))
    assert sum(chunk.row_count for chunk in found) == len(rows)
    assert all(0 < chunk.row_count <= most_rows for chunk in found)
    for name in columns.kinds:
        cells = [cell for chunk in found for cell in chunk.columns.get(name, [None] * chunk.row_count)]
        assert cells == [flatten(row).get(name) for row in rows]


def test_a_chunk_ends_with_the_row_that_brings_it_beyond_its_bytes() -> None:
    sizes = [1] * 100 + [500, 600, 1, 1001, 1001] + [1] * 10
    found = list(chunks(({"text": "x" * size} for size in sizes), Columns(), most_bytes=1000))
    assert [chunk.row_count for chunk in found] == [102, 2, 1, 10]


def test_a_column_that_comes_after_the_end_of_a_chunk_is_not_in_it() -> None:
    rows = [{"text": "x" * 9}, {"text": "x" * 9}, {"late": 1}]
    assert [sorted(chunk.columns) for chunk in chunks(rows, Columns(), most_bytes=10)] == [["text"], ["late"]]


def test_large_rows_are_not_read_far_ahead() -> None:
    read = 0

    def rows() -> Iterator[Dict[str, str]]:
        nonlocal read
        for read in range(1, 101):  # noqa: B007
            yield {"text": "x" * 1000}

    first = next(chunks(rows(), Columns(), most_bytes=10_000))
    assert first.row_count <= read <= first.row_count + 1


@pytest.mark.parametrize("columns", [Columns(), Schema({"on": bool, "data.note": str, "data.at.x": float})])
def test_rows_that_are_alike_take_no_call_of_a_function_each(columns: Columns) -> None:
    rows = [{"on": True, "data": {"note": f"note {number}", "at": {"x": number / 7}}} for number in range(5000)]
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        found = list(chunks(rows, columns))
    finally:
        sys.setprofile(None)
    assert sum(chunk.row_count for chunk in found) == len(rows)
    assert calls < len(rows)
