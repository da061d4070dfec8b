"""Rows as record batches of Arrow, whose types are settled once the last row is known."""

from __future__ import annotations

import io
import json
from collections import deque
from typing import Any, BinaryIO, Callable, Deque, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from viam_sync.transfer.output.chunks import CHUNK_ROWS, Chunk, chunks
from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.common_kinds import common_kind
from viam_sync.transfer.output.kinds import Kind, arrow_type, fitted, leaf_of, merged, value_kind
from viam_sync.transfer.output.rows import Row, json_value
from viam_sync.transfer.output.schema import Schema, described, type_name

#: The kinds of values that need not be `fitted` to an array of their own kind.
_AS_THEY_ARE = ("bool", "int", "long", "float", "text")


class BatchStore:
    """Batches on their way, first in memory and then in a temporary file; each may have columns of its own.

    Args:
        arrow: The module ``pyarrow``.
        make_file: Returns the file; None where all batches stay in memory.
        memory: The size of the batches in memory, in bytes, after which the others go to the file.
    """

    def __init__(self, arrow: Any, make_file: Optional[Callable[[], BinaryIO]] = None, memory: int = 16 << 20) -> None:
        self._arrow, self._make_file, self._room = arrow, make_file, memory
        self._batches: Deque[Any] = deque()
        self._file: Optional[BinaryIO] = None

    def append(self, batch: Any) -> None:
        """Add a batch."""
        self._room -= batch.nbytes
        if self._make_file is None or self._room >= 0:
            self._batches.append(batch)
            return
        if self._file is None:
            self._file = self._make_file()
        write_batch(batch, self._file, self._arrow)

    @property
    def is_full(self) -> bool:
        """Whether there is more than memory is to hold."""
        return self._room < 0

    def drain(self) -> Iterator[Any]:
        """Yield all batches in their order, and forget them."""
        while self._batches:
            yield self._batches.popleft()
        if self._file is None:
            return
        yield from read_batches(self._file, self._arrow)

    def __enter__(self) -> BatchStore:
        return self

    def __exit__(self, *error: object) -> None:
        if self._file is not None:
            self._file.close()


def write_batch(batch: Any, file: BinaryIO, arrow: Any) -> None:
    """Write a batch at the end of a file; each has a stream of its own, as a stream has one schema."""
    with arrow.ipc.new_stream(file, batch.schema) as stream:
        stream.write_batch(batch)


def read_batches(file: BinaryIO, arrow: Any) -> Iterator[Any]:
    """Yield the batches that `write_batch` has written to a file, which is open for reading."""
    end = file.seek(0, io.SEEK_END)
    file.seek(0)
    while file.tell() < end:
        with arrow.ipc.open_stream(file) as stream:
            yield from stream


def record_batches(
    rows: Iterable[Row], columns: Columns, store: BatchStore, arrow: Any, most_rows: int = CHUNK_ROWS
) -> Tuple[Any, Iterator[Any]]:
    """Return the schema of rows, and the rows as record batches of it.

    Without a given schema, all rows are read first. The store holds them meanwhile, each column in the type of its
    values until then, as what it will be is not known.

    Args:
        rows: The rows.
        columns: The columns, to which each row is added; with a `Schema`, the rows are read as the batches are, and
            none is stored.
        store: The place of the batches whose types are not settled.
        arrow: The module ``pyarrow``.
        most_rows: The number of rows in a batch at most.

    Example:
        >>> import pyarrow
        >>> from viam_sync.transfer.output.batches import BatchStore, record_batches
        >>> from viam_sync.transfer.output.columns import Columns
        >>> rows = [{"speed": 1}, {"speed": 1.5}]
        >>> schema, batches = record_batches(rows, Columns(), BatchStore(pyarrow), pyarrow, most_rows=1)
        >>> schema.field("speed").type, [batch.to_pydict() for batch in batches]
        (DataType(double), [{'speed': [1.0]}, {'speed': [1.5]}])
    """
    batches = unsettled_batches(rows, columns, arrow, most_rows)
    if isinstance(columns, Schema):
        return columns.arrow_schema(arrow), batches
    for batch in batches:
        store.append(batch)
    return columns.arrow_schema(arrow), settled_batches(store.drain(), columns, arrow)


def unsettled_batches(rows: Iterable[Row], columns: Columns, arrow: Any, most_rows: int = CHUNK_ROWS) -> Iterator[Any]:
    """Yield rows as record batches, which `settled_batches` takes; with a `Schema`, they have its types already.

    Args:
        rows: The rows.
        columns: The columns, to which each row is added.
        arrow: The module ``pyarrow``.
        most_rows: The number of rows in a batch at most.
    """
    for chunk in chunks(rows, columns, most_rows):
        yield fitted_batch(chunk, columns, arrow) if isinstance(columns, Schema) else _unsettled_batch(chunk, arrow)


