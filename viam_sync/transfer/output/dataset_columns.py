"""The columns of a dataset, which all of its files have, and the note in each file for the next run."""

from __future__ import annotations

import json
from itertools import islice
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Set, TextIO, Tuple

from viam_sync.checks import one_of
from viam_sync.transfer.output.columns import Columns, optional, to_json
from viam_sync.transfer.output.kinds import Kind, fitted
from viam_sync.transfer.output.schema import MISFITS, Schema

#: The key of the note in the metadata of a file.
_KEY = b"viam_sync.dataset"
#: The number of rows that are dicts at a time, which take ten times the memory that a table takes.
_TABLE_ROWS = 1_000


class Note(NamedTuple):
    """The note that each file of a dataset holds for the next run.

    Attributes:
        source: The rows that the dataset is of: their filter, without its interval.
        inferred: Whether the columns were found from the rows, and not given.
        as_json: The columns of text in which a value that is no text is written as JSON, as the rows from which they
            were found had values of several types there.
    """

    source: Mapping[str, Any]
    inferred: bool = False
    as_json: List[str] = []

    @classmethod
    def of(cls, arrow_schema: Any) -> Optional[Note]:
        """Return the note in the schema of a file, as pyarrow has it; None if it is no file of a dataset."""
        text = (arrow_schema.metadata or {}).get(_KEY)
        return None if text is None else cls(**json.loads(text))

    def within(self, arrow_schema: Any) -> Any:
        """Return a schema of pyarrow with this note."""
        return arrow_schema.with_metadata({_KEY: json.dumps(self._asdict(), sort_keys=True).encode()})


