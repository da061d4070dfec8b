"""The check of whether the cloud accepts the key."""

from typing import Optional

from viam_sync.app.viam_client import ViamClient
from viam_sync.checkup.check_result import OK, WRONG, CheckResult
from viam_sync.errors import UnauthenticatedError, ViamError
from viam_sync.rpc.dial import DialOptions


def check_login(options: DialOptions, url: Optional[str], timeout: float) -> CheckResult:
    """Check that the cloud accepts the key, and say what it opens.

    Args:
        options: The options with the key.
        url: The address that comes with it; None for that of the environment, or of the cloud.
        timeout: Seconds that this may take.
    """
    options.timeout = timeout
    try:
        with ViamClient.create_from_dial_options(options, url) as client:
            listed = client.options(timeout=timeout).app_client.list_organizations()
    except UnauthenticatedError as error:
        advice = "Make a new key on the settings page of your organization, and log in with it."
        return CheckResult("login", WRONG, str(error), advice)
    except ViamError as error:
        return CheckResult("login", WRONG, str(error), "docs/errors.md has the cause and the cure of each error.")
    names = ", ".join(organization.name for organization in listed)
    return CheckResult("login", OK, f"the key is accepted, and opens {names or 'no organization'}")
