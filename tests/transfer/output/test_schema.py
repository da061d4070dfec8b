import csv
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict

import pytest

from viam_sync.tabular import to_arrow, to_pandas, to_polars
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.schema import Schema, columns_for
from viam_sync.transfer.output.table_file import TableFile

NOON = datetime(2024, 5, 1, 12)
TYPES: Dict[str, Any] = {
    "on": bool,
    "count": int,
    "speed": float,
    "name": str,
    "raw": bytes,
    "at": datetime,
    "extra": dict,
    "tags": [str],
    "boxes": [dict],
    "path": [[float]],
}


@pytest.mark.parametrize(
    ("name", "value", "fits"),
    [
        ("on", True, True),
        ("count", 2.0, 2),
        ("count", -(2**63), -(2**63)),
        ("count", 2**60 + 1, 2**60 + 1),
        ("speed", 2, 2.0),
        ("speed", 2**53, 2.0**53),
        ("speed", float("inf"), float("inf")),
        ("name", "", ""),
        ("raw", b"\xff", b"\xff"),
        ("at", NOON, NOON),
        ("at", "2024-05-01T12:00:00Z", NOON),
        ("at", "2024-05-01T14:00:00.123456789+02:00", NOON.replace(microsecond=123456)),
        ("extra", {}, {}),
        ("tags", ["a", None], ["a", None]),
        ("tags", [], []),
        ("boxes", [{"x": 1}], [{"x": 1}]),
        ("path", [[1, 2.5], []], [[1.0, 2.5], []]),
        ("path", None, None),
    ],
)
def test_a_value_of_its_type_fits(name: str, value: Any, fits: Any) -> None:
    found = Schema(TYPES).add({name: value})
    assert found == {name: fits}
    assert type(found[name]) is type(fits)


def test_a_time_keeps_its_zone() -> None:
    moment = NOON.replace(tzinfo=timezone(timedelta(hours=2)))
    assert Schema({"at": datetime}).add({"at": moment}) == {"at": moment}


MISFITS = [
    ("on", 1, "as bool, but row 2 has an int, 1, there"),
    ("count", 2.5, "as int, but row 2 has a float, 2.5, there"),
    ("count", True, "as int, but row 2 has a bool, True, there"),
    ("count", float("nan"), "as int, but row 2 has a float, nan, there"),
    ("count", 2**63, f"as int, but row 2 has an int, {2**63}, there"),
    ("count", "2", "as int, but row 2 has a str there"),
    ("speed", 2**53 + 1, f"as float, but row 2 has an int, {2**53 + 1}, there"),
    ("speed", 10**400, "as float, but row 2 has an int, a number of 1329 bits, there"),
    ("speed", "n/a", "as float, but row 2 has a str there"),
    ("speed", False, "as float, but row 2 has a bool, False, there"),
    ("name", 1.5, "as str, but row 2 has a float, 1.5, there"),
    ("raw", "YWJj", "as bytes, but row 2 has a str there"),
    ("at", "noon", "as datetime, but row 2 has a str there"),
    ("at", "2024-05-01T12:00:00", "as datetime, but row 2 has a str there"),
    ("at", 1714564800.0, "as datetime, but row 2 has a float"),
    ("extra", [], r"as dict, but row 2 has a list of nothing there"),
    ("tags", ["a", 1.0], r"as \[str\], but row 2 has a list of float and str there"),
    ("tags", "a", r"as \[str\], but row 2 has a str there"),
    ("path", [1.0], r"as \[\[float\]\], but row 2 has a list of float there"),
]


@pytest.mark.parametrize(("name", "value", "text"), MISFITS)
def test_a_misfit_is_an_error_with_the_column_the_row_and_both_types(name: str, value: Any, text: str) -> None:
    schema = Schema(TYPES)
    schema.add({})
    with pytest.raises(ValueError, match=f"schema has the column '{name}' {text}.*; correct it, or give misfits="):
        schema.add({name: value})


@pytest.mark.parametrize(("name", "value", "text"), MISFITS)
def test_a_misfit_is_left_out_or_rescued(name: str, value: Any, text: str) -> None:
    row = {name: value, "other": NOON, "nothing": None}
    assert Schema(TYPES, misfits="null").add(row) == {}
    found = Schema(TYPES, misfits="rescue").add(row)
    rescued = json.loads(found.pop("_rescued_data"))
    assert found == {}
    assert rescued == {name: "NaN" if value != value else value, "other": "2024-05-01T12:00:00Z"}


def test_a_column_without_a_place_is_a_misfit_unless_it_has_no_value() -> None:
    assert Schema(TYPES).add({"other": None}) == {}
    with pytest.raises(ValueError, match="schema lacks the column 'other', but row 1 has a str there"):
        Schema(TYPES).add({"other": "x"})


