"""The rows of a mirror, and those that the service has, in a form in which they are equal if their values are."""

import importlib
import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple

from viam_sync.app._data.tabular_records import plain_rows
from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.batches import plain_values
from viam_sync.transfer.output.flatten import flatten
from viam_sync.transfer.output.kinds import json_text

#: Rows, each as the text of its columns that have a value, and the number of times that it is there.
Rows = Dict[Tuple[Tuple[str, Any], ...], int]


def in_service(data: DataClient, filter: Optional[pb.Filter] = None) -> Rows:
    """Return the rows that match a filter, page by page."""
    rows: Rows = Counter()
    last = ""
    while True:
        page, _, last = data.tabular_data_by_filter(filter, limit=100, last=last)
        if not page:
            return rows
        rows.update(_row(flatten(row)) for row in plain_rows(page))


def in_mirror(dest: Path, table: str = "readings") -> Rows:
    """Return the rows of a mirror, with the names of columns that the service gives them."""
    arrow = importlib.import_module("pyarrow")
    return Counter(
        _row(dict(zip(table.column_names, values)))
        for table in _tables(dest, table)
        for values in zip(*(plain_values(column, arrow) for column in table.columns))
    )


def _tables(dest: Path, table: str) -> Iterable[Any]:
    if dest.suffix != ".duckdb":
        parquet = importlib.import_module("pyarrow.parquet")
        for path in sorted(dest.rglob("*.parquet")):
            yield parquet.ParquetFile(path).read()
        return
    with importlib.import_module("duckdb").connect(str(dest)) as connection:
        # The session's time zone is that of the computer, and Arrow's only has the name.
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.table(f'"{table}"').to_arrow_table()
        ((database,),) = connection.execute("SELECT current_database()").fetchall()
        query = f'SELECT columns FROM "{database}".viam_sync.mirrors WHERE name = CAST(? AS BLOB)'
        ((columns,),) = connection.execute(query, [table.lower()]).fetchall()
    names = {column: name for name, column in json.loads(columns).items()}
    yield found.rename_columns([names[column] for column in found.column_names])


def _row(values: Mapping[str, Any]) -> Tuple[Tuple[str, Any], ...]:
    return tuple(sorted((name, _text(value)) for name, value in values.items() if value is not None))


def _text(value: Any) -> Any:
    """Return a value as text, as a number is in a column of text, and a list may be."""
    if isinstance(value, str) and value.startswith("["):
        value = json.loads(value)
    return tuple(map(_text, value)) if isinstance(value, list) else None if value is None else json_text(value)
