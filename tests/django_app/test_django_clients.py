"""The client of a project: by its settings, in its time zone, and by those of a test while that runs."""

import pickle
import subprocess
import sys
import uuid
from datetime import timezone
from typing import Any, Mapping

import pytest

pytest.importorskip("django.core", reason="tox -e django-newest has it")

import django_settings  # noqa: F401
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from viam_sync import ClosedError, UnavailableError, ViamClient
from viam_sync.app.app_client import APIKeyAuthorization
from viam_sync.django import client, clients
from viam_sync.sandbox import Sandbox

KEY = {"API_KEY_ID": str(uuid.uuid4()), "API_KEY": "k" * 32}


def test_a_test_has_the_client_of_its_settings(sandbox: Sandbox) -> None:
    with Sandbox() as other:
        for each in (sandbox, other):
            with override_settings(VIAM={"API_KEY_ID": each.api_key_id, "API_KEY": each.api_key, "APP_URL": each.url}):
                assert client.app_client.get_location(each.location_id).name == "Workshop"


def test_what_was_kept_of_an_overridden_setting_makes_no_more_calls(
    account: Mapping[str, str], sandbox: Sandbox
) -> None:
    kept = client.app_client
    with override_settings(VIAM={}), pytest.raises(ClosedError):
        kept.list_organizations()
    assert client.app_client.list_organizations()


def test_a_process_has_one_client_for_each_account(account: Mapping[str, str]) -> None:
    assert client.app_client is clients["default"].app_client
    assert isinstance(client, ViamClient)


def test_an_alias_is_another_account_with_the_options_of_viam(account: Mapping[str, str], sandbox: Sandbox) -> None:
    owner = APIKeyAuthorization("owner", "organization", sandbox.organization_id)
    key, key_id = client.app_client.create_key(sandbox.organization_id, [owner], "another")
    other = {"API_KEY_ID": key_id, "API_KEY": key}
    with Sandbox() as elsewhere:
        farm = {"API_KEY_ID": elsewhere.api_key_id, "API_KEY": elsewhere.api_key, "APP_URL": elsewhere.url}
        with override_settings(VIAM={**account, "ALIASES": {"other": other, "farm": farm}}):
            assert list(clients) == ["default", "other", "farm"]
            assert clients["other"].app_client.get_robot(sandbox.robot_id).name == "rover"
            assert clients["farm"].app_client.get_robot(elsewhere.robot_id).name == "rover"


def test_the_key_of_the_environment_is_for_no_alias(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> None:
    monkeypatch.setenv("VIAM_API_KEY", sandbox.api_key)
    monkeypatch.setenv("VIAM_API_KEY_ID", sandbox.api_key_id)
    with override_settings(VIAM={"APP_URL": sandbox.url, "ALIASES": {"farm": {}}}):
        assert client.app_client.get_robot(sandbox.robot_id).name == "rover"
        with pytest.raises(ImproperlyConfigured, match=r"VIAM\['ALIASES'\]\['farm'\]\['API_KEY'\] must be set"):
            clients["farm"].app_client  # noqa: B018


def test_an_alias_that_is_not_there_is_named_with_those_that_are() -> None:
    refused = pytest.raises(ImproperlyConfigured, match=r"has no 'firm' \(it has 'default', 'farm'\)")
    with override_settings(VIAM={"ALIASES": {"farm": KEY}}), refused:
        clients["firm"].app_client  # noqa: B018


@pytest.mark.parametrize(
    ("zone", "use_tz", "expected"),
    [
        (None, True, "America/Chicago"),
        ("Europe/Berlin", True, "Europe/Berlin"),
        (timezone.utc, False, "UTC"),
        (None, False, "None"),
    ],
)
def test_times_are_aware_in_the_zone_of_the_project_or_of_the_setting(
    account: Mapping[str, str], sandbox: Sandbox, zone: Any, use_tz: bool, expected: str
) -> None:
    with override_settings(USE_TZ=use_tz, VIAM={**account, "TZ": zone}):
        assert str(client.app_client.get_robot_part(sandbox.robot_part_id).created_on.tzinfo) == expected


def test_the_limits_of_the_setting_hold_for_each_call(account: Mapping[str, str], sandbox: Sandbox) -> None:
    sandbox.faults.fail("ListOrganizations", "UNAVAILABLE", times=9)
    once = {**account, "RETRY": False}
    with override_settings(VIAM=once), pytest.raises(UnavailableError) as failed:
        client.app_client.list_organizations()
    assert failed.value.attempts == 1


def test_a_pickle_names_the_alias_and_holds_no_key(account: Mapping[str, str]) -> None:
    pickled = pickle.dumps(client)
    assert account["API_KEY"].encode() not in pickled
    assert pickle.loads(pickled).app_client is client.app_client


def test_the_package_says_what_to_install_where_there_is_no_django() -> None:
    script = "import sys; sys.modules['django'] = None\nfrom viam_sync.django import client"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr.splitlines()[-1] == (
        "ImportError: viam_sync.django takes Django, which is not installed: pip install Django"
    )