def test_a_column_named_as_that_of_the_rescued_is_rescued() -> None:
    found = Schema({"x": int}, misfits="rescue").add({"_rescued_data": "mine", "x": 1})
    assert found == {"x": 1, "_rescued_data": '{"_rescued_data": "mine"}'}


def test_the_columns_stand_in_the_order_that_is_given_after_the_fixed_ones() -> None:
    fixed = {"time": "time", "tags": ("list", "text")}
    schema = Schema({"b": float, "tags": [str], "a": int}, fixed=fixed, misfits="rescue")
    assert list(schema.kinds) == ["time", "tags", "b", "a", "_rescued_data"]


@pytest.mark.parametrize(
    ("columns", "error", "text"),
    [
        ([("x", int)], TypeError, "schema takes a dict, got a list"),
        ({1: int}, TypeError, "schema takes a dict whose keys are each a str, got the key 1"),
        ({"x": "int"}, TypeError, r"schema\['x'\] takes one of the types bool, int, .* or a list of one of these"),
        ({"x": [int, str]}, TypeError, r"schema\['x'\] takes one of the types .*, got a list"),
        ({"x": [complex]}, TypeError, r"schema\['x'\]\[0\] takes one of the types .*, got the class complex itself"),
        ({}, ValueError, "schema names no column"),
        ({"time": str}, ValueError, r"schema\['time'\] is a column that these rows always have, as datetime"),
        ({"_rescued_data": int}, ValueError, r"schema\['_rescued_data'\] is the column of what does not fit"),
    ],
)
def test_what_is_no_schema_is_refused(columns: Any, error: "type[Exception]", text: str) -> None:
    with pytest.raises(error, match=text):
        Schema(columns, fixed={"time": "time"}, misfits="rescue")


@pytest.mark.parametrize("schema", [None, {"x": int}])
def test_another_word_for_misfits_is_refused(schema: Any) -> None:
    with pytest.raises(ValueError, match="misfits takes one of 'error', 'null', 'rescue', got 'drop'"):
        columns_for({}, schema, "drop")


def test_misfits_go_with_a_schema() -> None:
    with pytest.raises(ValueError, match="misfits is 'null', but there is no schema"):
        columns_for({}, None, "null")


def test_a_schema_of_pyarrow_has_the_same_columns() -> None:
    arrow = pytest.importorskip("pyarrow")
    types = {name: cls for name, cls in TYPES.items() if "dict" not in str(cls)}
    schema = Schema(types, fixed={"time": "time"})
    again = Schema(schema.arrow_schema(arrow), fixed={"time": "time"})
    assert again.kinds == schema.kinds


@pytest.mark.parametrize("name", ["int32", "float32", "date32", "null"])
def test_a_type_of_pyarrow_that_would_lose_something_is_refused(name: str) -> None:
    arrow = pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match=r"schema\['x'\] takes one of the types bool, int64, double, .*, got "):
        Schema(arrow.schema([("x", getattr(arrow, name)())]))


def test_other_things_of_pyarrow_are_no_schema() -> None:
    arrow = pytest.importorskip("pyarrow")
    with pytest.raises(ValueError, match="schema has two columns of one name"):
        Schema(arrow.schema([("x", arrow.int64()), ("x", arrow.int64())]))
    with pytest.raises(TypeError, match=r"schema takes a dict or a pyarrow\.Schema, got a DataType"):
        Schema(arrow.int64())


OBJECT = {"at": {"x": 1.5, "y": {"z": []}}}


@pytest.mark.parametrize("misfits", ["error", "null", "rescue"])
def test_an_object_stays_whole_in_a_column_of_objects(tmp_path: Path, misfits: str) -> None:
    rows = [OBJECT, {"at": {}}, {"at": None}]
    TableFile(tmp_path / "rows.jsonl", columns=Schema({"at": dict}, misfits=misfits)).write(rows, Progress(None))
    assert [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()] == rows
    TableFile(tmp_path / "rows.csv", columns=Schema({"at": dict}, misfits=misfits)).write(rows, Progress(None))
    with (tmp_path / "rows.csv").open(newline="") as file:
        cells = [row["at"] for row in csv.DictReader(file)]
    assert [json.loads(cell or "null") for cell in cells] == [row["at"] for row in rows]


@pytest.mark.parametrize("convert", [to_arrow, to_pandas, to_polars])
def test_an_object_is_json_in_a_column_of_objects(convert: Any) -> None:
    pytest.importorskip(convert.__name__.replace("to_arrow", "pyarrow").replace("to_", ""))
    pytest.importorskip("pyarrow")
    table = convert([OBJECT], schema={"at": dict})
    assert json.loads(str(table["at"][0])) == OBJECT["at"]
