import base64
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Dict, List

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from servers import FakeService, answering, refuse

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import data as pb

NOON = datetime(2024, 5, 1, 12, 0, 0, 500000)
ID = "org/loc/file"
MESSAGE = pb.BinaryID(file_id="f", organization_id="o", location_id="l")


@pytest.fixture
def server(server: FakeService) -> FakeService:
    for rpc, message in ANSWERS.items():
        server.unary[rpc] = answering(message)
    return server


def file(contents: bytes = b"\x89PNG", **metadata: Any) -> pb.BinaryData:
    return pb.BinaryData(binary=contents, metadata=pb.BinaryMetadata(time_requested=NOON, **metadata))


CAT = file(id="f1", binary_data_id="org/loc/f1", file_ext=".png", capture_metadata={"part_id": "p"})
ANSWERS = {
    "BinaryDataByFilter": pb.BinaryDataByFilterResponse(data=[CAT], count=1, last="next"),
    "BinaryDataByIDs": pb.BinaryDataByIDsResponse(data=[CAT], count=1),
    "DeleteBinaryDataByFilter": pb.DeleteBinaryDataByFilterResponse(deleted_count=7),
    "DeleteBinaryDataByIDs": pb.DeleteBinaryDataByIDsResponse(deleted_count=2),
    "AddTagsToBinaryDataByIDs": pb.AddTagsToBinaryDataByIDsResponse(),
    "AddTagsToBinaryDataByFilter": pb.AddTagsToBinaryDataByFilterResponse(),
    "RemoveTagsFromBinaryDataByIDs": pb.RemoveTagsFromBinaryDataByIDsResponse(deleted_count=2),
    "RemoveTagsFromBinaryDataByFilter": pb.RemoveTagsFromBinaryDataByFilterResponse(deleted_count=7),
    "TagsByFilter": pb.TagsByFilterResponse(tags=["blue", "red"]),
    "AddBoundingBoxToImageByID": pb.AddBoundingBoxToImageByIDResponse(bbox_id="box"),
    "UpdateBoundingBox": pb.UpdateBoundingBoxResponse(),
    "RemoveBoundingBoxFromImageByID": pb.RemoveBoundingBoxFromImageByIDResponse(),
    "BoundingBoxLabelsByFilter": pb.BoundingBoxLabelsByFilterResponse(labels=["cat"]),
}


def sent(server: FakeService) -> Any:
    """Return the one request that arrived, as the message that its RPC takes."""
    (call,) = server.calls
    kind = getattr(pb, f"{call.method.rpartition('/')[2]}Request")
    return kind.FromString(call.requests[0])


def test_a_page_has_files_a_count_and_where_it_ends(server: FakeService, data: DataClient) -> None:
    assert data.binary_data_by_filter() == ([CAT], 1, "next")
    assert sent(server) == pb.BinaryDataByFilterRequest(data_request=pb.DataRequest(), include_binary=True)


def test_every_argument_of_a_page_is_sent(server: FakeService, data: DataClient) -> None:
    order = pb.Order.ORDER_DESCENDING
    data.binary_data_by_filter(pb.Filter(part_id="p"), 5, order, "cursor", False, True, True, timeout=9)
    assert sent(server) == pb.BinaryDataByFilterRequest(
        data_request=pb.DataRequest(filter=pb.Filter(part_id="p"), limit=5, sort_order=order, last="cursor"),
        count_only=True,
        include_internal_data=True,
    )
    seconds = server.calls[0].seconds
    assert seconds is not None
    assert seconds < 10


def test_files_by_their_ids(server: FakeService, data: DataClient) -> None:
    assert data.binary_data_by_ids([ID]) == [CAT]
    assert sent(server) == pb.BinaryDataByIDsRequest(include_binary=True, binary_data_ids=[ID])


def test_files_by_their_ids_without_their_contents(server: FakeService, data: DataClient) -> None:
    data.binary_data_by_ids([MESSAGE], include_binary_data=False)
    assert sent(server) == pb.BinaryDataByIDsRequest(binary_ids=[MESSAGE])


