"""Profiles: who can read them, which is taken, and what happens when a file is damaged."""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from viam_sync import ViamClient
from viam_sync.profiles import Profile, delete_profile, find_profile, load_profiles, profiles_file, save_profile
from viam_sync.sandbox import Sandbox

KEY_ID = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_CONFIG_HOME", "VIAM_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def write_official(home: Path, name: str, content: object) -> None:
    (home / ".viam").mkdir(exist_ok=True)
    (home / ".viam" / name).write_text(json.dumps(content), encoding="utf-8")


def test_a_client_is_made_from_a_profile(sandbox: Sandbox) -> None:
    save_profile(Profile("lesson", sandbox.api_key_id, sandbox.api_key, sandbox.url))
    for name in ("lesson", None):
        with ViamClient.create_from_profile(name) as client:
            assert client.app_client.get_location(sandbox.location_id).name == "Workshop"


def test_only_the_owner_reads_the_file_and_opens_its_folder() -> None:
    before = os.umask(0)
    try:
        save_profile(Profile("lesson", KEY_ID, "abc"))
    finally:
        os.umask(before)
    path = profiles_file()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["profiles.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="files have other permissions there")
def test_a_file_that_others_may_read_is_not_used() -> None:
    save_profile(Profile("lesson", KEY_ID, "abc"))
    profiles_file().chmod(0o640)
    with pytest.raises(ValueError, match="others may read it: run chmod 600 "):
        find_profile("lesson")


def test_the_variable_names_a_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one", "two"):
        save_profile(Profile(name, KEY_ID, f"key-{name}"))
    assert find_profile().name == "one"
    monkeypatch.setenv("VIAM_PROFILE", "two")
    assert find_profile().name == "two"
    assert find_profile("one").name == "one"
    monkeypatch.setenv("VIAM_PROFILE", "three")
    with pytest.raises(ValueError, match=r"^VIAM_PROFILE is no profile, got 'three'; there are: one, two$"):
        find_profile()


def test_another_profile_becomes_the_default_when_it_is_deleted() -> None:
    for name in ("one", "two"):
        save_profile(Profile(name, KEY_ID, f"key-{name}"))
    assert delete_profile("one")
    assert not delete_profile("one")
    assert find_profile().name == "two"
    assert delete_profile("two")
    with pytest.raises(ValueError, match="run viam-sync login, or set VIAM_API_KEY and VIAM_API_KEY_ID"):
        find_profile()
    save_profile(Profile("three", KEY_ID, "abc"))
    assert find_profile().name == "three"


@pytest.mark.parametrize("text", ["", "[]", "{", '"abc"'])
def test_a_damaged_file_is_named(text: str) -> None:
    path = profiles_file()
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(ValueError, match=f"^{path} is damaged") as raised:
        load_profiles()
    assert raised.value.__context__ is None  # it would show the text


@pytest.mark.parametrize("entry", [None, {}, {"api_key": "abc"}, {"api_key_id": KEY_ID, "api_key": 5}, "abc"])
def test_an_entry_without_a_key_is_left_out(entry: object) -> None:
    save_profile(Profile("lesson", KEY_ID, "abc"))
    content = json.loads(profiles_file().read_text(encoding="utf-8"))
    content["profiles"]["other"] = entry
    profiles_file().write_text(json.dumps(content), encoding="utf-8")
    assert set(load_profiles().profiles) == {"lesson"}


def test_the_key_and_the_profiles_of_the_official_command_line_are_taken(home: Path) -> None:
    key = {"key_id": KEY_ID, "key_crypto": "abc"}
    write_official(home, "cached_cli_config.json", {"base_url": "https://app.viam.dev:443", "auth": key})
    write_official(home, "cli_profiles.json", {"work": {"Name": "work", "APIKey": {**key, "key_crypto": "def"}}})
    assert find_profile() == Profile("viam", KEY_ID, "abc", "https://app.viam.dev:443")
    assert find_profile("work") == Profile("work", KEY_ID, "def")
    save_profile(Profile("lesson", KEY_ID, "ghi"))
    assert find_profile().name == "lesson"
    assert sorted(each.name for each in (home / ".viam").iterdir()) == ["cached_cli_config.json", "cli_profiles.json"]


def test_the_token_of_a_person_who_logged_in_with_a_browser_is_left_alone(home: Path) -> None:
    auth = {"access_token": "abc", "user_data": {"email": "somebody@example.com"}}
    write_official(home, "cached_cli_config.json", {"base_url": "https://app.viam.com:443", "auth": auth})
    with pytest.raises(ValueError, match="there is no API key"):
        find_profile()


def test_a_profile_does_not_print_its_key() -> None:
    assert "abc" not in repr(Profile("lesson", KEY_ID, "abc"))
