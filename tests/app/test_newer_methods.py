"""The methods that are newer than the reference, and whose arguments or results are not just the fields of messages."""

from datetime import datetime, timedelta, timezone
from typing import Any, Callable, Type

import bson
import grpc
import pytest
from google.protobuf.message import Message
from servers import FakeService, answering, refuse

from viam_sync.app.app_client import AppClient
from viam_sync.app.data_client import DataClient
from viam_sync.errors import GRPCError
from viam_sync.proto import app as pb
from viam_sync.proto import google as google_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import dataset as dataset_pb
from viam_sync.rpc.dial import Channel

NOON = datetime(2024, 5, 6, 12)
CATS = dataset_pb.Dataset(id="d-1", name="cats")
SCHOOL = pb.Organization(id="o-1", name="Night School")
DONE = pb.ConfigPropertyChangeResult(path="debug", success=True)
WHEEL = pb.FragmentImport(fragment_id="f-1")
CAMERA = data_pb.SequenceResourceFilter(resource_name="cam", method_name="GetImages")
SEQUENCE = dataset_pb.DatasetType.DATASET_TYPE_SEQUENCE_DATA
HOT = data_pb.IndexableCollection.INDEXABLE_COLLECTION_HOT_STORE
SINK = data_pb.IndexableCollection.INDEXABLE_COLLECTION_PIPELINE_SINK
NEWEST = {"keys": {"time_received": -1}, "options": {"name": "newest"}}
ANSWERS = {
    "CreateBinaryDataSignedURL": data_pb.CreateBinaryDataSignedURLResponse(signed_url="https://f", expires_at=NOON),
    "CreateIndex": data_pb.CreateIndexResponse(),
    "ListDatasetsByOrganizationID": dataset_pb.ListDatasetsByOrganizationIDResponse(datasets=[CATS]),
    "SetConfigProperty": pb.SetConfigPropertyResponse(property_changes=[DONE]),
    "UpdateOrganization": pb.UpdateOrganizationResponse(organization=SCHOOL),
    "UpdateSequence": data_pb.UpdateSequenceResponse(),
}


@pytest.fixture
def server(server: FakeService) -> FakeService:
    server.unary.update({name: answering(answer) for name, answer in ANSWERS.items()})
    return server


@pytest.fixture
def app(channel: Channel) -> AppClient:
    return AppClient(channel, {})


def sent(server: FakeService, kind: Type[Message]) -> Message:
    (call,) = server.calls
    return kind.FromString(call.requests[0])


def test_a_signed_url_comes_with_the_time_at_which_it_expires(server: FakeService, data: DataClient) -> None:
    assert data.create_binary_data_signed_url("o/l/f") == ("https://f", NOON)
    assert sent(server, data_pb.CreateBinaryDataSignedURLRequest) == data_pb.CreateBinaryDataSignedURLRequest(
        binary_data_id="o/l/f"
    )


def test_a_signed_url_can_expire_earlier_or_later(server: FakeService, data: DataClient) -> None:
    data.create_binary_data_signed_url("o/l/f", 60)
    assert sent(server, data_pb.CreateBinaryDataSignedURLRequest) == data_pb.CreateBinaryDataSignedURLRequest(
        binary_data_id="o/l/f", expiration_minutes=60
    )


@pytest.mark.parametrize("spec", [NEWEST, bson.encode(NEWEST)], ids=["dict", "BSON"])
def test_an_index_is_sent_as_one_document(server: FakeService, data: DataClient, spec: Any) -> None:
    data.create_index("o-1", SINK, spec, "hourly")
    assert sent(server, data_pb.CreateIndexRequest) == data_pb.CreateIndexRequest(
        organization_id="o-1", collection_type=SINK, pipeline_name="hourly", index_spec=[bson.encode(NEWEST)]
    )


def test_datasets_are_listed_by_their_type(server: FakeService, data: DataClient) -> None:
    assert data.list_datasets_by_organization_id("o-1", dataset_type=SEQUENCE) == [CATS]
    assert sent(server, dataset_pb.ListDatasetsByOrganizationIDRequest) == (
        dataset_pb.ListDatasetsByOrganizationIDRequest(organization_id="o-1", type=SEQUENCE)
    )


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"resources": [CAMERA]}, {"resources": [CAMERA]}),
        ({"resources": []}, {"resources": []}),
        ({"sequence_tags": []}, {"sequence_tags": []}),
        ({"start_time": NOON.replace(hour=14, tzinfo=timezone(timedelta(hours=2)))}, {"start_time": NOON}),
        (
            {"end_time": NOON, "sequence_tags": ["night"], "resources": None},
            {"sequence_tags": ["night"], "end_time": NOON},
        ),
    ],
)
def test_the_mask_of_a_changed_sequence_names_what_is_given(
    server: FakeService, data: DataClient, changes: Any, fields: Any
) -> None:
    data.update_sequence("s-1", **changes)
    assert sent(server, data_pb.UpdateSequenceRequest) == data_pb.UpdateSequenceRequest(
        id="s-1", field_mask=google_pb.FieldMask(paths=list(fields)), **fields
    )


