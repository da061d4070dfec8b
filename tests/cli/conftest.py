"""The fixtures that tests of commands share: the environment of one, in which a sandbox is the cloud."""

from pathlib import Path
from typing import Dict, Iterator

import pytest
from command_line import settings_of

from viam_sync.sandbox import Sandbox


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """A sandbox for the tests of a module, which none of them changes."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def settings(shared: Sandbox, tmp_path: Path) -> Dict[str, str]:
    """The environment with that sandbox."""
    return settings_of(shared, tmp_path)


@pytest.fixture
def own_settings(sandbox: Sandbox, tmp_path: Path) -> Dict[str, str]:
    """The environment with a sandbox of the test's own, for it to change."""
    return settings_of(sandbox, tmp_path)
