"""The calls that have arrived last, for whoever looks on."""

from __future__ import annotations

import collections
import itertools
import threading
import time
from typing import Callable, Deque, List, Optional

from viam_sync.sandbox.access import Caller

_KEPT = 200


class Call:
    """A call, under way or over.

    Attributes:
        number: Which one it is since the start.
        rpc: Its full name, such as "viam.app.v1.AppService/GetRobot".
        arrived: When it arrived, in microseconds since 1970.
        caller: Who makes it, once that is known.
        status: The name of the status that it ended with; empty while it is under way.
        seconds: How long it took; None while it is under way.
        ended: Set when it is over.
    """

    def __init__(self, number: int, rpc: str, arrived: int) -> None:
        self.number = number
        self.rpc = rpc
        self.arrived = arrived
        self.caller: Optional[Caller] = None
        self.status = ""
        self.seconds: Optional[float] = None
        self.ended = threading.Event()
        self._began = time.perf_counter()

    def end(self) -> None:
        """Say that it is over; if nothing else gave it a status, its client went away."""
        self.status = self.status or "CANCELLED"
        self.seconds = time.perf_counter() - self._began
        self.ended.set()


class Calls:
    """The last calls, a few hundred at most.

    Args:
        clock: What tells the time, in microseconds since 1970.

    Attributes:
        on_change: What is called when a call has arrived or is over.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._kept: Deque[Call] = collections.deque(maxlen=_KEPT)
        self.on_change: Callable[[], None] = lambda: None

    def begin(self, rpc: str) -> Call:
        """Note a call that has arrived."""
        call = Call(next(self._numbers), rpc, self._clock())
        self._kept.append(call)
        self.on_change()
        return call

    def end(self, call: Call) -> None:
        """Note that a call is over."""
        call.end()
        self.on_change()

    def forget(self) -> None:
        """Forget the calls that are over."""
        self._kept.clear()
        self.on_change()

    def latest(self) -> List[Call]:
        """Return the last calls, newest first."""
        return list(self._kept.copy())[::-1]
