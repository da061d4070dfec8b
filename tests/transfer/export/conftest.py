"""The fixtures of several modules: a service that has files, a client of it, and certificates."""

import ssl
from pathlib import Path
from typing import Any

import pytest
from file_service import FileService
from servers import FakeService

from viam_sync.app.data_client import DataClient
from viam_sync.rpc.dial import Channel


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
