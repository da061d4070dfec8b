"""Loading readings of varying structure into a table of DuckDB."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any, Dict, Iterable, Iterator, List, Tuple

from viam_sync.sandbox.queries.protocol import Document

_CHUNK = 5000
# An object with more fields than this has generated keys, and stays JSON.
_MOST_FIELDS = 300

# The columns of the table, and their sources.
_COLUMNS = """
    o.organization_id, o.location_id, o.robot_id, o.part_id, o.component_type, o.component_name, o.method_name,
    make_timestamp(r.requested * 1000) AS time_requested, make_timestamp(r.received * 1000) AS time_received,
    date_trunc('day', make_timestamp(r.requested * 1000)) AS capture_day,
    o.tags, o.additional_parameters, r.data
"""
_ORIGIN = {
    **dict.fromkeys(("organization_id", "location_id", "robot_id", "part_id"), "VARCHAR"),
    **dict.fromkeys(("component_type", "component_name", "method_name"), "VARCHAR"),
    "place": "BIGINT",
    "tags": ["VARCHAR"],
    "additional_parameters": "JSON",
}
_READING = {"origin": "BIGINT", "requested": "BIGINT", "received": "BIGINT", "data": "JSON"}

#: The field of an object with the names of its fields that are null: the others that are NULL in a struct are missing
#: in that reading. Objects without nulls do not have it.
NULLS = "\x01nulls"

# For the lowercase name of a field, its spelling, and the same for the fields of its value.
Spellings = Dict[str, Tuple[str, "Spellings"]]


def create_readings_table(connection: Any, origins: List[Document], readings: Iterator[Document]) -> None:
    """Create the table ``readings``, also named ``sensorData.readings``.

    The types depend on all readings: a field that is missing in some is NULL there (see `NULLS`); one with numbers and
    texts is a text; one with structs and other values is JSON.
    """
    _insert(connection, "origins", _ORIGIN, ({**origin, "place": place} for place, origin in enumerate(origins)))
    _insert(connection, "raw", _READING, readings)
    parameters = _type_of(connection, "origins", "additional_parameters", _ORIGIN)
    data = _type_of(connection, "raw", "data", _READING)
    connection.execute("CREATE SCHEMA sensorData")
    connection.execute(
        f"CREATE TABLE sensorData.readings AS SELECT {_COLUMNS}"
        f" FROM (SELECT * REPLACE (from_json(data, {data}) AS data) FROM raw) r JOIN (SELECT * REPLACE"
        f" (from_json(additional_parameters, {parameters}) AS additional_parameters) FROM origins) o"
        " ON o.place = r.origin"
    )
    connection.execute("DROP TABLE raw")
    connection.execute("DROP TABLE origins")
    connection.execute("CREATE VIEW readings AS SELECT * FROM sensorData.readings")


def drop_readings_table(connection: Any) -> None:
    """Drop what `create_readings_table` has created, or a part of it."""
    connection.execute("DROP VIEW IF EXISTS readings")
    connection.execute("DROP SCHEMA IF EXISTS sensorData CASCADE")
    connection.execute("DROP TABLE IF EXISTS raw")
    connection.execute("DROP TABLE IF EXISTS origins")


def _insert(connection: Any, table: str, columns: Dict[str, Any], rows: Iterable[Document]) -> None:
    """Create a table and insert rows, in chunks that fit into one statement."""
    row = _quoted(json.dumps([columns]))
    connection.execute(f"CREATE TABLE {table} AS SELECT unnest(from_json('[]', {row}), max_depth := 2)")
    left = iter(rows)
    while True:
        chunk = list(itertools.islice(left, _CHUNK))
        if not chunk:
            return
        try:
            text = json.dumps(chunk, allow_nan=False)
        except ValueError:
            chunk = _finite(chunk)
            text = json.dumps(chunk)
        if "null" in text:
            text = json.dumps(_with_nulls(chunk))
        connection.execute(f"INSERT INTO {table} SELECT unnest(from_json(?, {row}), max_depth := 2)", [text])


def _finite(value: Any) -> Any:
    """Return a value with None for each number that JSON does not have."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _with_nulls(value: Any) -> Any:
    """Return a value in whose objects the fields that are null are named."""
    if isinstance(value, list):
        return [_with_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    fields = {name: _with_nulls(item) for name, item in value.items() if name != NULLS}
    nulls = [name for name, item in fields.items() if item is None]
    return {**fields, NULLS: nulls} if nulls else fields


def _type_of(connection: Any, table: str, column: str, columns: Dict[str, Any]) -> str:
    """Return the type of the values in a column of JSON, as from_json takes it; it may rename fields."""
    structure = _structure(connection, table, column)
    if _clashes(structure):
        spellings: Spellings = {}
        names = ", ".join(f"{name} := {name}" for name in columns)
        texts = connection.execute(f"SELECT to_json(struct_pack({names})) FROM {table}").fetchall()
        rows = [json.loads(text) for (text,) in texts]
        connection.execute(f"DROP TABLE {table}")
        _insert(connection, table, columns, ({**row, column: _folded(row[column], spellings)} for row in rows))
        structure = _structure(connection, table, column)
    return _quoted(json.dumps(_typed(connection, structure, "", f"{table} WHERE json_type({column}, ?)")))


def _structure(connection: Any, table: str, column: str) -> Any:
    (found,) = connection.execute(f"SELECT json_group_structure({column}) FROM {table}").fetchone()
    return "JSON" if found is None else json.loads(found)


def _clashes(structure: Any) -> bool:
    """Return whether a field has an empty name, or names that differ only in case, which SQL cannot tell apart."""
    if isinstance(structure, dict):
        return (
            "" in structure
            or len({name.lower() for name in structure}) < len(structure)
            or any(map(_clashes, structure.values()))
        )
    return isinstance(structure, list) and any(map(_clashes, structure))


def _folded(value: Any, spellings: Spellings) -> Any:
    """Return a value whose fields are spelled as at their first occurrence."""
    if isinstance(value, dict):
        found: Dict[str, Any] = {}
        for name, item in value.items():
            spelling, inner = spellings.setdefault(name.lower(), (name or "_", {}))
            if found.get(spelling) is None:
                found[spelling] = _folded(item, inner)
        return found
    return [_folded(item, spellings) for item in value] if isinstance(value, list) else value


def _typed(connection: Any, structure: Any, pointer: str, has_type: str) -> Any:
    """Return the types of a structure.

    Args:
        connection: The database.
        structure: The types that DuckDB found.
        pointer: The JSON pointer to the structure in the column.
        has_type: The end of a query for rows that have one of some types at a pointer.
    """
    if isinstance(structure, dict):
        if not 0 < len(structure) <= _MOST_FIELDS:
            return "JSON"
        return {
            name: _typed(connection, inner, f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}", has_type)
            for name, inner in structure.items()
        }
    if isinstance(structure, list):
        return [_typed(connection, structure[0], "", has_type)]
    if structure == "JSON" and pointer:
        nested = connection.execute(f"SELECT 1 FROM {has_type} IN ('OBJECT', 'ARRAY') LIMIT 1", [pointer]).fetchone()
        return "JSON" if nested else "VARCHAR"
    return {"NULL": "VARCHAR"}.get(structure, structure if structure in ("BOOLEAN", "JSON", "VARCHAR") else "DOUBLE")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
