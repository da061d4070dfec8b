"""The history of a part: what it was before each edit, and who made that."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.errors import invalid_argument
from viam_sync.sandbox.world import World, microseconds_of

# As far as SQLite counts.
_LAST = 2**63 - 1


class History:
    """The RPC of AppService about the history of parts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetRobotPartHistory(
        self, request: pb.GetRobotPartHistoryRequest, caller: Caller
    ) -> pb.GetRobotPartHistoryResponse:
        """List the edits of a part, newest first: all, or a page of ``page_limit``."""
        before = _place(request.page_token) if request.page_token else _LAST
        limit = min(request.page_limit or _LAST, _LAST - 1)
        if limit < 0:
            raise invalid_argument(f"page_limit is {limit}; give a positive number, or none for everything.")
        part = self._world.part(request.id)
        caller.require("read_robot_history", "robot", part.robot)
        start = max(-_LAST, microseconds_of(request.start)) if request.HasField("start") else -_LAST
        end = min(_LAST, microseconds_of(request.end)) if request.HasField("end") else _LAST
        rows = self._world.store.rows(
            "SELECT id, body FROM history WHERE part_id = ? AND id < ? AND edited >= ? AND edited < ?"
            " ORDER BY id DESC LIMIT ?",
            *(part.id, before, min(start, _LAST), max(end, -_LAST), limit + 1),
        )
        shown, more = rows[:limit], len(rows) > limit
        return pb.GetRobotPartHistoryResponse(
            history=[pb.RobotPartHistoryEntry.FromString(row["body"]) for row in shown],
            next_page_token=f"edit-{shown[-1]['id']}" if more else "",
        )


def add_to_history(world: World, old: pb.RobotPart, caller: Caller) -> None:
    """Note that the caller is about to edit a part; ``old`` is what it was, without secrets."""
    entry = pb.RobotPartHistoryEntry(part=old.id, robot=old.robot, when=world.now(), old=old)
    entry.edited_by.type = caller.type
    entry.edited_by.value = caller.id
    world.store.insert("history", part_id=old.id, edited=world.microseconds(), body=entry.SerializeToString())


def _place(token: str) -> int:
    number = token[len("edit-") :]
    if not token.startswith("edit-") or not number.isdecimal() or len(number) > 18:
        raise invalid_argument(
            "The page token is none that this call returned; leave it out to begin at the newest edit."
        )
    return int(number)
