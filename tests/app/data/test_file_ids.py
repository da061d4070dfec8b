"""The ID of an upload is a str, and every method that takes IDs of binary data sends the form that it needs."""

import copy
import inspect
import json
import pickle
from pathlib import Path
from typing import Any, Callable, Dict

import bson
import pytest
from messages.schema_walk import full_name, messages
from servers import FakeService

from viam_sync import utils
from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.messages.pool import message, pool
from viam_sync.proto.app import data as pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.rpc.dial import Channel
from viam_sync.sandbox import Sandbox
from viam_sync.services.ml_inference_service import MLInferenceService

LONG = "o-1/l-1/f-1"
ID = DataClient.FileID("f-1", LONG)
BARE = DataClient.FileID("f-1")
MESSAGE = pb.BinaryID(file_id=ID, organization_id="o-1", location_id="l-1")
EDGES = (0, 0, 0.5, 0.5)


class Clients:
    """The clients whose methods take IDs of binary data."""

    def __init__(self, channel: Channel) -> None:
        self.data = DataClient(channel, {})
        self.inference = MLInferenceService(channel, {})


#: The methods that take one ID or a list of them, each with that; those of one ID have it in a list, too.
METHODS: Dict[str, Callable[[Clients, Any], Any]] = {
    "binary_data_by_ids": lambda to, ids: to.data.binary_data_by_ids(ids),
    "delete_binary_data_by_ids": lambda to, ids: to.data.delete_binary_data_by_ids(ids),
    "add_tags_to_binary_data_by_ids": lambda to, ids: to.data.add_tags_to_binary_data_by_ids(["tag"], ids),
    "remove_tags_from_binary_data_by_ids": lambda to, ids: to.data.remove_tags_from_binary_data_by_ids(["tag"], ids),
    "add_binary_data_to_dataset_by_ids": lambda to, ids: to.data.add_binary_data_to_dataset_by_ids(ids, "d-1"),
    "remove_binary_data_from_dataset_by_ids": lambda to, ids: to.data.remove_binary_data_from_dataset_by_ids(ids, "d"),
    "add_bounding_box_to_image_by_id": lambda to, ids: to.data.add_bounding_box_to_image_by_id(*ids, "cat", *EDGES),
    "update_bounding_box": lambda to, ids: to.data.update_bounding_box(*ids, "box", "cat", *EDGES),
    "remove_bounding_box_from_image_by_id": lambda to, ids: to.data.remove_bounding_box_from_image_by_id("box", *ids),
    "create_binary_data_signed_url": lambda to, ids: to.data.create_binary_data_signed_url(*ids),
    "get_inference": lambda to, ids: to.inference.get_inference(
        registry_item_id="acme:cats", registry_item_version="1", organization_id="o-1", binary_data_id=ids[0]
    ),
}
#: Those whose parameter is the text alone.
TEXTS_ONLY = ("create_binary_data_signed_url", "get_inference")
PARAMETERS = {"binary_id", "binary_ids", "binary_data_id", "binary_data_ids"}


def takes_ids(call: Any) -> bool:
    return bool(PARAMETERS & set(inspect.signature(call).parameters))


def test_no_method_that_takes_ids_is_forgotten() -> None:
    methods = [*inspect.getmembers(DataClient, inspect.isfunction), *inspect.getmembers(MLInferenceService)]
    found = {name for name, each in methods if inspect.isfunction(each) and takes_ids(each)}
    assert found == METHODS.keys()


def sent(server: FakeService) -> Any:
    """Return the one request that arrived."""
    (call,) = server.calls
    service, _, rpc = call.method[1:].partition("/")
    return message(pool().FindServiceByName(service).methods_by_name[rpc].input_type).FromString(call.requests[0])


@pytest.fixture(scope="module")
def recorded(recorder: Any) -> Any:
    server, channel = recorder
    server.unary["GetInference"] = lambda request, context: b""
    return server, Clients(channel)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("id", "form"), [(ID, LONG), (LONG, LONG), (BARE, "f-1"), ("f-1", "f-1")])
def test_the_longer_form_of_an_id_is_sent_by(method: str, id: str, form: str, recorded: Any) -> None:
    server, clients = recorded
    server.calls.clear()
    METHODS[method](clients, [id])
    request = sent(server)
    assert (getattr(request, "binary_data_id", None) or request.binary_data_ids[0]) == form


