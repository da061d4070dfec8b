"""The readers of a dataset, each called as its users call it, with no option."""

import importlib
import warnings
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

import pytest

#: The number of rows, and the sum of a column.
Sums = Tuple[int, float]


def _polars(folder: Path, column: str) -> Sums:
    polars = importlib.import_module("polars")
    eager = polars.read_parquet(folder)
    lazy = polars.scan_parquet(folder).select(polars.len(), polars.col(column).sum()).collect()
    assert lazy.row(0) == (len(eager), pytest.approx(eager[column].sum()))
    return _sums(len(eager), eager[column])


def _duckdb(folder: Path, column: str) -> Sums:
    duckdb = importlib.import_module("duckdb")
    query = f"SELECT count(*), coalesce(sum(\"{column}\"), 0) FROM '{folder}/{{}}.parquet'"
    with duckdb.connect() as connection:
        found = connection.sql(query.format("*/*")).fetchall()
        assert connection.sql(query.format("**/*")).fetchall() == [(found[0][0], pytest.approx(found[0][1]))]
    return found[0][0], found[0][1]


def _pyarrow(folder: Path, column: str) -> Sums:
    dataset = importlib.import_module("pyarrow.dataset")
    table = dataset.dataset(str(folder)).to_table()
    assert dataset.dataset(str(folder), partitioning="hive").to_table()[column] == table[column]
    return _sums(table.num_rows, table[column].to_pandas())


def _pandas(folder: Path, column: str) -> Sums:
    frame = importlib.import_module("pandas").read_parquet(folder)
    return _sums(len(frame), frame[column])


def _dask(folder: Path, column: str) -> Sums:
    frame = importlib.import_module("dask.dataframe").read_parquet(str(folder))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about what Dask calls
        return _sums(len(frame), frame[column].compute(scheduler="synchronous"))


def _sums(rows: int, values: Any) -> Sums:
    return rows, float(values.sum())


_READERS: Dict[str, Callable[[Path, str], Sums]] = {
    "polars": _polars,
    "duckdb": _duckdb,
    "pyarrow.dataset": _pyarrow,
    "pandas": _pandas,
    "dask.dataframe": _dask,
}


def sums(folder: Path, column: str) -> Sums:
    """Return what each reader that is installed says of a dataset, which must be the same."""
    found = {}
    for name, read in _READERS.items():
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        found[name] = read(folder, column)
    assert found, "there is no reader"
    first = next(iter(found.values()))
    assert found == dict.fromkeys(found, pytest.approx(first))
    return first
