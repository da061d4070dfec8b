import itertools
from typing import Any

import pytest

from viam_sync.transfer.output.flatten import flatten, nest


def test_nested_objects_get_dotted_names() -> None:
    row = {"a": {"b": {"c": 1}, "d": [{"e": 1}]}, "f": {}, "g": None}
    assert flatten(row) == {"a.b.c": 1, "a.d": [{"e": 1}], "f": {}, "g": None}


@pytest.mark.parametrize(
    ("row", "flat"),
    [
        ({"x.y": 1, "x": {"y": 2}}, {r"x\.y": 1, "x.y": 2}),
        ({"x": {"y.z": 1}, "x.y": {"z": 2}}, {r"x.y\.z": 1, r"x\.y.z": 2}),
        ({"x\\": {"y": 1}, "x\\.y": 2}, {r"x\\.y": 1, r"x\\\.y": 2}),
        ({"": 1, ".": 2, "\\": 3}, {"": 1, r"\.": 2, r"\\": 3}),
        ({"": {"": 1}, "x": {"": 2}, "x.": 3}, {".": 1, "x.": 2, r"x\.": 3}),
        ({"x": {}, "y": {"z": {}}}, {"x": {}, "y.z": {}}),
        ({"Speed": 1, "speed": 2}, {"Speed": 1, "speed": 2}),
        ({"line\n.": {"\n": 1}}, {"line\n\\..\n": 1}),
    ],
)
def test_a_name_joins_keys_whose_dots_and_backslashes_are_escaped(row: Any, flat: Any) -> None:
    assert flatten(row) == flat
    assert nest(flat) == row


def test_two_ways_to_a_value_never_have_one_name() -> None:
    keys = ["".join(key) for length in range(4) for key in itertools.product("x.\\", repeat=length)]
    ways = [*((key,) for key in keys), *itertools.product(keys, repeat=2)]
    assert len({name for way in ways for name in flatten(_nested(way))}) == len(ways)
    assert all(nest(flatten(_nested(way))) == _nested(way) for way in ways)


def _nested(way: Any) -> Any:
    return {way[0]: _nested(way[1:])} if way else 1


def test_a_key_that_is_no_text_is_refused() -> None:
    wrong: Any = {"x": {1: 2}}
    with pytest.raises(TypeError, match="rows takes a dict whose keys are each a str, got the key 1"):
        flatten(wrong)
