"""The page on migrating: its example does with the official SDK what it shows, and machines are driven beside ours."""

import importlib
import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import viam_sync
from viam_sync.sandbox import Sandbox

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("viam") is None, reason="viam-sdk is not installed; there is nothing to migrate from"
)

ROOT = Path(viam_sync.__file__).parents[1]
PAGE = (Path(__file__).parents[2] / "docs" / "migrating.md").read_text(encoding="utf-8")

#: Leads the official SDK to the sandbox; a lesson names no address.
TO_THE_SANDBOX = """
import os
from viam.app.viam_client import ViamClient

dial = ViamClient.create_from_dial_options

async def connect_to_the_sandbox(options):
    return await dial(options, os.environ["VIAM_APP_URL"])

ViamClient.create_from_dial_options = connect_to_the_sandbox
"""

#: Stands for the machines, of which the sandbox has none.
MACHINE = """
from types import SimpleNamespace
from viam.robot.client import RobotClient

async def connect(address, options):
    async def close():
        print("closed", address)

    assert isinstance(options, RobotClient.Options)
    return SimpleNamespace(resource_names=[SimpleNamespace(name="arm")], close=close)

RobotClient.at_address = connect
"""


def block(name):
    """Return the block of the page that follows a text."""
    return re.findall(r"```\w+\n(.*?)```", PAGE.partition(name)[2], re.DOTALL)[0]


def printed(sandbox, code):
    variables = {"PYTHONPATH": str(ROOT), **sandbox.env_vars()}
    command = [sys.executable, "-W", "ignore", "-c", code]
    given = {**os.environ, **variables}
    done = subprocess.run(command, env=given, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_example_prints_with_the_official_sdk_what_the_page_shows():
    with Sandbox(tls=True) as sandbox:  # not every version connects without
        assert printed(sandbox, TO_THE_SANDBOX + block("<!-- before -->")) == block("<!-- output -->")


def test_a_script_asks_the_cloud_with_ours_and_machines_with_the_official_sdk():
    with Sandbox() as sandbox:
        lines = printed(sandbox, MACHINE + block("## What stays with")).splitlines()
    assert lines[1::2] == ["rover ['arm']", "arm ['arm']"]
    assert all(line.startswith("closed ") for line in lines[::2])


def test_all_names_that_the_page_imports_of_the_official_sdk_are_there():
    imports = set(re.findall(r"from (viam[.][\w.]+) import (\w+)", PAGE))
    assert len(imports) > 5
    for module, name in imports:
        assert hasattr(importlib.import_module(module), name), module
