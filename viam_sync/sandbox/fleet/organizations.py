"""The model of organizations."""

from __future__ import annotations

from typing import Optional

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Grant, add_grant
from viam_sync.sandbox.core.request_checks import REGIONS
from viam_sync.sandbox.core.world import World


def create_organization(world: World, name: str, user_id: str, key_id: Optional[str] = None) -> pb.Organization:
    """Create an organization owned by a user, and by the API key that the user created it with."""
    made = pb.Organization(id=world.ids.uuid(), name=name, created_on=world.now(), default_region=REGIONS[0])
    world.store.insert("organizations", id=made.id, body=made.SerializeToString())
    owner = Grant("owner", "organization", made.id, made.id)
    add_grant(world, "user", user_id, owner)
    if key_id is not None:
        add_grant(world, "api-key", key_id, owner)
    return made
