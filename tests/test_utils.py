from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from google.protobuf.json_format import ParseError
from google.protobuf.struct_pb2 import Value

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import data as pb
from viam_sync.utils import (
    create_filter,
    datetime_to_timestamp,
    dict_to_struct,
    message_to_struct,
    primitive_to_value,
    struct_to_dict,
    struct_to_message,
    value_to_primitive,
)

TEXTS = ("component_name", "component_type", "method", "robot_name", "robot_id", "part_name", "part_id", "dataset_id")
LISTS = ("location_ids", "organization_ids", "mime_type", "bbox_labels")
START = datetime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))
END = datetime(2024, 5, 1, 13)


def test_a_filter_of_nothing_has_an_empty_filter_for_tags() -> None:
    assert create_filter() == pb.Filter(tags_filter=pb.TagsFilter())
    assert create_filter().HasField("tags_filter")
    assert not create_filter().HasField("interval")


def test_a_filter_has_all_that_is_given() -> None:
    given: Any = {**{name: name for name in TEXTS}, **{name: [name] for name in LISTS}}
    interval = pb.CaptureInterval(start=datetime(2024, 5, 1, 12), end=END)
    expected = pb.Filter(**given, interval=interval, tags_filter=pb.TagsFilter(tags=["red"]))
    assert create_filter(**given, start_time=START, end_time=END, tags=["red"]) == expected


@pytest.mark.parametrize(("end", "given"), [("start", "start_time"), ("end", "end_time")])
def test_a_filter_may_be_open_at_one_end(end: str, given: str) -> None:
    arguments: Any = {given: END}
    made = create_filter(**arguments)
    assert [field.name for field, _ in made.interval.ListFields()] == [end]


@pytest.mark.parametrize("name", [*LISTS, "tags"])
def test_a_text_where_a_filter_takes_a_list_is_refused(name: str) -> None:
    arguments: Any = {name: "red"}
    with pytest.raises(TypeError, match=f"{name} takes a list of str, got a str"):
        create_filter(**arguments)


def test_the_filter_of_the_client_is_deprecated() -> None:
    given: Any = {**{name: name for name in TEXTS}, **{name: [name] for name in LISTS}}
    given.update(start_time=START, end_time=END, tags=["red"])
    with pytest.warns(DeprecationWarning, match="use viam_sync.utils.create_filter") as caught:
        assert DataClient.create_filter(**given) == create_filter(**given)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("value", [None, True, False, 1.5, "é", [1.0, None, [True]], {"a": {"b": [None]}}, {}, []])
def test_a_value_survives_the_way_there_and_back(value: Any) -> None:
    assert value_to_primitive(primitive_to_value(value)) == value


def test_null_is_set_and_not_merely_absent() -> None:
    assert primitive_to_value(None).WhichOneof("kind") == "null_value"
    assert primitive_to_value([None]).list_value.values[0].WhichOneof("kind") == "null_value"


def test_no_mapping_is_an_empty_struct() -> None:
    assert dict_to_struct(None) == dict_to_struct({})


def test_bytes_become_text_and_a_tuple_a_list() -> None:
    assert primitive_to_value(b"x") == Value(string_value="x")
    assert value_to_primitive(primitive_to_value((1, 2))) == [1.0, 2.0]


def test_what_is_no_value_is_refused() -> None:
    with pytest.raises(TypeError, match="got a datetime"):
        primitive_to_value({"at": END})


def test_a_message_survives_the_way_into_a_struct_and_back() -> None:
    message = pb.CaptureMetadata(part_id="p", tags=["red"])
    struct = message_to_struct(message)
    assert struct_to_dict(struct)["tags"] == ["red"]
    assert (struct["part_id"], struct["robot_name"]) == ("p", "")
    assert struct_to_message(struct, pb.CaptureMetadata) == message


def test_a_struct_that_is_no_such_message_is_refused() -> None:
    with pytest.raises(ParseError, match="speed"):
        struct_to_message(dict_to_struct({"speed": 1}), pb.CaptureMetadata)


def test_a_struct_of_ours_is_read_too() -> None:
    assert struct_to_dict(pb.TabularData(data={"a": [1, None]}).data) == {"a": [1.0, None]}


def test_no_time_is_no_timestamp() -> None:
    assert datetime_to_timestamp(None) is None
    stamp = datetime_to_timestamp(START)
    assert stamp is not None
    assert stamp.ToDatetime() == datetime(2024, 5, 1, 12)