def test_deleting_counts(server: FakeService, data: DataClient) -> None:
    assert data.delete_binary_data_by_ids([ID, MESSAGE]) == 2
    assert sent(server) == pb.DeleteBinaryDataByIDsRequest(binary_data_ids=[ID], binary_ids=[MESSAGE])


@pytest.mark.parametrize("given", [None, pb.Filter(part_id="p")])
def test_deleting_by_a_filter_counts(server: FakeService, data: DataClient, given: Any) -> None:
    assert data.delete_binary_data_by_filter(given) == 7
    assert sent(server) == pb.DeleteBinaryDataByFilterRequest(filter=given or pb.Filter())
    assert sent(server).HasField("filter")


def test_tags_are_added_and_removed_by_ids(server: FakeService, data: DataClient) -> None:
    data.add_tags_to_binary_data_by_ids(["red"], [MESSAGE, ID])
    assert sent(server) == pb.AddTagsToBinaryDataByIDsRequest(tags=["red"], binary_data_ids=[ID], binary_ids=[MESSAGE])
    server.calls.clear()
    assert data.remove_tags_from_binary_data_by_ids(("red", "blue"), (ID,)) == 2
    assert sent(server) == pb.RemoveTagsFromBinaryDataByIDsRequest(tags=["red", "blue"], binary_data_ids=[ID])


@pytest.mark.parametrize("given", [None, pb.Filter(part_id="p")])
def test_tags_are_added_removed_and_listed_by_a_filter(server: FakeService, data: DataClient, given: Any) -> None:
    wanted = given or pb.Filter()
    data.add_tags_to_binary_data_by_filter(["red"], given)
    assert sent(server) == pb.AddTagsToBinaryDataByFilterRequest(tags=["red"], filter=wanted)
    server.calls.clear()
    assert data.remove_tags_from_binary_data_by_filter(["red"], given) == 7
    assert sent(server) == pb.RemoveTagsFromBinaryDataByFilterRequest(tags=["red"], filter=wanted)
    server.calls.clear()
    assert data.tags_by_filter(given) == ["blue", "red"]
    assert sent(server) == pb.TagsByFilterRequest(filter=wanted)
    server.calls.clear()
    assert data.bounding_box_labels_by_filter(given) == ["cat"]
    assert sent(server) == pb.BoundingBoxLabelsByFilterRequest(filter=wanted)


EDGES: Any = {"x_min_normalized": 0, "y_min_normalized": 0.1, "x_max_normalized": 0.2, "y_max_normalized": 1}


def test_a_box_is_added(server: FakeService, data: DataClient) -> None:
    assert data.add_bounding_box_to_image_by_id(ID, "cat", 0, 0.1, 0.2, 1) == "box"
    assert sent(server) == pb.AddBoundingBoxToImageByIDRequest(binary_data_id=ID, label="cat", **EDGES)
    assert not sent(server).HasField("confidence")


def test_a_box_is_added_with_how_sure_it_is(server: FakeService, data: DataClient) -> None:
    data.add_bounding_box_to_image_by_id(MESSAGE, "cat", **EDGES, confidence_score=0.5)
    request = pb.AddBoundingBoxToImageByIDRequest(binary_id=MESSAGE, label="cat", confidence=0.5, **EDGES)
    assert sent(server) == request


