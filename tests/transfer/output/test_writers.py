import csv
import json
from pathlib import Path
from typing import Any

import pytest

from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.output.atomic import AtomicOutput
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.table_file import TableFile
from viam_sync.transfer.output.writers import write_rows
from viam_sync.utils import create_filter

ROWS = [{"name": "rover", "data": {"speed": 1.5, "on": True}}, {"name": 'the "arm"', "tags": ["a", "b"]}]


def test_rows_are_json_unless_the_ending_says_otherwise(tmp_path: Path) -> None:
    for name in ("rows.json", "rows.txt", "rows"):
        write_rows(AtomicOutput(tmp_path / name), ROWS, dict, None)
        assert json.loads((tmp_path / name).read_text(encoding="utf-8")) == ROWS


def test_rows_are_one_object_a_line_in_jsonl(tmp_path: Path) -> None:
    write_rows(AtomicOutput(tmp_path / "rows.JSONL"), ROWS, dict, None)
    lines = (tmp_path / "rows.JSONL").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == ROWS


def test_rows_have_dotted_columns_in_csv(tmp_path: Path) -> None:
    write_rows(AtomicOutput(tmp_path / "rows.csv"), ROWS, dict, None)
    with (tmp_path / "rows.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["data.on", "data.speed", "name", "tags"]
    assert list(rows[0].values()) == ["True", "1.5", "rover", ""]
    assert (rows[1]["name"], rows[1]["tags"]) == ('the "arm"', '["a", "b"]')


@pytest.mark.parametrize(("name", "contents"), [("rows.json", "[]\n"), ("rows.jsonl", ""), ("rows.csv", "")])
def test_without_rows_a_file_of_lines_is_empty(tmp_path: Path, name: str, contents: str) -> None:
    write_rows(AtomicOutput(tmp_path / name), [], dict, None)
    assert (tmp_path / name).read_text(encoding="utf-8") == contents


@pytest.mark.parametrize("name", ["rows.json", "rows.jsonl", "rows.csv"])
def test_a_row_that_has_no_form_in_json_is_an_error_with_the_response(tmp_path: Path, name: str) -> None:
    def to_row(item: int) -> object:
        raise ValueError("year 10000")

    with pytest.raises(OSError, match="dest is not written, as the response has no form in JSON: year 10000") as caught:
        write_rows(AtomicOutput(tmp_path / name), [1], to_row, "the response")  # type: ignore[arg-type]
    assert caught.value.result == "the response"  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\t",
    "\r\n",
    "\uff1d1",
    "\uff0b1",
    "\uff0d1",
    "\uff201",
    "\ufeff=1",
    "\x01=1",
    " \u200b\u2060@1",
    "'=1",
]


@pytest.mark.parametrize("escape", [False, True])
@pytest.mark.parametrize("write", ["page", "table"])
def test_formulas_in_csv_are_escaped_where_that_is_asked_for(tmp_path: Path, write: str, escape: bool) -> None:
    path = tmp_path / "rows.csv"
    rows = [{"=name": text, "number": -1.5, "low": float("-inf"), "list": ["=1"], "plain": "1=1"} for text in FORMULAS]
    if write == "page":
        write_rows(AtomicOutput(path), rows, dict, None, escape_formulas=escape)
    else:
        TableFile(path, escape_formulas=escape).write(rows, Progress(None))
    with path.open(encoding="utf-8", newline="") as file:
        header, *found = csv.reader(file)
    mark = "'" if escape else ""
    assert header == [f"{mark}=name", "list", "low", "number", "plain"]
    assert found == [[f"{mark}{text}", '["=1"]', "-inf", "-1.5", "1=1"] for text in FORMULAS]


def test_every_method_that_writes_csv_escapes_formulas(client: ViamClient, sandbox: Sandbox, tmp_path: Path) -> None:
    data, part = client.data_client, sandbox.robot_part_id
    data.tabular_data_capture_upload([{"text": "=1+1"}], part, "sensor", "spy", "Readings")
    spy = create_filter(component_name="spy")
    for escape in (False, True):
        data.tabular_data_by_filter(spy, dest=str(tmp_path / "page.csv"), escape_formulas=escape)
        data.export_tabular_data_to(spy, tmp_path / "rows.csv", escape_formulas=escape)
        for name in ("page.csv", "rows.csv"):
            text = (tmp_path / name).read_text()
            assert ("=1+1" in text, "'=1+1" in text) == (True, escape)
    wrong: Any = "yes"
    with pytest.raises(TypeError, match="escape_formulas takes a bool, got a str"):
        data.tabular_data_by_filter(spy, escape_formulas=wrong)
    with pytest.raises(TypeError, match="escape_formulas takes a bool, got a str"):
        data.export_tabular_data_to(spy, tmp_path / "x.csv", escape_formulas=wrong)