def settled_batches(batches: Iterable[Any], columns: Columns, arrow: Any) -> Iterator[Any]:
    """Yield the batches of `unsettled_batches` with all columns, once all rows were added to these."""
    kinds, schema = columns.kinds, columns.arrow_schema(arrow)
    return (settled_batch(batch, kinds, schema, arrow) for batch in batches)


def grouped(
    batches: Iterable[Any], schema: Any, arrow: Any, most_rows: int = 4_000, most_bytes: int = 16 << 20
) -> Iterator[Any]:
    """Yield batches as tables of ``most_rows`` rows and ``most_bytes`` at most, but of one batch at least."""
    group: List[Any] = []
    row_count = size = 0
    for batch in batches:
        if group and (row_count + batch.num_rows > most_rows or size + batch.nbytes > most_bytes):
            yield arrow.Table.from_batches(group, schema)
            group, row_count, size = [], 0, 0
        group.append(batch)
        row_count += batch.num_rows
        size += batch.nbytes
    if group:
        yield arrow.Table.from_batches(group, schema)


def whole_table(rows: Iterable[Row], columns: Columns, arrow: Any) -> Any:
    """Return rows as a table of pyarrow.

    Its columns are in pieces of some thousand rows, as bringing them together would take all of their memory again.

    Args:
        rows: The rows.
        columns: The columns, to which each row is added.
        arrow: The module ``pyarrow``.
    """
    with BatchStore(arrow) as store:
        schema, batches = record_batches(rows, columns, store, arrow)
        tables = grouped(batches, schema, arrow)
        pieces = [batch for table in tables for batch in table.combine_chunks().to_batches()]
        return arrow.Table.from_batches(pieces, schema)


def steady_batches(rows: Iterable[Row], columns: Columns, arrow: Any, most_rows: int) -> Iterator[Any]:
    """Yield rows as record batches of one schema as they come: that which is given, or else that of the first batch.

    Args:
        rows: The rows.
        columns: The columns, to which each row is added.
        arrow: The module ``pyarrow``.
        most_rows: The number of rows in a batch at most.

    Raises:
        ValueError: If a row does not fit the schema.
    """
    iterator = iter(rows)
    first = next(chunks(iterator, columns, most_rows), Chunk(0, {}))
    settled = columns if isinstance(columns, Schema) else _SettledColumns(columns, first.row_count)
    yield fitted_batch(first, settled, arrow)
    for chunk in chunks(iterator, settled, most_rows):
        yield fitted_batch(chunk, settled, arrow)


