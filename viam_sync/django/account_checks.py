"""The check of one account by a call, for system checks and the command ``viam_check``."""

from typing import List, Optional

from viam_sync import GRPCError, UnauthenticatedError, ViamError
from viam_sync.django.account_clients import clients
from viam_sync.django.settings import DEFAULT, SettingProblem, missing_keys, read_account

#: Seconds that connecting may take, and then the call.
_SECONDS = 10


def organization_names(alias: str) -> List[str]:
    """Return the names of the organizations that an account opens, which shows that it is let in.

    Raises:
        ViamError: If it is not, or the cloud cannot be reached.
        ImproperlyConfigured: If the settings have no meaning, or no key.
    """
    client = clients.current(alias, _SECONDS)
    return [organization.name for organization in client.app_client.list_organizations(timeout=_SECONDS)]


def account_problem(alias: str) -> Optional[SettingProblem]:
    """Return why an account is not let in; None if it is."""
    if not read_account(alias).has_key:
        return SettingProblem(f"the account {alias!r} has no key to connect with", key_hint(alias))
    try:
        organization_names(alias)
    except (ViamError, OSError, ValueError) as error:
        text = error.message if isinstance(error, GRPCError) else str(error)
        return SettingProblem(f"the account {alias!r} cannot be used: {text}", _hint(error, alias))
    return None


def key_hint(alias: str) -> str:
    """Return what to do about a key that is missing."""
    keys = " and ".join(missing_keys(alias))
    variables = ", or the environment variables VIAM_API_KEY_ID and VIAM_API_KEY" if alias == DEFAULT else ""
    return f"set {keys}{variables}, to what the settings page of your organization shows"


def _hint(error: Exception, alias: str) -> str:
    if isinstance(error, UnauthenticatedError):
        return "make a new key on the settings page of your organization"
    return f"manage.py viam_check --alias {alias} tries it again"
