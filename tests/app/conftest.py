"""Fixtures of the tests of the clients."""

import pytest

from viam_sync.app.data_client import DataClient
from viam_sync.rpc.dial import Channel


@pytest.fixture
def data(channel: Channel) -> DataClient:
    return DataClient(channel, {})
