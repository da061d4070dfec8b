import datetime as dt
from decimal import Decimal
from typing import Any, Iterator, List

import pytest
from google.protobuf.struct_pb2 import Struct

from viam_sync import PrecisionLossWarning
from viam_sync.app._data.reading_messages import message_batches, reading_messages
from viam_sync.utils import struct_to_dict

NOON = dt.datetime(2024, 5, 1, 12)


class Frame:
    """As much of a pandas.DataFrame as is used."""

    def __init__(self, columns: List[Any], rows: List[List[Any]]) -> None:
        self.columns = columns
        self.rows = rows

    @property
    def iloc(self) -> "Frame":
        return self

    def __getitem__(self, part: slice) -> "Frame":
        return Frame(self.columns, self.rows[part])

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self, orient: str) -> List[Any]:
        assert orient == "records"
        return [dict(zip(self.columns, row)) for row in self.rows]


def dicts(rows: Any) -> List[Any]:
    return [struct_to_dict(reading.struct) for reading in reading_messages(rows)]


def test_any_iterable_of_mappings_is_taken() -> None:
    rows = [{"speed": 1.0}, {"speed": 2.0}]
    for given in (rows, tuple(rows), iter(rows), (row for row in rows), map(dict, rows)):
        assert dicts(given) == rows


def test_a_generator_is_read_as_far_as_it_is_asked_for() -> None:
    def rows() -> Iterator[Any]:
        yield {"speed": 1}
        raise LookupError("out of readings")

    messages = reading_messages(rows())
    assert next(messages).struct["speed"] == 1
    with pytest.raises(LookupError, match="out of readings"):
        next(messages)


def test_a_list_is_checked_as_a_whole_first() -> None:
    with pytest.raises(TypeError, match=r"tabular_data\[1\] takes a dict, got 2"):
        reading_messages([{"speed": 1}, 2])  # type: ignore[list-item]


def test_of_more_than_one_frame_row_each_is_there_once() -> None:
    assert dicts(Frame(["n"], [[n] for n in range(2500)])) == [{"n": float(n)} for n in range(2500)]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (None, None),
        (float("nan"), None),
        (True, True),
        (3, 3.0),
        ("é", "é"),
        (NOON, "2024-05-01T12:00:00Z"),
        (NOON.replace(tzinfo=dt.timezone(dt.timedelta(hours=2))), "2024-05-01T12:00:00+02:00"),
        (NOON.date(), "2024-05-01"),
        (dt.timedelta(minutes=1.5), 90.0),
        (Decimal("1.5"), 1.5),
        ({"deep": [NOON, float("nan")]}, {"deep": ["2024-05-01T12:00:00Z", None]}),
        ((1, 2), [1.0, 2.0]),
    ],
)
def test_what_a_frame_holds_becomes_plain(value: Any, plain: Any) -> None:
    assert dicts(Frame(["value"], [[value]])) == [{"value": plain}]


def test_what_has_no_form_in_a_message_is_named_with_its_place() -> None:
    frame = Frame(["a", "b"], [[1, 2], [3, {"deep": [object()]}]])
    with pytest.raises(ValueError, match=r"tabular_data\[1\]\['b'\]\['deep'\]\[0\] is a object, which has no form"):
        dicts(frame)


def test_columns_need_names_of_their_own() -> None:
    with pytest.raises(TypeError, match=r"tabular_data has a column 0; the columns of a DataFrame need names that are"):
        dicts(Frame([0], [[1]]))
    with pytest.raises(ValueError, match=r"two columns of one name among \['a', 'a'\]; rename one"):
        dicts(Frame(["a", "a"], [[1, 2]]))


@pytest.mark.parametrize("rows", [{"speed": 1}, "text", b"bytes", 5, None, Struct()])
def test_what_is_no_table_is_refused(rows: Any) -> None:
    with pytest.raises(
        TypeError, match=r"tabular_data takes an iterable of dicts or a DataFrame, got (a |bytes|5|None)"
    ):
        reading_messages(rows)


