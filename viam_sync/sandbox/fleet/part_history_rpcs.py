"""The RPC about the history of a part: its state before each edit, and the editor."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.world import World, microseconds_of

# The largest integer of SQLite.
_LAST = 2**63 - 1


class PartHistoryServicer:
    """The RPC of AppService about the history of parts."""

    def __init__(self, world: World) -> None:
        self._world = world

    def GetRobotPartHistory(
        self, request: pb.GetRobotPartHistoryRequest, caller: Caller
    ) -> pb.GetRobotPartHistoryResponse:
        """List the edits of a part, newest first: all of them, or a page of ``page_limit``."""
        before = _decode_page_token(request.page_token) if request.page_token else _LAST
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
        page, more = rows[:limit], len(rows) > limit
        return pb.GetRobotPartHistoryResponse(
            history=[pb.RobotPartHistoryEntry.FromString(row["body"]) for row in page],
            next_page_token=f"edit-{page[-1]['id']}" if more else "",
        )


def _decode_page_token(token: str) -> int:
    number = token[len("edit-") :]
    if not token.startswith("edit-") or not number.isdecimal() or len(number) > 18:
        raise invalid_argument(
            "The page token is none that this call returned; leave it out to begin at the newest edit."
        )
    return int(number)
