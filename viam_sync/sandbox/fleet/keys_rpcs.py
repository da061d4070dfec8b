"""The RPCs about API keys."""

from __future__ import annotations

import datetime as dt
import sqlite3

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller, Grant, grants_of
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.authorizations import checked_grant, require_may_grant
from viam_sync.sandbox.fleet.keys import NewKey, create_key, key_to_message


class KeysServicer:
    """The RPCs of AppService about API keys."""

    def __init__(self, world: World) -> None:
        self._world = world

    def CreateKey(self, request: pb.CreateKeyRequest, caller: Caller) -> pb.CreateKeyResponse:
        """Create a key with the roles in the request; the caller must own their resources."""
        if not request.authorizations:
            raise invalid_argument("A key needs a role on something; give at least one authorization.")
        grants = list(dict.fromkeys(checked_grant(self._world, each) for each in request.authorizations))
        if len({each.organization_id for each in grants}) > 1:
            raise invalid_argument(
                "The authorizations are in different organizations; make a key for each organization."
            )
        for each in grants:
            require_may_grant(caller, each)
        now = dt.datetime.fromtimestamp(self._world.microseconds() / 1_000_000, dt.timezone.utc)
        name = request.name.strip() or now.isoformat(sep=" ", timespec="microseconds")
        made = create_key(self._world, name, caller.require_user(), grants)
        return pb.CreateKeyResponse(id=made.id, key=made.key)

    def DeleteKey(self, request: pb.DeleteKeyRequest, caller: Caller) -> pb.DeleteKeyResponse:
        """Delete a key, which invalidates its tokens."""
        row = self._world.get("key", request.id)
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
        keys = [
            key_to_message(self._world, row) for row in self._world.store.rows(sql, organization.id, organization.id)
        ]
        return pb.ListKeysResponse(api_keys=keys)

    def RotateKey(self, request: pb.RotateKeyRequest, caller: Caller) -> pb.RotateKeyResponse:
        """Replace a key by a new one with a new ID; the old one is invalid at once."""
        row = self._world.get("key", request.id)
        self._require_may_change(row, caller)
        made = self._copy(row)
        self._world.store.run("DELETE FROM keys WHERE id = ?", row["id"])
        # The sandbox's own key stays a valid one.
        self._world.store.run(
            "UPDATE settings SET value = ? WHERE name = 'api_key_id' AND value = ?", made.id, row["id"]
        )
        return pb.RotateKeyResponse(id=made.id, key=made.key)

    def CreateKeyFromExistingKeyAuthorizations(
        self, request: pb.CreateKeyFromExistingKeyAuthorizationsRequest, caller: Caller
    ) -> pb.CreateKeyFromExistingKeyAuthorizationsResponse:
        """Create a key with the same roles as another one."""
        row = self._world.get("key", request.id)
        self._require_may_change(row, caller)
        made = self._copy(row)
        return pb.CreateKeyFromExistingKeyAuthorizationsResponse(id=made.id, key=made.key)

    def _require_may_change(self, row: sqlite3.Row, caller: Caller) -> None:
        """Require that the caller owns all resources that a key has a role on."""
        home = Grant("owner", "organization", row["organization_id"], row["organization_id"])
        for each in grants_of(self._world, row["id"]) or [home]:
            require_may_grant(caller, each)

    def _copy(self, row: sqlite3.Row) -> NewKey:
        grants = grants_of(self._world, row["id"])
        return create_key(self._world, row["name"], row["user_id"], grants, row["organization_id"])
