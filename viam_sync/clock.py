"""The clocks of waits and deadlines, which go on where a test has stopped or moved those of ``time``."""

import sys
import time
from typing import Optional

#: Seconds by which two readings of a clock may differ.
_CLOSE = 1.0

if sys.platform == "win32":

    def now() -> float:
        """Return the seconds since any origin."""
        return time.monotonic()

    def real_time() -> float:
        """Return the seconds since 1970."""
        return time.time()

else:
    # The clock of Linux that has a resolution of milliseconds; ``time`` has no name for it, and time_machine leaves it.
    _REAL_TIME = 5 if sys.platform == "linux" else time.CLOCK_REALTIME

    def now() -> float:
        """Return the seconds since any origin.

        Example:
            >>> from viam_sync import clock
            >>> before = clock.now()
            >>> clock.now() >= before
            True
        """
        return time.clock_gettime(time.CLOCK_MONOTONIC)

    def real_time() -> float:
        """Return the seconds since 1970, to some milliseconds.

        Example:
            >>> from viam_sync import clock
            >>> clock.real_time() > 1_700_000_000
            True
        """
        return time.clock_gettime(_REAL_TIME)


def is_ahead(told: float) -> bool:
    """Tell whether a reading of a clock, in seconds since 1970, is in the future.

    Example:
        >>> from viam_sync.clock import is_ahead, real_time
        >>> is_ahead(real_time() + 3600)
        True
    """
    return told > real_time() + _CLOSE


def time_of_grpc() -> float:
    """Return the seconds since 1970 as grpc sees them: freezegun lets modules that it shall ignore see the real time.

    Example:
        >>> from viam_sync.clock import is_ahead, time_of_grpc
        >>> is_ahead(time_of_grpc())
        False
    """
    # freezegun looks at the name of the module that asks.
    told: float = eval("time.time()", {"__name__": "grpc", "time": time})
    return told


class _Timeout(float):
    """A number of seconds that grpc adds to ``time.time()``, which gives a deadline by the real time in any case."""

    def __radd__(self, told: float) -> float:
        real = real_time()
        return float(self) + (told if abs(real - told) < _CLOSE else real)


def grpc_timeout(seconds: Optional[float]) -> Optional[float]:
    """Return a timeout for grpc that holds where ``time.time()`` is stopped or moved.

    Args:
        seconds: The timeout; None for none.

    Example:
        >>> from viam_sync.clock import grpc_timeout, real_time
        >>> stopped = 0.0
        >>> stopped + grpc_timeout(20) > real_time()
        True
    """
    return None if seconds is None else _Timeout(seconds)