class _SettledColumns(Columns):
    """Columns that change no more after the first batch.

    Args:
        columns: The columns of the first batch.
        row_count: The number of its rows.
    """

    def __init__(self, columns: Columns, row_count: int) -> None:
        super().__init__({name: _kept_kind(kind) for name, kind in columns.kinds.items()})
        self._first, self._count = columns.kinds, row_count

    def add(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return a flat row as it is.

        Raises:
            ValueError: If a value does not fit; the error names the column, the row and both types.
        """
        self._count += 1
        for name, value in row.items():
            known = self._kinds.get(name, "null")
            if merged(known, value_kind(value)) != known:
                self._refuse(name, value)
        return row

    def add_columns(self, rows: Sequence[Mapping[str, Any]], flat: Dict[str, List[Any]]) -> Dict[str, List[Any]]:
        """Return the columns of some rows as they are.

        Raises:
            ValueError: If a value does not fit; the error is that of `add`.
        """
        for name, values in flat.items():
            known = self._kinds.get(name, "null")
            if merged(known, common_kind(values)[0]) != known:
                for row in rows:
                    self.add(self.flat_row(row))
        self._count += len(rows)
        return flat

    def _refuse(self, name: str, value: Any) -> None:
        kind = self._first.get(name, "null")
        known = "has no value" if kind == "null" else f"is {type_name(self._kinds[name])}"
        raise ValueError(
            f"rows: the column {name!r} {known} in the first batch, but row {self._count:,} has {described(value)}"
            " there; give the names and types of all columns as schema"
        )


def _kept_kind(kind: Kind) -> Kind:
    """Return the kind that a column keeps: one without values is of numbers, and whole ones may be of any size."""
    if isinstance(kind, tuple):
        return "list", _kept_kind(kind[1])
    return {"null": "float", "int": "long"}.get(kind, kind)


def fitted_batch(chunk: Chunk, columns: Columns, arrow: Any) -> Any:
    """Return a chunk as a record batch with all columns, whose kinds do not change any more."""
    arrays = [
        _array(chunk.columns[name], kind, arrow)
        if name in chunk.columns
        else arrow.nulls(chunk.row_count, arrow_type(kind, arrow))
        for name, kind in columns.kinds.items()
    ]
    return arrow.RecordBatch.from_arrays(arrays, schema=columns.arrow_schema(arrow))


def _array(values: Sequence[Any], kind: Kind, arrow: Any) -> Any:
    return _typed_array(values, kind, common_kind(values) == (kind, True), arrow)


def _typed_array(values: Sequence[Any], kind: Kind, exact: bool, arrow: Any) -> Any:
    """Return values as an array of a kind; most need not be `fitted`, as Arrow takes them as they are."""
    leaf = leaf_of(kind)
    naive = leaf == "time" and kind == leaf and {value.tzinfo for value in values if value is not None} <= {None}
    if kind != "float" and not (exact and (naive or leaf in _AS_THEY_ARE)):
        values = [fitted(value, kind) for value in values]
    return arrow.array(values, arrow_type(kind, arrow))


def _unsettled_batch(chunk: Chunk, arrow: Any) -> Any:
    arrays = {name: _unsettled(values, arrow) for name, values in chunk.columns.items()}
    # A batch without columns would have no rows either; if there is a column without a name, they lack it.
    arrays = arrays or {"": arrow.nulls(chunk.row_count)}
    return arrow.RecordBatch.from_arrays(list(arrays.values()), list(arrays))


def _unsettled(values: Sequence[Any], arrow: Any) -> Any:
    """Return values as an array of their own type, from which they can be had as they were.

    Text is written as it is, as any column that has it is one of text. Other values that are not all of one kind need
    another form: numbers go with a flag that tells the whole ones, and lists become JSON.
    """
    kind, exact = common_kind(values)
    if exact or kind == "text":
        return _typed_array(values, kind, exact, arrow)
    if kind == "float":
        numbers = _typed_array(values, kind, exact, arrow)
        whole = arrow.array([isinstance(value, int) for value in values], arrow.bool_())
        return arrow.StructArray.from_arrays([numbers, whole], ["number", "whole"])
    text = [None if value is None else json.dumps(value, default=json_value) for value in values]
    return arrow.StructArray.from_arrays([arrow.array(text, arrow.string())], ["json"])


def settled_batch(batch: Any, kinds: Mapping[str, Kind], schema: Any, arrow: Any) -> Any:
    """Return a record batch with all columns of a schema, each in the type that it has there.

    Args:
        batch: The batch; columns may be missing, and of a type whose values fit that of the schema.
        kinds: The kinds of all columns, in the order of the schema.
        schema: The schema, as pyarrow has it.
        arrow: The module ``pyarrow``.
    """
    found = dict(zip(batch.schema.names, batch.columns))
    arrays = [
        settled(found[name], kind, field.type, arrow) if name in found else arrow.nulls(batch.num_rows, field.type)
        for (name, kind), field in zip(kinds.items(), schema)
    ]
    return arrow.RecordBatch.from_arrays(arrays, schema=schema)


def settled(array: Any, kind: Kind, type: Any, arrow: Any) -> Any:
    """Return an array in the type that its column has in the end: what `_unsettled` has made, or one of a file.

    Args:
        array: The array.
        kind: The kind of the column in the end.
        type: The type of pyarrow for it.
        arrow: The module ``pyarrow``.
    """
    if array.type == type:
        return array
    if array.null_count == len(array):
        return arrow.nulls(len(array), type)
    if kind == "float":
        return array.field("number") if arrow.types.is_struct(array.type) else array.cast(type)
    return _array(plain_values(array, arrow), kind, arrow)


def plain_values(array: Any, arrow: Any) -> List[Any]:
    """Return the values of an array, with times in UTC without a time zone."""
    if not arrow.types.is_struct(array.type):
        # Python 3.8 without pytz, and Windows without tzdata, know no time zone, not even UTC.
        values: List[Any] = array.cast(_without_zone(array.type, arrow)).to_pylist()
        return values
    fields = [field.to_pylist() for field in array.flatten()]
    if len(fields) == 1:
        return [None if text is None else json.loads(text) for text in fields[0]]
    return [int(number) if whole else number for number, whole in zip(*fields)]


def _without_zone(type: Any, arrow: Any) -> Any:
    if arrow.types.is_list(type):
        return arrow.list_(_without_zone(type.value_type, arrow))
    return arrow.timestamp("us") if arrow.types.is_timestamp(type) else type