@pytest.mark.parametrize("method", [name for name in METHODS if name not in TEXTS_ONLY])
def test_a_message_made_of_an_id_is_sent_by(method: str, recorded: Any) -> None:
    server, clients = recorded
    server.calls.clear()
    METHODS[method](clients, [MESSAGE])
    request = sent(server)
    (found,) = request.binary_ids if hasattr(request, "binary_ids") else [request.binary_id]
    assert (found.file_id, found.organization_id, found.location_id) == ("f-1", "o-1", "l-1")


def test_every_message_with_such_a_field_takes_an_id() -> None:
    singles = [each for each in messages() if "binary_data_id" in each.DESCRIPTOR.fields_by_name]
    lists = [each for each in messages() if "binary_data_ids" in each.DESCRIPTOR.fields_by_name]
    assert {"GetInferenceRequest", "BinaryMetadata"} <= {full_name(each).rpartition(".")[2] for each in singles}
    assert all(each(binary_data_id=ID).binary_data_id == LONG for each in singles)
    assert all(each(binary_data_ids=iter([ID, "f-2"])).binary_data_ids == [LONG, "f-2"] for each in lists)
    assert len(lists) > 5


@pytest.mark.parametrize("method", METHODS)
def test_an_id_with_the_end_of_a_line_is_named_by(method: str, recorded: Any) -> None:
    server, clients = recorded
    server.calls.clear()
    with pytest.raises(ValueError, match=r"^binary_(data_)?ids?(\[0\])? has white space around it, .* takes an ID"):
        METHODS[method](clients, [f"{LONG}\n"])
    assert server.calls == []


def test_a_wrong_id_is_named() -> None:
    with pytest.raises(TypeError, match=r"^binary_data_ids\[1\] takes a str, got 5$"):
        pb.BinaryDataByIDsRequest(binary_data_ids=[ID, 5])  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"^binary_data_id takes a str, got 5$"):
        pb.AddBoundingBoxToImageByIDRequest(binary_data_id=5)  # type: ignore[arg-type]


COPIES: Dict[str, Callable[[Any], Any]] = {
    "a copy": copy.copy,
    "a deep copy": copy.deepcopy,
    **{
        f"a pickle of protocol {number}": lambda id, number=number: pickle.loads(pickle.dumps(id, number))
        for number in range(pickle.HIGHEST_PROTOCOL + 1)
    },
}


@pytest.mark.parametrize("made", COPIES.values(), ids=list(COPIES))
@pytest.mark.parametrize("id", [ID, BARE])
def test_an_id_is_kept_by(made: Callable[[Any], Any], id: DataClient.FileID) -> None:
    other = made(id)
    assert type(other) is DataClient.FileID
    assert (other, other.binary_data_id) == (id, id.binary_data_id)


def test_an_id_is_the_text_of_the_file_id() -> None:
    assert isinstance(ID, str)
    assert ID == BARE == "f-1"
    assert {ID: 1}["f-1"] == len({ID, BARE, "f-1"}) == 1
    assert (str(ID), repr(ID), f"{ID}") == ("f-1", "'f-1'", "f-1")
    assert json.dumps({ID: [ID]}) == '{"f-1": ["f-1"]}'
    assert bson.decode(bson.encode({"id": ID})) == {"id": "f-1"}
    assert utils.struct_to_dict(utils.dict_to_struct({"id": ID, "ids": [ID]})) == {"id": "f-1", "ids": ["f-1"]}


def test_an_id_without_its_file_id_takes_it_from_the_longer_form() -> None:
    id = DataClient.FileID("", LONG)
    assert (id, id.binary_data_id) == ("f-1", LONG)
    assert DataClient.FileID("f-1", "").binary_data_id is None


@pytest.fixture
def cloud(client: ViamClient) -> DataClient:
    return client.data_client


