"""The signatures of the newest official SDK, kept as a table of facts, and ours of the same names."""

import inspect
import json
from importlib import import_module
from pathlib import Path
from typing import Any, Dict, List, Mapping

Facts = Dict[str, List[Mapping[str, Any]]]

TABLE = Path(__file__).with_name("newest.json")
NEWEST: Facts = json.loads(TABLE.read_text(encoding="utf-8"))


def ours(name: str) -> Any:
    """Return what of ours has a name of the table."""
    parts = name.split(".")
    depth = 1 if parts[0] == "utils" else 2
    found = import_module(".".join(["viam_sync", *parts[:depth]]))
    for part in parts[depth:]:
        found = getattr(found, part)
    return found


def own_parameters(name: str) -> Dict[str, inspect.Parameter]:
    """Return the parameters of ours, without ``self``."""
    return {key: each for key, each in inspect.signature(ours(name)).parameters.items() if key != "self"}


def names_by_position(fact: List[Mapping[str, Any]]) -> List[str]:
    """Return what a fact takes by position, in its order."""
    return [each["name"] for each in fact if "keyword_only" not in each]


def positional(member: str) -> List[str]:
    """Return what the newest SDK takes by position for ``Class.method``; nothing if it has none of this name."""
    return next((names_by_position(fact) for name, fact in NEWEST.items() if name.endswith(f".{member}")), [])
