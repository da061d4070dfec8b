"""The fixtures of several modules: a service that has files, and a client of it."""

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
