"""What all tests share: a sandbox of their own, and a client that is connected to it."""

import signal
from typing import Iterator

import pytest
from secret_watch import SecretWatch

from viam_sync.app.app_client import AppClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox

# pytest-xdist may ignore Ctrl-C in its workers, and what they start inherits that; some tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    # No key may be printed, logged or raised by any test.
    config.pluginmanager.register(SecretWatch(config), "secret-watch")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[ViamClient]:
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as connected:
        yield connected


@pytest.fixture
def app(client: ViamClient) -> AppClient:
    return client.app_client


@pytest.fixture
def cloud(app: AppClient) -> AppClient:
    """The former name of ``app``."""
    return app
