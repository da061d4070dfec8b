"""Messages from other pools, and plain values, are taken wherever a message of ours with the same full name is."""

import threading
from datetime import datetime, timedelta, timezone

import grpc
import pytest
from google.protobuf import any_pb2, duration_pb2, struct_pb2, timestamp_pb2

from viam_sync.app.app_client import APIKeyAuthorization, Fragment, RobotPart
from viam_sync.app.data_client import DataClient
from viam_sync.messages.acceptance import adopt
from viam_sync.messages.values import value_to_message
from viam_sync.proto import app, common, google
from viam_sync.proto.app import data, datasync, mltraining

from .schema_walk import example, foreign, full_name, messages
from .taken import check_fields, check_message, check_record, record_classes

MOMENT = datetime(2024, 2, 29, 12, 30, 15, 250000, tzinfo=timezone.utc)
STAMP = timestamp_pb2.Timestamp(seconds=int(MOMENT.timestamp()), nanos=250_000_000)
MOMENTS = {
    "a datetime": MOMENT,
    "a datetime of another zone": MOMENT.astimezone(timezone(timedelta(hours=5, minutes=30))),
    "a datetime without a zone": MOMENT.replace(tzinfo=None),
    "a Timestamp of google.protobuf": STAMP,
    "a Timestamp of another pool": foreign("google.protobuf.Timestamp")(seconds=STAMP.seconds, nanos=STAMP.nanos),
    "a Timestamp of ours": google.Timestamp(seconds=STAMP.seconds, nanos=STAMP.nanos),
    "a dict of fields": {"seconds": STAMP.seconds, "nanos": STAMP.nanos},
}


@pytest.mark.parametrize("moment", MOMENTS.values(), ids=list(MOMENTS))
def test_a_point_in_time_can_be(moment):
    robot = app.Robot(created_on=moment)
    assert type(robot.created_on) is google.Timestamp
    assert robot.created_on.ToDatetime(timezone.utc) == MOMENT
    assert data.CaptureInterval(start=moment, end=moment).end == robot.created_on


def struct():
    found = struct_pb2.Struct()
    found.update({"speed": 1.5, "on": None, "list": [True, {"deep": "yes"}]})
    return found


STRUCTS = {
    "a dict": {"speed": 1.5, "on": None, "list": [True, {"deep": "yes"}]},
    "a Struct of google.protobuf": struct(),
    "a Struct of another pool": foreign("google.protobuf.Struct").FromString(struct().SerializeToString()),
    "a Struct of ours": google.Struct.FromString(struct().SerializeToString()),
}


@pytest.mark.parametrize("value", STRUCTS.values(), ids=list(STRUCTS))
def test_a_json_object_can_be(value):
    part = app.RobotPart(robot_config=value)
    assert type(part.robot_config) is google.Struct
    assert part.robot_config.SerializeToString(deterministic=True) == struct().SerializeToString(deterministic=True)


def test_an_any_can_hold_a_message_of_ours_and_one_of_google():
    packed, google_packed = google.Any(), any_pb2.Any()
    packed.Pack(app.Robot(id="r"))
    google_packed.Pack(STAMP)
    status = google.Status(code=5, details=[packed, google_packed])
    robot = app.Robot()
    assert status.details[0].Unpack(robot)
    assert robot.id == "r"
    assert [each.TypeName() for each in status.details] == ["viam.app.v1.Robot", "google.protobuf.Timestamp"]


def test_a_span_of_time_is_taken_from_a_timedelta():
    # No message of the schema has a Duration, but the rule is there for the first that does.
    span = value_to_message(duration_pb2.Duration, timedelta(minutes=1, milliseconds=500), "span")
    assert (span.seconds, span.nanos) == (60, 500_000_000)


def test_a_foreign_message_can_be_the_value_of_a_field():
    theirs = foreign("viam.app.data.v1.Filter")(robot_id="r", tags_filter={"tags": ["a"]})
    request = data.DataRequest(filter=theirs)
    assert type(request.filter) is data.Filter
    assert request.filter.tags_filter.tags == ["a"]


def test_foreign_messages_can_be_the_values_of_a_repeated_field():
    theirs = foreign("viam.app.v1.Robot")
    moment = {"id": "3", "created_on": STAMP}
    answer = app.ListRobotsResponse(robots=[theirs(id="1"), app.Robot(id="2"), moment])
    assert [robot.id for robot in answer.robots] == ["1", "2", "3"]
    assert {type(robot) for robot in answer.robots} == {app.Robot}
    assert len(app.ListRobotsResponse(robots=iter([theirs()])).robots) == 1


