"""A log of the last calls, which the page of the sandbox shows."""

from __future__ import annotations

import collections
import itertools
import threading
import time
from typing import Callable, Deque, List, Optional

from viam_sync.sandbox.core.access import Caller

_LENGTH = 200


class LoggedCall:
    """A call, active or ended.

    Attributes:
        number: Its number since the start of the sandbox, from 1 on.
        rpc: The full name of the RPC, such as "viam.app.v1.AppService/GetRobot".
        arrived: The time of its arrival, in microseconds since the epoch.
        caller: The caller; None until the token was checked.
        status: The name of its status; empty while it is active.
        seconds: Its duration; None while it is active.
        ended: An event that is set when it ends.
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
        """Record the end; a call that got no status was cancelled by its client."""
        self.status = self.status or "CANCELLED"
        self.seconds = time.perf_counter() - self._began
        self.ended.set()


class CallLog:
    """The last calls, at most 200.

    Args:
        clock: Returns the time, in microseconds since the epoch.

    Attributes:
        on_change: Called when a call begins or ends.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._numbers = itertools.count(1)
        self._calls: Deque[LoggedCall] = collections.deque(maxlen=_LENGTH)
        self.on_change: Callable[[], None] = lambda: None

    def begin(self, rpc: str) -> LoggedCall:
        """Record the begin of a call."""
        call = LoggedCall(next(self._numbers), rpc, self._clock())
        self._calls.append(call)
        self.on_change()
        return call

    def end(self, call: LoggedCall) -> None:
        """Record the end of a call."""
        call.end()
        self.on_change()

    def clear(self) -> None:
        """Clear the log."""
        self._calls.clear()
        self.on_change()

    def latest(self) -> List[LoggedCall]:
        """Return the last calls, newest first."""
        return list(self._calls.copy())[::-1]
