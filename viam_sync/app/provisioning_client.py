"""ProvisioningClient: the first setup of a machine."""

from typing import TYPE_CHECKING, Any

from viam_sync.app._clients import NamedMethods
from viam_sync.services.provisioning_service import ProvisioningService

if TYPE_CHECKING:
    from viam_sync.gen.reexports.provisioning_client import *  # noqa: F403
else:

    def __getattr__(name: str) -> Any:
        from viam_sync.gen.reexports import provisioning_client  # few scripts ask for these names

        return provisioning_client.__getattr__(name)


__all__ = ["ProvisioningClient"]


class ProvisioningClient(NamedMethods, ProvisioningService):
    """Gives a new machine its network and its credentials.

    Usually taken from a connected client, as ``client.provisioning_client``.

    Methods by subject:
        - setup: get_smart_machine_status, set_smart_machine_credentials, get_network_list, set_network_credentials,
          exit_provisioning
        - the client itself: options, service_descriptors

    Args:
        channel: An open channel to the machine's agent.
        metadata: Sent with each call; holds the ``authorization`` of the caller.
        tz: The time zone of all datetimes in results; None for UTC without a time zone.

    Example:
        >>> device = client.provisioning_client
        >>> device.get_network_list()[0].ssid
        'Workshop'
    """

    _subjects = "first setup of a machine"
