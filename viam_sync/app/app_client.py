"""AppClient: organizations, locations, machines, logs, fragments, roles and modules."""

from datetime import tzinfo
from typing import TYPE_CHECKING, Mapping, Optional

import grpc

from viam_sync.app._clients import NamedMethods
from viam_sync.app._fleet.fragment_records import Fragment, FragmentHistoryEntry
from viam_sync.app._fleet.fragments import FragmentsMixin
from viam_sync.app._fleet.log_tail import LogsStream
from viam_sync.app._fleet.logs import LogsMixin
from viam_sync.app._fleet.machine_parts import MachinePartsMixin
from viam_sync.app._fleet.machine_records import LogEntry, RobotPart, RobotPartHistoryEntry
from viam_sync.app._fleet.organizations import OrganizationsMixin
from viam_sync.app._fleet.registry import RegistryMixin
from viam_sync.app._fleet.roles import APIKeyAuthorization, ResourceType, Role, RolesMixin
from viam_sync.messages.conversion import ValueTypes as ValueTypes
from viam_sync.messages.conversion import datetime_to_timestamp as datetime_to_timestamp
from viam_sync.messages.conversion import dict_to_struct as dict_to_struct
from viam_sync.messages.conversion import struct_to_dict as struct_to_dict
from viam_sync.services.app_service import AppService

if TYPE_CHECKING:
    from viam_sync.gen.reexports.app_client import *  # noqa: F403
else:
    from viam_sync.gen.reexports.app_client import __getattr__ as __getattr__

__all__ = [
    "APIKeyAuthorization",
    "AppClient",
    "Fragment",
    "FragmentHistoryEntry",
    "LogEntry",
    "LogsStream",
    "ResourceType",
    "RobotPart",
    "RobotPartHistoryEntry",
    "Role",
]


class AppClient(
    NamedMethods,
    OrganizationsMixin,
    MachinePartsMixin,
    LogsMixin,
    FragmentsMixin,
    RolesMixin,
    RegistryMixin,
    AppService,
):
    """Manages a fleet.

    Usually taken from a connected client, as ``client.app_client``.

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.
        location_id: The location that some methods take where they are given none.
        tz: The time zone of all datetimes in results; None for UTC without a time zone.

    Example:
        >>> app = client.app_client
        >>> [organization.name for organization in app.list_organizations()]
        ['Lesson Robotics']
    """

    _subjects = "organizations, locations, machines, parts, logs, fragments, roles, keys, modules"

    def __init__(
        self,
        channel: grpc.Channel,
        metadata: Mapping[str, str],
        location_id: Optional[str] = None,
        *,
        tz: Optional[tzinfo] = None,
    ) -> None:
        super().__init__(channel, metadata, tz=tz)
        self._location_id = location_id
