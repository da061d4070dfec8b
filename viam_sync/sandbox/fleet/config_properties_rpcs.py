"""The RPC that changes single properties in the configuration of a part."""

from __future__ import annotations

import json

from google.protobuf import json_format

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.config_properties import change_property
from viam_sync.sandbox.fleet.configs import config_in_request
from viam_sync.sandbox.fleet.parts import update_part


class ConfigPropertiesServicer:
    """The RPC of AppService that changes single properties."""

    def __init__(self, world: World) -> None:
        self._world = world

    def SetConfigProperty(self, request: pb.SetConfigPropertyRequest, caller: Caller) -> pb.SetConfigPropertyResponse:
        """Apply the changes that are valid, all of them in one edit of the part.

        A path consists of keys, and of indexes of lists counted from 0, joined by dots:
        ``components.0.attributes.max_rpm``. Missing objects on the path are created, and the index after the last one
        of a list appends to it.
        """
        if not request.property_changes:
            raise invalid_argument("There are no changes; give at least one, with a path and a value.")
        part = self._world.part(request.robot_part_id)
        caller.require("write_robot", "robot", part.robot)
        config = json.loads(part.robot_config_json or "{}")
        response = pb.SetConfigPropertyResponse()
        for change in request.property_changes:
            result = response.property_changes.add(path=change.path, success=True)
            if change.HasField("value"):
                result.value.CopyFrom(change.value)
            try:
                change_property(config, change)
            except (ValueError, ArithmeticError, json_format.Error) as error:
                result.success = False
                result.error = f"The property {change.path[:256]!r} cannot be set: {error}."
        if any(result.success for result in response.property_changes):
            update = pb.UpdateRobotPartRequest(robot_config_json=json.dumps(config))
            update_part(self._world, part, part.name, config_in_request(update), caller)
        return response
