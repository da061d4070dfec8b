"""Messages of the official SDK, of whichever version is installed, are taken wherever one of ours is."""

import importlib
from datetime import datetime

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass
from messages.schema_walk import example, full_name, messages
from messages.taken import check_fields, check_message, check_record, record_classes
from parity.calls import CALLS
from parity.recording import NAMES, recording

from viam_sync import utils
from viam_sync.app import viam_client
from viam_sync.app.app_client import APIKeyAuthorization, Fragment, RobotPart
from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import data

pytest.importorskip("viam", reason="viam-sdk is not installed; there are no messages to take")

#: Their modules of messages, by the names that the texts of calls have for them.
MODULES = {
    "app": "viam.proto.app",
    "data": "viam.proto.app.data",
    "mltraining": "viam.proto.app.mltraining",
    "packages": "viam.proto.app.packages",
    "provisioning": "viam.proto.provisioning",
}
OTHERS = ("viam.proto.app.billing", "viam.proto.app.datapipelines", "viam.proto.app.dataset", "viam.proto.app.datasync")
#: What a call raises if it names a message, a field or a value that an old SDK does not have yet.
NOT_YET = (AttributeError, ValueError)


@pytest.fixture(scope="module")
def theirs():
    """Return their modules, by the names that calls have for them."""
    for name in OTHERS:
        importlib.import_module(name)
    return {name: importlib.import_module(module) for name, module in MODULES.items()}


@pytest.fixture(scope="module")
def pairs(theirs):
    """Return each class of ours and theirs of the same name, by that name."""
    found = {}
    for cls in messages():
        try:
            descriptor = descriptor_pool.Default().FindMessageTypeByName(full_name(cls))
        except KeyError:
            continue  # newer than the SDK, or of a module that it has under another name
        found[full_name(cls)] = cls, GetMessageClass(descriptor)
    assert len(found) > 500
    assert found["viam.app.v1.Robot"][1] is theirs["app"].Robot
    return found


def test_a_message_is_copied_merged_and_given_to_constructors(pairs):
    for cls, official in pairs.values():
        check_message(cls, example(official))
        check_fields(cls, example(official))


@pytest.mark.parametrize(("name", "record"), record_classes().items(), ids=lambda each: getattr(each, "__name__", ""))
def test_a_record_is_made_of_a_message(name, record, pairs):
    cls, official = pairs[name]
    with recording() as (_, channel):
        others = (DataClient(channel, {}), 10) if record is DataClient.DataPipelineRunsPage else ()
        check_record(record, cls, example(official), *others)


def test_what_their_message_lacks_is_unset(theirs):
    part = RobotPart.from_proto(theirs["app"].RobotPart(id="p-1"))
    assert (part.id, part.last_updated, part.robot_config_json) == ("p-1", None, None)
    fragment = Fragment.from_proto(theirs["app"].Fragment(id="f-1"))
    assert (fragment.id, fragment.public_namespace, fragment.fragment_config_json) == ("f-1", None, None)


def test_the_record_of_a_role_is_made_of_a_message(theirs):
    role = theirs["app"].Authorization(authorization_id="robot_owner", resource_type="robot", resource_id="r-1")
    assert APIKeyAuthorization.from_proto(role) == APIKeyAuthorization("owner", "robot", "r-1")


TEXTS = [
    (client, text)
    for client, texts in CALLS.items()
    for text in texts
    if any(f"{module}." in text for module in MODULES)
]


@pytest.fixture(scope="module")
def service():
    with recording() as found:
        yield found


class Arguments:
    """Stands for a client: a method returns its name and its arguments."""

    def __getattr__(self, method):
        return lambda *args, **kwargs: (method, args, kwargs)


def requests_of(service, client, call):
    server, channel = service
    before = len(server.calls)
    method, args, kwargs = call
    getattr(getattr(viam_client, client)(channel, {}), method)(*args, **kwargs)
    return [(each.method, each.requests) for each in server.calls[before:]]


@pytest.mark.parametrize(("client", "text"), TEXTS, ids=[" ".join(text.split()) for _, text in TEXTS])
def test_a_call_sends_the_same_with_their_messages(client, text, theirs, service, tmp_path):
    (tmp_path / "upload.txt").write_bytes(b"contents")
    names = {**NAMES, "folder": str(tmp_path), "client": Arguments()}
    try:
        official = eval(f"client.{text}", {**names, **theirs})
    except NOT_YET:
        pytest.skip("this SDK does not have the message, the field or the value yet")
    sent = requests_of(service, client, official)
    assert sent == requests_of(service, client, eval(f"client.{text}", names))
    assert sent


def test_their_message_made_of_the_id_of_an_upload_is_sent(theirs, service):
    id = DataClient.FileID("f-1", "o-1/l-1/f-1")
    message = theirs["data"].BinaryID(file_id=id, organization_id="o-1", location_id="l-1")
    ((_, (request,)),) = requests_of(service, "DataClient", ("delete_binary_data_by_ids", [[message, id]], {}))
    assert data.DeleteBinaryDataByIDsRequest.FromString(request) == data.DeleteBinaryDataByIDsRequest(
        binary_ids=[{"file_id": "f-1", "organization_id": "o-1", "location_id": "l-1"}],
        binary_data_ids=["o-1/l-1/f-1"],
    )


def test_utils_take_their_messages(theirs):
    start, end = datetime(2024, 1, 1), datetime(2024, 1, 2)
    interval = {"start": utils.datetime_to_timestamp(start), "end": utils.datetime_to_timestamp(end)}
    official = theirs["data"].Filter(robot_id="r-1", interval=interval)
    ours = utils.create_filter(robot_id="r-1", start_time=start, end_time=end)
    ours.ClearField("tags_filter")
    parts = utils.partition_filter(official, 2)
    assert parts == utils.partition_filter(ours, 2)
    assert {type(part) for part in parts} == {data.Filter}
    assert utils.timestamp_to_datetime(official.interval.end) == end
    assert utils.message_to_struct(official)["robot_id"] == "r-1"
    assert utils.struct_to_message(utils.message_to_struct(official), theirs["data"].Filter) == official
