"""What does not fit a message is refused by the name of its field, what that takes, and what it got."""

import copy
import pickle
import re
from datetime import datetime

import pytest
from google.protobuf import struct_pb2, timestamp_pb2
from google.protobuf.json_format import ParseError
from wire_words import FULL_NAME

from viam_sync.proto import app, common, google
from viam_sync.proto.app import data, mltraining
from viam_sync.utils import dict_to_struct, struct_to_message

from .schema_walk import full_name, messages

WRONG = {
    "a number for a text": (lambda: app.Robot(id=5), TypeError, "id takes a str, got 5"),
    "bytes for a text": (lambda: app.Robot(id=b"\xff"), ValueError, "id takes a str, got bytes; decode it"),
    "a text for a number": (
        lambda: app.Location(robot_count="3"),
        TypeError,
        "robot_count takes an int from -2147483648 to 2147483647, got a str; int(…) makes one of a text",
    ),
    "a text for a float": (
        lambda: data.BoundingBox(x_min_normalized="0.5"),
        TypeError,
        "x_min_normalized takes a number, got a str; float(…) makes one of a text",
    ),
    "a number out of range": (
        lambda: app.Location(robot_count=1 << 40),
        ValueError,
        "robot_count takes an int from -2147483648 to 2147483647, got 1099511627776",
    ),
    "a value that an enum lacks": (
        lambda: data.DataRequest(sort_order="ORDER_SIDEWAYS"),
        ValueError,
        "sort_order takes a value of Order, such as ORDER_DESCENDING, ORDER_ASCENDING or ORDER_UNSPECIFIED, got a str",
    ),
    "a text for a list": (
        lambda: app.ListRobotsForLocationsRequest(location_ids="abc"),
        TypeError,
        "location_ids takes a list of str, got a str; a list of one is written […]",
    ),
    "a number for a list": (
        lambda: app.ListRobotsForLocationsRequest(location_ids=7),
        TypeError,
        "location_ids takes a list of str, got 7; a list of one is written […]",
    ),
    "a number in a list of texts": (
        lambda: app.ListRobotsForLocationsRequest(location_ids=["a", 7]),
        TypeError,
        "location_ids[1] takes a str, got 7",
    ),
    "one of several": (
        lambda: app.Robot(id="a", name="b", location=5.5),
        TypeError,
        "location takes a str, got 5.5",
    ),
    "in a message below": (
        lambda: app.RobotPart(secrets=[{"id": 5}]),
        TypeError,
        "secrets[0]['id'] takes a str, got 5",
    ),
    "a float for a number of 64 bits": (
        lambda: data.DataRequest(limit=5.0),
        TypeError,
        "limit takes an int from 0 to 18446744073709551615, got 5.0",
    ),
    "a number deep in dicts": (
        lambda: app.ListLocationsResponse(locations=[{"auth": {"secrets": [{}, {"id": 5}]}}]),
        TypeError,
        "locations[0]['auth']['secrets'][1]['id'] takes a str, got 5",
    ),
    "a field that the message in a dict lacks": (
        lambda: app.RobotPart(secrets=[{"colour": 5}]),
        ValueError,
        "secrets[0]: SharedSecret has no field 'colour'; it has id, secret, created_on, state",
    ),
    "a key that is no text": (
        lambda: mltraining.SubmitCustomTrainingJobRequest(arguments={5: "x"}),
        TypeError,
        "arguments takes a dict whose keys are each a str, got the key 5",
    ),
    "a number in a map of texts": (
        lambda: mltraining.SubmitCustomTrainingJobRequest(arguments={"a": "x", "b": 5}),
        TypeError,
        "arguments['b'] takes a str, got 5",
    ),
    "a lone surrogate": (
        lambda: app.Robot(name="\ud800"),
        ValueError,
        "name takes a str, got a str with a lone surrogate, which is half a character",
    ),
}


