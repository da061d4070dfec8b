"""The model of API keys."""

from __future__ import annotations

import sqlite3
from typing import List, NamedTuple

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Grant, add_grant, grants_of
from viam_sync.sandbox.core.world import World, timestamp


class NewKey(NamedTuple):
    """The ID and the value of a new key; the value is shown only once."""

    id: str
    key: str


def create_key(world: World, name: str, user_id: str, grants: List[Grant], organization_id: str = "") -> NewKey:
    """Create a key of a user, with roles."""
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
        add_grant(world, "api-key", made.id, each)
    return made


def key_to_message(world: World, row: sqlite3.Row, value: str = "") -> pb.APIKeyWithAuthorizations:
    """Return a key and its roles as a message, which has the value of the key only if that is given."""
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
