"""The address and the key that a ViamClient connects with, from its arguments and from the environment."""

import copy
import os
from typing import Optional

from viam_sync.checks import parameter_names
from viam_sync.rpc.dial import DialOptions, Link

CLOUD = "app.viam.com"


def location_of(options: DialOptions) -> Optional[str]:
    """Return the location that a location secret opens; None for an API key.

    Raises:
        ValueError: If the options cannot authenticate at the cloud.
    """
    credentials = options.credentials
    if credentials is None or not credentials.payload:
        raise ValueError("dial_options has no credentials; use DialOptions.with_api_key(api_key, api_key_id)")
    if not options.auth_entity:
        raise ValueError("dial_options has no auth_entity; it takes the ID of the API key")
    if credentials.type == "robot-secret":
        raise ValueError("a robot-secret opens one machine, not the cloud; use an API key")
    if credentials.type != "robot-location-secret":
        return None
    # The entity is the name of a machine in DNS, machine.location.viam.cloud.
    labels = options.auth_entity.split(".")
    return labels[1] if len(labels) > 1 else None


def link_to(options: DialOptions, app_url: Optional[str]) -> Link:
    """Return a link to an address, or else to the one of the environment, or else to the cloud."""
    if app_url:
        return Link(app_url, options, "app_url")
    return Link(os.environ.get("VIAM_APP_URL", "").strip() or CLOUD, options, "VIAM_APP_URL")


def link_of_variables(options: Optional[DialOptions], app_url: Optional[str]) -> Link:
    """Return a link with the API key that the environment names."""
    return link_to(options_of_variables(options), app_url)


def options_of_variables(options: Optional[DialOptions]) -> DialOptions:
    """Return dial options with the API key that the environment names."""
    with parameter_names(api_key="VIAM_API_KEY", api_key_id="VIAM_API_KEY_ID"):
        keyed = DialOptions.with_api_key(_variable("VIAM_API_KEY"), _variable("VIAM_API_KEY_ID"))
    return with_key(options, keyed)


def with_key(options: Optional[DialOptions], keyed: DialOptions) -> DialOptions:
    """Return a copy of dial options with the key of others; the others themselves where there are none."""
    if options is None:
        return keyed
    options = copy.copy(options)
    options.credentials, options.auth_entity = keyed.credentials, keyed.auth_entity
    return options


def _variable(name: str) -> str:
    value = os.environ.get(name, "").strip()
    if not value:
        raise ValueError(
            f"the environment variable {name} is missing; set it to what the settings page of your organization shows"
        )
    return value
