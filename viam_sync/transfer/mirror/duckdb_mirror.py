"""A mirror in a table of DuckDB, whose rows and whose state change in one transaction."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from viam_sync.transfer.mirror.duckdb_columns import duckdb_type, folded, quoted, with_columns
from viam_sync.transfer.mirror.duckdb_file import open_duckdb
from viam_sync.transfer.mirror.mirror_state import MirrorState
from viam_sync.transfer.mirror.timed_rows import TICK, tick_of
from viam_sync.transfer.output.batches import BatchStore, settled
from viam_sync.transfer.output.columns import optional
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.kinds import Kind, arrow_type
from viam_sync.transfer.output.named_errors import temporary_file
from viam_sync.transfer.output.remote import Location

#: The schema of the table with the states of all mirrors in a file, so that no list of the caller's tables has it.
_SCHEMA = "viam_sync"
_SLICE, _SETTLE = "viam_sync_slice", "viam_sync_settle"
#: The values of new columns in one transaction, which are in memory until it is over.
_NEW_VALUES = 4_000_000


@contextlib.contextmanager
def open_duckdb_mirror(location: Location, table: str, source: Mapping[str, Any], time: str) -> Iterator[DuckdbMirror]:
    """Have a mirror in a file of DuckDB for a ``with`` block.

    Args:
        location: The location of the file.
        table: The name of the table.
        source: The readings that the mirror is of.
        time: The name of the column of times.

    Raises:
        OSError: If the file cannot be opened, or its table is not that of a mirror.
        ValueError: If its table is a mirror of other readings.
        ImportError: If duckdb or pyarrow is not installed.
    """
    with open_duckdb(location) as connection:
        mirror = DuckdbMirror(connection, location, table, time)
        mirror.require_own(source)
        yield mirror


class DuckdbMirror:
    """A mirror in a table of DuckDB.

    Args:
        connection: The connection to the file.
        location: The location of the file, for errors.
        table: The name of the table.
        time: The name of the column of times.
    """

    def __init__(self, connection: Any, location: Location, table: str, time: str) -> None:
        self._arrow = optional("pyarrow", "a mirror in a file of DuckDB", "duckdb pyarrow")
        self._connection, self._path, self._name, self._time = connection, location.path(), table, time
        self._given = f"{location.given}, whose table {table!r}"
        # The file may have the name of the schema, too.
        ((database,),) = self._rows("SELECT current_database()")
        self._schema = f"{quoted(database)}.{_SCHEMA}"
        self.state: Optional[MirrorState] = None
        self._columns: Dict[str, str] = {}

    @property
    def _table(self) -> str:
        return quoted(self._name)

    def require_own(self, source: Mapping[str, Any]) -> None:
        """Read the state, and refuse a table that is not of this mirror.

        Raises:
            FileExistsError: If the table is no mirror, or somebody else has changed its columns.
            ValueError: If it is one of other readings.
        """
        found = self._found_columns()
        state, columns = self._found_state()
        if not found:
            return  # The table may have been dropped, to begin anew.
        if state is None:
            raise FileExistsError(f"{self._given} was not made by a mirror; name another table")
        if state.source != source:
            raise ValueError(
                f"{self._given} is a mirror of {json.dumps(state.source)}, but the rows are of {json.dumps(source)};"
                " name another table"
            )
        if found != {columns[name]: duckdb_type(kind) for name, kind in state.kinds.items()}:
            raise FileExistsError(f"{self._given} has other columns than its last run left; drop it, or name another")
        self.state, self._columns = state, columns

    def aligned(self, begin: datetime) -> datetime:
        """Return the time itself, as a run can begin at any."""
        return begin

    def is_over(self, store: BatchStore, latest: datetime, following: datetime) -> bool:
        """Tell whether memory is full, and the time another one."""
        return store.is_full and tick_of(latest) < tick_of(following)

    def end_of(self, latest: datetime) -> datetime:
        """Return the time after the last tick of a slice."""
        return tick_of(latest) + TICK

    def spool(self) -> BinaryIO:
        """Return a file for rows on their way, beside the database."""
        return temporary_file(self._path.parent, self._path)

    def names_of(self, columns: Iterable[str]) -> List[str]:
        """Return the names that columns have in the table."""
        return [self._columns[name] for name in columns]

    def count_rows(self) -> int:
        """Return the number of rows of the table."""
        return self._number(f"SELECT count(*) FROM {self._table}")

    def replace(self, interval: Interval, schema: Any, batches: Iterable[Any], state: MirrorState) -> Tuple[int, int]:
        """Replace the rows of an interval, and the state, in one transaction; columns change in others before."""
        self._columns = with_columns(self._columns, state.kinds)
        if self.state is not None:
            self._change_columns(self.state, state.kinds)
        rows = self._arrow.Table.from_batches(list(batches), schema)
        self._connection.register(_SLICE, rows.rename_columns(self.names_of(schema.names)))
        try:
            with self._transaction():
                if self.state is None:
                    self._create(state.kinds)
                changes = self._replace_rows(interval, schema.names, rows.num_rows)
                self._save(state)
        finally:
            self._connection.unregister(_SLICE)
        self.state = state
        return changes

    def _replace_rows(self, interval: Interval, names: Sequence[str], count: int) -> Tuple[int, int]:
        """Replace the rows of an interval, or add those that are missing if all others are right."""
        where = self._within(interval)
        columns = ", ".join(map(quoted, self.names_of(names)))
        old, new = f"SELECT {columns} FROM {self._table} {where}", f"SELECT {columns} FROM {_SLICE}"
        before = removed = self._number(f"SELECT count(*) FROM ({old})")
        if before and count:
            removed = self._number(f"SELECT count(*) FROM ({old} EXCEPT ALL {new})")
        added = count - (before - removed)
        if removed:
            self._connection.execute(f"DELETE FROM {self._table} {where}")
        elif before and added:
            new = f"{new} EXCEPT ALL {old} ORDER BY {quoted(self._columns[self._time])}"
        if added or removed:
            self._connection.execute(f"INSERT INTO {self._table} ({columns}) {new}")
        return added, removed

    def _within(self, interval: Interval) -> str:
        time = quoted(self._columns[self._time])
        sides = {">=": interval.start, "<": interval.end}
        conditions = [f"{time} {sign} TIMESTAMPTZ '{end}+00'" for sign, end in sides.items() if end is not None]
        return f"WHERE {' AND '.join(conditions)}" if conditions else ""

    def _create(self, kinds: Mapping[str, Kind]) -> None:
        columns = ", ".join(f"{quoted(self._columns[name])} {duckdb_type(kind)}" for name, kind in kinds.items())
        self._connection.execute(f"CREATE TABLE {self._table} ({columns})")
        self._connection.execute(f"CREATE SCHEMA IF NOT EXISTS {self._schema}")
        states = f"CREATE TABLE IF NOT EXISTS {self._schema}.mirrors (name BLOB, state VARCHAR, columns VARCHAR)"
        self._connection.execute(states)

    def _change_columns(self, state: MirrorState, kinds: Mapping[str, Kind]) -> None:
        """Add columns, and change the types of others, in transactions of bounded size."""
        new = [name for name in kinds if name not in state.kinds]
        changed = [name for name, kind in state.kinds.items() if kinds[name] != kind]
        at_a_time = max(_NEW_VALUES // max(self.count_rows(), 1), 1) if new else 1
        steps = [new[at : at + at_a_time] for at in range(0, len(new), at_a_time)]
        for names in [*steps, *([name] for name in changed)]:
            now = state._replace(kinds={**state.kinds, **{name: kinds[name] for name in names}})
            with contextlib.ExitStack() as stack:
                alter = [self._alteration(name, state.kinds.get(name), kinds[name], stack) for name in names]
                with self._transaction():
                    for statement in filter(None, alter):
                        self._connection.execute(f"ALTER TABLE {self._table} {statement}")
                    self._save(now)
            self._checkpoint()
            self.state = state = now

    def _alteration(self, name: str, old: Optional[Kind], new: Kind, stack: contextlib.ExitStack) -> str:
        """Return the end of the statement that adds a column or changes its type; empty if the type stays."""
        column, type = quoted(self._columns[name]), duckdb_type(new)
        if old is None:
            return f"ADD COLUMN {column} {type}"
        if duckdb_type(old) == type:
            return ""

        def settle(array: Any) -> Any:
            return settled(array, new, arrow_type(new, self._arrow), self._arrow)

        self._connection.create_function(
            _SETTLE, settle, [duckdb_type(old)], type, type="arrow", null_handling="special"
        )
        stack.callback(self._connection.remove_function, _SETTLE)
        return f"ALTER COLUMN {column} TYPE {type} USING {_SETTLE}({column})"

    def _save(self, state: MirrorState) -> None:
        key = folded(self._name)
        columns = {name: self._columns[name] for name in state.kinds}
        self._connection.execute(f"DELETE FROM {self._schema}.mirrors WHERE name = ?", [key])
        values = [key, state.to_json(), json.dumps(columns)]
        self._connection.execute(f"INSERT INTO {self._schema}.mirrors VALUES (?, ?, ?)", values)

    def _found_state(self) -> Tuple[Optional[MirrorState], Dict[str, str]]:
        names = "SELECT table_name FROM duckdb_tables() WHERE database_name = current_database() AND schema_name = ?"
        if ("mirrors",) not in self._rows(names, _SCHEMA):
            return None, {}
        query = f"SELECT state, columns FROM {self._schema}.mirrors WHERE name = ?"
        for state, columns in self._rows(query, folded(self._name)):
            return MirrorState.from_json(state), json.loads(columns)
        return None, {}

    def _found_columns(self) -> Dict[str, str]:
        """Return the columns of what has the name of the table, be it a view, and their types."""
        found = self._rows(
            "SELECT table_name, column_name, data_type FROM duckdb_columns()"
            " WHERE database_name = current_database() AND schema_name = current_schema()"
        )
        return {column: type for table, column, type in found if folded(table) == folded(self._name)}

    def _number(self, query: str, *values: Any) -> int:
        ((number,),) = self._rows(query, *values)
        return int(number)

    def _rows(self, query: str, *values: Any) -> List[Any]:
        # Newer versions of DuckDB want all rows of a result to be fetched before the next query.
        rows: List[Any] = self._connection.execute(query, values).fetchall()
        return rows

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.begin()
        try:
            yield
        except BaseException:
            # The error that ended the transaction is the one to raise.
            with contextlib.suppress(Exception):
                self._connection.rollback()
            raise
        self._connection.commit()

    def _checkpoint(self) -> None:
        """Write to the file what is in memory; with other connections of this process at work, DuckDB does so later."""
        with contextlib.suppress(optional("duckdb", "a mirror in a file of DuckDB").TransactionException):
            self._connection.execute("CHECKPOINT")
