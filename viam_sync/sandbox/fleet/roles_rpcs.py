"""The RPCs about roles: adding, removing and changing them, and checks of permissions."""

from __future__ import annotations

import sqlite3
from typing import Tuple

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import RESOURCE_TYPES, Caller, Grant, add_grant, grant_from_row
from viam_sync.sandbox.core.call_errors import already_exists, invalid_argument, not_found
from viam_sync.sandbox.core.request_checks import HINTS, NAMES, checked_id
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.authorizations import (
    authorization_of,
    checked_grant,
    grant_from_authorization,
    require_may_grant,
)
from viam_sync.sandbox.fleet.resources import organization_of_resource
from viam_sync.sandbox.fleet.roles import require_owner


class RolesServicer:
    """The RPCs of AppService about roles and permissions."""

    def __init__(self, world: World) -> None:
        self._world = world

    def AddRole(self, request: pb.AddRoleRequest, caller: Caller) -> pb.AddRoleResponse:
        """Add a role of a user or an API key."""
        identity_id = _checked_identity(request.authorization)
        given = checked_grant(self._world, request.authorization)
        identity = self._identity(identity_id)
        require_may_grant(caller, given)
        self._add(identity, given)
        return pb.AddRoleResponse()

    def RemoveRole(self, request: pb.RemoveRoleRequest, caller: Caller) -> pb.RemoveRoleResponse:
        """Remove a role of a user or an API key."""
        identity_id = _checked_identity(request.authorization)
        taken = checked_grant(self._world, request.authorization)
        row = self._held(identity_id, taken)
        require_may_grant(caller, taken)
        self._remove(row)
        return pb.RemoveRoleResponse()

    def ChangeRole(self, request: pb.ChangeRoleRequest, caller: Caller) -> pb.ChangeRoleResponse:
        """Replace one role by another."""
        old_id, new_id = _checked_identity(request.old_authorization), _checked_identity(request.new_authorization)
        grant_from_authorization(request.new_authorization)
        old = checked_grant(self._world, request.old_authorization)
        new = checked_grant(self._world, request.new_authorization)
        row, identity = self._held(old_id, old), self._identity(new_id)
        require_may_grant(caller, old)
        require_may_grant(caller, new)
        if (old_id, old) != (new_id, new):
            self._add(identity, new)
            self._remove(row)
        return pb.ChangeRoleResponse()

    def ListAuthorizations(
        self, request: pb.ListAuthorizationsRequest, caller: Caller
    ) -> pb.ListAuthorizationsResponse:
        """List the roles on the given resources of an organization, or else on all that the caller may read."""
        ids = [checked_id("resource", id) for id in request.resource_ids]
        organization = self._world.organization(request.organization_id)
        kinds = {id: self._kind(organization.id, id) for id in ids}
        for id, kind in kinds.items():
            caller.require(f"read_{kind}", kind, id)
        caller.require_role_in(organization.id)
        sql = "SELECT * FROM grants WHERE organization_id = ? ORDER BY id"
        response = pb.ListAuthorizationsResponse()
        for row in self._world.store.rows(sql, organization.id):
            kind, id = row["resource_type"], row["resource_id"]
            if id in kinds or (not kinds and caller.may(f"read_{kind}", kind, id)):
                identity_type = "user" if row["user_id"] else "api-key"
                response.authorizations.append(authorization_of(grant_from_row(row), row["identity_id"], identity_type))
        return response

    def CheckPermissions(self, request: pb.CheckPermissionsRequest, caller: Caller) -> pb.CheckPermissionsResponse:
        """Return those of the given permissions that the caller holds."""
        if not request.permissions:
            raise invalid_argument(
                "The list of permissions is empty; name a resource and the permissions to check on it."
            )
        for asked in request.permissions:
            if asked.resource_type not in RESOURCE_TYPES:
                kind = asked.resource_type[:64]
                raise invalid_argument(f"The type of a resource is one of {', '.join(RESOURCE_TYPES)}, not {kind!r}.")
            checked_id(asked.resource_type, asked.resource_id)
        response = pb.CheckPermissionsResponse()
        for asked in request.permissions:
            kind, id = asked.resource_type, self._world.get(asked.resource_type, asked.resource_id)["id"]
            held = [permission for permission in asked.permissions if caller.may(permission, kind, id)]
            if held:
                response.authorized_permissions.add(resource_type=kind, resource_id=id, permissions=held)
        return response

    def _identity(self, id: str) -> Tuple[str, str]:
        """Return the type and the ID of a user or an API key that exists."""
        for table, type in (("users", "user"), ("keys", "api-key")):
            if self._world.store.row(f"SELECT 1 FROM {table} WHERE id = ?", id):
                return type, id
        raise not_found(f"No {NAMES['identity']} has the ID {id!r}; {HINTS['identity']}.")

    def _held(self, identity_id: str, held: Grant) -> sqlite3.Row:
        sql = "SELECT * FROM grants WHERE identity_id = ? AND role = ? AND resource_id = ?"
        row = self._world.store.row(sql, identity_id, held.role, held.resource_id)
        if row is None:
            raise not_found(
                f"{identity_id!r} does not have the role {held.role} on the {held.resource_type} {held.resource_id!r}; "
                "list_authorizations shows who has which."
            )
        return row

    def _add(self, identity: Tuple[str, str], given: Grant) -> None:
        sql = "SELECT 1 FROM grants WHERE identity_id = ? AND role = ? AND resource_id = ?"
        if self._world.store.row(sql, identity[1], given.role, given.resource_id):
            raise already_exists(
                f"{identity[1]!r} has the role {given.role} on the {given.resource_type} {given.resource_id!r} already."
            )
        add_grant(self._world, *identity, given)

    def _remove(self, row: sqlite3.Row) -> None:
        self._world.store.run("DELETE FROM grants WHERE id = ?", row["id"])
        require_owner(self._world, row["organization_id"])

    def _kind(self, organization_id: str, resource_id: str) -> str:
        for kind in RESOURCE_TYPES:
            known = self._world.store.row(f"SELECT 1 FROM {kind}s WHERE id = ?", resource_id)
            if known and organization_of_resource(self._world, kind, resource_id) == organization_id:
                return kind
        raise not_found(f"Nothing in this organization has the ID {resource_id!r}; leave it out to list all roles.")


def _checked_identity(authorization: pb.Authorization) -> str:
    grant_from_authorization(authorization)
    if authorization.identity_type not in ("", "user", "api-key"):
        raise invalid_argument(f"The type of an identity is user or api-key, not {authorization.identity_type[:64]!r}.")
    return checked_id("identity", authorization.identity_id)