def test_a_box_is_changed_and_removed(server: FakeService, data: DataClient) -> None:
    data.update_bounding_box(ID, "box", "cat", 0, 0.1, 0.2, 1)
    assert sent(server) == pb.UpdateBoundingBoxRequest(binary_data_id=ID, bbox_id="box", label="cat", **EDGES)
    server.calls.clear()
    data.remove_bounding_box_from_image_by_id("box", MESSAGE)
    assert sent(server) == pb.RemoveBoundingBoxFromImageByIDRequest(bbox_id="box", binary_id=MESSAGE)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"x_min_normalized": -0.1}, "x_min_normalized takes a number from 0 to 1, got -0.1"),
        ({"y_max_normalized": 1.1}, "y_max_normalized takes a number from 0 to 1, got 1.1"),
        ({"y_max_normalized": float("nan")}, "y_max_normalized takes a number from 0 to 1, got nan"),
        ({"x_max_normalized": "0.2"}, "x_max_normalized takes a number from 0 to 1, got a str"),
        ({"x_min_normalized": 0.2}, "x_min_normalized must be less than x_max_normalized, got 0.2 and 0.2"),
        ({"y_min_normalized": 1, "y_max_normalized": 0}, "y_min_normalized must be less than y_max_normalized"),
        ({"label": ""}, "label is an empty string"),
        ({"label": 3}, "label takes a str, got 3"),
        ({"binary_id": ""}, "binary_id is an empty string"),
        ({"binary_id": 3}, "binary_id takes a str or a BinaryID, got 3"),
        ({"confidence_score": 2}, "confidence_score takes a number from 0 to 1, got 2"),
    ],
)
def test_what_is_no_box_is_refused(server: FakeService, data: DataClient, changed: Dict[str, Any], text: str) -> None:
    arguments: Dict[str, Any] = {"binary_id": ID, "label": "cat", **EDGES, **changed}
    with pytest.raises((TypeError, ValueError), match=text):
        data.add_bounding_box_to_image_by_id(**arguments)
    with pytest.raises((TypeError, ValueError), match=text):
        data.update_bounding_box(bbox_id="box", **arguments)
    assert server.calls == []


def test_a_box_without_an_id_is_refused(server: FakeService, data: DataClient) -> None:
    with pytest.raises(ValueError, match="bbox_id is an empty string"):
        data.remove_bounding_box_from_image_by_id("", ID)
    assert server.calls == []


BY_IDS: List[Callable[[DataClient, Any], Any]] = [
    lambda data, ids: data.binary_data_by_ids(ids),
    lambda data, ids: data.delete_binary_data_by_ids(ids),
    lambda data, ids: data.add_tags_to_binary_data_by_ids(["red"], ids),
    lambda data, ids: data.remove_tags_from_binary_data_by_ids(["red"], ids),
    lambda data, ids: data.add_binary_data_to_dataset_by_ids(ids, "d"),
    lambda data, ids: data.remove_binary_data_from_dataset_by_ids(ids, "d"),
]


