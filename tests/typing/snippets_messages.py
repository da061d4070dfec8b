"""Code with messages that mypy and pyright must accept, or reject where it says so. It is never run."""

from datetime import datetime, timezone
from typing import Dict, List, Literal, Optional

from google.protobuf.any_pb2 import Any
from google.protobuf.struct_pb2 import Struct
from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import assert_type

from viam_sync.proto import app as app_pb
from viam_sync.proto import common
from viam_sync.proto.app import data, dataset, datasync, mltraining


def constructors(moment: datetime, stamp: Timestamp, struct: Struct, packed: Any) -> List[object]:
    return [
        app_pb.Robot(),
        app_pb.Robot(id="r", created_on=moment),
        app_pb.Robot(id=None, created_on=stamp, last_access=None),
        app_pb.RobotPart(robot_config={"components": []}, user_supplied_info=struct),
        app_pb.ListRobotsResponse(robots=[app_pb.Robot(id="r")]),
        data.CaptureInterval(start=moment, end=stamp),
        datasync.UploadMetadata(method_parameters={"a": packed}, tags=("one", "two")),
        app_pb.Robot(id=1),  # type: ignore[arg-type]
        app_pb.Robot(nome="r"),  # type: ignore[call-arg]
        app_pb.ListRobotsResponse(robots=[app_pb.Location()]),  # type: ignore[list-item]
    ]


def singular_fields(robot: app_pb.Robot, part: app_pb.RobotPart) -> None:
    assert_type(robot.id, str)
    assert_type(robot.created_on, Timestamp)
    assert_type(robot.created_on.ToDatetime(timezone.utc), datetime)
    assert_type(part.robot_config, Struct)
    robot.id = "other"
    robot.created_on.CopyFrom(Timestamp())
    robot.created_on = Timestamp()  # type: ignore[misc]
    robot.id = 5  # type: ignore[assignment]
    robot.nome = "r"  # type: ignore[attr-defined]


def repeated_fields(answer: app_pb.ListRobotsResponse, tags: data.TagsFilter) -> None:
    assert_type(answer.robots[0], app_pb.Robot)
    assert_type([robot.id for robot in answer.robots], List[str])
    answer.robots.add(id="r", name="new")
    answer.robots.append(app_pb.Robot())
    assert_type(tags.tags[0], str)
    tags.tags.extend(["a", "b"])
    tags.tags.append(5)  # type: ignore[arg-type]


def maps(metadata: datasync.UploadMetadata) -> None:
    assert_type(metadata.method_parameters["a"], Any)
    assert_type(dict(metadata.method_parameters), Dict[str, Any])


def enums(kind: dataset.DatasetType.ValueType) -> dataset.Dataset:
    assert_type(dataset.DatasetType.Name(kind), str)
    assert_type(dataset.DatasetType.Value("DATASET_TYPE_BINARY_DATA"), dataset.DatasetType.ValueType)
    assert_type(dataset.DatasetType.DATASET_TYPE_BINARY_DATA, dataset.DatasetType.ValueType)
    assert_type(dataset.DatasetType.values(), List[dataset.DatasetType.ValueType])
    number: int = kind
    dataset.Dataset(type=number)  # type: ignore[arg-type]
    dataset.Dataset(type=data.Order.ORDER_ASCENDING)  # type: ignore[arg-type]
    return dataset.Dataset(type=dataset.DatasetType.DATASET_TYPE_SEQUENCE_DATA)


def nested_enums(secret: app_pb.SharedSecret) -> app_pb.SharedSecret:
    assert_type(secret.state, app_pb.SharedSecret.State.ValueType)
    assert_type(app_pb.SharedSecret.State.STATE_ENABLED, app_pb.SharedSecret.State.ValueType)
    assert_type(app_pb.SharedSecret.STATE_ENABLED, app_pb.SharedSecret.State.ValueType)
    assert_type(app_pb.SharedSecret.State.Name(secret.state), str)
    assert_type(app_pb.SharedSecret.State.Value("STATE_ENABLED"), app_pb.SharedSecret.State.ValueType)
    secret.state = app_pb.SharedSecret.STATE_DISABLED
    return app_pb.SharedSecret(state=app_pb.SharedSecret.State.STATE_ENABLED)


def presence(robot: app_pb.Robot, update: app_pb.UpdateLocationRequest) -> None:
    assert_type(robot.HasField("created_on"), bool)
    assert_type(update.HasField("parent_location_id"), bool)
    robot.ClearField("name")
    robot.HasField("id")  # type: ignore[arg-type]
    robot.ClearField("nome")  # type: ignore[arg-type]


def oneofs(reading: datasync.SensorData) -> None:
    assert_type(reading.WhichOneof("data"), Optional[Literal["struct", "binary"]])
    assert_type(reading.HasField("data"), bool)
    reading.ClearField("data")
    reading.WhichOneof("date")  # type: ignore[arg-type]


def copies(robot: app_pb.Robot) -> app_pb.Robot:
    robot.MergeFrom(app_pb.Robot())
    return app_pb.Robot.FromString(robot.SerializeToString())


def names(name: common.ResourceName) -> Optional[str]:
    job = mltraining.TrainingJobMetadata(id="job")
    return name.name or job.id
