"""Where the values of a module are kept: in its names, and in the attributes of its objects."""

from __future__ import annotations

from typing import Dict, Iterable, Optional, Set

from libcst.metadata import ClassScope, Scope

from viam_sync.migrate.facts import Facts
from viam_sync.migrate.relatives import Relatives
from viam_sync.migrate.value_kinds import NOTHING, Found, Place, Value


class Places:
    """What each place may hold; it only becomes more."""

    def __init__(self, facts: Facts, relatives: Relatives) -> None:
        self._relatives = relatives
        self._kept: Dict[Place, Set[Value]] = {}
        self._class_scopes = {facts.scopes[node.body.body[0]]: node for node in facts.classes}

    @property
    def size(self) -> int:
        """How many values there are in all places."""
        return sum(map(len, self._kept.values()))

    def keep(self, place: Optional[Place], values: Iterable[Value]) -> None:
        """Add values to those of a place, if it is known."""
        if place is not None:
            self._kept.setdefault(place, set()).update(values)

    def kept_in(self, place: Optional[Place]) -> Found:
        """Return what a place may hold."""
        return frozenset(self._kept.get(place, ())) if place is not None else NOTHING

    def of_name(self, scope: Optional[Scope], name: str) -> Optional[Place]:
        """Return the place that a name stands for in a scope; relatives share those in their bodies."""
        for assignment in scope[name] if scope is not None else ():
            home = self._class_scopes.get(assignment.scope) if isinstance(assignment.scope, ClassScope) else None
            return (self._relatives.family(home) if home is not None else assignment.scope), name
        return None