@pytest.mark.parametrize("call", BY_IDS)
@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([], "binary_ids is an empty list; give at least one"),
        (ID, "binary_ids takes a list of IDs, got a str"),
        (MESSAGE, "binary_ids takes a list of IDs, got a BinaryID"),
        (3, "binary_ids takes a list of IDs, got 3"),
        ([ID, ""], r"binary_ids\[1\] is an empty string"),
        ([ID, pb.Filter()], r"binary_ids\[1\] takes a str or a BinaryID, got a Filter"),
        ([None], r"binary_ids\[0\] takes a str or a BinaryID, got None"),
    ],
)
def test_what_are_no_ids_are_refused(
    server: FakeService, data: DataClient, call: Callable[[DataClient, Any], Any], ids: Any, text: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        call(data, ids)
    assert server.calls == []


BY_TAGS: List[Callable[[DataClient, Any], Any]] = [
    lambda data, tags: data.add_tags_to_binary_data_by_ids(tags, [ID]),
    lambda data, tags: data.remove_tags_from_binary_data_by_ids(tags, [ID]),
    lambda data, tags: data.add_tags_to_binary_data_by_filter(tags),
    lambda data, tags: data.remove_tags_from_binary_data_by_filter(tags),
]


@pytest.mark.parametrize("call", BY_TAGS)
@pytest.mark.parametrize(
    ("tags", "text"),
    [
        ([], "tags is an empty list; give at least one"),
        ("red", "tags takes a list of str, got a str"),
        (["red", 3], r"tags\[1\] takes a str, got 3"),
    ],
)
def test_what_are_no_tags_are_refused(
    server: FakeService, data: DataClient, call: Callable[[DataClient, Any], Any], tags: Any, text: str
) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        call(data, tags)
    assert server.calls == []


def test_an_id_of_another_pool_is_taken(server: FakeService, data: DataClient) -> None:
    described = descriptor_pb2.FileDescriptorProto()
    pb.BinaryID.DESCRIPTOR.file.CopyToProto(described)
    kind = next(message for message in described.message_type if message.name == "BinaryID")
    alone = descriptor_pb2.FileDescriptorProto(name="official.proto", package="viam.app.data.v1", syntax="proto3")
    alone.message_type.append(kind)
    foreign = descriptor_pool.DescriptorPool()
    foreign.Add(alone)
    theirs: Any = message_factory.GetMessageClass(foreign.FindMessageTypeByName("viam.app.data.v1.BinaryID"))
    data.binary_data_by_ids([theirs(file_id="f", organization_id="o", location_id="l"), ID])
    assert list(sent(server).binary_ids) == [MESSAGE]
    assert sent(server).binary_data_ids == [ID]


def test_what_can_be_done_twice_is_tried_again_and_nothing_else(server: FakeService, data: DataClient) -> None:
    for rpc in ANSWERS:
        server.unary[rpc] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    for call in (*BY_IDS[:4], BY_TAGS[2], BY_TAGS[3], lambda data, _: data.delete_binary_data_by_filter(None)):
        with pytest.raises(grpc.RpcError, match="busy"):
            call(data, [ID])
    counts = {rpc: len(server.named(rpc)) for rpc in ANSWERS if server.named(rpc)}
    assert counts == {
        "BinaryDataByIDs": 5,
        "DeleteBinaryDataByIDs": 5,
        "AddTagsToBinaryDataByIDs": 5,
        "RemoveTagsFromBinaryDataByIDs": 5,
        "AddTagsToBinaryDataByFilter": 1,
        "RemoveTagsFromBinaryDataByFilter": 1,
        "DeleteBinaryDataByFilter": 1,
    }


def test_files_are_written_as_json(server: FakeService, data: DataClient, tmp_path: Path) -> None:
    data.binary_data_by_filter(dest=str(tmp_path / "page.json"))
    data.binary_data_by_ids([ID], str(tmp_path / "files.jsonl"))
    metadata = {"id": "f1", "binaryDataId": "org/loc/f1", "fileExt": ".png", "captureMetadata": {"partId": "p"}}
    metadata["timeRequested"] = "2024-05-01T12:00:00.500Z"
    row = {"binary": base64.b64encode(CAT.binary).decode(), "metadata": metadata}
    assert json.loads((tmp_path / "page.json").read_text(encoding="utf-8")) == [row]
    assert json.loads((tmp_path / "files.jsonl").read_text(encoding="utf-8")) == row


def test_a_destination_that_cannot_be_is_found_before_anything_is_asked(
    server: FakeService, data: DataClient, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        data.binary_data_by_filter(dest=str(tmp_path / "absent" / "page.json"))
    with pytest.raises(ValueError, match=r"cannot be written as \.csv"):
        data.binary_data_by_ids([ID], str(tmp_path / "page.csv"))
    assert server.calls == []


def test_an_existing_folder_gets_files_and_their_metadata(
    server: FakeService, data: DataClient, tmp_path: Path
) -> None:
    data.binary_data_by_filter(dest=str(tmp_path))
    name = "2024-05-01T12_00_00.5Z_f1.png"
    assert (tmp_path / "data" / name).read_bytes() == CAT.binary
    metadata = json.loads((tmp_path / "metadata" / f"{name}.json").read_text(encoding="utf-8"))
    assert metadata["binaryDataId"] == "org/loc/f1"
    data.binary_data_by_ids([ID], str(tmp_path))
    assert len(list((tmp_path / "data").iterdir())) == 1


def test_a_folder_gets_no_contents_where_none_were_asked_for(
    server: FakeService, data: DataClient, tmp_path: Path
) -> None:
    data.binary_data_by_filter(include_binary_data=False, dest=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["metadata"]


def test_files_are_not_lost_when_a_folder_cannot_be_written(
    server: FakeService, data: DataClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        data.binary_data_by_ids([ID], str(tmp_path))
    assert caught.value.result == [CAT]  # type: ignore[attr-defined]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
