"""Notifications for calls that follow the log of a part."""

from __future__ import annotations

import contextlib
import threading
from typing import Dict, Iterator, List


class Follower:
    """A subscription to the log of a part; its first wait returns at once."""

    def __init__(self) -> None:
        self._changed = threading.Event()
        self._changed.set()
        self._ended = False

    def wait(self) -> bool:
        """Wait until the log may have changed, or until `end`; return whether to read on."""
        self._changed.wait()
        # The event is cleared before the log is read: an entry that arrives during the read sets it again.
        self._changed.clear()
        return not self._ended

    def wake(self) -> None:
        """Report that the log may have changed."""
        self._changed.set()

    def end(self) -> None:
        """End the subscription; this never blocks."""
        self._ended = True
        self._changed.set()


class Feed:
    """The followers of all parts.

    Notifications carry no entries: each follower reads the entries after its last one from the store. So a slow
    follower neither blocks writers, nor misses an entry, nor lets entries pile up in memory.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._followers: Dict[str, List[Follower]] = {}

    @contextlib.contextmanager
    def following(self, part_id: str) -> Iterator[Follower]:
        """Follow the log of a part until the end of the block."""
        follower = Follower()
        with self._changed:
            self._followers.setdefault(part_id, []).append(follower)
            self._changed.notify_all()
        try:
            yield follower
        finally:
            with self._changed:
                self._followers[part_id].remove(follower)
                if not self._followers[part_id]:
                    del self._followers[part_id]
                self._changed.notify_all()

    def wake(self, part_id: str) -> None:
        """Wake the followers of a part whose log has changed, or that was deleted.

        Call it within the transaction of the change: followers can read only after its end, and after a rollback they
        find nothing new.
        """
        with self._changed:
            for follower in self._followers.get(part_id, ()):
                follower.wake()

    def wait_for_follower(self, part_id: str, seconds: float) -> bool:
        """Wait at most so many seconds until a part has a follower, and return whether it has one."""
        with self._changed:
            return self._changed.wait_for(lambda: part_id in self._followers, seconds)
