"""The model of the parts of machines."""

from __future__ import annotations

import re
from typing import Any, Dict, Optional

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.world import World, microseconds_of, timestamp
from viam_sync.sandbox.fleet.configs import Config, make_config
from viam_sync.sandbox.fleet.part_history import add_to_history
from viam_sync.sandbox.fleet.shared_secrets import add_secret

_OFFLINE_AFTER = 60_000_000


def create_part(
    world: World, robot_id: str, name: str, *, main: bool = False, config: Optional[Dict[str, Any]] = None
) -> pb.RobotPart:
    """Create a part with a secret."""
    part = pb.RobotPart(
        id=world.ids.uuid(), name=name, robot=robot_id, created_on=world.now(), last_updated=world.now()
    )
    make_config(config or {}).put_on(part)
    world.store.insert("parts", id=part.id, robot_id=robot_id, name=name, main=main, body=part.SerializeToString())
    add_secret(world, "part", part.id)
    return part


def update_part(world: World, part: pb.RobotPart, name: str, config: Optional[Config], caller: Caller) -> None:
    """Rename a part, replace its configuration unless that is None, and record the edit in its history."""
    add_to_history(world, with_derived_fields(world, part.id), caller)
    # Clients compare these times, so two edits must not have the same one.
    part.last_updated.CopyFrom(timestamp(max(world.microseconds(), microseconds_of(part.last_updated) + 1)))
    part.name = name
    if config is not None:
        config.put_on(part)
    world.store.update("parts", part.id, name=name, body=part.SerializeToString())


def with_derived_fields(world: World, id: str) -> pb.RobotPart:
    """Return a part with all fields that are derived from other state, except its secrets."""
    row = world.get("part", id)
    part = pb.RobotPart.FromString(row["body"])
    part.main_part = bool(row["main"])
    part.location_id = world.robot(part.robot).location
    part.dns_name = re.sub(r"[^a-z0-9]+", "-", part.name.lower()).strip("-") or "part"
    part.fqdn = f"{part.dns_name}.{part.location_id}.viam.cloud"
    part.local_fqdn = f"{part.dns_name}.{part.location_id}.local.viam.cloud"
    set_online_state(world, part)
    return part


def set_online_state(world: World, machine: Any) -> Any:
    """Set the online state of a robot or a part, which depends on its last access, and return the message."""
    if not machine.HasField("last_access"):
        machine.online_state = pb.OnlineState.ONLINE_STATE_AWAITING_SETUP
        return machine
    ago = world.microseconds() - microseconds_of(machine.last_access)
    states = pb.OnlineState
    offline = ago > _OFFLINE_AFTER
    machine.online_state = states.ONLINE_STATE_OFFLINE if offline else states.ONLINE_STATE_ONLINE
    machine.seconds_since_online = ago // 1_000_000 if offline else 0
    return machine
