"""The columns of a dataset, which all of its files have, and the note in each file for the next run."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set

from viam_sync.checks import one_of
from viam_sync.transfer.output.columns import Columns, optional
from viam_sync.transfer.output.kinds import Kind, fitted, leaf_of
from viam_sync.transfer.output.schema import MISFITS, RESCUED, Schema, arrow_kinds, type_name

#: The key of the note in the metadata of a file.
_KEY = b"viam_sync.dataset"


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


class InferredColumns(Columns):
    """The columns of the first rows of a dataset, for which later rows are made to fit.

    Args:
        fixed: The columns that are there in any case, and their kinds.
        rescues: Whether there is a last column for what does not fit later.

    Example:
        >>> from viam_sync.transfer.output.dataset_columns import InferredColumns
        >>> columns = InferredColumns({}, rescues=False)
        >>> for row in ({"level": 1.5, "name": "a"}, {"level": "n/a"}):
        ...     _ = columns.add(row)
        >>> columns.kinds, columns.as_json()
        ({'level': 'text', 'name': 'text'}, ['level'])
    """

    def __init__(self, fixed: Mapping[str, Kind], rescues: bool) -> None:
        super().__init__(fixed)
        self._rescued: Dict[str, Kind] = {RESCUED: "text"} if rescues else {}
        self._not_text: Set[str] = set()

    @property
    def kinds(self) -> Dict[str, Kind]:
        """The kind of each column, by its name, in the order of the columns; known once all rows were added."""
        return {**super().kinds, **self._rescued}

    def add(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add the columns of a flat row, and return the row."""
        self._not_text.update(name for name, value in row.items() if not _is_text(value))
        return super().add(row)

    def add_columns(self, rows: Sequence[Mapping[str, Any]], flat: Dict[str, List[Any]]) -> Dict[str, List[Any]]:
        """Add some rows at a time, and return their columns."""
        self._not_text.update(name for name, values in flat.items() if not all(map(_is_text, values)))
        return super().add_columns(rows, flat)

    def findings(self) -> Dict[str, Any]:
        """Return the columns that the rows were found to have, in a form that JSON can hold."""
        return {**super().findings(), "not_text": sorted(self._not_text)}

    def add_findings(self, findings: Mapping[str, Any]) -> None:
        """Add the columns of other rows, as `findings` has told them; they may have been JSON."""
        super().add_findings(findings)
        self._not_text.update(findings["not_text"])

    def as_json(self) -> List[str]:
        """Return the columns of text in which there are other values, too."""
        return sorted(name for name in self._not_text if leaf_of(self.kinds[name]) == "text")


class DatasetSchema(Schema):
    """The schema of a dataset that has files, some of whose columns of text take other values, too.

    Args:
        columns: The columns, as `Schema` takes them.
        as_json: The columns of text in which a value that is no text is written as JSON.
        given: Whether these columns were given as those of objects, and not found.
        fixed: The columns that are there in any case, and their kinds.
        misfits: What becomes of a value that does not fit.
    """

    def __init__(
        self, columns: Any, as_json: Iterable[str], given: bool, fixed: Mapping[str, Kind], misfits: str
    ) -> None:
        super().__init__(columns, fixed=fixed, misfits=misfits)
        self._as_json: Dict[str, Kind] = {name: self.kinds[name] for name in as_json}
        if given:
            self._whole = {name for name, kind in self._as_json.items() if kind == "text"}

    def add(self, row: Mapping[str, Any]) -> Dict[str, Any]:
        """Return a flat row as the columns take it."""
        texts = {name: _as_text(row[name], kind) for name, kind in self._as_json.items() if name in row}
        return super().add({**row, **texts} if texts else row)


def _as_text(value: Any, kind: Kind) -> Any:
    # What is no list does not fit in a column of lists, which is for the schema to say.
    return value if isinstance(kind, tuple) and not isinstance(value, (list, tuple)) else fitted(value, kind)


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str) or (isinstance(value, list) and all(map(_is_text, value)))


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
        self._arrow = optional("pyarrow", "a dataset")
        self._source, self._fixed = source, fixed
        self._misfits = one_of("misfits", misfits, MISFITS)
        self._given = None if schema is None else Schema(schema, fixed=fixed, misfits=misfits)

    def may_change(self, known: Any) -> bool:
        """Tell whether a dataset without rows may get other columns than its file has.

        Args:
            known: The schema of the file, as pyarrow has it.
        """
        note = Note.of(known)
        return self._given is not None or note is None or note.inferred

    def columns(self, known: Any) -> Columns:
        """Return the columns, to which rows are to be added.

        Args:
            known: The schema of the files, as pyarrow has it, if the columns must be those; None if not.

        Raises:
            ValueError: If the files have other columns than those given.
        """
        if known is None:
            return self._given or InferredColumns(self._fixed, self._misfits == "rescue")
        note = Note.of(known) or Note(self._source)
        schema = self._given or DatasetSchema(known, note.as_json, not note.inferred, self._fixed, self._misfits)
        require_same_columns(schema.arrow_schema(self._arrow), known)
        return schema

    def file_schema(self, columns: Columns, known: Any) -> Any:
        """Return the schema of new files, as pyarrow has it, once all rows were added.

        Args:
            columns: The columns.
            known: The schema that `columns` took.
        """
        found = columns.arrow_schema(self._arrow)
        note = None if known is None else Note.of(known)
        if known is not None and note is not None:
            # The files have an order of their own.
            return note.within(self._arrow.schema([found.field(name) for name in known.names]))
        if isinstance(columns, InferredColumns):
            return Note(self._source, inferred=True, as_json=columns.as_json()).within(found)
        return Note(self._source, as_json=[n for n, kind in columns.kinds.items() if leaf_of(kind) == "object"]).within(
            found
        )


def require_same_columns(given: Any, known: Any) -> None:
    """Refuse a schema of pyarrow with other columns than those of the files of a dataset.

    Raises:
        ValueError: If they differ; the error names the column, and both types.
    """
    given_kinds, known_kinds = arrow_kinds(given), arrow_kinds(known)
    for name in {**given_kinds, **known_kinds}:
        new, old = given_kinds.get(name), known_kinds.get(name)
        if new != old:
            raise ValueError(
                f"schema has {_column(name, new)}, but the files of the dataset have {_column(name, old)}; correct it,"
                " leave it out, or name another folder"
            )


def _column(name: str, kind: Optional[Kind]) -> str:
    return f"no column {name!r}" if kind is None else f"the column {name!r} as {type_name(kind)}"
