"""System checks of the setting VIAM: what is missing or has no meaning, without a call and without the key."""

import uuid
from typing import Any, List

import pytest

pytest.importorskip("django.core", reason="tox -e django-newest has it")

import django_settings  # noqa: F401
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from viam_sync.django import client
from viam_sync.sandbox import Sandbox

KEY_ID, KEY = str(uuid.uuid4()), "k" * 32
KEYS = {"API_KEY_ID": KEY_ID, "API_KEY": KEY}
#: Settings that have no meaning, and what is said of them.
WRONG = [
    ("key", "VIAM takes a dict, got a str"),
    ({**KEYS, "API_KEYS": KEY}, "VIAM has 'API_KEYS', which means nothing"),
    ({**KEYS, "TIMEOUT": "soon"}, "VIAM['TIMEOUT'] takes a number of seconds"),
    ({**KEYS, "TIMEOUT": 0}, "VIAM['TIMEOUT'] takes"),
    ({**KEYS, "RETRY": "often"}, "VIAM['RETRY'] takes"),
    ({**KEYS, "TZ": "Europe/Atlantis"}, "VIAM['TZ'] takes the name of a time zone, such as 'Europe/Berlin'"),
    ({**KEYS, "TZ": 5}, "VIAM['TZ'] takes a datetime.tzinfo"),
    ({**KEYS, "APP_URL": "ftp://farm"}, "VIAM['APP_URL'] takes https://, http:// or no scheme"),
    ({**KEYS, "APP_URL": 5}, "VIAM['APP_URL'] takes a str"),
    ({**KEYS, "API_KEY_ID": "farm"}, "VIAM['API_KEY_ID'] takes the key's ID, a UUID"),
    ({**KEYS, "API_KEY_ID": KEY}, "VIAM['API_KEY_ID'] got the key itself"),
    ({**KEYS, "API_KEY": f"'{KEY}'"}, "VIAM['API_KEY'] has quotation marks"),
    ({**KEYS, "ALIASES": ["farm"]}, "VIAM['ALIASES'] takes a dict of dicts"),
    ({**KEYS, "ALIASES": {"default": KEYS}}, "VIAM['ALIASES'] has 'default', which is VIAM itself"),
    ({**KEYS, "ALIASES": {"farm": KEY_ID}}, "VIAM['ALIASES']['farm'] takes a dict"),
    ({**KEYS, "ALIASES": {"farm": {**KEYS, "TIME": 5}}}, "VIAM['ALIASES']['farm'] has 'TIME', which means nothing"),
    ({**KEYS, "ALIASES": {"farm": {**KEYS, "TIMEOUT": -1}}}, "VIAM['ALIASES']['farm']['TIMEOUT'] takes"),
]


def found(**options: Any) -> List[checks.CheckMessage]:
    return [each for each in checks.run_checks(**options) if each.id and each.id.startswith("viam.")]


@pytest.mark.parametrize(("setting", "text"), WRONG, ids=[text for _, text in WRONG])
def test_what_has_no_meaning_is_an_error_with_a_hint(setting: Any, text: str) -> None:
    with override_settings(VIAM=setting):
        (error,) = found()
    assert (error.id, error.level) == ("viam.E001", checks.ERROR)
    assert error.msg.startswith(text)
    assert error.hint
    assert KEY not in f"{error.msg}{error.hint}"


def test_a_key_of_the_environment_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIAM_API_KEY_ID", "farm")
    with override_settings(VIAM={"API_KEY": KEY}):
        (error,) = found()
    assert error.msg.startswith("VIAM_API_KEY_ID takes the key's ID, a UUID")


def test_all_that_is_wrong_is_told_at_once() -> None:
    with override_settings(VIAM={"API_KEY_ID": "farm", "API_KEY": KEY, "APP_URL": 5, "RETRY": 5}):
        assert [error.id for error in found()] == ["viam.E001"] * 3


def test_a_key_that_is_missing_is_a_warning_which_names_setting_and_variable() -> None:
    with override_settings(VIAM={"API_KEY_ID": KEY_ID, "ALIASES": {"farm": {}}}):
        own, other = found()
    assert (own.id, own.level, own.msg) == ("viam.W001", checks.WARNING, "VIAM['API_KEY'] is not set")
    assert "VIAM_API_KEY" in str(own.hint)
    assert "VIAM_API_KEY" not in str(other.hint)


def test_a_call_with_a_setting_that_has_no_meaning_says_so() -> None:
    refused = pytest.raises(ImproperlyConfigured, match=r"VIAM\['TIMEOUT'\] takes a number of seconds")
    with override_settings(VIAM={**KEYS, "TIMEOUT": "soon"}), refused:
        client.app_client  # noqa: B018


def test_the_cloud_is_asked_by_the_tag_and_before_a_deployment_alone(sandbox: Sandbox) -> None:
    # The sandbox does not know the key.
    with override_settings(VIAM={**KEYS, "APP_URL": sandbox.url}):
        assert found() == []
        assert found(tags=["models"]) == []
        for asked in ({"tags": ["viam"]}, {"include_deployment_checks": True}):
            (error,) = found(**asked)
            assert error.id == "viam.E002"
            assert "make a new key" in str(error.hint)