def test_foreign_messages_can_be_the_values_of_a_map():
    theirs = any_pb2.Any(type_url="t/u")
    metadata = datasync.UploadMetadata(method_parameters={"a": theirs, "b": foreign("google.protobuf.Any")()})
    assert metadata.method_parameters["a"].type_url == "t/u"
    assert {type(each) for each in metadata.method_parameters.values()} == {google.Any}


def test_foreign_messages_can_be_anywhere_inside_dicts():
    theirs = foreign("viam.app.v1.Location")(id="l")
    answer = app.ListLocationsResponse(locations=[{"id": "m", "created_on": MOMENT, "auth": {"secrets": [{}]}}, theirs])
    assert [location.id for location in answer.locations] == ["m", "l"]
    assert answer.locations[0].created_on.ToDatetime(timezone.utc) == MOMENT
    assert len(answer.locations[0].auth.secrets) == 1


def test_a_message_merges_and_copies_foreign_messages():
    theirs = foreign("viam.app.v1.Robot")(id="theirs", created_on={"seconds": 4})
    ours = app.Robot(name="ours")
    ours.MergeFrom(theirs)
    assert (ours.id, ours.name, ours.created_on.seconds) == ("theirs", "ours", 4)
    ours.CopyFrom(theirs)
    assert (ours.id, ours.name) == ("theirs", "")
    ours.created_on.CopyFrom(STAMP)
    assert ours.created_on.ToDatetime(timezone.utc) == MOMENT
    ours.created_on.MergeFrom(timestamp_pb2.Timestamp(seconds=9))
    assert ours.created_on.seconds == 9
    answer = app.ListRobotsResponse()
    answer.robots.add().CopyFrom(theirs)
    assert answer.robots[0].id == "theirs"


def test_messages_of_ours_are_merged_and_copied_as_ever():
    ours = app.Robot(name="ours")
    ours.MergeFrom(app.Robot(id="1"))
    assert (ours.id, ours.name) == ("1", "ours")
    ours.CopyFrom(ours)
    ours.CopyFrom(app.Robot(id="2"))
    assert (ours.id, ours.name) == ("2", "")


def test_none_leaves_a_field_unset():
    robot = app.Robot(id=None, created_on=None)
    assert not robot.HasField("created_on")
    assert app.ListRobotsResponse(robots=None) == app.ListRobotsResponse()
    assert datasync.UploadMetadata(method_parameters=None, tags=None) == datasync.UploadMetadata()


def test_a_message_copies_the_plain_values_that_its_constructor_takes():
    robot = app.Robot(name="rover")
    robot.created_on.CopyFrom(MOMENT)
    robot.MergeFrom({"id": "r"})
    assert (robot.id, robot.name, robot.created_on.ToDatetime(timezone.utc)) == ("r", "rover", MOMENT)


class Robot:
    """No message, but called as one."""


REFUSED = {
    "in a field": (
        lambda: app.Robot(created_on=struct()),
        "created_on takes a datetime, got a Struct",
    ),
    "in a repeated field": (
        lambda: app.ListRobotsResponse(robots=[app.Robot(), STAMP]),
        "robots[1] takes a Robot, got a Timestamp",
    ),
    "in a map": (
        lambda: datasync.UploadMetadata(method_parameters={"speed": STAMP}),
        "method_parameters['speed'] takes an Any, got a Timestamp",
    ),
    "in a dict": (
        lambda: app.ListRobotsResponse(robots=[{"created_on": foreign("viam.app.v1.Robot")()}]),
        "robots[0]['created_on'] takes a datetime, got a Robot",
    ),
    "of our own pool": (
        lambda: data.DataRequest(filter=app.Robot()),
        "filter takes a Filter, as viam_sync.utils.create_filter(…) returns, got a Robot",
    ),
    "to copy": (
        lambda: app.Robot().CopyFrom(STAMP),
        "CopyFrom takes a Robot, got a Timestamp",
    ),
    "to merge": (
        lambda: app.Robot().MergeFrom(app.Location()),
        "MergeFrom takes a Robot, got a Location",
    ),
    "to copy, and no message": (
        lambda: app.Robot().CopyFrom(5),
        "CopyFrom takes a Robot, got 5",
    ),
    "of another class of the same name": (
        lambda: app.Robot().CopyFrom(Robot()),
        f"CopyFrom takes a Robot, got a Robot of the module {__name__}",
    ),
    "that is no message to copy": (
        lambda: google.Timestamp().CopyFrom(5),
        "CopyFrom takes a datetime, got 5; datetime.fromtimestamp(…, timezone.utc) makes one of seconds since 1970",
    ),
    "that is no message": (
        lambda: app.Robot(created_on=5),
        "created_on takes a datetime, got 5; datetime.fromtimestamp(…, timezone.utc) makes one of seconds since 1970",
    ),
    "that is a list": (
        lambda: app.RobotPart(robot_config=["a"]),
        "robot_config takes a dict, got a list",
    ),
}


