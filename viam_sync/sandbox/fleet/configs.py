"""Configurations of parts and fragments, as a Struct and as JSON text."""

from __future__ import annotations

import json
from typing import Any, Dict, NamedTuple, Optional

from google.protobuf import json_format

from viam_sync.proto import app as pb
from viam_sync.proto.google import Struct
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.structs import with_integers

#: The levels that a configuration may be nested: messages are limited to 100 levels, one level of JSON takes three of
#: them, and the history adds some.
DEEPEST = 30


class Config(NamedTuple):
    """A valid configuration in both forms."""

    struct: Struct
    text: str

    def put_on(self, part: pb.RobotPart) -> None:
        """Make this the configuration of a part."""
        part.robot_config.CopyFrom(self.struct)
        part.robot_config_json = self.text


def config_in_request(
    request: Any, text: str = "robot_config_json", struct: str = "robot_config", of: str = "part"
) -> Optional[Config]:
    """Return the configuration in a request, or None; if both forms are set, the JSON text takes precedence.

    Args:
        request: The request.
        text: The field with the JSON text; empty if the request has no such field.
        struct: The field with the Struct.
        of: The owner of the configuration, for the error.

    Raises:
        CallError: INVALID_ARGUMENT if it has no form in JSON, is no object, or is nested too deep.
    """
    try:
        if text and request.HasField(text):
            return make_config(json.loads(getattr(request, text)))
        if request.HasField(struct):
            return make_config(with_integers(json_format.MessageToDict(getattr(request, struct))))
    except (ValueError, ArithmeticError, RecursionError, json_format.Error) as error:
        raise invalid_argument(f"The configuration of the {of} cannot be used: {error}.") from None
    return None


def make_config(config: Dict[str, Any]) -> Config:
    """Return a configuration, given as a dictionary.

    Raises:
        ValueError: If it has no form in JSON, is no object, or is nested too deep.
    """
    if not isinstance(config, dict):
        raise ValueError("it must be an object, in curly brackets")
    _require_shallow(config, DEEPEST)
    return Config(json_format.ParseDict(config, Struct()), json.dumps(config, allow_nan=False))


def _require_shallow(value: Any, depth: int) -> None:
    if isinstance(value, (dict, list)):
        if depth == 0:
            raise ValueError(f"it is nested deeper than {DEEPEST} levels")
        for item in value.values() if isinstance(value, dict) else value:
            _require_shallow(item, depth - 1)
