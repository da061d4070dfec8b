"""The state that all calls share: the store, the IDs, the clock, and lookups of resources by their IDs."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Callable, List, Set

from viam_sync.proto import app as pb
from viam_sync.proto.google import Timestamp
from viam_sync.sandbox.core.call_errors import not_found
from viam_sync.sandbox.core.feed import Feed
from viam_sync.sandbox.core.ids import Ids
from viam_sync.sandbox.core.request_checks import HINTS, NAMES, checked_id
from viam_sync.sandbox.core.store import Store

_LAST = 2**63 - 1

#: The kinds of resources that `World.get` finds, with IDs that are mistaken for each other.
_KINDS = ("organization", "location", "robot", "part", "fragment", "dataset", "training_job", "key", "user")

_UP = """
WITH RECURSIVE up (id, parent_id, height) AS (
    SELECT id, parent_id, 0 FROM locations WHERE id = ?
    UNION ALL SELECT l.id, l.parent_id, up.height + 1 FROM locations l JOIN up ON l.id = up.parent_id)
SELECT id FROM up ORDER BY height
"""


class World:
    """The state of a sandbox, which every servicer is constructed with.

    Attributes:
        store: The database and the blobs.
        ids: The generator of IDs and secrets.
        feed: The followers of the logs of parts.
        web_url: The URL of the HTTP endpoint; empty if there is none.
        at_end: Closed before the store is, once calls have had their time to end, with what else is to be closed then.
    """

    def __init__(self, store: Store, ids: Ids, clock: Callable[[], float]) -> None:
        self.store = store
        self.ids = ids
        self.feed = Feed()
        self.web_url = ""
        self.at_end = contextlib.ExitStack()
        self._clock = clock

    def microseconds(self) -> int:
        """Return the current time, in microseconds since the epoch."""
        return round(self._clock() * 1_000_000)

    def now(self) -> Timestamp:
        """Return the current time as a message."""
        return timestamp(self.microseconds())

    def get(self, kind: str, id: str) -> sqlite3.Row:
        """Return the row of a resource by its ID.

        Args:
            kind: The kind of resource, such as "organization", "part" or "key": its table without the plural s.
            id: The ID.

        Raises:
            CallError: INVALID_ARGUMENT if the ID is malformed, NOT_FOUND if no resource has it.
        """
        id = checked_id(kind, id)
        row = self.store.row(f"SELECT * FROM {kind}s WHERE id = ?", id)
        if row is None:
            raise not_found(f"No {NAMES.get(kind, kind)} has the ID {id!r}{self._kind_with(id)}; {HINTS[kind]}.")
        return row

    def _kind_with(self, id: str) -> str:
        """Return, for an error, the kind of the resource that does have an ID; an empty text if none has it."""
        kinds = (kind for kind in _KINDS if self.store.row(f"SELECT 1 FROM {kind}s WHERE id = ?", id) is not None)
        found = next(kinds, None)
        if found is None:
            return ""
        name = NAMES.get(found, found)
        return f", which is that of {'an' if name[0] in 'Ao' else 'a'} {name}"

    def organization(self, id: str) -> pb.Organization:
        """Return an organization."""
        return pb.Organization.FromString(self.get("organization", id)["body"])

    def location(self, id: str) -> pb.Location:
        """Return a location without its derived fields: secrets, organizations and the number of robots."""
        return pb.Location.FromString(self.get("location", id)["body"])

    def robot(self, id: str) -> pb.Robot:
        """Return a robot."""
        return pb.Robot.FromString(self.get("robot", id)["body"])

    def part(self, id: str) -> pb.RobotPart:
        """Return a part without its derived fields: secrets, host names and location."""
        return pb.RobotPart.FromString(self.get("part", id)["body"])

    def organization_of(self, location_id: str) -> str:
        """Return the ID of the organization that a location belongs to."""
        return str(self.get("location", location_id)["organization_id"])

    def lineage(self, location_id: str) -> List[str]:
        """Return the IDs of a location and of its ancestors, from the bottom up."""
        return [row["id"] for row in self.store.rows(_UP, location_id)]

    def organizations_with_access(self, location_id: str) -> List[str]:
        """Return the IDs of the organization of a location, and of those that it or an ancestor is shared with."""
        lineage = self.lineage(location_id)
        shared = self.store.rows(
            f"SELECT organization_id FROM shares WHERE location_id IN ({', '.join('?' * len(lineage))}) ORDER BY rowid",
            *lineage,
        )
        return list(dict.fromkeys([self.organization_of(location_id), *(row["organization_id"] for row in shared)]))

    def above(self, resource_type: str, id: str) -> Set[str]:
        """Return the IDs of a resource and of all that contain it; a role on any of them extends to the resource."""
        if resource_type == "organization":
            return {id}
        location = id if resource_type == "location" else self.get("robot", id)["location_id"]
        return {id, *self.lineage(location), *self.organizations_with_access(location)}


def timestamp(microseconds: int) -> Timestamp:
    """Return a time in microseconds since the epoch as a message."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return Timestamp(seconds=seconds, nanos=rest * 1000)


def microseconds_of(time: Timestamp) -> int:
    """Return a time in microseconds since the epoch, limited to 64 bits as SQLite's integers are."""
    return max(-_LAST, min(_LAST, int(time.seconds) * 1_000_000 + int(time.nanos) // 1000))
