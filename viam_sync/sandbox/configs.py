"""The configuration of a part: as the Struct and as the JSON text of the same thing."""

from __future__ import annotations

import json
from typing import Any, Dict, NamedTuple, Optional

from google.protobuf import json_format

from viam_sync.proto import app as pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.errors import invalid_argument

# A message may be nested 100 deep, one level of JSON takes three of them, and history adds some.
_DEEPEST = 30


class Config(NamedTuple):
    """A configuration that is good, in both forms."""

    struct: Struct
    text: str

    def put_on(self, part: pb.RobotPart) -> None:
        """Make this the configuration of a part."""
        part.robot_config.CopyFrom(self.struct)
        part.robot_config_json = self.text


def config_given(request: pb.UpdateRobotPartRequest) -> Optional[Config]:
    """Return the configuration in a request, the JSON text before the Struct; None if it has none.

    Raises:
        CallError: INVALID_ARGUMENT if it holds what JSON cannot, is no object, or is nested too deep.
    """
    try:
        if request.HasField("robot_config_json"):
            return config_of(json.loads(request.robot_config_json))
        if request.HasField("robot_config"):
            return config_of(_whole(json_format.MessageToDict(request.robot_config)))
    except (ValueError, ArithmeticError, RecursionError, json_format.Error) as error:
        raise invalid_argument(f"The configuration of the part cannot be used: {error}.") from None
    return None


def config_of(config: Dict[str, Any]) -> Config:
    """Return a configuration from what JSON makes of it in Python.

    Raises:
        ValueError: If JSON cannot say it, it is no object, or it is nested too deep.
    """
    if not isinstance(config, dict):
        raise ValueError("it must be an object, in curly brackets")
    _require_shallow(config, _DEEPEST)
    return Config(json_format.ParseDict(config, Struct()), json.dumps(config, allow_nan=False))


def _whole(value: Any) -> Any:
    """Return the value of a Struct, whose numbers are all floats, with the whole ones as integers."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _require_shallow(value: Any, depth: int) -> None:
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise ValueError(f"it is nested deeper than {_DEEPEST} levels")
        for item in value.values() if isinstance(value, dict) else value:
            _require_shallow(item, depth - 1)
