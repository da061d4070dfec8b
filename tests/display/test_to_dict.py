"""What ``viam_sync.to_dict`` makes of messages, records and plain values."""

import base64
import json
import random
import re
from collections import OrderedDict
from dataclasses import fields
from datetime import date, datetime, timedelta, timezone
from pathlib import PurePosixPath
from typing import Any, List

import pytest
from bson import ObjectId
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from messages.schema_walk import foreign, full_name, messages
from messages.taken import record_classes

from viam_sync import to_dict
from viam_sync.app.app_client import AppClient, Fragment
from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.messages.explain import is_map
from viam_sync.messages.file_id import FileID
from viam_sync.messages.pool import pool
from viam_sync.messages.secret_fields import HIDDEN, SECRET_FIELDS
from viam_sync.proto import app as pb
from viam_sync.proto import google as google_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datapipelines as pipelines_pb
from viam_sync.sandbox import Sandbox
from viam_sync.transfer.export.results import ExportedFile, ExportResult

from .random_messages import random_message

#: Names that a field with a secret may have.
SUSPICIOUS = re.compile(
    r"secret|password|psk|payload|credential|token|private|(^|_)keys?$|sdp|signed|download_url|config(uration)?(_json)?$"
    r"|^env$|attributes|variables|auth_metadata|^md$|^fragment$"
)
#: Fields with such a name that hold none: IDs, places in a list, readings, and what has its secrets within.
NO_SECRETS = re.compile(
    r"page_token|secret_id|\.payload$|FragmentHistoryEntry\.fragment$|Container\.key|maintenance_allowed_key|Entry\.key"
    r"|ICECandidate\.sdp|api_keys?$|oauth_config|APIKeyWithAuthorizations|BillingServiceConfig"
)


@pytest.mark.parametrize("seed", range(2))
def test_every_message_is_as_proto_json_has_it(seed: int) -> None:
    source = random.Random(seed)
    for cls in messages():
        message = random_message(cls, source)
        made = to_dict(message)
        assert made == MessageToDict(message, descriptor_pool=pool()), full_name(cls)
        json.dumps(made, allow_nan=False)


def test_a_message_of_another_package_is_as_one_of_ours() -> None:
    ours = random_message(pb.RobotPart, random.Random(1))
    other = foreign("viam.app.v1.RobotPart").FromString(ours.SerializeToString())
    assert to_dict(other) == to_dict(ours)
    assert to_dict(other, secrets=False) == to_dict(ours, secrets=False) != to_dict(ours)
    assert to_dict(Timestamp(seconds=3)) == "1970-01-01T00:00:03Z"


@pytest.mark.parametrize("seed", range(2))
def test_no_secret_is_left_where_none_are_asked_for(seed: int) -> None:
    source = random.Random(seed)
    for cls in messages():
        message = random_message(cls, source)
        _mark_secrets(message)
        text = json.dumps(to_dict(message, secrets=False))
        assert "S3CRET" not in text, full_name(cls)
        if "S3CRET" in json.dumps(to_dict(message)):
            assert HIDDEN in text


def _mark_secrets(message: Any) -> None:
    """Write a mark into each secret of a message that is text, or holds text by names."""
    for field, value in message.ListFields():
        if field.full_name in SECRET_FIELDS:
            message.ClearField(field.name)
            _mark(message, field)
        elif field.message_type is not None and field.message_type.file.package != "google.protobuf":
            if is_map(field):
                inner = [value[key] for key in value if field.message_type.fields_by_name["value"].message_type]
            else:
                inner = [value] if field.has_presence else value
            for each in inner:
                _mark_secrets(each)


def _mark(message: Any, field: Any) -> None:
    if field.message_type is None:
        cast = message.__class__.DESCRIPTOR.fields_by_name[field.name]
        if type(cast.default_value) is list:
            getattr(message, field.name).append("S3CRET")
        else:
            setattr(message, field.name, "S3CRET")
    elif field.message_type.full_name == "google.protobuf.Struct":
        getattr(message, field.name).update({"S3CRET": 1})


