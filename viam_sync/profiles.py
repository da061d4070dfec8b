"""Profiles: API keys by name, in a file that only its owner reads; those of the official command line are read, too."""

from __future__ import annotations

import json
import os
import stat
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, NamedTuple, Optional

from viam_sync.checks import string
from viam_sync.rpc.dial import DialOptions

__all__ = [
    "DEFAULT",
    "OFFICIAL",
    "VARIABLE",
    "Profile",
    "Profiles",
    "delete_profile",
    "find_profile",
    "load_profiles",
    "profiles_file",
    "save_profile",
]

#: The name of a profile that is given none.
DEFAULT = "default"
#: The variable that names a profile.
VARIABLE = "VIAM_PROFILE"
#: How the profile of the official command line is called that ``viam login`` makes.
OFFICIAL = "viam"


@dataclass(frozen=True)
class Profile:
    """An API key under a name.

    Attributes:
        name: Its name.
        api_key_id: The ID of the key.
        api_key: The key; it is not printed.
        url: The address of the cloud; None for that of the environment, or app.viam.com.
        source: The file that it comes from; None for one that is new.

    Example:
        >>> from viam_sync.profiles import Profile
        >>> Profile("lesson", sandbox.api_key_id, sandbox.api_key).dial_options().auth_entity == sandbox.api_key_id
        True
    """

    name: str
    api_key_id: str
    api_key: str = field(repr=False)
    url: Optional[str] = None
    source: Optional[Path] = field(default=None, compare=False)

    def dial_options(self) -> DialOptions:
        """Return the options that connect with it."""
        return DialOptions.with_api_key(self.api_key, self.api_key_id)


class Profiles(NamedTuple):
    """The profiles of this package.

    Attributes:
        default: The name of the default one, whether it is there or not.
        profiles: All, by their names.
    """

    default: str
    profiles: Dict[str, Profile]


def profiles_file() -> Path:
    """Return the path of the file: ``viam-sync/profiles.json`` in the user's configuration folder."""
    if sys.platform == "win32":
        folder = os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming"
    else:
        folder = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(folder) / "viam-sync" / "profiles.json"


def find_profile(name: Optional[str] = None) -> Profile:
    """Return a profile by its name, of this package or of the official command line.

    Args:
        name: Its name. None for the one that ``VIAM_PROFILE`` names, else for the default one, else for what the
            official command line is logged in with.

    Raises:
        ValueError: If there is none of this name, or its file is damaged, or others may read it.
    """
    wanted = string("name", name) if name is not None else os.environ.get(VARIABLE) or None
    kept, official = load_profiles(), _official_profiles()
    if wanted is None:
        found = kept.profiles.get(kept.default) or official.get(OFFICIAL)
        if found is None:
            raise ValueError("there is no API key: run viam-sync login, or set VIAM_API_KEY and VIAM_API_KEY_ID")
        return found
    found = kept.profiles.get(wanted) or official.get(wanted)
    if found is None:
        names = ", ".join(sorted({*kept.profiles, *official}))
        there = f"there are: {names}" if names else "there are none; viam-sync login makes one"
        raise ValueError(f"{'name' if name is not None else VARIABLE} is no profile, got {wanted!r}; {there}")
    return found


def load_profiles() -> Profiles:
    """Return the profiles of this package; an entry of the file that has no key is left out.

    Raises:
        ValueError: If the file is damaged, or others may read it.
    """
    path = profiles_file()
    if sys.platform != "win32" and path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ValueError(f"{path} holds API keys, and others may read it: run chmod 600 {path}")
    content = _read(path)
    entries = _object(content.get("profiles"))
    found = {name: _profile(path, name, _object(entry), "api_key_id", "api_key") for name, entry in entries.items()}
    return Profiles(_text(content, "default") or DEFAULT, {name: each for name, each in found.items() if each})


def save_profile(profile: Profile) -> None:
    """Keep a profile, in place of one of the same name; the first one becomes the default.

    Args:
        profile: The profile.

    Raises:
        ValueError: If the file is damaged, or others may read it.
        OSError: If the file cannot be written.
    """
    kept = load_profiles()
    default = kept.default if kept.default in kept.profiles else profile.name
    _write(Profiles(default, {**kept.profiles, profile.name: profile}))


def delete_profile(name: str) -> bool:
    """Forget a profile, and return whether there was one; another becomes the default if this was it.

    Args:
        name: Its name.

    Raises:
        ValueError: If the file is damaged, or others may read it.
        OSError: If the file cannot be written.
    """
    kept = load_profiles()
    if kept.profiles.pop(name, None) is None:
        return False
    _write(kept if kept.default != name else Profiles(min(kept.profiles, default=DEFAULT), kept.profiles))
    return True


# Nothing below raises an error while a variable holds a key, as tools show the variables of each frame of a traceback.


def _read(path: Path) -> Dict[str, Any]:
    """Return the object in a JSON file; an empty one if there is no file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        content = None
    if isinstance(content, dict):
        return content
    del content
    raise ValueError(f"{path} is damaged, as it holds no JSON object: delete it, and log in again")


def _object(value: Any) -> Dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(entry: Dict[str, Any], key: str) -> Optional[str]:
    value = entry.get(key)
    return value if isinstance(value, str) and value else None


def _profile(path: Path, name: str, entry: Dict[str, Any], id_name: str, key_name: str) -> Optional[Profile]:
    key_id, key = _text(entry, id_name), _text(entry, key_name)
    return Profile(name, key_id, key, _text(entry, "url"), path) if key_id and key else None


def _write(kept: Profiles) -> None:
    """Replace the file, in a folder that only its owner opens."""
    path = profiles_file()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.parent.chmod(0o700)
    # mkstemp makes a file that only its owner reads.
    number, made = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(number, "w", encoding="utf-8") as file:
            file.write(_json_text(kept))
            file.flush()
            os.fsync(file.fileno())
        Path(made).replace(path)
    except BaseException:
        Path(made).unlink()
        raise


def _json_text(kept: Profiles) -> str:
    entries = {
        each.name: {"api_key_id": each.api_key_id, "api_key": each.api_key, "url": each.url}
        for each in kept.profiles.values()
    }
    return json.dumps({"default": kept.default, "profiles": entries}, indent=2)


def _official_profiles() -> Dict[str, Profile]:
    """Return what the official command line keeps: its profiles, and the key that it is logged in with.

    Of a person who logged in with a browser, it has a token instead, which ends after a while and is left alone.
    """
    folder = Path.home() / ".viam"
    path, profiles = folder / "cached_cli_config.json", folder / "cli_profiles.json"
    cached = _read(path)
    entry = {**_object(cached.get("auth")), "url": cached.get("base_url")}
    found = [_profile(path, OFFICIAL, entry, "key_id", "key_crypto")]
    for name, each in _read(profiles).items():
        found.append(_profile(profiles, name, _object(_object(each).get("APIKey")), "key_id", "key_crypto"))
    return {each.name: each for each in found if each}
