"""Readings in DuckDB, in a worker process, and the SELECT statements that are run on them."""

from __future__ import annotations

import contextlib
import decimal
import itertools
import json
import re
from datetime import date, datetime, time, timedelta
from typing import Any, Callable, Dict, Iterator, List, Optional

from viam_sync.sandbox.queries.protocol import Document, Readings, Refused
from viam_sync.sandbox.queries.sql_table import NULLS, create_readings_table, drop_readings_table

_CONFIG: Dict[str, Any] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "memory_limit": "1GB",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "threads": "2",
}
# The functions that are allowed as tables. Others read files, or expose DuckDB itself.
_TABLE_FUNCTIONS = {"generate_series", "json_each", "json_tree", "range", "unnest"}

# Strings, quoted names and comments, in which a backtick quotes nothing, and names in backticks, which is how Atlas
# quotes names.
_QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|/\*.*?\*/|`((?:[^`]|``)*)`""", re.DOTALL)
_SMALLEST, _LARGEST = -(2**63), 2**63


class SqlDatabase:
    """Readings as the table ``readings``, also named ``sensorData.readings``."""

    def __init__(self) -> None:
        import duckdb

        self._connection = duckdb.connect(":memory:", config=_CONFIG)
        # Each query has a connection of its own, which has no settings but the global ones.
        self._connection.execute("SET GLOBAL TimeZone = 'UTC'")
        self._connection.execute("SET lock_configuration = true")
        self._is_empty = True
        self._unloaded: Optional[Readings] = None

    def load(self, readings: Readings) -> None:
        """Put readings in the place of those that are there."""
        self._unloaded = readings

    def run(self, sql: str) -> Iterator[Document]:
        """Yield the rows of a SELECT.

        Raises:
            Refused: If it is no SELECT, or cannot be run.
        """
        sql = _QUOTED.sub(_in_double_quotes, sql)
        with _refusing():
            self._create_table()
        with _refusing(self._is_empty), self._connection.cursor() as connection:
            _require_select(connection, sql)
            yield from _fetch_rows(connection, sql)

    def _create_table(self) -> None:
        if self._unloaded is None:
            return
        drop_readings_table(self._connection)
        create_readings_table(self._connection, self._unloaded.origins, self._unloaded.decoded())
        self._is_empty = not self._unloaded.encoded
        self._unloaded = None


@contextlib.contextmanager
def _refusing(is_empty: bool = False) -> Iterator[None]:
    """Raise errors of DuckDB as `Refused`."""
    import duckdb

    try:
        yield
    except duckdb.OutOfMemoryException:
        raise MemoryError from None
    except duckdb.BinderException as error:
        # Without readings, their fields and types are unknown, so that an unknown column is no error.
        if not is_empty:
            raise Refused("invalid", _error_text(error)) from None
    except duckdb.Error as error:
        raise Refused("invalid", _error_text(error)) from None
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise Refused("invalid", f"A row of the answer has no form in BSON: {error}") from None


def _in_double_quotes(found: Any) -> str:
    if found[1] is None:
        return str(found[0])
    name = str(found[1]).replace("``", "`").replace('"', '""')
    return f'"{name}"'


def _error_text(error: Exception) -> str:
    """Return the first line of an error of DuckDB, and its suggestions."""
    first, *others = str(error).strip().splitlines() or [type(error).__name__]
    return " ".join([first, *(line for line in others if re.match("Candidate .*: .|Did you mean", line))])


def _require_select(connection: Any, sql: str) -> None:
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise Refused("invalid", f"The query has {len(statements)} statements; give one SELECT.")
    if statements[0].type.name != "SELECT":
        raise Refused(
            "invalid", f"Only a SELECT can be run, and this is a statement of type {statements[0].type.name}."
        )
    (text,) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    tree = json.loads(text)
    if tree["error"]:
        raise Refused("invalid", f"Only a plain SELECT can be run: {tree['error_message']}")
    for function in _table_functions(tree):
        if function not in _TABLE_FUNCTIONS:
            allowed = ", ".join(sorted(_TABLE_FUNCTIONS))
            raise Refused(
                "invalid", f"The function {function} cannot be used as a table; those that can are {allowed}."
            )


def _table_functions(tree: Any) -> Iterator[str]:
    """Yield the names of the functions that are used as tables, anywhere in a parsed query."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            if node.get("type") == "TABLE_FUNCTION":
                yield str(node["function"].get("function_name", "")).lower()
            left.extend(node.values())
        elif isinstance(node, list):
            left.extend(node)


def _fetch_rows(connection: Any, sql: str) -> Iterator[Document]:
    relation = connection.sql(sql)
    names, converters = _distinct(relation.columns), [_converter(kind) for kind in relation.types]
    answer = connection.execute(sql)
    while True:
        rows = answer.fetchmany(1000)
        if not rows:
            return
        for row in rows:
            yield {name: turn(value) for name, turn, value in zip(names, converters, row) if NULLS not in name}


def _distinct(columns: List[str]) -> List[str]:
    """Return the names of columns, the repeated ones with a number."""
    taken: Dict[str, None] = {}
    for column in columns:
        numbered = (f"{column}_{number}" for number in itertools.count(1))
        taken[column if column not in taken else next(name for name in numbered if name not in taken)] = None
    return list(taken)


def _converter(kind: Any) -> Callable[[Any], Any]:
    """Return the function that converts values of a DuckDB type into those of BSON."""
    if str(kind) == "JSON":
        return lambda value: None if value is None else _bson_value(json.loads(value))
    if kind.id == "struct":
        fields = {name: _converter(child) for name, child in kind.children if name != NULLS}
        return lambda value: value and _present_fields(value, fields)
    if kind.id in ("list", "array"):
        convert_item = _converter(dict(kind.children)["child"])
        return lambda value: value and [convert_item(item) for item in value]
    return _bson_value


def _present_fields(value: Document, fields: Dict[str, Callable[[Any], Any]]) -> Document:
    """Return the fields of a struct that its reading has."""
    nulls = value.get(NULLS) or ()
    return {name: convert(value[name]) for name, convert in fields.items() if value[name] is not None or name in nulls}


def _bson_value(value: Any) -> Any:
    if value is None or isinstance(value, (bool, bytes, datetime, float, str)):
        return value
    if isinstance(value, int):
        return value if _SMALLEST <= value < _LARGEST else float(value)
    if isinstance(value, dict):
        return {str(name): _bson_value(item) for name, item in value.items() if name != NULLS}
    if isinstance(value, (list, tuple)):
        return [_bson_value(item) for item in value]
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, date):
        return datetime.combine(value, time())
    if isinstance(value, timedelta):
        return value.total_seconds()
    return str(value)