def test_every_field_whose_name_is_that_of_a_secret_is_one_or_is_known_to_be_none() -> None:
    found = [
        field.full_name
        for cls in messages()
        for field in cls.DESCRIPTOR.fields
        if SUSPICIOUS.search(field.name) and field.enum_type is None and field.type not in (8, 3, 4, 5, 1)
        if field.message_type is None or is_map(field) or field.message_type.file.package == "google.protobuf"
    ]
    assert [name for name in found if name not in SECRET_FIELDS and not NO_SECRETS.search(name)] == []
    there = {field.full_name for cls in messages() for field in cls.DESCRIPTOR.fields}
    assert SECRET_FIELDS - there == set()


def test_records_leave_out_of_their_repr_what_is_secret_in_their_messages() -> None:
    by_name = {full_name(cls): cls for cls in messages()}
    for name, cls in record_classes().items():
        known = {field.name for field in fields(cls)}
        left_out = {field.name for field in fields(cls) if not field.repr and not field.name.startswith("_")}
        assert left_out == {field.name for field in by_name[name].DESCRIPTOR.fields if _hides(field)} & known, name


def _hides(field: Any) -> bool:
    """Tell whether a field is a secret, or holds messages of nothing but one."""
    return field.full_name in SECRET_FIELDS or getattr(field.message_type, "name", "") == "SharedSecret"


def test_a_record_is_as_its_message(app: AppClient, sandbox: Sandbox) -> None:
    (part,) = app.get_robot_parts(sandbox.robot_id)
    assert to_dict(part) == to_dict(part.proto)
    assert to_dict(part)["secret"] == part.secret
    hidden = to_dict(part, secrets=False)
    assert hidden["secret"] == hidden["robotConfig"] == hidden["secrets"][0]["secret"] == HIDDEN
    assert part.secret not in json.dumps(hidden)


def test_records_within_records_are_converted() -> None:
    fragment = Fragment.from_proto(pb.Fragment(name="arm", fragment={"components": []}))
    assert to_dict([fragment])[0]["fragment"] == {"components": []}
    assert to_dict({"arm": fragment}, secrets=False)["arm"]["fragment"] == HIDDEN


def test_readings_have_the_names_of_proto_json(client: ViamClient) -> None:
    rows, count, last = client.data_client.tabular_data_by_filter(limit=2)
    made = to_dict((rows, count, last))
    assert made[1:] == [count, last]
    assert {*made[0][0]} == {"data", "metadata", "timeRequested", "timeReceived"}
    assert made[0][0]["metadata"] == to_dict(rows[0].metadata)
    assert made[0][0]["timeRequested"].endswith("Z")


def test_numbers_of_enums_in_records_become_names(client: ViamClient) -> None:
    run = DataClient.DataPipelineRun.from_proto(pipelines_pb.DataPipelineRun(id="r-1", status=3, data_source_type=1))
    page = DataClient.DataPipelineRunsPage(client.data_client, "p-1", 10, [run], "more")
    assert to_dict(page) == {"pipelineId": "p-1", "pageSize": 10, "runs": [to_dict(run)], "nextPageToken": "more"}
    assert to_dict(run)["status"] == "DATA_PIPELINE_RUN_STATUS_COMPLETED"
    assert to_dict(run)["dataSourceType"] == "TABULAR_DATA_SOURCE_TYPE_STANDARD"


def test_results_have_their_paths_and_errors_as_text_without_passwords() -> None:
    file = ExportedFile("o/l/f", PurePosixPath("a/b.jpg"), 5, OSError("no sftp://me:hush@host/x"))
    made = to_dict(ExportResult("s3://cats", [file], listed=True))
    assert made["files"] == [
        {
            "id": "o/l/f",
            "path": "a/b.jpg",
            "size": 5,
            "error": "OSError: no sftp://me:***@host/x",
            "alreadyThere": False,
            "metadataUpdated": False,
        }
    ]


