"""Changes to single properties in the configuration of a part."""

from __future__ import annotations

import json
from typing import Any, List

from google.protobuf import json_format

from viam_sync.proto import app as pb
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.configs import DEEPEST, whole
from viam_sync.sandbox.errors import invalid_argument
from viam_sync.sandbox.parts import Parts
from viam_sync.sandbox.world import World


class ConfigProperties:
    """The RPC of AppService that changes single properties."""

    def __init__(self, world: World) -> None:
        self._world = world

    def SetConfigProperty(self, request: pb.SetConfigPropertyRequest, caller: Caller) -> pb.SetConfigPropertyResponse:
        """Make those of the changes that can be made, all of them in one edit of the part.

        A path is made of keys, and of places in lists counted from 0, with dots between them:
        ``components.0.attributes.max_rpm``. An object on the way that is not there is made, and the place after the
        last one of a list adds to it.
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
                _set(config, change.path.split("."), _value(change))
            except (ValueError, ArithmeticError, json_format.Error) as error:
                result.success = False
                result.error = f"The property {change.path[:256]!r} cannot be set: {error}."
        if any(result.success for result in response.property_changes):
            update = pb.UpdateRobotPartRequest(id=part.id, name=part.name, robot_config_json=json.dumps(config))
            Parts(self._world).UpdateRobotPart(update, caller)
        return response


def _value(change: pb.ConfigPropertyChange) -> Any:
    if change.value.WhichOneof("kind") is None:
        raise ValueError("it has no value; to empty it, give null")
    value = whole(json_format.MessageToDict(change.value))
    json.dumps(value, allow_nan=False)
    return value


def _set(config: Any, path: List[str], value: Any) -> None:
    """Set a property; raise before anything has changed if that cannot be done."""
    if not all(path):
        raise ValueError("its path has an empty key")
    if len(path) + _depth(value) > DEEPEST:
        raise ValueError(f"the configuration would be nested deeper than {DEEPEST} levels")
    for at, step in enumerate(path[:-1]):
        place = _place(config, step)
        if isinstance(config, list) and place == len(config):
            raise ValueError(f"the list has no place {step!r} yet")
        if isinstance(config, dict) and step not in config:
            for key in reversed(path[at + 1 :]):
                value = {key: value}
            config[step] = value
            return
        config = config[place]
    place = _place(config, path[-1])
    if isinstance(config, list) and place == len(config):
        config.append(value)
    else:
        config[place] = value


def _place(config: Any, step: str) -> Any:
    if isinstance(config, dict):
        return step
    if not isinstance(config, list):
        raise ValueError(f"there is a single value where {step[:64]!r} would have to be in it")
    if not (step.isascii() and step.isdigit() and len(step) < 10) or int(step) > len(config):
        raise ValueError(f"{step[:64]!r} is not a place in a list of {len(config)}")
    return int(step)


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
