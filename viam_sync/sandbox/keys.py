"""API keys: how programs prove who they are, and what their roles are."""

from __future__ import annotations

import datetime as dt
import sqlite3
from typing import List, NamedTuple

from viam_sync.proto import app as pb
from viam_sync.sandbox.access import Caller, Grant, grant, grants_of
from viam_sync.sandbox.authorizations import require_may_give, resource_given
from viam_sync.sandbox.errors import invalid_argument
from viam_sync.sandbox.world import World, timestamp


class NewKey(NamedTuple):
    """What the maker of a key gets to see, this once."""

    id: str
    key: str


class Keys:
    """The RPCs of AppService about API keys."""

    def __init__(self, world: World) -> None:
        self._world = world

    def CreateKey(self, request: pb.CreateKeyRequest, caller: Caller) -> pb.CreateKeyResponse:
        """Make a key with the roles of the request, none of them beyond the caller's own."""
        if not request.authorizations:
            raise invalid_argument("A key needs a role on something; give at least one authorization.")
        grants = list(dict.fromkeys(resource_given(self._world, each) for each in request.authorizations))
        if len({each.organization_id for each in grants}) > 1:
            raise invalid_argument(
                "The authorizations are in different organizations; make a key for each organization."
            )
        for each in grants:
            require_may_give(caller, each)
        now = dt.datetime.fromtimestamp(self._world.microseconds() / 1_000_000, dt.timezone.utc)
        name = request.name.strip() or now.isoformat(sep=" ", timespec="microseconds")
        made = create_key(self._world, name, caller.require_user(), grants)
        return pb.CreateKeyResponse(id=made.id, key=made.key)

    def DeleteKey(self, request: pb.DeleteKeyRequest, caller: Caller) -> pb.DeleteKeyResponse:
        """Delete a key; from now on it proves nothing."""
        row = self._world.find("key", request.id)
        self._require_may_change(row, caller)
        self._world.store.run("DELETE FROM keys WHERE id = ?", row["id"])
        return pb.DeleteKeyResponse()

    def ListKeys(self, request: pb.ListKeysRequest, caller: Caller) -> pb.ListKeysResponse:
        """List the keys of an organization, without their values."""
        organization = self._world.organization(request.org_id)
        caller.require("write_organization", "organization", organization.id)
        sql = (
            "SELECT * FROM keys WHERE organization_id = ?"
            " OR id IN (SELECT key_id FROM grants WHERE organization_id = ?) ORDER BY rowid"
        )
        keys = [shown_key(self._world, row) for row in self._world.store.rows(sql, organization.id, organization.id)]
        return pb.ListKeysResponse(api_keys=keys)

    def RotateKey(self, request: pb.RotateKeyRequest, caller: Caller) -> pb.RotateKeyResponse:
        """Put a new key, with a new ID, in the place of one that stops working at once."""
        row = self._world.find("key", request.id)
        self._require_may_change(row, caller)
        made = self._twin(row)
        self._world.store.run("DELETE FROM keys WHERE id = ?", row["id"])
        # The key that the sandbox hands out stays the one that works.
        self._world.store.run(
            "UPDATE settings SET value = ? WHERE name = 'api_key_id' AND value = ?", made.id, row["id"]
        )
        return pb.RotateKeyResponse(id=made.id, key=made.key)

    def CreateKeyFromExistingKeyAuthorizations(
        self, request: pb.CreateKeyFromExistingKeyAuthorizationsRequest, caller: Caller
    ) -> pb.CreateKeyFromExistingKeyAuthorizationsResponse:
        """Make a key with the roles of another one, which stays."""
        row = self._world.find("key", request.id)
        self._require_may_change(row, caller)
        made = self._twin(row)
        return pb.CreateKeyFromExistingKeyAuthorizationsResponse(id=made.id, key=made.key)

    def _require_may_change(self, row: sqlite3.Row, caller: Caller) -> None:
        """Go on only if the caller owns all that a key has a role on."""
        home = Grant("owner", "organization", row["organization_id"], row["organization_id"])
        for each in grants_of(self._world, row["id"]) or [home]:
            require_may_give(caller, each)

    def _twin(self, row: sqlite3.Row) -> NewKey:
        grants = grants_of(self._world, row["id"])
        return create_key(self._world, row["name"], row["user_id"], grants, row["organization_id"])


def create_key(world: World, name: str, user_id: str, grants: List[Grant], organization_id: str = "") -> NewKey:
    """Make a key with roles, for which a user answers."""
    made = NewKey(world.ids.uuid(), world.ids.key())
    world.store.insert(
        "keys",
        id=made.id,
        key=made.key,
        name=name,
        created=world.microseconds(),
        user_id=user_id,
        organization_id=organization_id or grants[0].organization_id,
    )
    for each in grants:
        grant(world, "api-key", made.id, each)
    return made


def shown_key(world: World, row: sqlite3.Row, value: str = "") -> pb.APIKeyWithAuthorizations:
    """Return a key and its roles, with its value only if that is given."""
    key = pb.APIKey(id=row["id"], key=value, name=row["name"], created_on=timestamp(row["created"]))
    details = [
        pb.AuthorizationDetails(
            authorization_type="role",
            authorization_id=f"{each.resource_type}_{each.role}",
            resource_type=each.resource_type,
            resource_id=each.resource_id,
            org_id=each.organization_id,
        )
        for each in grants_of(world, row["id"])
    ]
    return pb.APIKeyWithAuthorizations(api_key=key, authorizations=details)
