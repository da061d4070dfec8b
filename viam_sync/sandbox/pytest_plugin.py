"""A plugin of pytest with fixtures for tests of code that uses viam_sync: a sandbox, and a client connected to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Iterator

import pytest

if TYPE_CHECKING:
    from viam_sync import ViamClient
    from viam_sync.sandbox.server import Sandbox

# Other modules are imported by the fixtures, since pytest imports this one in every run.


@pytest.fixture(scope="session")
def _viam_sandbox_of_this_process() -> Iterator[Sandbox]:
    from viam_sync.sandbox.server import Sandbox

    sandbox = Sandbox(seed=1)
    yield sandbox
    sandbox.stop()


@pytest.fixture
def viam_sandbox(_viam_sandbox_of_this_process: Sandbox) -> Sandbox:
    """Provide a sandbox with the sample world, which is reset before each test.

    All tests of a process share one server, at the same address unless a test stops it.
    """
    sandbox = _viam_sandbox_of_this_process
    if sandbox.running:
        sandbox.reset()
    else:
        sandbox.start()
    return sandbox


@pytest.fixture
def viam_client(viam_sandbox: Sandbox) -> Iterator[ViamClient]:
    """Provide a client that is connected to the sandbox as the owner of the sample organization, and close it."""
    from viam_sync import ViamClient

    with ViamClient.create_from_dial_options(viam_sandbox.dial_options(), viam_sandbox.url) as client:
        yield client
