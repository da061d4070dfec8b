"""The model of machines, which the API calls robots."""

from __future__ import annotations

from typing import Any, Dict, Optional

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Grant
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.keys import create_key
from viam_sync.sandbox.fleet.parts import create_part


def create_robot(
    world: World, location_id: str, name: str, user_id: str, config: Optional[Dict[str, Any]] = None
) -> pb.Robot:
    """Create a machine with a main part, and with an API key that owns the machine.

    Without a configuration, the main part gets the default fragments of its organization.
    """
    robot = pb.Robot(id=world.ids.uuid(), name=name, location=location_id, created_on=world.now())
    world.store.insert("robots", id=robot.id, location_id=location_id, name=name, body=robot.SerializeToString())
    organization = world.organization(world.organization_of(location_id))
    fragments = [{"id": each.fragment_id} for each in organization.default_fragments.fragments]
    if config is None and fragments:
        config = {"fragments": fragments}
    create_part(world, robot.id, f"{name}-main", main=True, config=config)
    create_key(world, f"{name}-key", user_id, [Grant("owner", "robot", robot.id, organization.id)])
    return robot
