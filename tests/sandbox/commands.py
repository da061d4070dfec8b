"""The command of the sandbox, each in a process of its own."""

import contextlib
import subprocess
import sys
from pathlib import Path

import viam_sync

from .data_calls import Data

ROOT = Path(viam_sync.__file__).parents[1]


@contextlib.contextmanager
def process(*arguments, before=(), **options):
    """Run ``python -m viam_sync.sandbox``, and give the process and the settings that it printed.

    ``before`` stands before the command, and other options are those of Popen.
    """
    command = [*before, sys.executable, "-m", "viam_sync.sandbox", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes, **options) as run:
        try:
            lines = [run.stdout.readline().split() for _ in range(3)]
            assert all(line[0] == "export" for line in lines)
            yield run, dict(line[1].split("=", 1) for line in lines)
        finally:
            run.kill()


def failed(*arguments):
    """Return the exit status of the command, which does not start, and what it wrote as errors."""
    command = [sys.executable, "-m", "viam_sync.sandbox", *arguments]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout == ""
    return run.returncode, run.stderr


class Printed:
    """The settings that a process printed, as the attributes that a Caller needs."""

    def __init__(self, settings):
        self.url = settings["VIAM_APP_URL"]
        self.address = self.url.partition("://")[2]
        self.api_key = settings["VIAM_API_KEY"]
        self.api_key_id = settings["VIAM_API_KEY_ID"]
        self.organization_id = None


def data_of(owner):
    """Return the data services for a caller of such a process, and tell the caller the part to upload for."""
    organization = owner.ListOrganizations().organizations[0].id
    robot = owner.ListRobotsForOrg(org_id=organization).robots[0].id
    owner.sandbox.robot_part_id = owner.GetRobotParts(robot_id=robot).parts[0].id
    return Data(owner)
