"""How those who follow the log of a part hear of something new in it."""

from __future__ import annotations

import contextlib
import threading
from typing import Dict, Iterator, List


class Follower:
    """Somebody who follows the log of a part, and looks at it once before the first wait."""

    def __init__(self) -> None:
        self._news = threading.Event()
        self._news.set()
        self._ended = False

    def wait(self) -> bool:
        """Wait until there may be something new, or until the end; return whether to go on."""
        self._news.wait()
        # Cleared before the log is read: what comes while it is being read is a reason to read it again.
        self._news.clear()
        return not self._ended

    def wake(self) -> None:
        """Say that there may be something new."""
        self._news.set()

    def end(self) -> None:
        """Say that it is over; this never waits for anything."""
        self._ended = True
        self._news.set()


class Feed:
    """The followers of all parts.

    They carry no entries: each reads those that it has not seen from the store when it gets there, so a slow one
    neither holds up whoever writes, nor misses anything, nor makes entries pile up in memory.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._followers: Dict[str, List[Follower]] = {}

    @contextlib.contextmanager
    def following(self, part_id: str) -> Iterator[Follower]:
        """Follow a part until the end of the block."""
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

        This belongs into the transaction that does it: they can only read once that is over, and see nothing if it is
        taken back.
        """
        with self._changed:
            for follower in self._followers.get(part_id, ()):
                follower.wake()

    def wait_for_follower(self, part_id: str, seconds: float) -> bool:
        """Wait until a part has a follower; return whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: part_id in self._followers, seconds)
