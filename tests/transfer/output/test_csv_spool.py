"""CSV that is written as rows come: the same bytes as when all columns are known before."""

import io
import random
from typing import Any, Dict, List

import pytest

from viam_sync.transfer.output.columns import Columns, columns_of
from viam_sync.transfer.output.csv_spool import CsvSpool
from viam_sync.transfer.output.kinds import Kind
from viam_sync.transfer.output.schema import Schema
from viam_sync.transfer.output.writers import write_csv

VALUES = ["", '"', '""', ",", "a,b", '"a",', "\n", "a\r\nb", "\r", " a ", "=1+1", "é", 1, -2.5, True, None, [1, "a"]]


def spooled(rows: List[Dict[str, Any]], columns: Columns, escape_formulas: bool = False) -> bytes:
    spool, target = CsvSpool(io.BytesIO(), columns, escape_formulas=escape_formulas), io.BytesIO()
    spool.fill(rows)
    spool.copy_to(target)
    return target.getvalue()


def in_two_passes(rows: List[Dict[str, Any]], fixed: Dict[str, Kind], escape_formulas: bool = False) -> bytes:
    flat, columns = columns_of(rows, fixed)
    target = io.BytesIO()
    write_csv(target, list(columns.kinds), flat, escape_formulas=escape_formulas)
    return target.getvalue()


@pytest.mark.parametrize("seed", range(200))
def test_late_columns_make_the_bytes_of_columns_that_were_known_before(seed: int) -> None:
    chance = random.Random(seed)
    names = chance.sample(["a", "b", "c,", 'd"', "e\n", "=f", "g.h"], chance.randint(1, 7))
    rows = [
        {name: chance.choice(VALUES) for name in chance.sample(names, chance.randint(0, min(len(names), 3)))}
        for _ in range(chance.randint(0, 9))
    ]
    fixed: Dict[str, Kind] = {"z": "text"} if seed % 2 else {}
    for escape_formulas in (False, True):
        expected = in_two_passes(rows, fixed, escape_formulas)
        assert spooled(rows, Columns(fixed), escape_formulas) == expected


def test_rows_before_the_first_column_are_empty() -> None:
    assert spooled([{}, {}], Columns()) == b"\r\n\r\n"
    assert spooled([{}, {"a": 1}], Columns()) == in_two_passes([{}, {"a": 1}], {})


def test_a_cell_may_be_longer_than_the_reader_of_python_takes() -> None:
    rows: List[Dict[str, Any]] = [{"text": 'x"\n' * 100_000}, {"late": 1}]
    assert spooled(rows, Columns()) == in_two_passes(rows, {})


def test_the_columns_of_a_schema_are_all_there_from_the_beginning() -> None:
    schema = Schema({"speed": int, "name": str}, misfits="null")
    assert spooled([{"name": "arm"}, {"speed": 2.0, "on": True}], schema).split() == [b"speed,name", b",arm", b"2,"]
