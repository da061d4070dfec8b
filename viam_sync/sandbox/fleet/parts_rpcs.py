"""The RPCs about parts of machines: their configuration and their secrets."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import already_exists, failed_precondition, not_found
from viam_sync.sandbox.core.request_checks import HINTS, checked_id, required
from viam_sync.sandbox.core.world import World, microseconds_of
from viam_sync.sandbox.fleet.configs import config_in_request
from viam_sync.sandbox.fleet.parts import create_part, update_part, with_derived_fields
from viam_sync.sandbox.fleet.shared_secrets import add_secret, delete_secret, require_secret, secrets_of


class PartsServicer:
    """The RPCs of AppService about the parts of machines."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetRobotParts(self, request: pb.GetRobotPartsRequest, caller: Caller) -> pb.GetRobotPartsResponse:
        """List the parts of a machine, the main one first."""
        robot = self._world.robot(request.robot_id)
        caller.require("read_robot", "robot", robot.id)
        rows = self._world.store.rows("SELECT id FROM parts WHERE robot_id = ? ORDER BY main DESC, rowid", robot.id)
        return pb.GetRobotPartsResponse(parts=[self._to_message(row["id"], caller) for row in rows])

    def GetRobotPart(self, request: pb.GetRobotPartRequest, caller: Caller) -> pb.GetRobotPartResponse:
        """Return a part, with its configuration as JSON if the caller may read it."""
        part = self._world.part(request.id)
        caller.require("read_robot", "robot", part.robot)
        message = self._to_message(part.id, caller)
        return pb.GetRobotPartResponse(part=message, config_json=message.robot_config_json or "{}")

    def GetRobotPartByNameAndLocation(
        self, request: pb.GetRobotPartByNameAndLocationRequest, caller: Caller
    ) -> pb.GetRobotPartByNameAndLocationResponse:
        """Return the part with a name, in a location."""
        name = required(request.name, "The name of the part")
        location = self._world.location(request.location_id)
        sql = (
            "SELECT p.id, p.robot_id FROM parts p JOIN robots r ON r.id = p.robot_id"
            " WHERE r.location_id = ? AND p.name = ? ORDER BY p.rowid"
        )
        row = self._world.store.row(sql, location.id, name)
        if row is None:
            caller.require("read_location", "location", location.id)
            raise not_found(f"No robot part in the location {location.name!r} is named {name!r}; {HINTS['part']}.")
        caller.require("read_robot", "robot", row["robot_id"])
        return pb.GetRobotPartByNameAndLocationResponse(part=self._to_message(row["id"], caller))

    def UpdateRobotPart(self, request: pb.UpdateRobotPartRequest, caller: Caller) -> pb.UpdateRobotPartResponse:
        """Rename a part, and replace its configuration if the request has one; its JSON text precedes its Struct."""
        name = required(request.name, "The name of the part")
        config = config_in_request(request)
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
        update_part(self._world, part, name, config, caller)
        return pb.UpdateRobotPartResponse(part=self._to_message(part.id, caller))

    def NewRobotPart(self, request: pb.NewRobotPartRequest, caller: Caller) -> pb.NewRobotPartResponse:
        """Add a part to a machine."""
        name = required(request.part_name, "The name of the part")
        robot = self._world.robot(request.robot_id)
        caller.require("write_robot", "robot", robot.id)
        self._require_free(robot.id, name)
        return pb.NewRobotPartResponse(part_id=create_part(self._world, robot.id, name).id)

    def DeleteRobotPart(self, request: pb.DeleteRobotPartRequest, caller: Caller) -> pb.DeleteRobotPartResponse:
        """Delete a part that is not the main one."""
        part = self._world.part(request.part_id)
        caller.require("write_robot", "robot", part.robot)
        if self._world.get("part", part.id)["main"]:
            raise failed_precondition(
                f"The part {part.name!r} is the main part of its machine; "
                "make another one the main part first (mark_part_as_main), or delete the machine (delete_robot)."
            )
        self._world.store.run("DELETE FROM parts WHERE id = ?", part.id)
        self._world.feed.wake(part.id)
        return pb.DeleteRobotPartResponse()

    def MarkPartAsMain(self, request: pb.MarkPartAsMainRequest, caller: Caller) -> pb.MarkPartAsMainResponse:
        """Make a part the main part of its machine."""
        part = self._world.part(request.part_id)
        caller.require("write_robot", "robot", part.robot)
        self._world.store.run("UPDATE parts SET main = (id = ?) WHERE robot_id = ?", part.id, part.robot)
        return pb.MarkPartAsMainResponse()

    def MarkPartForRestart(
        self, request: pb.MarkPartForRestartRequest, caller: Caller
    ) -> pb.MarkPartForRestartResponse:
        """Mark a part for a restart."""
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
        return pb.CreateRobotPartSecretResponse(part=self._to_message(part.id, caller))

    def DeleteRobotPartSecret(
        self, request: pb.DeleteRobotPartSecretRequest, caller: Caller
    ) -> pb.DeleteRobotPartSecretResponse:
        """Delete a secret of a part."""
        checked_id("secret", request.secret_id)
        part = self._world.part(request.part_id)
        secret_id = require_secret(self._world, "part", part.id, request.secret_id)
        caller.require("write_robot", "robot", part.robot)
        delete_secret(self._world, secret_id)
        return pb.DeleteRobotPartSecretResponse()

    def _require_free(self, robot_id: str, name: str) -> None:
        if self._world.store.row("SELECT 1 FROM parts WHERE robot_id = ? AND name = ?", robot_id, name):
            raise already_exists(f"The machine has a part named {name!r} already; choose another name.")

    def _to_message(self, id: str, caller: Caller) -> pb.RobotPart:
        part = with_derived_fields(self._world, id)
        if caller.may("read_robot_secret", "robot", part.robot):
            part.secrets.extend(secrets_of(self._world, "part", id))
            part.secret = part.secrets[0].secret if part.secrets else ""
        if not caller.may("read_robot_config", "robot", part.robot):
            part.ClearField("robot_config")
            part.ClearField("robot_config_json")
        return part
