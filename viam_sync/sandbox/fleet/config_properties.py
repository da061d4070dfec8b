"""Changes to single properties of a configuration."""

from __future__ import annotations

import json
from typing import Any, List

from google.protobuf import json_format

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.structs import with_integers
from viam_sync.sandbox.fleet.configs import DEEPEST


def change_property(config: Any, change: pb.ConfigPropertyChange) -> None:
    """Set the property that a change names; the configuration is not changed if that raises.

    Raises:
        ValueError: If the property cannot be set, or has no value.
    """
    if change.value.WhichOneof("kind") is None:
        raise ValueError("it has no value; to empty it, give null")
    value = with_integers(json_format.MessageToDict(change.value))
    json.dumps(value, allow_nan=False)
    _set(config, change.path.split("."), value)


def _set(config: Any, path: List[str], value: Any) -> None:
    if not all(path):
        raise ValueError("its path has an empty key")
    if len(path) + _depth(value) > DEEPEST:
        raise ValueError(f"the configuration would be nested deeper than {DEEPEST} levels")
    for number, step in enumerate(path[:-1], 1):
        key = _key_or_index(config, step)
        if isinstance(config, list) and key == len(config):
            raise ValueError(f"the list has no place {step!r} yet")
        if isinstance(config, dict) and step not in config:
            for missing in reversed(path[number:]):
                value = {missing: value}
            config[step] = value
            return
        config = config[key]
    key = _key_or_index(config, path[-1])
    if isinstance(config, list) and key == len(config):
        config.append(value)
    else:
        config[key] = value


def _key_or_index(config: Any, step: str) -> Any:
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
