"""Scripts print the same with the official SDK, and with ours once the command has migrated them."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import viam_sync
from viam_sync.sandbox import Sandbox

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("viam") is None, reason="viam-sdk is not installed; there is nothing to compare with"
)

ROOT = Path(viam_sync.__file__).parents[1]
SCRIPTS = Path(__file__).with_name("scripts")
NAMES = sorted(path.name for path in SCRIPTS.iterdir() if path.suffix in (".py", ".ipynb"))
#: What machines need of a script stays asynchronous, and is named.
LEFT = {"weather_station.py"}


def run(*arguments, variables=None):
    command = [sys.executable, "-W", "ignore", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(variables or {})}
    return subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False)


def printed(sandbox, folder):
    """Return what each script in a folder prints, all in one process; an error comes into the log that one follows."""
    variables = {
        "VIAM_API_KEY": sandbox.api_key,
        "VIAM_API_KEY_ID": sandbox.api_key_id,
        "APP_URL": sandbox.url,
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(sandbox.ca_certificate),
        "ORG_ID": sandbox.organization_id,
        "LOCATION_ID": sandbox.location_id,
        "PART_ID": sandbox.robot_part_id,
        "DATASET_ID": sandbox.dataset_id,
    }
    with stalling_motor(sandbox):
        done = run(Path(__file__).with_name("run_scripts.py"), folder, variables=variables)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@contextlib.contextmanager
def stalling_motor(sandbox):
    """Within this block, the first to follow the log of the rover finds an error in it."""

    def stall():
        sandbox.wait_for_tail(sandbox.robot_part_id, timeout=30)
        sandbox.log(sandbox.robot_part_id, "The motor stalls.", level="error")

    thread = threading.Thread(target=stall)
    thread.start()
    yield
    thread.join()


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """What each script prints before its migration and after it, and what the command says."""
    folder = tmp_path_factory.mktemp("scripts")
    for name in NAMES:
        shutil.copy(SCRIPTS / name, folder)
    with Sandbox(seed=7, tls=True) as sandbox:
        before = printed(sandbox, folder)
        sandbox.reset()
        done = run("-m", "viam_sync", "migrate", folder)
        return before, printed(sandbox, folder), done, folder


@pytest.mark.parametrize("name", NAMES)
def test_a_migrated_script_prints_the_same(both, name):
    before, after, _, folder = both
    assert "Traceback" not in before[name], before[name]
    assert after[name] == before[name], (folder / name).read_text(encoding="utf-8")


def test_the_command_leaves_nothing_but_machines(both):
    _, _, done, folder = both
    lines = [
        line for line in done.stderr.splitlines() if line.startswith(f"{folder}/") and not line.endswith("migrated")
    ]
    assert {line[len(f"{folder}/") :].partition(":")[0] for line in lines} == LEFT
    assert done.returncode == 1
    for name in {*NAMES} - LEFT:
        text = (folder / name).read_text(encoding="utf-8")
        assert re.findall(r"\b(?:async|await|asyncio|(?:from|import) viam)\b", text) == [], name


def test_a_second_migration_changes_nothing_and_leaves_the_same(both):
    _, _, done, folder = both
    again = run("-m", "viam_sync", "migrate", "--check", folder)
    assert f"{len(NAMES)} files: 0 to migrate" in again.stderr
    left = [line for line in done.stderr.splitlines()[:-1] if not line.endswith("migrated")]
    assert again.stderr.splitlines()[:-1] == left
    assert again.returncode == done.returncode
