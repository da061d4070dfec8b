import csv
import json
from pathlib import Path

import pytest

from viam_sync.transfer.output.atomic import AtomicOutput
from viam_sync.transfer.output.writers import write_rows

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
    assert list(rows[0]) == ["name", "data.speed", "data.on", "tags"]
    assert list(rows[0].values()) == ["rover", "1.5", "True", ""]
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
