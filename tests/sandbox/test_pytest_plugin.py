import importlib.metadata
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

import viam_sync

ROOT = Path(viam_sync.__file__).parents[1]
PLUGIN = "viam_sync.sandbox.pytest_plugin"

EACH_WORLD_IS_FRESH = """
import pytest

seen = set()


@pytest.mark.parametrize("number", range(3))
def test_a_robot_of_one_test_is_unknown_to_the_next(viam_sandbox, viam_client, number):
    app = viam_client.app_client
    assert [robot.name for robot in app.list_robots(viam_sandbox.location_id)] == ["rover", "arm"]
    app.new_robot("new", viam_sandbox.location_id)
    viam_sandbox.faults.fail("GetLocation", "PERMISSION_DENIED", times=None)
    seen.add(viam_sandbox.address)


def test_no_fault_is_left_and_all_had_the_same_server(viam_sandbox, viam_client):
    assert viam_sandbox.faults.planned == []
    assert viam_client.app_client.get_location(viam_sandbox.location_id).name == "Workshop"
    assert seen == {viam_sandbox.address}
"""

STOPPED = """
def test_what_a_test_stops(viam_sandbox):
    viam_sandbox.stop()


def test_runs_again_in_the_next(viam_sandbox, viam_client):
    assert viam_client.app_client.get_robot(viam_sandbox.robot_id).name == "rover"
"""

CLOSED = """
import pytest
import viam_sync

kept = []


def test_a_client_is_open_in_its_test(viam_client):
    kept.append(viam_client)
    assert viam_client.app_client.list_organizations()


def test_a_client_is_closed_after_its_test():
    with pytest.raises(viam_sync.ClosedError):
        kept[0].app_client.list_organizations()
"""

FAILING = """
def test_that_fails_leaves_its_mark(viam_sandbox, viam_client):
    viam_client.app_client.delete_robot(viam_sandbox.robot_id)
    assert 0


def test_after_it_sees_none(viam_sandbox, viam_client):
    assert viam_client.app_client.get_robot(viam_sandbox.robot_id).name == "rover"
"""

SESSION = """
import os

import pytest
from viam_sync import ViamClient


@pytest.fixture(scope="session")
def viam_sandbox_options():
    return {"seed": 5, "token_lifetime": 60}


@pytest.fixture(scope="session")
def program(viam_sandbox_session):
    client = ViamClient.lazy(viam_sandbox_session.dial_options(), viam_sandbox_session.url)
    client.app_client.create_organization("made at once")
    yield client.app_client
    client.close()


@pytest.mark.parametrize("number", range(3))
def test_a_program_that_is_set_up_once_sees_a_fresh_world(program, number):
    assert len(program.list_organizations()) == 1
    program.create_organization("New")


def test_it_is_the_sandbox_of_a_test_with_the_options(viam_sandbox_session, viam_sandbox, viam_env):
    assert viam_sandbox is viam_sandbox_session
    assert viam_env["VIAM_APP_URL"] == os.environ["VIAM_APP_URL"] == viam_sandbox.url
    with ViamClient.create_from_env_vars() as client:
        assert len(client.app_client.list_organizations()) == 1


def test_the_variables_are_gone_after_a_test():
    assert "VIAM_APP_URL" not in os.environ
"""

MODULE = """
import pytest
from viam_sync import ViamClient


@pytest.mark.parametrize("number", range(3))
def test_the_tests_of_a_module_see_what_those_before_have_done(viam_sandbox_module, viam_sandbox, number):
    assert viam_sandbox.url != viam_sandbox_module.url
    with ViamClient.create_from_dial_options(viam_sandbox_module.dial_options(), viam_sandbox_module.url) as client:
        assert len(client.app_client.list_organizations()) == 1 + number
        client.app_client.create_organization("New")
"""

FROZEN = """
import datetime, time

import freezegun
import pytest


@pytest.fixture(scope="session")
def viam_sandbox_options():
    return {"clock": lambda: time.time()}


@pytest.fixture(autouse=True, params=["2020-02-02", "2039-09-09"])
def moment(request):
    with freezegun.freeze_time(request.param):
        yield datetime.datetime.fromisoformat(request.param)


def test_a_sandbox_that_starts_in_it_takes_the_time_of_the_test(moment, viam_sandbox, viam_client):
    assert viam_client.app_client.create_organization("New").created_on.ToDatetime() == moment


def test_a_sandbox_of_its_own_starts_in_any_year(moment, viam_sandbox_module):
    assert viam_sandbox_module.running
"""

NOT_LOADED = """
import sys


def test_nothing_is_loaded_for_tests_that_do_not_ask_for_it():
    assert not {"grpc", "google.protobuf", "viam_sync.sandbox.server"} & set(sys.modules)
"""


def run(folder, text, *arguments):
    """Run a file of tests in a folder of its own, with warnings as errors, and return what pytest printed."""
    Path(folder, "test_written.py").write_text(text, encoding="utf-8")
    installed = any(entry.value == PLUGIN for entry in _entry_points())
    plugin = [] if installed else ["-p", PLUGIN]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *plugin, *arguments]
    environment = {**os.environ, "PYTHONPATH": path, "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout + done.stderr


def _entry_points():
    found = importlib.metadata.entry_points()
    return found.select(group="pytest11") if hasattr(found, "select") else found.get("pytest11", ())


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (EACH_WORLD_IS_FRESH, "4 passed"),
        (STOPPED, "2 passed"),
        (CLOSED, "2 passed"),
        (FAILING, "1 failed, 1 passed"),
        (SESSION, "5 passed"),
        (MODULE, "3 passed"),
        pytest.param(
            FROZEN,
            "4 passed",
            marks=pytest.mark.skipif(importlib.util.find_spec("freezegun") is None, reason="freezegun is missing"),
        ),
        (NOT_LOADED, "1 passed"),
    ],
)
def test_a_file_of_tests_that_uses_the_fixtures(tmp_path, text, result):
    printed = run(tmp_path, text)
    assert f"\n{result} in " in printed, printed


def test_code_that_connects_by_itself_finds_the_sandbox(tmp_path):
    used = """
from viam_sync import ViamClient


def test_it_finds_the_sandbox(viam_env):
    with ViamClient.create_from_env_vars() as client:
        assert client.app_client.list_organizations()
"""
    printed = run(tmp_path, used)
    assert "\n1 passed in " in printed, printed


def test_the_fixtures_are_listed_with_what_they_give(tmp_path):
    printed = run(tmp_path, "", "--fixtures")
    assert "viam_sandbox -- " in printed
    assert "Provide a sandbox with the sample world, which is reset before each test" in printed
    assert "Provide a client that is connected to the sandbox" in printed
    assert "_viam_sandbox_of_this_process" not in printed


def test_its_ids_are_the_same_in_every_run(tmp_path):
    text = "def test_it(viam_sandbox):\n    print('robot', viam_sandbox.robot_id)\n"
    printed = [[line for line in run(tmp_path, text, "-s").splitlines() if line.startswith("robot")] for _ in range(2)]
    assert printed[0] == printed[1] != []
