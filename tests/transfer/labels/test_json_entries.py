"""The entries of a JSON file, read one after the other, with their lines."""

import json
from pathlib import Path
from typing import Any, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from viam_sync.transfer.labels.json_entries import json_entries
from viam_sync.transfer.labels.label_checks import WrongLabel

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=6,
)


@settings(max_examples=20, deadline=None)
@given(
    document=st.dictionaries(st.text(), VALUES, max_size=3),
    indent=st.sampled_from([None, 0, 1]),
    ascii=st.booleans(),
    chunk=st.integers(1, 9),
)
def test_all_lists_are_read_whatever_is_in_memory_at_once(
    document: Any, indent: Any, ascii: bool, chunk: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    text = json.dumps(document, indent=indent, ensure_ascii=ascii)
    path.write_text(text, "utf-8", "surrogatepass")
    wanted = [(key, value) for key, values in document.items() if isinstance(values, list) for value in values]
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        with pytest.raises(WrongLabel, match="UTF-8"):
            list(json_entries(path, chunk))
        return
    found = list(json_entries(path, chunk))
    assert [(entry.section, entry.value) for entry in found] == wanted
    assert [json.loads(entry.text) for entry in found] == [value for _, value in wanted]
    for entry in found:
        lines = text.split("\n")[entry.line - 1 :]
        assert entry.text.split("\n")[0] in lines[0]


@pytest.mark.parametrize("chunk", [1, 1000])
@pytest.mark.parametrize(
    ("contents", "line", "text"),
    [
        (b"", 1, "this is no JSON object"),
        (b"[1]", 1, "this is no JSON object"),
        (b'{"a": [1,\n2', 2, "this is no JSON: ',' or ']' is missing here"),
        (b'{"a": [1,\n2,\n]}', 3, "this is no JSON: Expecting value"),
        (b'{"a": [1\n2]}', 2, "this is no JSON: ',' or ']' is missing here"),
        (b'{"a": [\n{"b":\n\n7,}]}', 4, "this is no JSON: "),
        (b'{"a" 1}', 1, "this is no JSON: ':' is missing here"),
        (b"{\n1: 2}", 2, "1 is no key of a JSON object"),
        (b'{"a": []}\n\n{}', 3, "there is more after the end of the JSON object"),
        (b'{"a": [1,\n"\xff"]}', 2, "this line is not UTF-8"),
        (b'{"a": [\n"' + b"x" * 99, 2, "this is no JSON: Unterminated string"),
        (b'{"a": [\n' + b"[" * 200_000, 2, "this is no JSON that can be read: "),
    ],
)
def test_the_line_of_a_mistake_is_named(contents: bytes, line: int, text: str, chunk: int, tmp_path: Path) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(contents)
    with pytest.raises(WrongLabel, match="^" + text) as caught:
        list(json_entries(path, chunk))
    assert caught.value.line == line


def test_decimals_are_read_as_they_are_written(tmp_path: Path) -> None:
    path = tmp_path / "cats.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": [0.10, 1e999999999999999999999, NaN]}')
    found: List[str] = [str(entry.value) for entry in json_entries(path)]
    assert found == ["0.10", "Infinity", "nan"]
