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
def cloud():
    with Sandbox() as cloud:
        yield cloud


def test_printed(cloud):
    print("the key is", cloud.api_key)


def test_printed_in_the_middle_of_something(cloud):
    sys.stderr.write(f"x{cloud.api_key}y")


def test_logged_at_debug(cloud):
    logging.getLogger("viam_sync.rpc.dial").debug("connecting as %s", cloud.api_key)


def test_logged_with_a_traceback(cloud):
    try:
        raise ValueError(cloud.api_key)
    except ValueError:
        logging.getLogger("elsewhere").exception("it failed")


def test_raised_and_caught(cloud):
    with pytest.raises(ValueError, match="is none"):
        raise ValueError(f"{cloud.api_key} is none")


def test_raised_as_the_cause(cloud):
    with pytest.raises(TypeError):
        raise TypeError("no") from KeyError(cloud.api_key)


def test_warned(cloud):
    with pytest.warns(UserWarning):
        warnings.warn(cloud.api_key)


def test_in_a_repr(cloud):
    class Open(DialOptions):
        def __repr__(self):
            return self.credentials.payload

    Open(credentials=Credentials("api-key", cloud.api_key))


def test_a_token(cloud):
    from viam_sync import ViamClient

    with ViamClient.create_from_dial_options(cloud.dial_options(), cloud.url) as client:
        print(dict(client._metadata))


def test_the_secret_of_a_part(cloud):
    from viam_sync import ViamClient

    with ViamClient.create_from_dial_options(cloud.dial_options(), cloud.url) as client:
        print(client.app_client.get_robot_part(cloud.robot_part_id).secret)


@pytest.mark.shows_secrets("it prints one")
def test_marked_and_silent(cloud):
    pass


@pytest.mark.shows_secrets("it prints one")
def test_good_because_it_is_marked(cloud):
    print(cloud.api_key)


@pytest.mark.shows_secrets("it prints one")
def test_good_because_it_is_skipped(cloud):
    pytest.skip("not here")


def test_good_because_nothing_is_shown(cloud):
    options = cloud.dial_options()
    print(options, options.credentials, cloud.api_key[:8], cloud.api_key_id)
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
    assert wrong == WRONG
    done.assert_outcomes(passed=13, skipped=1, errors=len(WRONG))