@pytest.mark.parametrize(("build", "text"), REFUSED.values(), ids=list(REFUSED))
def test_what_does_not_fit_is_refused(build, text):
    with pytest.raises(TypeError) as caught:
        build()
    assert str(caught.value) == text


def test_unknown_fields_and_scalars_are_refused_by_protobuf():
    with pytest.raises(ValueError, match="no_such_field"):
        app.Robot(no_such_field=1)
    with pytest.raises(TypeError):
        app.Robot(id=5)


def test_adopting_keeps_what_is_ours_and_refuses_what_is_no_message():
    robot = app.Robot()
    assert adopt(app.Robot, robot, "here") is robot
    with pytest.raises(TypeError, match=r"^here takes a Robot, got a str$"):
        adopt(app.Robot, "text", "here")


VERSIONS = ("older", "same", "newer")


@pytest.mark.parametrize("version", VERSIONS)
def test_messages_are_taken_whatever_the_version_of_their_schema(version):
    for cls in messages():
        theirs = example(foreign(full_name(cls), version))
        check_message(cls, theirs)
        check_fields(cls, theirs)


@pytest.fixture(scope="module")
def others():
    """Return the arguments of ``from_proto`` besides the message, by the names of the records that take any."""
    with grpc.insecure_channel("localhost:1") as channel:
        yield {"DataPipelineRunsPage": (DataClient(channel, {}), 10)}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "record"), record_classes().items(), ids=lambda each: getattr(each, "__name__", ""))
def test_a_record_is_made_of_a_message_whatever_the_version_of_its_schema(version, name, record, others):
    (cls,) = (each for each in messages() if full_name(each) == name)
    check_record(record, cls, example(foreign(name, version)), *others.get(record.__name__, ()))


@pytest.mark.parametrize("version", ["same", "newer"])
def test_the_record_of_a_role_is_made_of_a_message_whatever_the_version_of_its_schema(version):
    role = {"authorization_id": "robot_owner", "resource_type": "robot", "resource_id": "r-1"}
    theirs = foreign("viam.app.v1.Authorization", version)(**role)
    assert APIKeyAuthorization.from_proto(theirs) == APIKeyAuthorization("owner", "robot", "r-1")


def test_a_record_says_what_it_is_made_of():
    with pytest.raises(TypeError, match=r"^robot_part takes a RobotPart, got None$"):
        RobotPart.from_proto(None)
    with pytest.raises(TypeError, match=r"^fragment takes a Fragment, got a Robot$"):
        Fragment.from_proto(foreign("viam.app.v1.Robot")())


def test_what_a_message_of_an_older_schema_lacks_is_unset():
    part = RobotPart.from_proto(foreign("viam.app.v1.RobotPart", "older")(id="p-1"))
    assert (part.id, part.robot_config, part.last_updated, part.robot_config_json) == ("p-1", None, None, None)
    assert part.proto == app.RobotPart(id="p-1")


def test_what_ours_lacks_comes_out_again():
    newer = foreign("viam.app.v1.Fragment", "newer")
    theirs = newer(name="arm", visibility=5000, added="later")
    assert Fragment.from_proto(theirs).visibility is Fragment.Visibility.UNSPECIFIED
    response = app.GetFragmentResponse(fragment=theirs)
    assert response.fragment.visibility == 5000
    assert newer.FromString(response.fragment.SerializeToString()) == theirs


def test_threads_can_give_foreign_messages_at_once():
    theirs = foreign("viam.app.mltraining.v1.TrainingJobMetadata")(id="job")
    found = []

    def build():
        found.append(mltraining.GetTrainingJobResponse(metadata=theirs).metadata.id)

    threads = [threading.Thread(target=build) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["job"] * 8


def test_a_resource_name_of_another_pool_is_taken():
    theirs = foreign("viam.common.v1.ResourceName")(name="arm")
    assert common.ResourceName.FromString(theirs.SerializeToString()).name == "arm"
