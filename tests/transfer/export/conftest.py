"""The fixtures of several modules: services that have files, clients of them, and certificates."""

import ssl
from pathlib import Path
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


@pytest.fixture(autouse=True)
def without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("https_proxy", "HTTPS_PROXY", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(scope="module")
def authority() -> Any:
    return pytest.importorskip("trustme").CA()


@pytest.fixture
def tls(authority: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.fixture
def trusted(authority: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.delenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))


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
