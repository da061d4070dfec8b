"""The sandboxes of users' tests: unittest in any order and in any process, decorators, forks."""

import asyncio
import os
import pickle
import subprocess
import sys
import unittest
from pathlib import Path

import grpc
import pytest

import viam_sync
from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.testing import SandboxMixin, SandboxTestCase, process_sandbox, viam_sandbox

ROOT = Path(viam_sync.__file__).parents[1]


def organizations():
    """Return the names of the organizations, as code under test would get them."""
    with ViamClient.create_from_env_vars() as client:
        return [organization.name for organization in client.app_client.list_organizations()]


def found():
    """Make an organization, and return the names of all."""
    with ViamClient.create_from_env_vars() as client:
        client.app_client.create_organization("New")
    return organizations()


def test_a_block_has_a_fresh_sandbox_in_the_environment_and_leaves_it_as_it_was(monkeypatch):
    monkeypatch.setenv("VIAM_API_KEY", "mine")
    for _ in "12":
        with viam_sandbox() as sandbox:
            assert found() == ["Lesson Robotics", "New"]
            assert os.environ["VIAM_API_KEY"] == sandbox.api_key
    assert os.environ["VIAM_API_KEY"] == "mine"
    assert "VIAM_APP_URL" not in os.environ


def test_a_block_in_a_block_has_the_same_sandbox_as_it_is():
    with viam_sandbox() as outer:
        found()
        with viam_sandbox() as inner:
            assert inner is outer
            assert organizations() == ["Lesson Robotics", "New"]
        assert organizations() == ["Lesson Robotics", "New"]


def test_a_block_with_options_has_a_server_of_its_own():
    with viam_sandbox() as shared, viam_sandbox(seed=4, token_lifetime=60) as own:
        assert own.url != shared.url
        assert found() == ["Lesson Robotics", "New"]
        with viam_sandbox():
            assert os.environ["VIAM_APP_URL"] == shared.url
    assert not own.running


@pytest.mark.parametrize("decorate", [viam_sandbox, viam_sandbox(), viam_sandbox(seed=9)])
def test_a_function_a_coroutine_and_a_class_are_decorated(decorate):
    @decorate
    def plain(number, *, word):
        """Find."""
        return number, word, found()

    @decorate
    async def coroutine():
        return found()

    @decorate
    class TestOfPytest:
        def test_it(self):
            return found()

        def helper(self):
            return os.environ.get("VIAM_APP_URL")

    fresh = ["Lesson Robotics", "New"]
    assert plain(1, word="x") == (1, "x", fresh)
    assert plain(1, word="x") == (1, "x", fresh)
    assert plain.__doc__ == "Find."
    assert asyncio.run(coroutine()) == fresh
    assert TestOfPytest().test_it() == fresh
    assert TestOfPytest().helper() is None


def test_what_cannot_be_decorated_and_unknown_options_are_refused():
    def fixture():
        yield

    for given in (fixture, 3):
        with pytest.raises(TypeError, match=r"decorates a function or a class, got .*write `with viam_sandbox\(\):`"):
            viam_sandbox(given)
    with pytest.raises(TypeError, match="prot"):
        viam_sandbox(prot=3)


def results_of(case):
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(case).run(result)
    return result


def test_a_case_is_fresh_after_failures_of_tests_and_of_their_parts():
    class Case(SandboxTestCase):
        def setUp(self):  # without a call of super()
            self.names = found()

        def test_a_part_fails(self):
            for part in range(2):
                with self.subTest(part=part):
                    self.viam_client.app_client.create_organization(f"part {part}")
                    raise AssertionError

        def test_a_test_fails(self):
            self.viam_client.app_client.delete_robot(self.sandbox.robot_id)
            raise AssertionError

        def test_all_is_there(self):
            assert self.names == ["Lesson Robotics", "New"]
            assert self.viam_client.app_client.get_robot(self.sandbox.robot_id).name == "rover"

    result = results_of(Case)
    assert (result.testsRun, len(result.failures), result.errors) == (3, 3, [])


def test_the_client_of_a_case_is_closed_after_its_test():
    kept = []

    class Case(SandboxTestCase):
        def test_it(self):
            kept.append(self.viam_client)

    assert results_of(Case).wasSuccessful()
    with pytest.raises(viam_sync.ClosedError):
        kept[0].app_client.list_organizations()


