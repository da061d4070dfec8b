"""AppClient: organizations, locations, machines, logs, fragments, roles and modules."""

from typing import Mapping, Optional

import grpc

from viam_sync.app._fleet.config_properties import ConfigProperties
from viam_sync.app._fleet.default_location import DefaultLocation
from viam_sync.app._fleet.fragment_records import Fragment, FragmentHistoryEntry
from viam_sync.app._fleet.fragments import Fragments
from viam_sync.app._fleet.iterators import FleetIterators
from viam_sync.app._fleet.log_tail import LogsStream
from viam_sync.app._fleet.logs import Logs
from viam_sync.app._fleet.machine_parts import MachineParts
from viam_sync.app._fleet.modules import Modules
from viam_sync.app._fleet.organizations import Organizations
from viam_sync.app._fleet.records import LogEntry, RobotPart, RobotPartHistoryEntry
from viam_sync.app._fleet.roles import APIKeyAuthorization, Roles
from viam_sync.services.app_service import AppService

__all__ = [
    "APIKeyAuthorization",
    "AppClient",
    "Fragment",
    "FragmentHistoryEntry",
    "LogEntry",
    "LogsStream",
    "RobotPart",
    "RobotPartHistoryEntry",
]


class AppClient(
    Organizations,
    MachineParts,
    ConfigProperties,
    Logs,
    Fragments,
    Roles,
    Modules,
    FleetIterators,
    DefaultLocation,
    AppService,
):
    """Manages a fleet.

    Usually taken from a connected client, as ``client.app_client``.

    Args:
        channel: An open channel to the cloud.
        metadata: Sent with each call; holds the ``authorization`` of the caller.
        location_id: The location that some methods take where they are given none.

    Example:
        >>> cloud = client.app_client
        >>> [organization.name for organization in cloud.list_organizations()]
        ['Lesson Robotics']
    """

    def __init__(self, channel: grpc.Channel, metadata: Mapping[str, str], location_id: Optional[str] = None) -> None:
        super().__init__(channel, metadata)
        self._location_id = location_id
