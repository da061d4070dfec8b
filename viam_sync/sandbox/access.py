"""Who may do what: roles, the permissions that they carry, and the caller of an RPC."""

from __future__ import annotations

import sqlite3
from typing import List, NamedTuple, Optional, Set

from viam_sync.proto import app as pb
from viam_sync.sandbox.errors import permission_denied
from viam_sync.sandbox.world import World

#: The kinds of resources that a role can be held on; each one's roles reach down into those after it.
LEVELS = ("organization", "location", "robot")

#: The permissions, by the lowest level at which they mean something. An owner holds all of them.
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

#: The permissions that an operator holds too.
OPERATOR = {"read_organization", "read_location", "read_robot", "control_robot"} | {
    f"read_{level}_data_management" for level in LEVELS
}


# What machines captured outlives them and their locations, but not the organization; nor do the files of its modules.
_CONTENTS = (
    "SELECT file_id FROM (SELECT f.file_id, c.organization_id FROM files f JOIN captures c ON c.id = f.capture_id"
    " UNION ALL SELECT m.file_id, i.organization_id FROM module_files m JOIN items i ON i.id = m.item)"
    " WHERE organization_id = ?"
)


class Grant(NamedTuple):
    """A role on a resource."""

    role: str
    resource_type: str
    resource_id: str
    organization_id: str


class Caller:
    """Who makes a call.

    Attributes:
        type: How the caller proved it.
        id: The ID of the API key, part or location that the caller proved to be.
        user_id: The user who answers for an API key; None behind the secret of a part or a location.
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
        if permission not in PERMISSIONS or LEVELS.index(resource_type) > LEVELS.index(PERMISSIONS[permission]):
            return False
        roles = self._roles(resource_type, resource_id)
        return "owner" in roles or ("operator" in roles and permission in OPERATOR)

    def require(self, permission: str, resource_type: str, resource_id: str) -> None:
        """Go on only if the caller holds a permission on an organization, a location or a robot.

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
        """Go on only if the caller has any role in an organization.

        Raises:
            CallError: PERMISSION_DENIED.
        """
        if not self.belongs_to(organization_id):
            raise permission_denied(
                f"You have no role in the organization {organization_id!r}. Ask an owner of it for one (add_role)."
            )

    def require_user(self) -> str:
        """Return the ID of the user who answers for the caller.

        Raises:
            CallError: PERMISSION_DENIED if there is none, since the caller is a machine.
        """
        if self.user_id is None:
            raise permission_denied("A machine cannot do this with its secret; use an API key.")
        return self.user_id

    def _roles(self, resource_type: str, resource_id: str) -> Set[str]:
        above = self._world.above(resource_type, resource_id)
        return {grant.role for grant in self.grants if grant.resource_id in above}


def grant(world: World, identity_type: str, identity_id: str, given: Grant) -> None:
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


def grant_of(row: sqlite3.Row) -> Grant:
    """Return what a row of the table of grants gives."""
    return Grant(row["role"], row["resource_type"], row["resource_id"], row["organization_id"])


def grants_of(world: World, identity_id: str) -> List[Grant]:
    """Return the roles of a user or of an API key, oldest first."""
    return [
        grant_of(row) for row in world.store.rows("SELECT * FROM grants WHERE identity_id = ? ORDER BY id", identity_id)
    ]


def delete_resource(world: World, resource_type: str, id: str) -> None:
    """Delete an organization, location or robot with all that hangs on it, and the keys that were for it alone."""
    keys = world.store.rows("SELECT DISTINCT key_id FROM grants WHERE resource_id = ? AND key_id IS NOT NULL", id)
    parts = world.store.rows("SELECT id FROM parts WHERE robot_id = ?", id)
    world.store.discard(row["file_id"] for row in world.store.rows(_CONTENTS, id))
    world.store.run(f"DELETE FROM {resource_type}s WHERE id = ?", id)
    for row in parts:
        world.feed.wake(row["id"])
    for row in keys:
        world.store.run(
            "DELETE FROM keys WHERE id = ? AND NOT EXISTS (SELECT 1 FROM grants WHERE key_id = keys.id)", row["key_id"]
        )
