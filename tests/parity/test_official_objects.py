"""Objects that a half-migrated script makes with the official SDK are taken by ours as they are."""

import importlib.metadata
import subprocess
import sys

import pytest

INSTALLED = [found for found in importlib.metadata.distributions() if found.metadata["Name"] == "viam-sdk"]

pytestmark = pytest.mark.skipif(not INSTALLED, reason="viam-sdk is not installed; there is nothing to take")

SCRIPT = """
import os

from viam.app.app_client import APIKeyAuthorization
from viam.rpc.dial import Credentials, DialOptions

import viam_sync
from viam_sync.app.viam_client import ViamClient
from viam_sync.sandbox import Sandbox


def refusal(call):
    try:
        call()
    except (TypeError, ValueError) as error:
        return str(error)
    raise AssertionError("was taken")


with Sandbox() as sandbox:
    key, key_id = f"{sandbox.api_key}\\n", f"{sandbox.api_key_id}\\n"
    made = [
        DialOptions.with_api_key(sandbox.api_key, sandbox.api_key_id),
        DialOptions.with_api_key(key, sandbox.api_key_id),
        DialOptions(auth_entity=key_id, credentials=Credentials("api-key", key), timeout=7, disable_webrtc=True),
        viam_sync.DialOptions(auth_entity=key_id, credentials=Credentials("api-key", key)),
    ]
    for options in made:
        with ViamClient.create_from_dial_options(options, sandbox.url) as client:
            assert [each.name for each in client.app_client.list_organizations()] == ["Lesson Robotics"]
    os.environ.update(VIAM_API_KEY=key, VIAM_API_KEY_ID=key_id, VIAM_APP_URL=sandbox.url)
    with ViamClient.create_from_env_vars(DialOptions(timeout=7)) as client:
        role = APIKeyAuthorization("owner", "robot", sandbox.robot_id)
        name = "made of a role of the official SDK"
        client.app_client.create_key(sandbox.organization_id, [role], name)
        assert name in [each.api_key.name for each in client.app_client.list_keys(sandbox.organization_id)]

text = refusal(lambda: ViamClient.create_from_dial_options(Credentials("api-key", "abc"), "localhost"))
assert text == "dial_options takes a viam_sync.DialOptions, got a Credentials", text
text = refusal(lambda: viam_sync.DialOptions(credentials=DialOptions()))
assert text.startswith("credentials takes a viam_sync.Credentials, got a DialOptions; DialOptions.with_api_key(")
"""


def test_options_credentials_and_roles_of_the_official_sdk_are_taken():
    # What the official SDK warns of when it is imported is not ours to mend, so warnings are no errors here.
    done = subprocess.run([sys.executable, "-c", SCRIPT], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr
