from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, Dict, List

import pytest

from viam_sync.transfer.output.columns import Columns, optional
from viam_sync.transfer.output.dataset_columns import InferredColumns
from viam_sync.transfer.output.kinds import fitted
from viam_sync.transfer.output.rows import json_value

NOON = datetime(2024, 5, 1, 12)


def kinds_of(*values: Any) -> Any:
    columns = Columns()
    for value in values:
        columns.add({"x": value})
    return columns.kinds["x"]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([None], "null"),
        ([None, 1, None], "int"),
        ([1, 1.5], "float"),
        ([1.5, 1], "float"),
        ([True, False], "bool"),
        ([True, 1], "text"),
        ([1, "a"], "text"),
        ([2**53, -(2**53)], "int"),
        ([2**53, 1.5], "float"),
        ([2**63 - 1, 1, -(2**63)], "long"),
        ([1, 2**53 + 1, None], "long"),
        ([2**53 + 1, 1.5], "text"),
        ([1.5, -(2**53) - 1], "text"),
        ([[2**53 + 1], [1.5]], ("list", "text")),
        ([2**63], "text"),
        ([NOON], "time"),
        ([NOON, "later"], "text"),
        ([b"x"], "bytes"),
        ([b"x", "x"], "text"),
        ([[]], ("list", "null")),
        ([[], [1], [2.5, None]], ("list", "float")),
        ([[1], ["a"]], ("list", "text")),
        ([[[1]], [[]]], ("list", ("list", "int"))),
        ([[1], 1], "text"),
        ([[{"a": 1}]], ("list", "text")),
        ([[1], [[1]]], ("list", "text")),
        ([object()], "text"),
    ],
)
def test_a_column_has_the_kind_of_its_values(values: List[Any], kind: Any) -> None:
    assert kinds_of(*values) == kind


def test_numbers_of_bson_are_numbers() -> None:
    bson = pytest.importorskip("bson")
    assert kinds_of(bson.Int64(1)) == "int"
    assert kinds_of(bson.Int64(2**53 + 1)) == "long"
    assert kinds_of(bson.ObjectId()) == "text"


def test_fixed_columns_come_first_and_the_others_in_the_order_of_their_names() -> None:
    columns = Columns({"time": "time", "a.part": "text"})
    for row in ({"b": 1}, {"a": 1, "b": 1}, {"time": NOON, "B": None, "a": 2}):
        columns.add(row)
    assert list(columns.kinds) == ["time", "a.part", "B", "a", "b"]


def test_fixed_columns_are_there_without_rows() -> None:
    assert Columns({"time": "time", "tags": ("list", "text")}).kinds == {"time": "time", "tags": ("list", "text")}


@pytest.mark.parametrize(
    ("value", "kind", "fits"),
    [
        (1, "float", 1.0),
        (None, "text", None),
        ("a", "text", "a"),
        (1.5, "text", "1.5"),
        (True, "text", "true"),
        ({"a": 1}, "text", '{"a": 1}'),
        (NOON, "text", "2024-05-01T12:00:00Z"),
        (NOON, "time", NOON),
        (NOON.replace(tzinfo=timezone(timedelta(hours=2))), "time", NOON - timedelta(hours=2)),
        (NOON.replace(microsecond=5), "time", NOON.replace(microsecond=5)),
        (b"\xff", "bytes", b"\xff"),
        ([1, None], ("list", "float"), [1.0, None]),
        ([NOON], ("list", "time"), [NOON]),
        (2**70, "text", str(2**70)),
        (float("inf"), "float", float("inf")),
        (float("inf"), "text", "Infinity"),
    ],
)
def test_a_value_fits_its_column_also_after_it_was_on_disk(value: Any, kind: Any, fits: Any) -> None:
    import json

    assert fitted(value, kind) == fits
    row: Dict[str, Any] = json.loads(json.dumps({"x": value}, default=json_value))
    assert fitted(row["x"], kind) == fits


def test_a_module_that_is_missing_is_named_with_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"drawing takes nothing_of_that_name, which cannot .* pip install x y"):
        optional("nothing_of_that_name.part", "drawing", "x y")


def test_what_two_processes_have_found_is_what_one_would() -> None:
    import json

    rows: List[Dict[str, Any]] = [
        {"a": 1, "list": [], "lists": [[1]], "x": None, "mixed": "text"},
        {"a": 1.5, "list": ["a"], "lists": [["b"]], "mixed": 1},
        {"late": True, "x": 2**60},
    ]
    for columns in (Columns, partial(InferredColumns, rescues=False)):
        whole, others = columns({"at": "time"}), [columns({"at": "time"}) for _ in rows]
        merged = columns({"at": "time"})
        for row, other in zip(rows, others):
            whole.add(row)
            other.add(row)
            merged.add_findings(json.loads(json.dumps(other.findings())))
        assert merged.kinds == whole.kinds
        assert merged.findings() == whole.findings()
