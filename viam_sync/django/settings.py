"""The setting ``VIAM`` of a project: the accounts that it names, and what is wrong with it."""

from __future__ import annotations

import os
from datetime import tzinfo
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from viam_sync import DialOptions, Retry
from viam_sync.checks import parameter_names, string, time_zone, wrong_type, wrong_word
from viam_sync.checks.near_names import any_of, near_names
from viam_sync.rpc.client_options import ClientOptions
from viam_sync.rpc.dial import parse_address

try:
    import zoneinfo
except ImportError:  # Django brings the other one to Python 3.8
    from backports import zoneinfo  # type: ignore[import-not-found, no-redef, unused-ignore]

#: The alias of the account that VIAM itself names.
DEFAULT = "default"
_KEYS = ("API_KEY_ID", "API_KEY")
_NAMES = (*_KEYS, "APP_URL", "TIMEOUT", "RETRY", "TZ")


class Account(NamedTuple):
    """How to connect to an account, and the options of its client.

    Attributes:
        dial_options: Whom to connect as; without credentials where nothing names a key.
        app_url: The address; None for that of the environment, or of the cloud.
        client_options: The limits of calls, and the time zone of results.
    """

    dial_options: DialOptions
    app_url: Optional[str]
    client_options: ClientOptions

    @property
    def has_key(self) -> bool:
        """Whether there is a key to connect with."""
        return self.dial_options.credentials is not None


class SettingProblem(NamedTuple):
    """Something that is wrong in the settings: what, and what to do."""

    text: str
    hint: str


def aliases() -> List[str]:
    """Return the names of all accounts."""
    others = _setting().get("ALIASES")
    return [DEFAULT, *(name for name in (others if isinstance(others, Mapping) else ()) if name != DEFAULT)]


def read_account(alias: str) -> Account:
    """Return the account of an alias.

    Raises:
        ImproperlyConfigured: If there is none, or something in the settings has no meaning.
    """
    account, problems = read_settings(alias)
    if account is None:
        raise ImproperlyConfigured("; ".join(f"{problem.text} ({problem.hint})" for problem in problems))
    return account


def read_settings(alias: str) -> Tuple[Optional[Account], List[SettingProblem]]:
    """Return the account of an alias, or None and all that is wrong with it.

    Nothing is raised in here, where the key is a variable that tools show.
    """
    problems = _shape_problems(alias)
    if problems:
        return None, problems
    given, names = _given(alias), _names(alias)
    found: Dict[str, Any] = {}
    for name, read in _READERS.items():
        try:
            with parameter_names(**names):
                found[name] = read(given)
        except (TypeError, ValueError) as error:
            problems.append(SettingProblem(str(error), "docs/django.md has a table of what the setting VIAM takes"))
    if problems:
        return None, problems
    account = Account(**found)
    # To connect, which comes before the first call, must not take longer than a call may.
    options = account.dial_options
    options.timeout = min(account.client_options.timeout or options.timeout, options.timeout)
    return account, []


def missing_keys(alias: str) -> List[str]:
    """Return the names of what an account lacks to connect, such as ``VIAM['API_KEY']``."""
    given = _given(alias)
    return [f"{_place(alias)}[{name!r}]" for name in _KEYS if not given.get(name)]


def _names(alias: str) -> Dict[str, str]:
    """Return what errors call the values of an account, by the names of parameters."""
    place = _place(alias)
    names = {name.lower(): f"{place}[{name!r}]" for name in _NAMES}
    if alias == DEFAULT:
        names.update({name.lower(): f"VIAM_{name}" for name in _KEYS if not _setting().get(name)})
    return {**names, "address": names["app_url"]}


def _setting() -> Mapping[str, Any]:
    given = getattr(settings, "VIAM", {})
    return given if isinstance(given, Mapping) else {}


def _place(alias: str) -> str:
    return "VIAM" if alias == DEFAULT else f"VIAM['ALIASES'][{alias!r}]"


def _given(alias: str) -> Dict[str, Any]:
    """Return the values of an account; all but the key are those of VIAM, where it has none of its own."""
    whole = _setting()
    given = {name: whole.get(name) for name in _NAMES}
    if alias == DEFAULT:
        # The environment is for this account alone: another alias with its key would show another account.
        return {**given, **{name: given[name] or os.environ.get(f"VIAM_{name}", "").strip() for name in _KEYS}}
    return {**given, **dict.fromkeys(_KEYS), **whole["ALIASES"][alias]}


def _shape_problems(alias: str) -> List[SettingProblem]:
    """Return what is wrong before any value is looked at."""
    if not isinstance(getattr(settings, "VIAM", {}), Mapping):
        return [SettingProblem(str(wrong_type("VIAM", "a dict", settings.VIAM)), 'such as VIAM = {"TIMEOUT": 10}')]
    others = _setting().get("ALIASES") or {}
    if not isinstance(others, Mapping):
        text = str(wrong_type("VIAM['ALIASES']", "a dict of dicts", others))
        return [SettingProblem(text, 'such as "ALIASES": {"greenhouse": {"API_KEY_ID": …, "API_KEY": …}}')]
    if alias == DEFAULT:
        return [*_name_problems("VIAM", _setting(), (*_NAMES, "ALIASES")), *_alias_problems(others)]
    if alias not in others:
        return [SettingProblem(f"VIAM['ALIASES'] has no {alias!r}", f"it has {', '.join(map(repr, aliases()))}")]
    if not isinstance(others[alias], Mapping):
        return [SettingProblem(str(wrong_type(_place(alias), "a dict", others[alias])), "with API_KEY_ID and API_KEY")]
    return _name_problems(_place(alias), others[alias], _NAMES)


def _alias_problems(others: Mapping[str, Any]) -> List[SettingProblem]:
    if DEFAULT not in others:
        return []
    return [SettingProblem(f"VIAM['ALIASES'] has {DEFAULT!r}, which is VIAM itself", "give it another name")]


def _name_problems(place: str, given: Mapping[str, Any], known: Sequence[str]) -> List[SettingProblem]:
    problems = []
    for name in given:
        if name not in known:
            near = near_names(str(name), known)
            hint = f"did you mean {any_of(near)}?" if near else f"it takes {', '.join(known)}"
            problems.append(SettingProblem(f"{place} has {name!r}, which means nothing", hint))
    return problems


def _dial_options(given: Mapping[str, Any]) -> DialOptions:
    if not all(given[name] for name in _KEYS):
        return DialOptions()
    return DialOptions.with_api_key(given["API_KEY"], given["API_KEY_ID"])


def _app_url(given: Mapping[str, Any]) -> Optional[str]:
    url = given["APP_URL"]
    if not url:
        return None
    parse_address(string("app_url", url))
    return str(url)


def _client_options(given: Mapping[str, Any]) -> ClientOptions:
    retry: Union[Retry, bool, None] = given["RETRY"]
    return ClientOptions().override(timeout=given["TIMEOUT"], retry=retry, tz=_time_zone(given["TZ"]))


def _time_zone(zone: Any) -> Optional[tzinfo]:
    """Return the time zone of a setting; without one, that of the project, if its times are aware."""
    if zone is None:
        return timezone.get_default_timezone() if settings.USE_TZ else None
    if not isinstance(zone, str):
        return time_zone("tz", zone)
    try:
        found: tzinfo = zoneinfo.ZoneInfo(zone)
    except (ValueError, zoneinfo.ZoneInfoNotFoundError):
        raise wrong_word("tz", "the name of a time zone, such as 'Europe/Berlin'", zone) from None
    return found


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    "dial_options": _dial_options,
    "app_url": _app_url,
    "client_options": _client_options,
}
