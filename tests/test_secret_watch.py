import os
import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

TESTS = """
import logging
import sys
import warnings

import pytest

from viam_sync.rpc.dial import Credentials, DialOptions
from viam_sync.sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox() as sandbox:
        yield sandbox


def test_printed(sandbox):
    print("the key is", sandbox.api_key)


def test_printed_in_the_middle_of_something(sandbox):
    sys.stderr.write(f"x{sandbox.api_key}y")


def test_logged_at_debug(sandbox):
    logging.getLogger("viam_sync.rpc.dial").debug("connecting as %s", sandbox.api_key)


def test_logged_with_a_traceback(sandbox):
    try:
        raise ValueError(sandbox.api_key)
    except ValueError:
        logging.getLogger("elsewhere").exception("it failed")


def test_raised_and_caught(sandbox):
    with pytest.raises(ValueError, match="is none"):
        raise ValueError(f"{sandbox.api_key} is none")


def test_raised_as_the_cause(sandbox):
    with pytest.raises(TypeError):
        raise TypeError("no") from KeyError(sandbox.api_key)


def test_warned(sandbox):
    with pytest.warns(UserWarning):
        warnings.warn(sandbox.api_key)


def test_in_a_repr(sandbox):
    class Open(DialOptions):
        def __repr__(self):
            return self.credentials.payload

    Open(credentials=Credentials("api-key", sandbox.api_key))


def test_in_a_variable(sandbox):
    def fail(key):
        raise ValueError("no")

    with pytest.raises(ValueError):
        fail({"key": [Credentials("api-key", sandbox.api_key).payload]})


def test_a_token(sandbox):
    from viam_sync import ViamClient

    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        print(dict(client._metadata))


def test_the_secret_of_a_part(sandbox):
    from viam_sync import ViamClient

    with ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
        print(client.app_client.get_robot_part(sandbox.robot_part_id).secret)


@pytest.mark.shows_secrets("it prints one")
def test_marked_and_silent(sandbox):
    pass


@pytest.mark.shows_secrets("it prints one")
def test_good_because_it_is_marked(sandbox):
    print(sandbox.api_key)


@pytest.mark.shows_secrets("it prints one")
def test_good_because_it_is_skipped(sandbox):
    pytest.skip("not here")


def test_good_because_nothing_is_shown(sandbox):
    options = sandbox.dial_options()
    print(options, options.credentials, sandbox.api_key[:8], sandbox.api_key_id)
    logging.getLogger("viam_sync").debug("%s", options)
"""


KEY = "an API key of a sandbox is in"
SHOWN = {
    "printed": f"{KEY} Captured stdout call",
    "printed_in_the_middle_of_something": f"{KEY} Captured stderr call",
    "logged_at_debug": f"{KEY} a log record",
    "logged_with_a_traceback": f"{KEY} Captured log call; {KEY} a log record",
    "raised_and_caught": f"{KEY} the repr of a ValueError; {KEY} the text of a ValueError",
    "raised_as_the_cause": f"{KEY} the text of a TypeError",
    "warned": f"{KEY} a warning",
    "in_a_repr": "the key of a client is in the repr of a Open",
    "in_a_variable": "the key of a client is in the variable FILE in fail: key",
    "a_token": "a token of a client is in Captured stdout call",
    "the_secret_of_a_part": "a secret of a sandbox is in Captured stdout call",
}
WRONG = {name: f"A secret is shown: {what}. If that is its purpose, mark the test." for name, what in SHOWN.items()}
WRONG["marked_and_silent"] = "The test is marked with shows_secrets, and shows none."


@pytest.mark.parametrize("how", [[], ["-n", "2"]], ids=["alone", "in several processes"])
def test_each_way_to_show_a_secret_fails_the_test_and_does_not_show_it_again(pytester, monkeypatch, how):
    if how:
        pytest.importorskip("xdist")
    tests = Path(__file__).parent
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tests), str(tests.parent)]))
    pytester.makepyfile(TESTS)
    done = pytester.runpytest_subprocess("-p", "secret_watch", "-p", "no:cacheprovider", "--show-capture=no", *how)
    output = done.stdout.str()
    wrong = dict(re.findall(r"ERROR at teardown of test_(\w+) _+\n(?:\[gw.*\n)?(.*)", output))
    assert {name: re.sub(r"\S+:\d+ in", "FILE in", text) for name, text in wrong.items()} == WRONG
    done.assert_outcomes(passed=14, skipped=1, errors=len(WRONG))