@pytest.mark.parametrize(("make", "kind", "text"), WRONG.values(), ids=list(WRONG))
def test_what_does_not_fit_is_named(make, kind, text):
    with pytest.raises(kind) as caught:
        make()
    assert type(caught.value) is kind
    assert str(caught.value) == text


ROBOT = "id, name, location, last_access, created_on, online_state, seconds_since_online"
MISSING = {
    "given": (lambda: app.Robot(colour="red"), ValueError, f"Robot has no field 'colour'; it has {ROBOT}"),
    "given among others": (
        lambda: app.Robot(id="r", colour="red", name="rover"),
        ValueError,
        f"Robot has no field 'colour'; it has {ROBOT}",
    ),
    "read": (
        lambda: app.Robot().location_id,
        AttributeError,
        (
            "Robot has no field 'location_id'; it has location, id, name, last_access, created_on, online_state,"
            " seconds_since_online"
        ),
    ),
    "assigned": (
        lambda: setattr(app.Robot(), "nmae", "rover"),
        AttributeError,
        (
            "Robot has no field 'nmae'; it has name, id, location, last_access, created_on, online_state,"
            " seconds_since_online"
        ),
    ),
    "read from a time": (
        lambda: app.Robot().created_on.isoformat(),
        AttributeError,
        "Timestamp has no field 'isoformat'; it has seconds, nanos, and ToDatetime() returns a datetime",
    ),
    "read from a Struct": (
        lambda: app.RobotPart().robot_config.components,
        AttributeError,
        "Struct has no field 'components'; it has fields, and viam_sync.utils.struct_to_dict(…) returns a dict",
    ),
    "read where there is none": (
        lambda: app.DeleteRobotResponse().robot,
        AttributeError,
        "DeleteRobotResponse has no field 'robot'; it has none",
    ),
    "read by a tool": (
        lambda: app.Robot()._repr_latex_(),
        AttributeError,
        "'Robot' object has no attribute '_repr_latex_'",
    ),
    "of an enum": (
        lambda: data.Order.ORDER_ASCENDNG,
        AttributeError,
        "Order has no value 'ORDER_ASCENDNG'; it has ORDER_ASCENDING, ORDER_DESCENDING, ORDER_UNSPECIFIED",
    ),
    "of an enum, by its name": (
        lambda: data.Order.Value("up"),
        ValueError,
        "Order has no value 'up'; it has ORDER_UNSPECIFIED, ORDER_DESCENDING, ORDER_ASCENDING",
    ),
}


@pytest.mark.parametrize(("use", "kind", "text"), MISSING.values(), ids=list(MISSING))
def test_a_field_that_is_not_there_is_named_with_those_that_are(use, kind, text):
    with pytest.raises(kind) as caught:
        use()
    assert str(caught.value) == text


ASSIGNED = {
    "a number for a text": (app.Robot, "id", 5, TypeError, "id takes a str, got 5"),
    "a number out of range": (
        *(app.Location, "robot_count", 1 << 40, ValueError),
        "robot_count takes an int from -2147483648 to 2147483647, got 1099511627776",
    ),
    "half a character for a value of an enum": (
        *(data.DataRequest, "sort_order", "\ud800", ValueError),
        "sort_order takes a value of Order, got a str with a lone surrogate, which is half a character",
    ),
    "a text for a time": (
        *(app.Robot, "created_on", "noon", AttributeError),
        "created_on cannot be set to a str; use message.created_on.FromDatetime(…), which takes a datetime",
    ),
    "a number for a Struct": (
        *(app.RobotPart, "robot_config", 5, AttributeError),
        "robot_config cannot be set to 5; use message.robot_config.update({…}), which takes a dict",
    ),
    "a message": (
        *(app.RobotPartHistoryEntry, "old", app.RobotPart(), AttributeError),
        "old cannot be set to a RobotPart; use message.old.CopyFrom(…), which takes a RobotPart",
    ),
    "a list": (
        *(app.RobotPart, "secrets", [], AttributeError),
        (
            "secrets cannot be set to a list; use message.secrets.extend([…]), which takes a list; each item is"
            " a SharedSecret"
        ),
    ),
    "a map": (
        *(mltraining.SubmitCustomTrainingJobRequest, "arguments", {}, AttributeError),
        "arguments cannot be set to a dict; use message.arguments.update({…}), which takes a dict",
    ),
}


