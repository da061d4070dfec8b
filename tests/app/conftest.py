"""Fixtures of the tests of the clients."""

import os

import pytest

from viam_sync.app.data_client import DataClient
from viam_sync.rpc.dial import Channel


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment without variables of ours."""
    for name in list(os.environ):
        if name.startswith("VIAM_"):
            monkeypatch.delenv(name)


@pytest.fixture
def data(channel: Channel) -> DataClient:
    return DataClient(channel, {})