def test_properties_are_changed_in_the_order_given(server: FakeService, app: AppClient) -> None:
    values = {"z.0.name": "arm", "debug": True, "a": None, "speeds": [1, {"top": 2.5}]}
    assert app.set_config_property("p-1", values) == [DONE]
    assert sent(server, pb.SetConfigPropertyRequest) == pb.SetConfigPropertyRequest(
        robot_part_id="p-1",
        property_changes=[
            pb.ConfigPropertyChange(path="z.0.name", value=google_pb.Value(string_value="arm")),
            pb.ConfigPropertyChange(path="debug", value=google_pb.Value(bool_value=True)),
            pb.ConfigPropertyChange(
                path="a", value=google_pb.Value(null_value=google_pb.NullValue.Value("NULL_VALUE"))
            ),
            pb.ConfigPropertyChange(
                path="speeds",
                value=google_pb.Value(
                    list_value=google_pb.ListValue(
                        values=[
                            google_pb.Value(number_value=1),
                            google_pb.Value(
                                struct_value=google_pb.Struct(fields={"top": google_pb.Value(number_value=2.5)})
                            ),
                        ]
                    )
                ),
            ),
        ],
    )


@pytest.mark.parametrize(
    ("given", "fragments"),
    [
        ([WHEEL], pb.FragmentImportList(fragments=[WHEEL])),
        (pb.FragmentImportList(fragments=[WHEEL]).fragments, pb.FragmentImportList(fragments=[WHEEL])),
        (pb.FragmentImportList(fragments=[WHEEL]), pb.FragmentImportList(fragments=[WHEEL])),
        ([], pb.FragmentImportList()),
        (None, None),
    ],
    ids=["list", "field", "message", "none of them", "left out"],
)
def test_default_fragments_are_a_list_or_its_message(
    server: FakeService, app: AppClient, given: Any, fragments: Any
) -> None:
    assert app.update_organization("o-1", default_fragments=given) == SCHOOL
    assert sent(server, pb.UpdateOrganizationRequest) == pb.UpdateOrganizationRequest(
        organization_id="o-1", default_fragments=fragments
    )


ENDLESS: Any = {}
ENDLESS["again"] = ENDLESS


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (lambda data, app: data.create_binary_data_signed_url(""), ValueError, "binary_data_id is an empty string"),
        (
            lambda data, app: data.create_binary_data_signed_url("o/l/f", -1),
            ValueError,
            "expiration_minutes takes .*, got -1",
        ),
        (
            lambda data, app: data.create_index("o-1", HOT, ["keys"]),
            TypeError,
            "index_spec takes BSON or a dict, got a list",
        ),
        (
            lambda data, app: data.create_index("o-1", HOT, {"keys": object()}),
            ValueError,
            "index_spec has no form in BSON",
        ),
        (
            lambda data, app: data.list_datasets_by_organization_id("o-1", dataset_type="cats"),
            ValueError,
            "^dataset_type takes a value of DatasetType",
        ),
        (
            lambda data, app: data.update_sequence("s-1"),
            ValueError,
            "at least one of resources, sequence_tags, start_time, end_time, got none",
        ),
        (
            lambda data, app: data.update_sequence("s-1", sequence_tags="night"),
            TypeError,
            "sequence_tags takes a list of str, got a str",
        ),
        (
            lambda data, app: app.set_config_property("p-1", [("debug", True)]),
            TypeError,
            "property_changes takes a dict of paths and values, got a list",
        ),
        (
            lambda data, app: app.set_config_property("p-1", {5: True}),
            TypeError,
            "property_changes takes a dict whose keys are each a str, got the key 5",
        ),
        (
            lambda data, app: app.set_config_property("p-1", {"a": [object()]}),
            (TypeError, ValueError),
            r"property_changes\['a'\]\[0\] takes None, a bool, a number",
        ),
        (lambda data, app: app.set_config_property("p-1", ENDLESS), ValueError, "property_changes takes a dict"),
        (
            lambda data, app: app.update_organization("o-1", default_fragments=["f-1"]),
            TypeError,
            r"^default_fragments\[0\] takes a FragmentImport, got a str",
        ),
        (lambda data, app: app.update_organization(5), TypeError, "^org_id takes a str, got 5"),
    ],
)
def test_what_does_not_fit_is_named_before_anything_is_asked(
    server: FakeService,
    data: DataClient,
    app: AppClient,
    call: Callable[[DataClient, AppClient], Any],
    kind: Any,
    text: str,
) -> None:
    with pytest.raises(kind, match=text):
        call(data, app)
    assert server.calls == []


@pytest.mark.parametrize(
    ("rpc", "call", "attempts"),
    [
        ("CreateBinaryDataSignedURL", lambda data, app: data.create_binary_data_signed_url("o/l/f"), 5),
        ("CreateIndex", lambda data, app: data.create_index("o-1", HOT, NEWEST), 1),
        ("ListDatasetsByOrganizationID", lambda data, app: data.list_datasets_by_organization_id("o-1"), 5),
        ("UpdateSequence", lambda data, app: data.update_sequence("s-1", sequence_tags=[]), 5),
        ("SetConfigProperty", lambda data, app: app.set_config_property("p-1", {"debug": True}), 1),
        ("UpdateOrganization", lambda data, app: app.update_organization("o-1", "Day School"), 1),
    ],
)
def test_only_what_does_no_harm_twice_is_tried_again(
    server: FakeService,
    data: DataClient,
    app: AppClient,
    rpc: str,
    call: Callable[[DataClient, AppClient], Any],
    attempts: int,
) -> None:
    server.unary[rpc] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    with pytest.raises(GRPCError, match=rpc):
        call(data, app)
    assert len(server.calls) == attempts
