import datetime as dt
import typing

import pytest

from viam_sync.proto import app as pb
from viam_sync.proto.app import data

from .annotations import fits, read

NAMES = {"pb": pb, "data": data, "Numbers": typing.Union[int, typing.List[int]], "datetime": dt.datetime}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("str", "str"),
        (str, "str"),
        (None, "None"),
        ("datetime", "datetime.datetime"),
        ("List[pb.Robot]", "List[viam.proto.app.Robot]"),
        ("pb.Visibility.ValueType", "viam.proto.app.Visibility.ValueType"),
        ("data.Filter | None", "Optional[viam.proto.app.data.Filter]"),
        ("Literal['a', 'b']", "Union[Literal['b'], Literal['a']]"),
        ("Numbers", "Union[List[int], int]"),
        (typing.Optional[typing.Mapping[str, typing.Any]], "Optional[Mapping[str, Any]]"),
        ("'List[str]'", "List[str]"),
    ],
)
def test_the_same_type_is_known_however_it_is_written(ours: typing.Any, theirs: str) -> None:
    assert read(ours, NAMES) == read(theirs, {})


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("List[str]", "Sequence[str]"),
        ("Dict[str, int]", "Mapping[str, Any]"),
        ("str", "Optional[str]"),
        ("Union[int, str]", "Union[str, bytes, int]"),
        ("List[viam.proto.app.Robot]", "Sequence[Union[viam.proto.app.Robot, str]]"),
        ("int", "float"),
    ],
)
def test_a_narrower_type_fits_a_wider_one_and_not_the_other_way(given: str, wanted: str) -> None:
    assert fits(read(given, {}), read(wanted, {}))
    assert not fits(read(wanted, {}), read(given, {}))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("str", "bytes"),
        ("List[str]", "List[int]"),
        ("Tuple[str, str]", "Tuple[str, str, str]"),
        ("viam.proto.app.Robot", "viam.proto.app.data.Robot"),
        ("Literal['a']", "Literal['b']"),
        ("Any", "str"),
    ],
)
def test_a_type_does_not_fit_another(one: str, other: str) -> None:
    assert not fits(read(one, {}), read(other, {}))
