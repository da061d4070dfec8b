"""A constructor that is given what does not fit names its parameter, what that takes, and what it got."""

import pytest

from viam_sync.proto import app, common
from viam_sync.proto.app import data, mltraining

WRONG = {
    "a number for a text": (lambda: app.Robot(id=5), TypeError, "id takes a str, got 5"),
    "bytes for a text": (lambda: app.Robot(id=b"\xff"), ValueError, "id takes a str, got a bytes"),
    "a text for a number": (
        lambda: app.Location(robot_count="3"),
        TypeError,
        "robot_count takes an int from -2147483648 to 2147483647, got a str",
    ),
    "a text for a float": (
        lambda: data.BoundingBox(x_min_normalized="0.5"),
        TypeError,
        "x_min_normalized takes a number, got a str",
    ),
    "a number out of range": (
        lambda: app.Location(robot_count=1 << 40),
        ValueError,
        "robot_count takes an int from -2147483648 to 2147483647, got 1099511627776",
    ),
    "a value that an enum lacks": (
        lambda: data.DataRequest(sort_order="ORDER_SIDEWAYS"),
        ValueError,
        "sort_order takes a value of Order, got a str",
    ),
    "a text for a list": (
        lambda: app.ListRobotsForLocationsRequest(location_ids="abc"),
        TypeError,
        "location_ids takes a list, got a str",
    ),
    "a number for a list": (
        lambda: app.ListRobotsForLocationsRequest(location_ids=7),
        TypeError,
        "location_ids takes a list, got 7",
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
        "secrets[0] takes a SharedSecret, which has no field 'colour'",
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


def test_a_field_that_is_not_there_is_named():
    with pytest.raises(ValueError, match="colour"):
        app.Robot(colour="red")


def test_a_text_that_may_be_secret_is_not_shown():
    with pytest.raises(TypeError) as caught:
        app.Location(robot_count="hush-hush")
    assert "hush" not in str(caught.value)


def test_what_fits_is_taken():
    assert list(app.ListRobotsForLocationsRequest(location_ids=("a", "b")).location_ids) == ["a", "b"]
    assert list(app.ListRobotsForLocationsRequest(location_ids=iter("ab")).location_ids) == ["a", "b"]
    assert data.DataRequest(sort_order="ORDER_ASCENDING").sort_order == data.Order.ORDER_ASCENDING
    assert common.GeoPoint(latitude=1).latitude == 1.0