class DatasetColumns:
    """The columns of a dataset for one run.

    Args:
        schema: The schema that values are fitted to.
        arrow_schema: The schema of the files, as pyarrow has it, with the note; it has the same columns.
        as_json: The columns of text in which a value that is no text is written as JSON.

    Attributes:
        arrow_schema: The schema of the files.
    """

    def __init__(self, schema: Schema, arrow_schema: Any, as_json: Iterable[str] = ()) -> None:
        self.arrow_schema = arrow_schema
        self._schema = schema
        self._as_json: Dict[str, Kind] = {name: schema.kinds[name] for name in as_json}

    def tables(self, rows: Iterable[Mapping[str, Any]]) -> Iterator[Any]:
        """Yield flat rows as tables of pyarrow, of a limited number of rows each.

        Raises:
            ValueError: If a value does not fit; the error names the column, the row and both types.
        """
        arrow = optional("pyarrow", "a dataset", "viam-sync[arrow]")
        fitting = map(self._fit, rows)
        for group in iter(lambda: list(islice(fitting, _TABLE_ROWS)), []):
            yield self._schema.to_arrow(group, arrow).select(self.arrow_schema.names)

    def _fit(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        texts = {name: _as_text(row[name], kind) for name, kind in self._as_json.items() if name in row}
        return self._schema.add({**row, **texts} if texts else row)


def _as_text(value: Any, kind: Kind) -> Any:
    # What is no list does not fit in a column of lists, which is for the schema to say.
    return value if isinstance(kind, tuple) and not isinstance(value, (list, tuple)) else fitted(value, kind)


class InferredColumns(Columns):
    """Columns that are found from rows, which go to a file meanwhile.

    Args:
        file: The file for the rows.
        fixed: The columns that are there in any case, and their kinds.

    Example:
        >>> import io
        >>> from viam_sync.transfer.output.dataset_columns import InferredColumns
        >>> columns = InferredColumns(io.StringIO(), {})
        >>> columns.fill([{"level": 1.5, "name": "a"}, {"level": "n/a"}])
        >>> columns.kinds, columns.as_json
        ({'level': 'text', 'name': 'text'}, ['level'])
        >>> list(columns.rows())
        [{'level': 1.5, 'name': 'a'}, {'level': 'n/a'}]
    """

    def __init__(self, file: TextIO, fixed: Mapping[str, Kind]) -> None:
        super().__init__(fixed)
        self._file = file
        self._not_text: Set[str] = set()

    @property
    def as_json(self) -> List[str]:
        """The columns of text that hold other values too."""
        return sorted(name for name in self._not_text if _is_text_kind(self.kinds[name]))

    def fill(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add flat rows, and write them to the file."""
        for row in rows:
            self._not_text.update(name for name, value in row.items() if not _is_text_value(value))
            self._file.write(to_json(self.add(row)) + "\n")

    def rows(self) -> Iterator[Mapping[str, Any]]:
        """Return the rows from the file."""
        self._file.seek(0)
        return map(json.loads, self._file)


def _is_text_kind(kind: Kind) -> bool:
    return _is_text_kind(kind[1]) if isinstance(kind, tuple) else kind == "text"


def _is_text_value(value: Any) -> bool:
    return value is None or isinstance(value, str) or (isinstance(value, list) and all(map(_is_text_value, value)))


class ColumnRules:
    """The rules for the columns of a dataset: they are those of its files, else those given, else those of the rows.

    Args:
        source: The rows that the dataset is of.
        fixed: The columns that are there in any case, and their kinds.
        schema: The columns that the caller names, as `Schema` takes them; None for none.
        misfits: What becomes of a value that does not fit, as `Schema` takes it.

    Raises:
        TypeError: If the schema is none.
        ValueError: If there is something wrong with the schema, or ``misfits``.
    """

    def __init__(self, source: Mapping[str, Any], fixed: Mapping[str, Kind], schema: Any, misfits: str) -> None:
        self._arrow = optional("pyarrow", "a dataset", "viam-sync[arrow]")
        self._source, self._fixed = source, fixed
        self._misfits = one_of("misfits", misfits, MISFITS)
        self._given = None if schema is None else self._schema(schema)

    def _schema(self, columns: Any) -> Schema:
        return Schema(columns, fixed=self._fixed, misfits=self._misfits)

    def columns(
        self, known: Any, is_empty: bool, rows: Iterable[Mapping[str, Any]], spool: TextIO
    ) -> Tuple[DatasetColumns, Iterable[Mapping[str, Any]]]:
        """Return the columns, and flat rows to write; where the rows are needed for the columns, they are in a file.

        Args:
            known: The schema of the files of the dataset, as pyarrow has it; None if there are none.
            is_empty: Whether these files have no rows, so that there is nothing which must go with the columns.
            rows: The rows.
            spool: The file for the rows.

        Raises:
            ValueError: If the files have other columns than those given.
        """
        note = None if known is None else Note.of(known)
        if known is None or note is None or (is_empty and (note.inferred or self._given is not None)):
            return self._new_columns(rows, spool)
        schema = self._schema(known) if self._given is None else self._given
        found = schema.arrow_schema(self._arrow)
        require_same_columns(found, known)
        # The files have an order of their own.
        ordered = self._arrow.schema([found.field(name) for name in known.names])
        return DatasetColumns(schema, note.within(ordered), note.as_json if self._given is None else ()), rows

    def _new_columns(
        self, rows: Iterable[Mapping[str, Any]], spool: TextIO
    ) -> Tuple[DatasetColumns, Iterable[Mapping[str, Any]]]:
        if self._given is not None:
            as_json = [name for name, kind in self._given.kinds.items() if kind == "object"]
            note = Note(self._source, as_json=as_json)
            return DatasetColumns(self._given, note.within(self._given.arrow_schema(self._arrow))), rows
        inferred = InferredColumns(spool, self._fixed)
        inferred.fill(rows)
        schema = self._schema(inferred.arrow_schema(self._arrow))
        note = Note(self._source, inferred=True, as_json=inferred.as_json)
        return DatasetColumns(schema, note.within(schema.arrow_schema(self._arrow)), note.as_json), inferred.rows()


def require_same_columns(given: Any, known: Any) -> None:
    """Refuse a schema of pyarrow with other columns than those of the files of a dataset.

    Raises:
        ValueError: If they differ; the error names the column, and both types.
    """
    for name in dict.fromkeys((*given.names, *known.names)):
        new, old = (schema.field(name).type if name in schema.names else None for schema in (given, known))
        if new != old:
            raise ValueError(
                f"schema has {_column(name, new)}, but the files of the dataset have {_column(name, old)}; correct it,"
                " leave it out, or name another folder"
            )


def _column(name: str, type: Any) -> str:
    return f"no column {name!r}" if type is None else f"the column {name!r} as {type}"
