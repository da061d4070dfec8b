"""Access control: roles, the permissions that they carry, and the caller of an RPC."""

from __future__ import annotations

import sqlite3
from typing import List, NamedTuple, Optional, Set

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.call_errors import permission_denied
from viam_sync.sandbox.core.world import World

#: The types of resources that a role can be held on; a role on one type extends to the types after it.
RESOURCE_TYPES = ("organization", "location", "robot")

#: For each permission, the lowest type of resource that it applies to. An owner holds all permissions.
PERMISSIONS = {
    **dict.fromkeys(
        (
            *("read_organization", "write_organization", "read_fragment", "write_fragment"),
            *("read_organization_data_management", "write_organization_data_management"),
            *("write_private_registry_item", "write_public_registry_item", "read_private_registry_item"),
            *("read_packages", "write_packages", "delete_packages"),
            *("configure_database_user", "get_database_connection"),
            *("create_dataset", "list_dataset", "rename_dataset", "delete_dataset"),
        ),
        "organization",
    ),
    **dict.fromkeys(
        (
            *("read_location", "write_location", "read_location_secret", "train_models"),
            *("read_location_data_management", "write_location_data_management"),
            *("read_mapping_sessions", "create_maps"),
        ),
        "location",
    ),
    **dict.fromkeys(
        (
            *("read_robot", "write_robot", "control_robot"),
            *("read_robot_config", "read_robot_logs", "read_robot_history", "read_robot_secret"),
            *("read_robot_data_management", "write_robot_data_management"),
        ),
        "robot",
    ),
}

#: The permissions that an operator holds as well.
OPERATOR = {"read_organization", "read_location", "read_robot", "control_robot"} | {
    f"read_{level}_data_management" for level in RESOURCE_TYPES
}


class Grant(NamedTuple):
    """A role on a resource."""

    role: str
    resource_type: str
    resource_id: str
    organization_id: str


class Caller:
    """The authenticated caller of an RPC.

    Attributes:
        type: The type of the credentials.
        id: The ID of the API key, part or location that the credentials belong to.
        user_id: The ID of the user that an API key belongs to; None for the secret of a part or a location.
        grants: The caller's roles.
    """

    def __init__(
        self, world: World, type: pb.AuthenticationType.ValueType, id: str, user_id: Optional[str], grants: List[Grant]
    ) -> None:
        self._world = world
        self.type = type
        self.id = id
        self.user_id = user_id
        self.grants = grants

    def may(self, permission: str, resource_type: str, resource_id: str) -> bool:
        """Return whether the caller holds a permission on an organization, a location or a robot."""
        if permission not in PERMISSIONS or RESOURCE_TYPES.index(resource_type) > RESOURCE_TYPES.index(
            PERMISSIONS[permission]
        ):
            return False
        roles = self._roles(resource_type, resource_id)
        return "owner" in roles or ("operator" in roles and permission in OPERATOR)

    def require(self, permission: str, resource_type: str, resource_id: str) -> None:
        """Require a permission on an organization, a location or a robot.

        Raises:
            CallError: PERMISSION_DENIED.
        """
        if not self.may(permission, resource_type, resource_id):
            held = "operator" if "operator" in self._roles(resource_type, resource_id) else "none"
            raise permission_denied(
                f"This takes the permission {permission} on the {resource_type} {resource_id!r}, and your role there "
                f"is: {held}. Ask an owner of it, or of what it is in, for a role (add_role)."
            )

    def belongs_to(self, organization_id: str) -> bool:
        """Return whether the caller has any role in an organization."""
        return any(grant.organization_id == organization_id for grant in self.grants)

    def require_role_in(self, organization_id: str) -> None:
        """Require any role in an organization.

        Raises:
            CallError: PERMISSION_DENIED.
        """
        if not self.belongs_to(organization_id):
            raise permission_denied(
                f"You have no role in the organization {organization_id!r}. Ask an owner of it for one (add_role)."
            )

    def require_user(self) -> str:
        """Return the ID of the caller's user.

        Raises:
            CallError: PERMISSION_DENIED if the caller is a machine, and has no user.
        """
        if self.user_id is None:
            raise permission_denied("A machine cannot do this with its secret; use an API key.")
        return self.user_id

    def _roles(self, resource_type: str, resource_id: str) -> Set[str]:
        above = self._world.above(resource_type, resource_id)
        return {grant.role for grant in self.grants if grant.resource_id in above}


def add_grant(world: World, identity_type: str, identity_id: str, given: Grant) -> None:
    """Give a role to a user or to an API key (``identity_type`` is "user" or "api-key")."""
    world.store.insert(
        "grants",
        identity_id=identity_id,
        created=world.microseconds(),
        user_id=identity_id if identity_type == "user" else None,
        key_id=identity_id if identity_type == "api-key" else None,
        location_id=given.resource_id if given.resource_type == "location" else None,
        robot_id=given.resource_id if given.resource_type == "robot" else None,
        **given._asdict(),
    )


def grant_from_row(row: sqlite3.Row) -> Grant:
    """Return the role in a row of the table of grants."""
    return Grant(row["role"], row["resource_type"], row["resource_id"], row["organization_id"])


def grants_of(world: World, identity_id: str) -> List[Grant]:
    """Return the roles of a user or of an API key, oldest first."""
    return [
        grant_from_row(row)
        for row in world.store.rows("SELECT * FROM grants WHERE identity_id = ? ORDER BY id", identity_id)
    ]
