"""The model of the history of parts."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.world import World


def add_to_history(world: World, old: pb.RobotPart, caller: Caller) -> None:
    """Record an edit of a part; ``old`` is the part before the edit, without secrets."""
    entry = pb.RobotPartHistoryEntry(part=old.id, robot=old.robot, when=world.now(), old=old)
    entry.edited_by.type = caller.type
    entry.edited_by.value = caller.id
    world.store.insert("history", part_id=old.id, edited=world.microseconds(), body=entry.SerializeToString())
