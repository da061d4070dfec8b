"""The RPCs about machines, which the API calls robots."""

from __future__ import annotations

from typing import Any, List

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import already_exists, failed_precondition, permission_denied
from viam_sync.sandbox.core.request_checks import required
from viam_sync.sandbox.core.world import World, timestamp
from viam_sync.sandbox.fleet.keys import key_to_message
from viam_sync.sandbox.fleet.machines import create_robot
from viam_sync.sandbox.fleet.parts import set_online_state
from viam_sync.sandbox.fleet.resources import delete_resource


class MachinesServicer:
    """The RPCs of AppService about machines."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetRobot(self, request: pb.GetRobotRequest, caller: Caller) -> pb.GetRobotResponse:
        """Return a machine."""
        robot = self._world.robot(request.id)
        caller.require("read_robot", "robot", robot.id)
        return pb.GetRobotResponse(robot=set_online_state(self._world, robot))

    def GetRoverRentalRobots(
        self, request: pb.GetRoverRentalRobotsRequest, caller: Caller
    ) -> pb.GetRoverRentalRobotsResponse:
        """List the rented rovers of an organization; the sandbox has none."""
        organization = self._world.organization(request.org_id)
        caller.require_role_in(organization.id)
        return pb.GetRoverRentalRobotsResponse()

    def ListRobots(self, request: pb.ListRobotsRequest, caller: Caller) -> pb.ListRobotsResponse:
        """List the machines of a location, without those of the locations below it, that the caller may read."""
        return pb.ListRobotsResponse(robots=self._in_location(request.location_id, caller))

    def ListRobotsForLocations(
        self, request: pb.ListRobotsForLocationsRequest, caller: Caller
    ) -> pb.ListRobotsForLocationsResponse:
        """List the machines of several locations."""
        ids = dict.fromkeys(request.location_ids)
        return pb.ListRobotsForLocationsResponse(robots=[r for id in ids for r in self._in_location(id, caller)])

    def ListRobotsForOrg(self, request: pb.ListRobotsForOrgRequest, caller: Caller) -> pb.ListRobotsForOrgResponse:
        """List the machines of all locations of an organization that the caller may read."""
        organization = self._world.organization(request.org_id)
        caller.require_role_in(organization.id)
        sql = (
            "SELECT r.* FROM robots r JOIN locations l ON l.id = r.location_id"
            " WHERE l.organization_id = ? ORDER BY r.rowid"
        )
        return pb.ListRobotsForOrgResponse(robots=self._readable(self._world.store.rows(sql, organization.id), caller))

    def NewRobot(self, request: pb.NewRobotRequest, caller: Caller) -> pb.NewRobotResponse:
        """Create a machine with a main part and an API key."""
        name = required(request.name, "The name of the machine")
        location = self._world.location(request.location)
        caller.require("write_location", "location", location.id)
        self._require_free(location, name)
        robot = create_robot(self._world, location.id, name, caller.require_user())
        return pb.NewRobotResponse(id=robot.id)

    def UpdateRobot(self, request: pb.UpdateRobotRequest, caller: Caller) -> pb.UpdateRobotResponse:
        """Rename a machine, and move it unless the location is empty."""
        name = required(request.name, "The name of the machine")
        robot = self._world.robot(request.id)
        target = self._world.location(request.location or robot.location)
        caller.require("write_robot", "robot", robot.id)
        if target.id != robot.location:
            caller.require("write_location", "location", target.id)
            if self._world.organization_of(target.id) != self._world.organization_of(robot.location):
                raise failed_precondition(
                    f"The location {target.name!r} belongs to another organization; "
                    f"the machine {robot.name!r} can only move within its own."
                )
        if (name, target.id) != (robot.name, robot.location):
            self._require_free(target, name, robot.id)
        robot.name = name
        robot.location = target.id
        self._world.store.update("robots", robot.id, name=name, location_id=target.id, body=robot.SerializeToString())
        return pb.UpdateRobotResponse(robot=set_online_state(self._world, robot))

    def DeleteRobot(self, request: pb.DeleteRobotRequest, caller: Caller) -> pb.DeleteRobotResponse:
        """Delete a machine with its parts, their secrets and history, and the keys that had no other role."""
        robot = self._world.robot(request.id)
        caller.require("write_robot", "robot", robot.id)
        delete_resource(self._world, "robot", robot.id)
        return pb.DeleteRobotResponse()

    def GetRobotAPIKeys(self, request: pb.GetRobotAPIKeysRequest, caller: Caller) -> pb.GetRobotAPIKeysResponse:
        """List the API keys with a role on a machine, with their values."""
        robot = self._world.robot(request.robot_id)
        caller.require("read_robot_secret", "robot", robot.id)
        sql = "SELECT * FROM keys WHERE id IN (SELECT key_id FROM grants WHERE resource_id = ?) ORDER BY rowid"
        keys = [key_to_message(self._world, row, row["key"]) for row in self._world.store.rows(sql, robot.id)]
        return pb.GetRobotAPIKeysResponse(api_keys=keys)

    def AddFavoriteMachine(
        self, request: pb.AddFavoriteMachineRequest, caller: Caller
    ) -> pb.AddFavoriteMachineResponse:
        """Add a machine to the favorites of the caller's user."""
        robot = self._world.robot(request.machine_id)
        caller.require("read_robot", "robot", robot.id)
        values = (caller.require_user(), robot.id, self._world.microseconds())
        self._world.store.run("INSERT OR IGNORE INTO favorites VALUES (?, ?, ?)", *values)
        return pb.AddFavoriteMachineResponse()

    def RemoveFavoriteMachine(
        self, request: pb.RemoveFavoriteMachineRequest, caller: Caller
    ) -> pb.RemoveFavoriteMachineResponse:
        """Remove a machine from the favorites of the caller's user."""
        robot = self._world.robot(request.machine_id)
        caller.require("read_robot", "robot", robot.id)
        where = "user_id = ? AND robot_id = ?"
        self._world.store.run(f"DELETE FROM favorites WHERE {where}", caller.require_user(), robot.id)
        return pb.RemoveFavoriteMachineResponse()

    def ListFavoriteMachines(
        self, request: pb.ListFavoriteMachinesRequest, caller: Caller
    ) -> pb.ListFavoriteMachinesResponse:
        """List the favorite machines of the caller's user that the caller may read."""
        sql = (
            "SELECT r.body, f.created FROM favorites f JOIN robots r ON r.id = f.robot_id"
            " WHERE f.user_id = ? ORDER BY f.rowid"
        )
        response = pb.ListFavoriteMachinesResponse()
        for row in self._world.store.rows(sql, caller.require_user()):
            robot = pb.Robot.FromString(row["body"])
            if caller.may("read_robot", "robot", robot.id):
                response.favorites.add(
                    machine=set_online_state(self._world, robot),
                    organization_id=self._world.organization_of(robot.location),
                    created_on=timestamp(row["created"]),
                )
        return response

    def _in_location(self, location_id: str, caller: Caller) -> List[pb.Robot]:
        location = self._world.location(location_id)
        rows = self._world.store.rows("SELECT * FROM robots WHERE location_id = ? ORDER BY rowid", location.id)
        readable = self._readable(rows, caller)
        # A caller with a role on a machine alone may list it, without a role on the location.
        if not readable and not caller.may("read_location", "location", location.id):
            raise permission_denied(
                f"You have no role on the location {location.id!r}, nor on a machine in it. "
                "Ask an owner of it, or of what it is in, for one (add_role)."
            )
        return readable

    def _readable(self, rows: List[Any], caller: Caller) -> List[pb.Robot]:
        return [
            set_online_state(self._world, pb.Robot.FromString(row["body"]))
            for row in rows
            if caller.may("read_robot", "robot", row["id"])
        ]

    def _require_free(self, location: pb.Location, name: str, but: str = "") -> None:
        sql = "SELECT 1 FROM robots WHERE location_id = ? AND name = ? AND id != ?"
        if self._world.store.row(sql, location.id, name, but):
            raise already_exists(
                f"The location {location.name!r} has a machine named {name!r} already; choose another name."
            )