def test_a_mixin_and_a_decorated_case_have_the_sandbox_in_set_up():
    class Mixed(SandboxMixin, unittest.TestCase):
        sandbox_options = {"seed": 12}

        def setUp(self):
            self.names = found()

        def test_it(self):
            assert self.names == ["Lesson Robotics", "New"]

        test_it_again = test_it

    @viam_sandbox
    class Decorated(unittest.TestCase):
        setUp, test_it, test_it_again = Mixed.setUp, Mixed.test_it, Mixed.test_it

    for case in (Mixed, Decorated):
        result = results_of(case)
        assert (result.testsRun, result.errors, result.failures) == (2, [], [])


def test_the_shared_sandbox_starts_again_after_a_test_that_stopped_it():
    process_sandbox().stop()
    with viam_sandbox() as sandbox:
        assert sandbox.running
        assert organizations() == ["Lesson Robotics"]


def run(*words):
    """Run a program, which succeeds."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, *words], env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr


IN_PROCESSES = """
import multiprocessing, os, sys
from viam_sync import ViamClient
from viam_sync.sandbox.testing import viam_sandbox

@viam_sandbox
def test(number):
    with ViamClient.create_from_env_vars() as client:
        before = len(client.app_client.list_organizations())
        client.app_client.create_organization(f"from {number}")
        after = len(client.app_client.list_organizations())
    return before, after, os.environ["VIAM_APP_URL"]

if __name__ == "__main__":
    # Old versions of grpc may hang in the child of a process that runs a server.
    parent = test(0) if sys.argv[1] != "fork" else ()
    with multiprocessing.get_context(sys.argv[1]).Pool(3) as pool:
        found = pool.map(test, range(12), chunksize=1)
    assert {each[:2] for each in found} == {(1, 2)}, found
    assert test(1) == (parent or test(2))
    assert test(1)[2] not in {each[2] for each in found}
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_each_process_has_a_sandbox_of_its_own_however_it_was_started(tmp_path, method):
    program = tmp_path / "program.py"
    program.write_text(IN_PROCESSES, encoding="utf-8")
    run(str(program), method)


IN_A_CHILD = """
import os, sys, traceback
from viam_sync import ViamClient
from viam_sync.sandbox import Sandbox

def names():
    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        return [each.name for each in client.app_client.list_organizations()]

def error(act):
    try:
        act()
    except RuntimeError as error:
        return str(error)

def says_so():
    begin = f"This sandbox was started in process {parent}, and process {os.getpid()} was forked from that one. "
    for act in (sandbox.reset, lambda: sandbox.advance(1), lambda: sandbox.faults, lambda: sandbox.sign_in("a@b.c"),
                lambda: sandbox.log(sandbox.robot_part_id, "x")):
        assert error(act).startswith(begin), error(act)
        assert error(act).endswith("Start a sandbox of this process after the fork.")
    assert not sandbox.running
    assert repr(sandbox) == f"<Sandbox of process {parent} at {sandbox.url}>"
    sandbox.stop()
    assert repr(sandbox).startswith("<Sandbox, not running")

def starts_its_own():
    of_parent = sandbox.url
    sandbox.start()
    assert sandbox.url != of_parent
    assert names() == ["Lesson Robotics"]
    sandbox.reset()
    sandbox.stop()

sandbox = Sandbox(seed=1).start()
parent = os.getpid()
child = os.fork()
if not child:
    try:
        {act}()
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert names() == ["Lesson Robotics"]
sandbox.reset()
sandbox.stop()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize(
    "act",
    [
        "says_so",
        pytest.param(
            "starts_its_own",
            marks=pytest.mark.skipif(
                grpc.__version__.startswith("1.32."), reason="this grpc crashes in the child of a process with a server"
            ),
        ),
    ],
)
def test_a_sandbox_of_the_parent_is_none_of_a_forked_child_and_goes_on(act):
    run("-c", IN_A_CHILD.replace("{act}", act))


def test_the_variables_of_a_sandbox_with_tls_name_its_authority():
    pytest.importorskip("trustme")
    with Sandbox(tls=True) as sandbox:
        variables = pickle.loads(pickle.dumps(sandbox.env_vars()))
        assert variables.pop("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH") == str(sandbox.ca_certificate)
        assert sorted(variables) == ["VIAM_API_KEY", "VIAM_API_KEY_ID", "VIAM_APP_URL"]
