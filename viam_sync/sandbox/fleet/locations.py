"""The model of locations."""

from __future__ import annotations

from typing import Optional

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.shared_secrets import add_secret


def create_location(world: World, organization_id: str, name: str, parent_id: Optional[str] = None) -> pb.Location:
    """Create a location with a secret, in the region of its organization."""
    made = pb.Location(id=world.ids.location(), name=name, parent_location_id=parent_id or "", created_on=world.now())
    made.config.region = world.organization(organization_id).default_region
    world.store.insert(
        "locations", id=made.id, organization_id=organization_id, parent_id=parent_id, body=made.SerializeToString()
    )
    add_secret(world, "location", made.id)
    return made
