"""The fixtures that tests of commands share: the environment of one, in which a sandbox is the cloud."""

from pathlib import Path
from typing import Dict

import pytest
from command_line import settings_of

from viam_sync.sandbox import Sandbox


@pytest.fixture
def settings(sandbox: Sandbox, tmp_path: Path) -> Dict[str, str]:
    """The environment with a sandbox in its first state."""
    return settings_of(sandbox, tmp_path)