@pytest.mark.parametrize(("times", "got"), [(0, "0 and more than 0"), (1, "1 and more than 1"), (3, "3 and 2")])
def test_a_generator_must_have_as_many_readings_as_times(times: int, got: str) -> None:
    messages = reading_messages(({"n": n} for n in range(2)), [(NOON, NOON)] * times)
    with pytest.raises(ValueError, match=f"must have the same length, got {got}"):
        list(messages)


def test_a_frame_must_have_as_many_rows_as_times() -> None:
    with pytest.raises(ValueError, match="must have the same length, got 1 and 2"):
        reading_messages(Frame(["a"], [[1], [2]]), [(NOON, NOON)])


def test_batches_fit_into_messages_far_below_the_limit() -> None:
    rows = [{"text": "x" * 1_000_000}] * 9 + [{"text": "x" * 5_000_000}] + [{"text": ""}] * 2
    found = list(message_batches(reading_messages(rows)))
    assert [len(batch) for batch in found] == [4, 4, 1, 1, 2]


def test_no_readings_are_one_empty_batch() -> None:
    assert list(message_batches(reading_messages([]))) == [[]]


def test_a_frame_of_pandas_is_taken() -> None:
    pandas = pytest.importorskip("pandas")
    numpy = pytest.importorskip("numpy")
    frame = pandas.DataFrame(
        {
            "int": numpy.array([1, 2], dtype="int32"),
            "float": numpy.array([1.5, float("nan")], dtype="float32"),
            "bool": [True, False],
            "text": ["a", None],
            "time": pandas.to_datetime(["2024-05-01T12:00:00.123456789", None]),
            "zoned": pandas.to_datetime(["2024-05-01T12:00:00+02:00", None]),
            "span": pandas.to_timedelta(["90s", None]),
            "nullable": pandas.array([1, None], dtype="Int64"),
            "kind": pandas.Categorical(["red", None]),
            "array": [numpy.array([1, 2]), None],
            "scalar": [numpy.float32(0.5), numpy.bool_(True)],
        }
    )
    assert dicts(frame) == [
        {
            "int": 1.0,
            "float": 1.5,
            "bool": True,
            "text": "a",
            "time": "2024-05-01T12:00:00.123456789Z",
            "zoned": "2024-05-01T12:00:00+02:00",
            "span": 90.0,
            "nullable": 1.0,
            "kind": "red",
            "array": [1.0, 2.0],
            "scalar": 0.5,
        },
        {
            "int": 2.0,
            "float": None,
            "bool": False,
            "text": None,
            "time": None,
            "zoned": None,
            "span": None,
            "nullable": None,
            "kind": None,
            "array": None,
            "scalar": True,
        },
    ]
    assert dicts(frame.iloc[:0]) == []


def test_times_of_numpy_in_the_cells_of_a_frame_are_those_of_python() -> None:
    pandas = pytest.importorskip("pandas")
    numpy = pytest.importorskip("numpy")
    for unit in ("s", "ns"):
        noon, span = numpy.datetime64("2024-05-01T12:00:00", unit), numpy.timedelta64(90, "s").astype(f"m8[{unit}]")
        cells = [noon, span, numpy.array([noon]), numpy.timedelta64("NaT", unit)]
        frame = pandas.DataFrame({"x": pandas.Series(cells, dtype=object)})
        found = [reading["x"] for reading in dicts(frame)]
        assert found == ["2024-05-01T12:00:00Z", 90.0, ["2024-05-01T12:00:00Z"], None]


def test_digits_that_a_column_of_pandas_loses_are_warned_of() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"ns": [2**60 + 1, 2**60 + 3], "id": [Decimal(2**60 + 1), None], "n": [2**53, -(2**53)]})
    with pytest.warns(PrecisionLossWarning) as caught:
        assert [reading["n"] for reading in dicts(frame)] == [2.0**53, -(2.0**53)]
    fields = [str(warning.message).partition(" holds ")[0] for warning in caught]
    assert fields == ["tabular_data[...]['ns']", "tabular_data[...]['id']", "tabular_data[...]['ns']"]
    with pytest.warns(PrecisionLossWarning):
        assert dicts(frame.astype("Int64", errors="ignore")[["ns"]].iloc[:1]) == [{"ns": 2.0**60}]
