"""The fixtures of several modules: services that have files, and clients of them."""

from typing import Any

import pytest
from file_service import TIME, FileService
from servers import FakeService

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import datasync as sync_pb
from viam_sync.rpc.dial import Channel
from viam_sync.sandbox import Sandbox


@pytest.fixture
def service(server: FakeService) -> FileService:
    return FileService(server)


@pytest.fixture
def other(channel: Channel) -> DataClient:
    return DataClient(channel, {})


@pytest.fixture
def data(client: ViamClient) -> DataClient:
    return client.data_client


@pytest.fixture
def put(sandbox: Sandbox, data: DataClient) -> Any:
    """Return a function that uploads a file under any name whatever, and returns its ID."""

    def upload(contents: bytes = b"x", name: str = "", ending: str = "") -> str:
        metadata = sync_pb.UploadMetadata(
            part_id=sandbox.robot_part_id,
            type=sync_pb.DataType.DATA_TYPE_FILE,
            file_name=name,
            file_extension=ending,
            tags=["mine"],
            file_create_time=TIME,
        )
        pieces = [contents[at : at + 2**20] for at in range(0, len(contents), 2**20)]
        send = data._channel.stream_unary(
            "/viam.app.datasync.v1.DataSyncService/FileUpload",
            sync_pb.FileUploadRequest.SerializeToString,
            sync_pb.FileUploadResponse.FromString,
        )
        requests = [
            sync_pb.FileUploadRequest(metadata=metadata),
            *(sync_pb.FileUploadRequest(file_contents={"data": piece}) for piece in pieces),
        ]
        return str(send(iter(requests), metadata=list(data._metadata.items())).binary_data_id)

    return upload