@pytest.mark.parametrize(
    ("value", "made"),
    [
        (FileID("f-1", "o/l/f-1"), "f-1"),
        (datetime(2024, 1, 2, 3, 4, 5), "2024-01-02T03:04:05Z"),
        (datetime(2024, 1, 2, 3, tzinfo=timezone(timedelta(hours=2))), "2024-01-02T01:00:00Z"),
        (date(2024, 1, 2), "2024-01-02"),
        (timedelta(seconds=1.5), "1.500s"),
        (b"abc", base64.b64encode(b"abc").decode()),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (float("inf"), "Infinity"),
        (2**60, 2**60),
        (None, None),
        (True, True),
        (Fragment.Visibility.PUBLIC, "public"),
        (ObjectId("0123456789abcdef01234567"), "0123456789abcdef01234567"),
        (OrderedDict(a=(1, "b")), {"a": [1, "b"]}),
        ({1: "one"}, {1: "one"}),
        ([], []),
        (google_pb.Struct(fields={}), {}),
    ],
)
def test_plain_values_follow_the_same_rules(value: Any, made: Any) -> None:
    assert to_dict(value) == made
    assert type(to_dict(value)) is type(made)


def test_whole_numbers_of_64_bits_in_messages_are_text() -> None:
    assert to_dict(data_pb.BinaryMetadata(file_size_bytes=2**60)) == {"fileSizeBytes": str(2**60)}


def test_lists_and_maps_of_messages_are_converted() -> None:
    metadata = data_pb.CaptureMetadata(tags=["a"])
    metadata.method_parameters["x"].Pack(google_pb.Struct(fields={}))
    assert to_dict(metadata.tags) == ["a"]
    packed = {"@type": "type.googleapis.com/google.protobuf.Struct", "value": {}}
    assert to_dict(metadata.method_parameters) == {"x": packed}
    page = pb.ListRobotsResponse(robots=[pb.Robot(name="rover")])
    assert to_dict(page.robots) == [{"name": "rover"}]


def test_what_nobody_here_knows_the_type_of_keeps_its_bytes() -> None:
    metadata = data_pb.CaptureMetadata(robot_name="rover", tags=["a", "b"])
    metadata.method_parameters["x"].type_url = "example.com/unknown.Type"
    metadata.method_parameters["x"].value = b"abc"
    made = to_dict(data_pb.BinaryData(binary=b"x", metadata=data_pb.BinaryMetadata(capture_metadata=metadata)))
    assert made["binary"] == "eA=="
    assert made["metadata"]["captureMetadata"] == {
        "robotName": "rover",
        "tags": ["a", "b"],
        "methodParameters": {"x": {"@type": "example.com/unknown.Type", "value": "YWJj"}},
    }


def test_what_has_no_form_in_json_is_named() -> None:
    robot = pb.Robot(name="rover", last_access=google_pb.Timestamp(seconds=2**60))
    with pytest.raises(ValueError, match=r"value\[0\]\.last_access has no form in JSON"):
        to_dict([robot])
    with pytest.raises(TypeError, match=r"value\['a'\] takes a message, a record of viam_sync, .*, got an object"):
        to_dict({"a": object()})
    with pytest.raises(TypeError, match=r"give list\(value\)"):
        to_dict(iter([]))
    with pytest.raises(TypeError, match="value takes a dict whose keys are each a str"):
        to_dict({(1, 2): 3})
    with pytest.raises(TypeError, match="secrets takes a bool"):
        to_dict([], secrets="no")  # type: ignore[arg-type]
    loop: List[Any] = []
    loop.append(loop)
    with pytest.raises(ValueError, match=r"^value has more than 100 lists and dicts"):
        to_dict(loop)
