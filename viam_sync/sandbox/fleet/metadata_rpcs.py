"""The RPCs about metadata: a Struct for each organization, location, machine and part."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.world import World


class MetadataServicer:
    """The RPCs of AppService about metadata."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetOrganizationMetadata(
        self, request: pb.GetOrganizationMetadataRequest, caller: Caller
    ) -> pb.GetOrganizationMetadataResponse:
        """Return the metadata of an organization."""
        organization = self._world.organization(request.organization_id)
        caller.require("read_organization", "organization", organization.id)
        return pb.GetOrganizationMetadataResponse(data=self._data("organization", organization.id))

    def UpdateOrganizationMetadata(
        self, request: pb.UpdateOrganizationMetadataRequest, caller: Caller
    ) -> pb.UpdateOrganizationMetadataResponse:
        """Replace the metadata of an organization."""
        organization = self._world.organization(request.organization_id)
        caller.require("write_organization", "organization", organization.id)
        self._replace("organization", organization.id, request.data)
        return pb.UpdateOrganizationMetadataResponse()

    def GetLocationMetadata(
        self, request: pb.GetLocationMetadataRequest, caller: Caller
    ) -> pb.GetLocationMetadataResponse:
        """Return the metadata of a location."""
        location = self._world.location(request.location_id)
        caller.require("read_location", "location", location.id)
        return pb.GetLocationMetadataResponse(data=self._data("location", location.id))

    def UpdateLocationMetadata(
        self, request: pb.UpdateLocationMetadataRequest, caller: Caller
    ) -> pb.UpdateLocationMetadataResponse:
        """Replace the metadata of a location."""
        location = self._world.location(request.location_id)
        caller.require("write_location", "location", location.id)
        self._replace("location", location.id, request.data)
        return pb.UpdateLocationMetadataResponse()

    def GetRobotMetadata(self, request: pb.GetRobotMetadataRequest, caller: Caller) -> pb.GetRobotMetadataResponse:
        """Return the metadata of a machine."""
        robot = self._world.robot(request.id)
        caller.require("read_robot", "robot", robot.id)
        return pb.GetRobotMetadataResponse(data=self._data("robot", robot.id))

    def UpdateRobotMetadata(
        self, request: pb.UpdateRobotMetadataRequest, caller: Caller
    ) -> pb.UpdateRobotMetadataResponse:
        """Replace the metadata of a machine."""
        robot = self._world.robot(request.id)
        caller.require("write_robot", "robot", robot.id)
        self._replace("robot", robot.id, request.data)
        return pb.UpdateRobotMetadataResponse()

    def GetRobotPartMetadata(
        self, request: pb.GetRobotPartMetadataRequest, caller: Caller
    ) -> pb.GetRobotPartMetadataResponse:
        """Return the metadata of a part."""
        part = self._world.part(request.id)
        caller.require("read_robot", "robot", part.robot)
        return pb.GetRobotPartMetadataResponse(data=self._data("part", part.id))

    def UpdateRobotPartMetadata(
        self, request: pb.UpdateRobotPartMetadataRequest, caller: Caller
    ) -> pb.UpdateRobotPartMetadataResponse:
        """Replace the metadata of a part."""
        part = self._world.part(request.id)
        caller.require("write_robot", "robot", part.robot)
        self._replace("part", part.id, request.data)
        return pb.UpdateRobotPartMetadataResponse()

    def _data(self, kind: str, id: str) -> Struct:
        return Struct.FromString(self._world.get(kind, id)["metadata"])

    def _replace(self, kind: str, id: str, data: Struct) -> None:
        self._world.store.update(f"{kind}s", id, metadata=data.SerializeToString())