CAMERA = ("camera", "eye", "GetImages")
UPLOADS: Dict[str, Callable[[DataClient, str, Path], Any]] = {
    "file_upload": lambda data, part, path: data.file_upload(part, b"x"),
    "file_upload_from_path": lambda data, part, path: data.file_upload_from_path(path, part),
    "binary_data_capture_upload": lambda data, part, path: data.binary_data_capture_upload(b"x", part, *CAMERA, "png"),
    "binary_data_capture_upload of a stream": lambda data, part, path: data.binary_data_capture_upload(
        bytes(1_000_001), part, *CAMERA, "png"
    ),
    "streaming_data_capture_upload": lambda data, part, path: data.streaming_data_capture_upload(b"x", part, "png"),
    "upload_files": lambda data, part, path: data.upload_files([path], part)[0].id,
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    written = tmp_path / "cat.png"
    written.write_bytes(b"\x89PNG")
    return written


@pytest.mark.parametrize("upload", UPLOADS.values(), ids=list(UPLOADS))
def test_both_forms_of_the_id_are_returned_by(
    upload: Callable[[DataClient, str, Path], Any], sandbox: Sandbox, cloud: DataClient, path: Path
) -> None:
    id = upload(cloud, sandbox.robot_part_id, path)
    assert id.binary_data_id == f"{sandbox.organization_id}/{sandbox.location_id}/{id}"
    (file,) = cloud.binary_data_by_ids([id])
    assert (file.metadata.id, file.metadata.binary_data_id) == (id, id.binary_data_id)


def test_the_id_of_readings_has_no_longer_form(sandbox: Sandbox, cloud: DataClient) -> None:
    id = cloud.tabular_data_capture_upload([{"a": 1}], sandbox.robot_part_id, "sensor", "s", "Readings")
    assert (len(id), id.binary_data_id) == (64, None)


def test_an_upload_of_many_files_knows_both_forms_after_it_was_cut_short(
    sandbox: Sandbox, cloud: DataClient, path: Path
) -> None:
    sandbox.faults.fail("FileUpload", "UNAVAILABLE", after=True)
    (lost,) = cloud.upload_files(path.parent, sandbox.robot_part_id)
    assert lost.id is None
    for _ in ("found by its mark", "known from the journal"):
        (result,) = cloud.upload_files(path.parent, sandbox.robot_part_id)
        assert result.already_sent
        assert result.id is not None
        assert result.id.binary_data_id == f"{sandbox.organization_id}/{sandbox.location_id}/{result.id}"


@pytest.mark.parametrize("form", ["of an upload", "of the reference", "of the newest SDK"])
def test_the_sandbox_does_everything_by_an_id(form: str, sandbox: Sandbox, cloud: DataClient, path: Path) -> None:
    uploaded = cloud.file_upload_from_path(path, sandbox.robot_part_id)
    message = pb.BinaryID(file_id=uploaded, organization_id=sandbox.organization_id, location_id=sandbox.location_id)
    forms = {"of an upload": uploaded, "of the reference": message, "of the newest SDK": uploaded.binary_data_id}
    id: Any = forms[form]
    dataset = cloud.create_dataset("cats", sandbox.organization_id)
    cloud.add_tags_to_binary_data_by_ids(["new"], [id])
    cloud.add_binary_data_to_dataset_by_ids([id], dataset)
    box = cloud.add_bounding_box_to_image_by_id(id, "cat", *EDGES)
    cloud.update_bounding_box(id, box, "tabby", *EDGES)
    (file,) = cloud.binary_data_by_ids([id])
    assert "new" in file.metadata.capture_metadata.tags
    assert list(file.metadata.dataset_ids) == [dataset]
    assert [each.label for each in file.metadata.annotations.bboxes] == ["tabby"]
    cloud.remove_bounding_box_from_image_by_id(box, id)
    cloud.remove_binary_data_from_dataset_by_ids([id], dataset)
    assert cloud.remove_tags_from_binary_data_by_ids(["new"], [id]) == 1
    if form != "of the reference":
        assert uploaded in cloud.create_binary_data_signed_url(id)[0]
    assert cloud.delete_binary_data_by_ids([id]) == 1
    assert cloud.binary_data_by_ids([uploaded]) == []


def test_a_service_that_gives_the_longer_form_alone_gives_both(
    server: FakeService, data: DataClient, path: Path
) -> None:
    newer = datasync_pb.DataCaptureUploadResponse(binary_data_id=LONG).SerializeToString()
    server.unary["DataCaptureUpload"] = lambda request, context: newer
    for name in ("FileUpload", "StreamingDataCaptureUpload"):
        server.upload[name] = lambda requests, context: [*requests] and newer
    for upload in UPLOADS.values():
        id = upload(data, "p", path)
        assert (id, id.binary_data_id) == ("f-1", LONG)
