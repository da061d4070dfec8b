"""The schema equals that of the official SDK, of the version that protos/API_VERSION names."""

import importlib.metadata
import subprocess
import sys

import pytest

from .tiny import BENCH

VERSION = (BENCH / "API_VERSION").read_text(encoding="utf-8").strip()


def installed():
    try:
        return importlib.metadata.version("viam-sdk")
    except importlib.metadata.PackageNotFoundError:
        return "no version"


@pytest.mark.skipif(installed() != VERSION, reason=f"{installed()} of viam-sdk is installed, this needs {VERSION}")
def test_the_schema_equals_the_published_one():
    command = [sys.executable, str(BENCH / "import_schema.py"), VERSION, "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"equal to the schema of viam-sdk {VERSION}\n", "")
