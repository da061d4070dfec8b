from typing import Any

import grpc
import pytest
from servers import FakeService, answering, refuse

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import dataset as pb

CATS = pb.Dataset(id="d-1", name="cats", organization_id="o")
ANSWERS = {
    "CreateDataset": pb.CreateDatasetResponse(id="d-1"),
    "ListDatasetsByIDs": pb.ListDatasetsByIDsResponse(datasets=[CATS]),
    "ListDatasetsByOrganizationID": pb.ListDatasetsByOrganizationIDResponse(datasets=[CATS]),
    "RenameDataset": pb.RenameDatasetResponse(),
    "DeleteDataset": pb.DeleteDatasetResponse(),
    "AddBinaryDataToDatasetByIDs": data_pb.AddBinaryDataToDatasetByIDsResponse(),
    "RemoveBinaryDataFromDatasetByIDs": data_pb.RemoveBinaryDataFromDatasetByIDsResponse(),
}


@pytest.fixture
def server(server: FakeService) -> FakeService:
    for rpc, message in ANSWERS.items():
        server.unary[rpc] = answering(message)
    return server


def sent(server: FakeService) -> Any:
    """Return the one request that arrived, as the message that its RPC takes."""
    (call,) = server.calls
    name = f"{call.method.rpartition('/')[2]}Request"
    return (getattr(pb, name, None) or getattr(data_pb, name)).FromString(call.requests[0])


def test_creating_returns_the_id(server: FakeService, data: DataClient) -> None:
    assert data.create_dataset("cats", "o") == "d-1"
    assert sent(server) == pb.CreateDatasetRequest(name="cats", organization_id="o")
    assert not sent(server).HasField("type")


def test_datasets_are_listed_by_their_ids(server: FakeService, data: DataClient) -> None:
    assert list(data.list_dataset_by_ids(["d-1", "d-2"])) == [CATS]
    assert sent(server) == pb.ListDatasetsByIDsRequest(ids=["d-1", "d-2"])


def test_datasets_are_listed_by_their_organization(server: FakeService, data: DataClient) -> None:
    assert list(data.list_datasets_by_organization_id("o")) == [CATS]
    assert sent(server) == pb.ListDatasetsByOrganizationIDRequest(organization_id="o")


def test_renaming(server: FakeService, data: DataClient) -> None:
    data.rename_dataset("d-1", "dogs")
    assert sent(server) == pb.RenameDatasetRequest(id="d-1", name="dogs")


def test_deleting(server: FakeService, data: DataClient) -> None:
    data.delete_dataset("d-1")
    assert sent(server) == pb.DeleteDatasetRequest(id="d-1")


def test_a_text_where_a_list_is_meant_is_refused(server: FakeService, data: DataClient) -> None:
    with pytest.raises(TypeError, match="ids takes a list of str, got a str"):
        data.list_dataset_by_ids("d-1")
    assert server.calls == []


def test_files_are_put_in_and_taken_out(server: FakeService, data: DataClient) -> None:
    message = data_pb.BinaryID(file_id="f", organization_id="o", location_id="l")
    data.add_binary_data_to_dataset_by_ids(["org/loc/file", message], "d-1")
    fields: Any = {"binary_ids": [message], "binary_data_ids": ["org/loc/file"], "dataset_id": "d-1"}
    assert sent(server) == data_pb.AddBinaryDataToDatasetByIDsRequest(**fields)
    server.calls.clear()
    data.remove_binary_data_from_dataset_by_ids([message, "org/loc/file"], dataset_id="d-1")
    assert sent(server) == data_pb.RemoveBinaryDataFromDatasetByIDsRequest(**fields)


def test_an_empty_dataset_id_is_refused(server: FakeService, data: DataClient) -> None:
    with pytest.raises(ValueError, match="dataset_id is an empty string"):
        data.add_binary_data_to_dataset_by_ids(["org/loc/file"], "")
    with pytest.raises(ValueError, match="dataset_id is an empty string"):
        data.remove_binary_data_from_dataset_by_ids(["org/loc/file"], "")
    assert server.calls == []


def test_what_can_be_done_twice_is_tried_again_and_nothing_else(server: FakeService, data: DataClient) -> None:
    for rpc in ANSWERS:
        server.unary[rpc] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    for call in (
        lambda: data.create_dataset("cats", "o"),
        lambda: data.delete_dataset("d-1"),
        lambda: data.rename_dataset("d-1", "dogs"),
        lambda: data.add_binary_data_to_dataset_by_ids(["org/loc/file"], "d-1"),
        lambda: data.remove_binary_data_from_dataset_by_ids(["org/loc/file"], "d-1"),
    ):
        with pytest.raises(grpc.RpcError, match="busy"):
            call()
    counts = {rpc: len(server.named(rpc)) for rpc in ANSWERS if server.named(rpc)}
    assert counts == {
        "CreateDataset": 1,
        "DeleteDataset": 5,
        "RenameDataset": 5,
        "AddBinaryDataToDatasetByIDs": 5,
        "RemoveBinaryDataFromDatasetByIDs": 5,
    }


def test_merging_returns_the_id_of_the_new_dataset(server: FakeService, data: DataClient) -> None:
    server.unary["MergeDatasets"] = answering(pb.MergeDatasetsResponse(dataset_id="d-3"))
    assert data.merge_datasets("pets", "o", ["d-1", "d-2"]) == "d-3"
    assert sent(server) == pb.MergeDatasetsRequest(name="pets", organization_id="o", dataset_ids=["d-1", "d-2"])


def test_sequences_come_in_pages(server: FakeService, data: DataClient) -> None:
    walk = data_pb.Sequence(id="s-1")
    page = data_pb.ListSequencesResponse(sequences=[walk], next_page_token="next")
    server.unary["ListSequences"] = answering(page)
    assert data.list_sequences("o", "token", 5) == ([walk], "next")
    assert sent(server) == data_pb.ListSequencesRequest(organization_id="o", page_token="token", page_size=5)
