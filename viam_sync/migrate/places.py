"""Where the values of a program are kept: in its names, and in the attributes of its objects."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, Optional, Set, Tuple

from libcst.metadata import ClassScope, Scope

from viam_sync.migrate.facts import Facts
from viam_sync.migrate.relatives import Relatives
from viam_sync.migrate.value_kinds import NOTHING, Found, Place, Value

#: Something that moves values, and what it is done with.
Move = Tuple[Callable[[Any], None], Any]


class Places:
    """What each place may hold; it only becomes more.

    Attributes:
        reader: The move that reads places at the moment: once one of these holds more, it is to be made again.
    """

    def __init__(self, facts: Facts, relatives: Relatives) -> None:
        self._relatives = relatives
        self._kept: Dict[Place, Set[Value]] = {}
        self._readers: Dict[Place, Set[Move]] = {}
        self._woken: Set[Move] = set()
        self.reader: Optional[Move] = None
        self._class_scopes = {facts.scopes[node.body.body[0]]: node for node in facts.classes}

    def keep(self, place: Optional[Place], values: Iterable[Value]) -> None:
        """Add values to those of a place, if it is known."""
        if place is None:
            return
        kept = self._kept.setdefault(place, set())
        before = len(kept)
        kept.update(values)
        if len(kept) > before:
            self._woken.update(self._readers.get(place, ()))

    def kept_in(self, place: Optional[Place]) -> Found:
        """Return what a place may hold."""
        if place is None:
            return NOTHING
        if self.reader is not None:
            self._readers.setdefault(place, set()).add(self.reader)
        return frozenset(self._kept.get(place, ()))

    def woken(self) -> Set[Move]:
        """Return the moves that have read a place which has got more since; each once."""
        woken, self._woken = self._woken, set()
        return woken

    def of_name(self, scope: Optional[Scope], name: str) -> Optional[Place]:
        """Return the place that a name stands for in a scope; relatives share those in their bodies."""
        for assignment in scope[name] if scope is not None else ():
            home = self._class_scopes.get(assignment.scope) if isinstance(assignment.scope, ClassScope) else None
            return (self._relatives.family(home) if home is not None else assignment.scope), name
        return None
