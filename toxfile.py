"""Lets tox find the interpreters that pyenv has installed, whichever of them is the active one."""

import os
from pathlib import Path

_VERSIONS = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"

# At the end: what the caller has put on the path goes first.
os.environ["PATH"] = os.pathsep.join([os.environ["PATH"], *map(str, sorted(_VERSIONS.glob("*/bin")))])
