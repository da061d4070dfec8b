"""Structs that a reader knows the layout of."""

from typing import Any, Dict, List

import pytest
from google.protobuf.struct_pb2 import ListValue, NullValue, Struct, Value

from viam_sync.messages.struct_layouts import StructReader
from viam_sync.utils import dict_to_struct, struct_to_dict


class CountedStruct:
    """A Struct that counts how often it is read value by value."""

    def __init__(self, struct: Struct) -> None:
        self._struct = struct
        self.reads = 0

    def SerializeToString(self) -> bytes:
        return self._struct.SerializeToString()

    @property
    def fields(self) -> Any:
        self.reads += 1
        return self._struct.fields


def read_by_value(reader: StructReader, rows: List[Dict[str, Any]]) -> int:
    """Return how many of some rows are read value by value; all must be read as they are."""
    structs = [CountedStruct(dict_to_struct(row)) for row in rows]
    for struct, row in zip(structs, rows):
        read = reader.read(struct)  # type: ignore[arg-type]
        assert read == row
    return sum(struct.reads for struct in structs)


def reading(number: int) -> Dict[str, Any]:
    axes = [number / 7, -0.5, 1e300]
    return {"readings": {"t": number / 3, "on": number % 2 == 0, "state": ("idle", "busy")[number % 2], "axes": axes}}


def test_of_rows_of_one_layout_the_first_few_alone_are_read_value_by_value() -> None:
    assert read_by_value(StructReader(), [reading(number) for number in range(1000)]) == 8


def test_layouts_of_one_size_are_told_apart() -> None:
    rows: List[Dict[str, Any]] = [{"ab": "c"}, {"a": "bc"}, {"ac": "c"}] * 200
    assert read_by_value(StructReader(), rows) < 60


def test_where_no_layout_comes_again_a_reader_stops_to_look_for_one() -> None:
    class Silent(CountedStruct):
        serialized = 0

        def SerializeToString(self) -> bytes:
            Silent.serialized += 1
            return super().SerializeToString()

    reader = StructReader()
    for number in range(1000):
        reader.read(Silent(dict_to_struct({"x" * number: number})))  # type: ignore[arg-type]
    assert Silent.serialized == 101


def test_rows_of_one_layout_share_no_part() -> None:
    reader = StructReader()
    struct = dict_to_struct({"readings": {"axes": [1, 2], "none": {}}})
    rows = [reader.read(struct) for _ in range(20)]
    for row in rows:
        row["readings"]["axes"].append(3)
        row["readings"]["none"]["new"] = 1
    assert [row["readings"]["axes"] for row in rows] == [[1, 2, 3]] * 20
    assert reader.read(struct) == {"readings": {"axes": [1, 2], "none": {}}}


ODD = {
    "nothing": Struct(),
    "a value without a kind": Struct(fields={"a": Value()}),
    "nulls": Struct(fields={"a": Value(null_value=NullValue.NULL_VALUE), "b": Value(null_value=7)}),  # type: ignore[arg-type]
    "an empty list": Struct(fields={"a": Value(list_value=ListValue())}),
    "an empty key and text": dict_to_struct({"": ""}),
    "text that is code": dict_to_struct({"'}); import os #": "v0", "k0": '"""', "v0": "\\\n", "lambda": None}),
    "long text": dict_to_struct({"k" * 300: "ü" * 20_000}),
    "many values": dict_to_struct({"points": list(range(500))}),
    "an unknown field": Struct.FromString(dict_to_struct({"a": 1}).SerializeToString() + b"\x78\x01"),
    "a key that comes twice": Struct.FromString(
        dict_to_struct({"a": 1}).SerializeToString() + dict_to_struct({"a": "b"}).SerializeToString()
    ),
    "two kinds in a value": Struct.FromString(b"\n\x0a\n\x01a\x12\x05\x20\x01\x1a\x01b"),
    "an entry without a key": Struct.FromString(b"\n\x04\x12\x02\x20\x01"),
    "an entry without a value": Struct.FromString(b"\n\x03\n\x01a"),
    "deep": dict_to_struct({"a": [[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]}),
}


@pytest.mark.parametrize("struct", list(ODD.values()), ids=list(ODD))
def test_an_odd_struct_is_read_as_it_is_value_by_value(struct: Struct) -> None:
    reader = StructReader()
    assert {repr(reader.read(struct)) for _ in range(20)} == {repr(struct_to_dict(struct))}
