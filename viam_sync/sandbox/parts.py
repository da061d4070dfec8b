"""The parts of machines: their configuration, its history, their secrets and names on the network."""

from __future__ import annotations

import re
from typing import Any, Dict, Optional

from viam_sync.proto import app as pb
from viam_sync.sandbox import checks
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.configs import config_given, config_of
from viam_sync.sandbox.errors import already_exists, failed_precondition, not_found
from viam_sync.sandbox.history import add_to_history
from viam_sync.sandbox.shared_secrets import add_secret, delete_secret, require_secret, secrets_of
from viam_sync.sandbox.world import World, microseconds_of, timestamp

_OFFLINE_AFTER = 60_000_000


class Parts:
    """The RPCs of AppService about the parts of machines."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetRobotParts(self, request: pb.GetRobotPartsRequest, caller: Caller) -> pb.GetRobotPartsResponse:
        """List the parts of a machine, the main one first."""
        robot = self._world.robot(request.robot_id)
        caller.require("read_robot", "robot", robot.id)
        rows = self._world.store.rows("SELECT id FROM parts WHERE robot_id = ? ORDER BY main DESC, rowid", robot.id)
        return pb.GetRobotPartsResponse(parts=[self._shown(row["id"], caller) for row in rows])

    def GetRobotPart(self, request: pb.GetRobotPartRequest, caller: Caller) -> pb.GetRobotPartResponse:
        """Return a part, and its configuration as JSON if the caller may read that."""
        part = self._world.part(request.id)
        caller.require("read_robot", "robot", part.robot)
        shown = self._shown(part.id, caller)
        return pb.GetRobotPartResponse(part=shown, config_json=shown.robot_config_json or "{}")

    def GetRobotPartByNameAndLocation(
        self, request: pb.GetRobotPartByNameAndLocationRequest, caller: Caller
    ) -> pb.GetRobotPartByNameAndLocationResponse:
        """Return the part that has a name, in a location."""
        name = checks.required(request.name, "The name of the part")
        location = self._world.location(request.location_id)
        sql = (
            "SELECT p.id, p.robot_id FROM parts p JOIN robots r ON r.id = p.robot_id"
            " WHERE r.location_id = ? AND p.name = ? ORDER BY p.rowid"
        )
        row = self._world.store.row(sql, location.id, name)
        if row is None:
            caller.require("read_location", "location", location.id)
            raise not_found(
                f"No robot part in the location {location.name!r} is named {name!r}; {checks.HINTS['part']}."
            )
        caller.require("read_robot", "robot", row["robot_id"])
        return pb.GetRobotPartByNameAndLocationResponse(part=self._shown(row["id"], caller))

    def UpdateRobotPart(self, request: pb.UpdateRobotPartRequest, caller: Caller) -> pb.UpdateRobotPartResponse:
        """Rename a part, and change its configuration if the request has one; the JSON text comes before the Struct."""
        name = checks.required(request.name, "The name of the part")
        config = config_given(request)
        part = self._world.part(request.id)
        caller.require("write_robot", "robot", part.robot)
        if request.HasField("last_known_update") and microseconds_of(request.last_known_update) < microseconds_of(
            part.last_updated
        ):
            raise failed_precondition(
                f"The part {part.name!r} was changed since you read it; get it again (get_robot_part), "
                "make your change to that, and send its last_updated."
            )
        if name != part.name:
            self._require_free(part.robot, name)
        add_to_history(self._world, self._complete(part.id), caller)
        # A client compares these times, so two edits must not have the same one.
        part.last_updated.CopyFrom(timestamp(max(self._world.microseconds(), microseconds_of(part.last_updated) + 1)))
        part.name = name
        if config is not None:
            config.put_on(part)
        self._world.store.update("parts", part.id, name=name, body=part.SerializeToString())
        return pb.UpdateRobotPartResponse(part=self._shown(part.id, caller))

    def NewRobotPart(self, request: pb.NewRobotPartRequest, caller: Caller) -> pb.NewRobotPartResponse:
        """Add a part to a machine."""
        name = checks.required(request.part_name, "The name of the part")
        robot = self._world.robot(request.robot_id)
        caller.require("write_robot", "robot", robot.id)
        self._require_free(robot.id, name)
        return pb.NewRobotPartResponse(part_id=create_part(self._world, robot.id, name).id)

    def DeleteRobotPart(self, request: pb.DeleteRobotPartRequest, caller: Caller) -> pb.DeleteRobotPartResponse:
        """Delete a part that is not the main one."""
        part = self._world.part(request.part_id)
        caller.require("write_robot", "robot", part.robot)
        if self._world.find("part", part.id)["main"]:
            raise failed_precondition(
                f"The part {part.name!r} is the main part of its machine; "
                "make another one the main part first (mark_part_as_main), or delete the machine (delete_robot)."
            )
        self._world.store.run("DELETE FROM parts WHERE id = ?", part.id)
        self._world.feed.wake(part.id)
        return pb.DeleteRobotPartResponse()

    def MarkPartAsMain(self, request: pb.MarkPartAsMainRequest, caller: Caller) -> pb.MarkPartAsMainResponse:
        """Make a part the main one of its machine, and the others not."""
        part = self._world.part(request.part_id)
        caller.require("write_robot", "robot", part.robot)
        self._world.store.run("UPDATE parts SET main = (id = ?) WHERE robot_id = ?", part.id, part.robot)
        return pb.MarkPartAsMainResponse()

    def MarkPartForRestart(
        self, request: pb.MarkPartForRestartRequest, caller: Caller
    ) -> pb.MarkPartForRestartResponse:
        """Ask a part to restart when it next checks in."""
        part = self._world.part(request.part_id)
        caller.require("write_robot", "robot", part.robot)
        self._world.store.update("parts", part.id, restart=1)
        return pb.MarkPartForRestartResponse()

    def CreateRobotPartSecret(
        self, request: pb.CreateRobotPartSecretRequest, caller: Caller
    ) -> pb.CreateRobotPartSecretResponse:
        """Add a second secret to a part, and return the part."""
        part = self._world.part(request.part_id)
        caller.require("write_robot", "robot", part.robot)
        add_secret(self._world, "part", part.id)
        return pb.CreateRobotPartSecretResponse(part=self._shown(part.id, caller))

    def DeleteRobotPartSecret(
        self, request: pb.DeleteRobotPartSecretRequest, caller: Caller
    ) -> pb.DeleteRobotPartSecretResponse:
        """Delete a secret of a part."""
        checks.checked_id("secret", request.secret_id)
        part = self._world.part(request.part_id)
        secret_id = require_secret(self._world, "part", part.id, request.secret_id)
        caller.require("write_robot", "robot", part.robot)
        delete_secret(self._world, secret_id)
        return pb.DeleteRobotPartSecretResponse()

    def _require_free(self, robot_id: str, name: str) -> None:
        if self._world.store.row("SELECT 1 FROM parts WHERE robot_id = ? AND name = ?", robot_id, name):
            raise already_exists(f"The machine has a part named {name!r} already; choose another name.")

    def _complete(self, id: str) -> pb.RobotPart:
        """Return a part with all that depends on other things, but without its secrets."""
        row = self._world.find("part", id)
        part = pb.RobotPart.FromString(row["body"])
        part.main_part = bool(row["main"])
        part.location_id = self._world.robot(part.robot).location
        part.dns_name = re.sub(r"[^a-z0-9]+", "-", part.name.lower()).strip("-") or "part"
        part.fqdn = f"{part.dns_name}.{part.location_id}.viam.cloud"
        part.local_fqdn = f"{part.dns_name}.{part.location_id}.local.viam.cloud"
        set_online(self._world, part)
        return part

    def _shown(self, id: str, caller: Caller) -> pb.RobotPart:
        part = self._complete(id)
        if caller.may("read_robot_secret", "robot", part.robot):
            part.secrets.extend(secrets_of(self._world, "part", id))
            part.secret = part.secrets[0].secret if part.secrets else ""
        if not caller.may("read_robot_config", "robot", part.robot):
            part.ClearField("robot_config")
            part.ClearField("robot_config_json")
        return part


def create_part(
    world: World, robot_id: str, name: str, *, main: bool = False, config: Optional[Dict[str, Any]] = None
) -> pb.RobotPart:
    """Make a part with a secret."""
    part = pb.RobotPart(
        id=world.ids.uuid(), name=name, robot=robot_id, created_on=world.now(), last_updated=world.now()
    )
    config_of(config or {}).put_on(part)
    world.store.insert("parts", id=part.id, robot_id=robot_id, name=name, main=main, body=part.SerializeToString())
    add_secret(world, "part", part.id)
    return part


def set_online(world: World, thing: Any) -> Any:
    """Return a robot or a part with its online state, which follows from when it was last seen."""
    if not thing.HasField("last_access"):
        thing.online_state = pb.OnlineState.ONLINE_STATE_AWAITING_SETUP
        return thing
    ago = world.microseconds() - microseconds_of(thing.last_access)
    states = pb.OnlineState
    offline = ago > _OFFLINE_AFTER
    thing.online_state = states.ONLINE_STATE_OFFLINE if offline else states.ONLINE_STATE_ONLINE
    thing.seconds_since_online = ago // 1_000_000 if offline else 0
    return thing
