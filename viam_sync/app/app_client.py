"""AppClient: organizations, locations, machines, logs, fragments, roles and modules."""

from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Mapping, Optional

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

    def __getattr__(name: str) -> Any:
        from viam_sync.gen.reexports import app_client  # few scripts ask for these names

        return app_client.__getattr__(name)


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

    Methods by subject:
        - organizations: list_organizations, search_organizations, list_organizations_by_user, get_organization,
          get_organizations_with_access_to_location, create_organization, update_organization, delete_organization,
          get_organization_metadata, update_organization_metadata, get_organization_namespace_availability,
          update_organization_namespace
        - members: list_organization_members, delete_organization_member, get_user_id_by_email,
          create_organization_invite, update_organization_invite_authorizations, resend_organization_invite,
          delete_organization_invite
        - locations: list_locations, get_location, create_location, update_location, delete_location, share_location,
          unshare_location, get_location_metadata, update_location_metadata, location_auth, create_location_secret,
          delete_location_secret
        - machines: list_robots, list_robots_for_locations, list_robots_for_org, list_machine_summaries, get_robot,
          new_robot, update_robot, delete_robot, get_robot_metadata, update_robot_metadata, get_robot_api_keys,
          get_rover_rental_robots, list_favorite_machines, add_favorite_machine, remove_favorite_machine
        - parts: get_robot_parts, get_robot_part, get_robot_part_by_name_and_location, new_robot_part,
          update_robot_part, set_config_property, get_robot_part_history, iter_robot_part_history, mark_part_as_main,
          mark_part_for_restart, delete_robot_part, get_robot_part_metadata, update_robot_part_metadata,
          create_robot_part_secret, delete_robot_part_secret
        - logs: get_robot_part_logs, iter_robot_part_logs, tail_robot_part_logs
        - fragments: list_fragments, list_machine_fragments, list_nested_fragments, get_fragment, create_fragment,
          update_fragment, delete_fragment, get_fragment_history, iter_fragment_history, get_fragment_usage,
          set_fragment_tag, delete_fragment_tag
        - roles: list_authorizations, check_permissions, add_role, change_role, remove_role
        - keys: list_keys, create_key, create_key_from_existing_key_authorizations, rename_key, rotate_key, delete_key
        - modules: list_modules, get_module, create_module, update_module, upload_module_file
        - registry: list_registry_items, iter_registry_items, get_registry_item, create_registry_item,
          update_registry_item, rename_registry_item, transfer_registry_item, deprecate_registry_item,
          undeprecate_registry_item, deprecate_registry_item_version, undeprecate_registry_item_version,
          delete_registry_item
        - apps of your own: get_app_branding, get_app_content, list_oauth_apps, read_oauth_app, create_oauth_app,
          update_oauth_app, delete_oauth_app, create_oauth_app_user, enable_auth_service, disable_auth_service,
          get_firebase_config, set_firebase_config, delete_firebase_config, get_device_push_tokens,
          upload_device_push_token, delete_device_push_token
        - billing of customers: enable_billing_service, get_billing_service_config, update_billing_service,
          disable_billing_service, organization_get_logo, organization_set_logo, organization_get_support_email,
          organization_set_support_email
        - the client itself: options, service_descriptors

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
