"""A plugin of pytest with fixtures for tests of code that uses viam_sync: sandboxes, and a client connected to one."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, Dict, Iterator, Mapping

import pytest

if TYPE_CHECKING:
    from viam_sync import ViamClient
    from viam_sync.sandbox.server import Sandbox

# Other modules are imported by the fixtures, since pytest imports this one in every run.


def pytest_configure() -> None:
    """Let grpc see the real time where freezegun has stopped it: a server of grpc waits for the time to come."""
    if importlib.util.find_spec("freezegun") is not None:
        import freezegun

        freezegun.configure(extend_ignore_list=["grpc"])


@pytest.fixture(scope="session")
def viam_sandbox_options() -> Mapping[str, Any]:
    """Provide the options of the sandboxes; a fixture of this name in a ``conftest.py`` gives others."""
    return {}


def _sandbox(options: Mapping[str, Any]) -> Iterator[Sandbox]:
    from viam_sync.sandbox.server import Sandbox

    with Sandbox(**{"seed": 1, **options}) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def viam_sandbox_session(viam_sandbox_options: Mapping[str, Any]) -> Iterator[Sandbox]:
    """Provide the sandbox that all tests of a process share, to fixtures of wider scopes; it is reset before each test.

    So its address, IDs and keys stay the same, and what such a fixture puts into it is gone when the test begins.
    """
    yield from _sandbox(viam_sandbox_options)


@pytest.fixture(scope="module")
def viam_sandbox_module(viam_sandbox_options: Mapping[str, Any]) -> Iterator[Sandbox]:
    """Provide a sandbox for the tests of a module, of which each sees what those before it have done."""
    yield from _sandbox(viam_sandbox_options)


@pytest.fixture(autouse=True)
def _viam_sandbox_reset(request: pytest.FixtureRequest) -> None:
    if "viam_sandbox_session" in request.fixturenames:
        sandbox = request.getfixturevalue("viam_sandbox_session")
        # A test may have stopped it; and in a forked child, that of the parent does not run.
        if sandbox.running:
            sandbox.reset()
        else:
            sandbox.start()


@pytest.fixture(name="viam_sandbox")
def _sandbox_of_a_test(viam_sandbox_session: Sandbox) -> Sandbox:
    """Provide a sandbox with the sample world, which is reset before each test.

    All tests of a process share one server, at the same address unless a test stops it.
    """
    return viam_sandbox_session


@pytest.fixture
def viam_env(viam_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Dict[str, str]:
    """Set the environment variables that clients read to the sandbox's, and provide them."""
    variables = viam_sandbox.env_vars()
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables


@pytest.fixture
def viam_client(viam_sandbox: Sandbox) -> Iterator[ViamClient]:
    """Provide a client that is connected to the sandbox as the owner of the sample organization, and close it."""
    from viam_sync import ViamClient

    with ViamClient.create_from_dial_options(viam_sandbox.dial_options(), viam_sandbox.url) as client:
        yield client
