"""Fixtures of the tests of the clients: a fake service, a channel to it, and a client of data on that channel."""

from typing import Iterator

import pytest
from servers import FakeService

from viam_sync.app.data_client import DataClient
from viam_sync.rpc.dial import Channel, parse_address


@pytest.fixture
def server() -> Iterator[FakeService]:
    with FakeService() as running:
        yield running


@pytest.fixture
def channel(server: FakeService) -> Iterator[Channel]:
    with Channel(parse_address(server.url), max_reconnect_attempts=3) as opened:
        yield opened


@pytest.fixture
def data(channel: Channel) -> DataClient:
    return DataClient(channel, {})
