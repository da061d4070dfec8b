"""The checks of the variables, of the key and of the address: where they come from, and their form."""

import os
from typing import NamedTuple, Optional

from viam_sync.app._links import CLOUD, link_to, options_of_variables
from viam_sync.checks import parameter_names
from viam_sync.checkup.check_result import OK, WARNING, WRONG, CheckResult
from viam_sync.profiles import find_profile
from viam_sync.rpc.address import Address, is_loopback
from viam_sync.rpc.dial import DialOptions

_VARIABLES = ("VIAM_API_KEY", "VIAM_API_KEY_ID", "VIAM_APP_URL", "VIAM_PROFILE")
_SETTINGS_PAGE = "The settings page of your organization shows the key, and its ID beside it."


class Credentialed(NamedTuple):
    """What a connection is made with.

    Attributes:
        result: What was found.
        options: The options with the key; None if there is none that may be sent.
        url: The address that comes with the key; None for that of the environment, or of the cloud.
    """

    result: CheckResult
    options: Optional[DialOptions] = None
    url: Optional[str] = None


def check_variables(from_environment: bool) -> CheckResult:
    """Check which variables are set, and that none is without the other that it needs.

    Args:
        from_environment: Whether the key is that of the environment, and not that of a profile.
    """
    known = [name for name in _VARIABLES if os.environ.get(name)]
    if not from_environment and "VIAM_API_KEY_ID" in known and "VIAM_API_KEY" not in known:
        text = "VIAM_API_KEY_ID is set, and VIAM_API_KEY is not, so that a profile is looked for."
        return CheckResult("variables", WARNING, text, f"Set both, or none. {_SETTINGS_PAGE}")
    if from_environment and "VIAM_PROFILE" in known:
        text = "VIAM_PROFILE names a profile, and VIAM_API_KEY, which goes before it, is set, too."
        return CheckResult("variables", WARNING, text, "Unset the one that you do not mean.")
    return CheckResult("variables", OK, f"set: {', '.join(known)}" if known else "none is set")


def check_key(from_environment: bool, profile: Optional[str]) -> Credentialed:
    """Check where the key comes from, and its form.

    Args:
        from_environment: Whether it is that of the environment.
        profile: The name of the profile that has it otherwise; None for the default one.
    """
    try:
        return _key_of_environment() if from_environment else _key_of_profile(profile)
    except (ValueError, TypeError, OSError) as error:
        # No error about a key repeats any of it.
        advice = "viam-sync login keeps a key as a profile." if not from_environment else _SETTINGS_PAGE
        return Credentialed(CheckResult("key", WRONG, f"{error}.", advice))


def _key_of_environment() -> Credentialed:
    options = options_of_variables(None)
    return Credentialed(CheckResult("key", OK, f"{options.auth_entity}, of VIAM_API_KEY and VIAM_API_KEY_ID"), options)


def _key_of_profile(name: Optional[str]) -> Credentialed:
    with parameter_names(name="profile"):
        found = find_profile(name)
    with parameter_names(api_key="The key", api_key_id="The ID of the key"):
        options = found.dial_options()
    return Credentialed(CheckResult("key", OK, f"{found.api_key_id}, of the profile {found.name}"), options, found.url)


class Addressed(NamedTuple):
    """Where a connection is made to.

    Attributes:
        result: What was found.
        address: The address; None if there is none.
    """

    result: CheckResult
    address: Optional[Address] = None


def check_address(url: Optional[str]) -> Addressed:
    """Check the form of the address, and whether the key would travel in plaintext.

    Args:
        url: The address that comes with the key; None for that of the environment, or of the cloud.
    """
    try:
        with parameter_names(app_url="The address of the profile"):
            address = link_to(DialOptions(), url).parsed()
    except ValueError as error:
        return Addressed(CheckResult("address", WRONG, f"{error}.", f"Unset it to use {CLOUD}."))
    text = f"{address.host}, port {address.port}, {'with' if address.tls else 'without'} TLS"
    if address.tls or is_loopback(address.host):
        return Addressed(CheckResult("address", OK, text), address)
    told = f"{text}: the key and all data can be read on the way, and changed."
    return Addressed(CheckResult("address", WARNING, told, "Use an address that begins with https://."), address)
