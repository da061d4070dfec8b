"""The configuration of a part: as the Struct and as the JSON text of the same thing."""

from __future__ import annotations

import json
from typing import Any, Dict, NamedTuple, Optional

from google.protobuf import json_format

from viam_sync.proto import app as pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.errors import invalid_argument

#: How deep a configuration may be nested: a message may be 100 deep, one level of JSON takes three of them, and
#: history adds some.
DEEPEST = 30


class Config(NamedTuple):
    """A configuration that is good, in both forms."""

    struct: Struct
    text: str

    def put_on(self, part: pb.RobotPart) -> None:
        """Make this the configuration of a part."""
        part.robot_config.CopyFrom(self.struct)
        part.robot_config_json = self.text


def config_given(
    request: Any, text: str = "robot_config_json", struct: str = "robot_config", of: str = "part"
) -> Optional[Config]:
    """Return the configuration in a request, the JSON text before the Struct; None if it has none.

    Args:
        request: The request.
        text: The field for the JSON text; empty if the request has no such field.
        struct: The field for the Struct.
        of: What the configuration is for.

    Raises:
        CallError: INVALID_ARGUMENT if it holds what JSON cannot, is no object, or is nested too deep.
    """
    try:
        if text and request.HasField(text):
            return config_of(json.loads(getattr(request, text)))
        if request.HasField(struct):
            return config_of(whole(json_format.MessageToDict(getattr(request, struct))))
    except (ValueError, ArithmeticError, RecursionError, json_format.Error) as error:
        raise invalid_argument(f"The configuration of the {of} cannot be used: {error}.") from None
    return None


def config_of(config: Dict[str, Any]) -> Config:
    """Return a configuration from what JSON makes of it in Python.

    Raises:
        ValueError: If JSON cannot say it, it is no object, or it is nested too deep.
    """
    if not isinstance(config, dict):
        raise ValueError("it must be an object, in curly brackets")
    _require_shallow(config, DEEPEST)
    return Config(json_format.ParseDict(config, Struct()), json.dumps(config, allow_nan=False))


def whole(value: Any) -> Any:
    """Return the value of a Struct, whose numbers are all floats, with the whole ones as integers."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _require_shallow(value: Any, depth: int) -> None:
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise ValueError(f"it is nested deeper than {DEEPEST} levels")
        for item in value.values() if isinstance(value, dict) else value:
            _require_shallow(item, depth - 1)
