"""Requests as JSON has them: each of the schema, and what does not fit."""

import json
import re
from typing import Any

import pytest
from google.protobuf import json_format

from viam_sync import ViamClient
from viam_sync.messages.pool import schema_files
from viam_sync.proto import app as pb
from viam_sync.reflection.proto_form import find_described, proto_text, template
from viam_sync.reflection.requests import objects_in, request_from
from viam_sync.reflection.rpcs import all_rpcs, find_rpc
from viam_sync.rpc.policies import DELETE, DELETE_SOME
from viam_sync.sandbox import Sandbox


def test_every_rpc_of_the_schema_is_found_by_its_full_and_its_short_name() -> None:
    services = [service for file in schema_files() for service in file.services_by_name.values()]
    assert len(all_rpcs()) == sum(len(service.methods) for service in services)
    for rpc in all_rpcs():
        assert find_rpc(rpc.name) is rpc
        assert find_rpc(rpc.short_name) is rpc


def test_every_template_is_a_request_and_every_field_is_described() -> None:
    for rpc in all_rpcs():
        filled = template(rpc.descriptor.input_type)
        request_from(rpc.descriptor.input_type, json.loads(json.dumps(filled)))
        text = proto_text(rpc)
        fields = [*rpc.descriptor.input_type.fields, *rpc.descriptor.output_type.fields]
        assert all(f" {field.name} = {field.number};" in text for field in fields)


def test_an_rpc_that_no_method_calls_is_sent_once() -> None:
    for name in ("StartMappingSession", "SignalingService/Answer", "SignalingService/Call"):
        policy = find_rpc(name).method.policy
        assert (policy.attempts, policy.idempotent) == (1, False)
    assert find_rpc("SignalingService/Answer").method.kind == "stream_stream"


def test_what_deletes_or_charges_is_final() -> None:
    final = {rpc.descriptor.name for rpc in all_rpcs() if rpc.is_final}
    assert {rpc.descriptor.name for rpc in all_rpcs() if rpc.method.policy in (DELETE, DELETE_SOME)} <= final
    assert {"ChargeOrganization", "CreateInvoiceAndChargeImmediately", "RotateKey", "DeleteTabularData"} <= final
    assert final.isdisjoint({"GetRobot", "NewRobot", "UpdateRobot", "TailRobotPartLogs", "ListKeys"})


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("GetRobotRequest", {"ID": "a"}, "GetRobotRequest has no field 'ID'; it has id"),
        ("GetRobotRequest", {"id": ["a"]}, "id takes a text, got a list"),
        ("GetRobotRequest", {"id": "\ud800"}, "id has half a character in it"),
        ("GetRobotPartHistoryRequest", {"pageLimit": "many"}, "pageLimit takes an int from"),
        ("GetRobotPartHistoryRequest", {"start": "today"}, 'start takes a time such as "2024-01-31T12:00:00Z", got'),
        ("TabularDataByFilterRequest", {"countOnly": "yes"}, "countOnly takes true or false, got a str"),
        (
            "TabularDataByFilterRequest",
            {"dataRequest": {"lmit": 5}},
            "dataRequest: DataRequest has no field 'lmit'; it",
        ),
        (
            "TabularDataByFilterRequest",
            {"data_request": {"sortOrder": "ASC"}},
            "data_request.sortOrder takes ORDER_ASCENDING, ORDER_UNSPECIFIED or ORDER_DESCENDING, got",
        ),
        (
            "TabularDataByFilterRequest",
            {"dataRequest": {"filter": {"locationIds": ["a", 5]}}},
            "dataRequest.filter.locationIds[1] takes a text, got 5",
        ),
        (
            "TabularDataByFilterRequest",
            {"dataRequest": {"filter": {"locationIds": "a"}}},
            "dataRequest.filter.locationIds takes a list, each item a text, got",
        ),
        ("TabularDataByFilterRequest", {"dataRequest": []}, "dataRequest takes an object, got"),
        *(
            ("FileData", {"data": text}, "data takes bytes as base64, got")
            for text in ("é", "QUJD!!!", "QUJ D", "QUJD=", "Q", "!!!")
        ),
        ("UpdateRobotPartRequest", {"robotConfig": "{}"}, "robotConfig takes an object, got"),
        (
            "APIKeyWithAuthorizations",
            {"apiKey": {"key": "(hidden)"}},
            "apiKey.key is (hidden), which stands for a secret",
        ),
        (
            "FileUploadRequest",
            {"metadata": {}, "fileContents": {}},
            'request is no FileUploadRequest: Message type "FileUploadRequest" should not have multiple',
        ),
    ],
)
def test_what_does_not_fit_is_named_by_its_place(name: str, fields: Any, said: str) -> None:
    descriptor: Any = find_described(name)
    with pytest.raises(ValueError, match=f"^{re.escape(said)}"):
        request_from(descriptor, fields)


@pytest.mark.parametrize("text", ["-_8=", "-_8", "+/8=", ""])
def test_bytes_are_base64_of_either_alphabet_with_its_end_or_without(text: str) -> None:
    data: Any = find_described("FileData")
    made: Any = request_from(data, {"data": text})
    assert made.data == (b"\xfb\xff" if text else b"")


def test_a_value_of_any_kind_may_be_a_list() -> None:
    descriptor = find_rpc("SetConfigProperty").descriptor.input_type
    change = {"path": "a", "value": [1, {"a": [2, None]}]}
    made: Any = request_from(descriptor, {"propertyChanges": [change]})
    assert json_format.MessageToDict(made)["propertyChanges"] == [change]


def test_a_secret_that_does_not_fit_is_not_in_the_error() -> None:
    descriptor: Any = find_described("viam.app.v1.APIKey")
    with pytest.raises(ValueError, match=r"^key takes a text, got") as caught:
        request_from(descriptor, {"key": ["s3cret"]})
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"id": "a"} nix', "request is no JSON: Expecting value"),
        ('{"id": NaN}', 'request is no JSON: NaN is written "NaN"'),
        ('{"a": {"b": 1, "b": 2}}', "request has 'b' twice in one object"),
        ("[" * 100_000, "request has too many objects and lists within each other"),
    ],
)
def test_what_is_no_json_is_an_error_of_one_line(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(said)}") as caught:
        objects_in(text)
    assert "\n" not in str(caught.value)


def test_a_client_calls_rpcs_by_their_names(sandbox: Sandbox, client: ViamClient) -> None:
    request = pb.GetRobotRequest(id=sandbox.robot_id)
    for each in (request, {"id": sandbox.robot_id}):
        assert client.call_rpc("GetRobot", each).robot.name == "rover"
    with client.call_rpc("TailRobotPartLogs", {"id": sandbox.robot_part_id}) as tail:
        sandbox.wait_for_tail(sandbox.robot_part_id)
        sandbox.log(sandbox.robot_part_id, "hello")
        assert next(tail).logs[0].message == "hello"


@pytest.mark.parametrize(
    ("rpc", "request_", "said"),
    [
        ("GetRobot", "r-1", "request takes a dict, or a GetRobotRequest, got"),
        ("GetRobot", pb.Robot(), "request takes a dict, or a GetRobotRequest, got a Robot"),
        (
            "FileUpload",
            {},
            "request takes a list of requests, as DataSyncService/FileUpload takes a stream of them, got",
        ),
        (5, None, "rpc takes a str, got 5"),
    ],
)
def test_a_request_of_another_type_is_refused(rpc: Any, request_: Any, said: str, client: ViamClient) -> None:
    with pytest.raises(TypeError, match=f"^{re.escape(said)}"):
        client.call_rpc(rpc, request_)