@pytest.mark.parametrize(("cls", "name", "value", "kind", "text"), ASSIGNED.values(), ids=list(ASSIGNED))
def test_what_cannot_be_assigned_is_named(cls, name, value, kind, text):
    with pytest.raises(kind) as caught:
        setattr(cls(), name, value)
    assert str(caught.value) == text


def test_fields_are_assigned_and_read_as_ever():
    robot = app.Robot()
    robot.name = "J\u00fcrgen"
    robot.created_on.FromDatetime(datetime(2024, 5, 1))
    request = data.DataRequest()
    request.sort_order = data.Order.ORDER_ASCENDING
    assert (robot.name, robot.created_on.seconds, request.sort_order) == ("J\u00fcrgen", 1714521600, 2)
    assert [hasattr(robot, name) for name in ("name", "HasField", "colour", "__copy__")] == [True, True, False, False]
    assert pickle.loads(pickle.dumps(robot)) == copy.copy(robot) == copy.deepcopy(robot) == robot


def refusals(cls, field):
    """Yield the texts with which a field refuses values, in the constructor and by assignment."""
    wrong = (object(), 5, "text", b"\xff", [object()], [5], {5: 5}, {"colour": 5}, {"colour": object()})
    others = (timestamp_pb2.Timestamp(), struct_pb2.Struct(), google.Struct(), app.Robot(), data.Filter())
    for value in (*wrong, *others, [others[0]], {"x": others[0]}):
        for use in (lambda value=value: cls(**{field: value}), lambda value=value: setattr(cls(), field, value)):
            try:
                use()
            except (AttributeError, TypeError, ValueError) as error:
                yield str(error)


@pytest.mark.parametrize("cls", messages(), ids=full_name)
def test_no_refusal_of_a_message_speaks_of_the_wire(cls):
    names = [field.name for field in cls.DESCRIPTOR.fields]
    texts = {name: list(refusals(cls, name)) for name in names}
    assert [name for name in names if not texts[name]] == []
    unclear = [
        text for name in names for text in texts[name] if FULL_NAME.search(text) or not re.match(rf"{name}\b", text)
    ]
    assert unclear == []


@pytest.mark.parametrize("cls", [cls for cls in messages() if cls is not google.Value], ids=full_name)
def test_a_field_that_is_not_there_is_named_in_the_words_of_python(cls):
    with pytest.raises(AttributeError, match="has no field 'no_such_field'; it has") as caught:
        cls().no_such_field  # noqa: B018
    assert not FULL_NAME.search(str(caught.value))


def test_a_text_that_may_be_secret_is_not_shown():
    with pytest.raises(TypeError) as caught:
        app.Location(robot_count="hush-hush")
    assert "hush" not in str(caught.value)


def test_what_fits_is_taken():
    assert list(app.ListRobotsForLocationsRequest(location_ids=("a", "b")).location_ids) == ["a", "b"]
    assert list(app.ListRobotsForLocationsRequest(location_ids=iter("ab")).location_ids) == ["a", "b"]
    assert data.DataRequest(sort_order="ORDER_ASCENDING").sort_order == data.Order.ORDER_ASCENDING
    assert common.GeoPoint(latitude=1).latitude == 1.0


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"colour": "red"}, 'Message type "Robot" has no field named "colour"'),
        ({"online_state": "SLEEPY"}, "for enum type OnlineState"),
    ],
)
def test_a_struct_that_does_not_fit_a_message_is_refused_without_the_words_of_the_wire(fields, text):
    with pytest.raises(ParseError) as caught:
        struct_to_message(dict_to_struct(fields), app.Robot)
    assert text in str(caught.value)
    assert not FULL_NAME.search(str(caught.value))
