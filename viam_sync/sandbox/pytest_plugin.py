"""Fixtures for the tests of whoever uses viam_sync: a cloud of their own, and a client that is connected to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

import pytest

if TYPE_CHECKING:
    from viam_sync import ViamClient
    from viam_sync.sandbox import Sandbox

# Nothing else is loaded before a test asks for a fixture: pytest loads this module in every run.


@pytest.fixture(scope="session")
def _viam_sandbox_of_this_process() -> Iterator[Sandbox]:
    from viam_sync.sandbox import Sandbox

    cloud = Sandbox(seed=1)
    yield cloud
    cloud.stop()


@pytest.fixture
def viam_sandbox(_viam_sandbox_of_this_process: Sandbox) -> Sandbox:
    """Give a sandbox in the world that every sandbox starts with, whatever the tests before did.

    It is one server for all tests of the process, at the same address for all of them as long as none stops it.
    """
    cloud = _viam_sandbox_of_this_process
    if cloud.running:
        cloud.reset()
    else:
        cloud.start()
    return cloud


@pytest.fixture
def viam_client(viam_sandbox: Sandbox) -> Iterator[ViamClient]:
    """Give a client that is connected to the sandbox as the owner of the sample organization, and close it."""
    from viam_sync import ViamClient

    with ViamClient.create_from_dial_options(viam_sandbox.dial_options(), viam_sandbox.url) as client:
        yield client
