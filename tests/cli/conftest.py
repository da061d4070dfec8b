"""The environment in which commands run: a sandbox of the test's own is the cloud."""

from pathlib import Path
from typing import Dict

import pytest
from command_line import settings_of

from viam_sync.sandbox import Sandbox


@pytest.fixture
def own_settings(sandbox: Sandbox, tmp_path: Path) -> Dict[str, str]:
    """The variables of a command that may change the sandbox; its home is the folder of the test."""
    return settings_of(sandbox, tmp_path)
