"""Usage: the parts whose configuration names a fragment, a module or a model, directly or through a fragment."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple, Union

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.world import World

_PARTS = (
    "SELECT p.id, p.robot_id, l.organization_id, p.body FROM parts p"
    " JOIN robots r ON r.id = p.robot_id JOIN locations l ON l.id = r.location_id WHERE instr(p.body, ?)"
)

_Config = Dict[str, Any]
# The ID of a fragment or of a registry item, or the ID of a fragment and the version that a configuration names.
_Name = Union[str, Tuple[str, str]]


class Use(NamedTuple):
    """A part that uses a fragment or an item, with its machine and organization."""

    part_id: str
    robot_id: str
    organization_id: str


class Usage:
    """The current usage of fragments and registry items.

    Args:
        world: The state of the sandbox.
        of_many: Whether to read the configurations of all parts at once, which is faster for many lookups.

    Attributes:
        fragments: The IDs of all fragments.
    """

    def __init__(self, world: World, of_many: bool = False) -> None:
        self._world = world
        self.fragments: Set[str] = set()
        self._including: Dict[_Name, Set[str]] = {}
        for row in world.store.rows("SELECT id, body FROM fragments"):
            self.fragments.add(row["id"])
            for name in _names(_config(pb.Fragment.FromString(row["body"]))):
                self._including.setdefault(name, set()).add(row["id"])
        self._using: Optional[Dict[_Name, Set[Use]]] = None
        if of_many:
            self._using = {}
            for use, config in self._parts_with(""):
                for name in _names(config):
                    self._using.setdefault(name, set()).add(use)

    def of_fragment(self, id: str) -> Set[Use]:
        """Return the parts that use a fragment."""
        return self._of({id})

    def of_item(self, row: sqlite3.Row) -> Set[Use]:
        """Return the parts that use a registry item, given its row."""
        return self._of({f"{prefix}:{row['name']}" for prefix in (row["organization_id"], row["prefix"])})

    def by_version(self, id: str) -> Dict[str, Set[Use]]:
        """Return the parts that use a fragment, by the version that they name; "" stands for the newest."""
        configs = [config for _, config in self._parts_with(id)]
        named = {name for config in configs for name in _names(config)}.union(self._including)
        uses = {name[1]: self._of({name}) for name in named if isinstance(name, tuple) and name[0] == id}
        return {version: found for version, found in uses.items() if found}

    def including(self, ids: Iterable[str]) -> Set[str]:
        """Return the IDs of the fragments that include one of the given fragments directly."""
        return {found for id in ids for found in self._including.get(id, ())}

    def included(self, ids: Iterable[str]) -> Set[str]:
        """Return the IDs of the fragments that the given fragments include directly."""
        wanted = set(ids)
        return {id for id in self.fragments if not wanted.isdisjoint(self._including.get(id, ()))}

    def _of(self, names: Set[_Name]) -> Set[Use]:
        seen = new = names
        while new:
            new = {found for name in new for found in self._including.get(name, ()) if found not in seen}
            seen = seen | new
        if self._using is not None:
            return {use for name in seen for use in self._using.get(name, ())}
        return {use for name in seen for use, config in self._parts_with(_text_of(name)) if name in _names(config)}

    def _parts_with(self, text: str) -> Iterator[Tuple[Use, _Config]]:
        """Yield the parts whose configuration contains a text."""
        for row in self._world.store.rows(_PARTS, text.encode()):
            part = pb.RobotPart.FromString(row["body"])
            yield Use(row["id"], row["robot_id"], row["organization_id"]), _config(part)


def fragment_ids_in(config: _Config) -> Set[str]:
    """Return the IDs of the fragments that a configuration includes."""
    return {_string(entry, "id") for entry in _section(config, "fragments")}


def _names(config: _Config) -> Set[_Name]:
    names: Set[_Name] = set()
    for entry in _section(config, "fragments"):
        names |= {_string(entry, "id"), (_string(entry, "id"), _string(entry, "version"))}
    items = [_string(entry, "module_id") for entry in _section(config, "modules")]
    items += [_string(entry, "package").replace("/", ":", 1) for entry in _section(config, "packages")]
    return names.union(item for item in items if ":" in item)


def _text_of(name: _Name) -> str:
    """Return the text that every configuration with a name contains, in whichever form it is written."""
    return name.rpartition(":")[2] if isinstance(name, str) else name[0]


def _config(thing: Union[pb.Fragment, pb.RobotPart]) -> _Config:
    text = thing.fragment_config_json if isinstance(thing, pb.Fragment) else thing.robot_config_json
    config: _Config = json.loads(text or "{}")
    return config


def _section(config: _Config, section: str) -> List[_Config]:
    entries = config.get(section)
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _string(entry: _Config, key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
