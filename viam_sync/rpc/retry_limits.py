"""Limits on retries: the throttle that all calls of a channel share, and none."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, ContextManager

from typing_extensions import Protocol

from viam_sync import clock

_NO_CONTEXT: ContextManager[None] = contextlib.nullcontext()


class RetryLimit(Protocol):
    """Limits retries; it is told of each success, and of each failure that another attempt may mend."""

    def waiting(self) -> ContextManager[None]:
        """Return the context in which a call waits for its next attempt."""
        ...

    def succeeded(self) -> None:
        """Take note of a success."""
        ...

    def failed(self, error: Any) -> bool:
        """Take note of a failure; tell whether the request may be sent again."""
        ...


class RetryThrottle:
    """Keeps the clients of a broken service from hammering it: after many failures there are no more retries (gRFC A6).

    A failure costs one token; a success gives a tenth of one back, and a second a whole one. Below half of the tokens,
    nothing is sent again.

    Args:
        now: Returns the time in seconds.

    Attributes:
        tokens: The number of tokens after the last failure or success.
    """

    FULL = 100.0
    COST = 1.0
    GAIN = 0.1
    GAIN_PER_SECOND = 1.0

    def __init__(self, now: Callable[[], float] = clock.now) -> None:
        # Without a lock, threads may lose a step of one another: an error of tenths, which harms nothing.
        self.tokens = self.FULL
        self._now = now
        self._counted_at = now()

    def waiting(self) -> ContextManager[None]:
        """Return a context without effect."""
        return _NO_CONTEXT

    def succeeded(self) -> None:
        """Put back the tokens of a success."""
        if self.tokens < self.FULL:
            self._add(self.GAIN)

    def failed(self, error: Any) -> bool:
        """Take the token of a failure; tell whether the request may be sent again."""
        self._add(0)
        self.tokens = max(0.0, self.tokens - self.COST)
        return self.tokens >= self.FULL / 2

    def _add(self, tokens: float) -> None:
        """Put back some tokens, and those of the time that has passed."""
        now = self._now()
        passed, self._counted_at = max(now - self._counted_at, 0), now
        self.tokens = min(self.FULL, self.tokens + tokens + passed * self.GAIN_PER_SECOND)


class Unlimited:
    """Limits no retries, for calls that are limited in another way."""

    def waiting(self) -> ContextManager[None]:
        """Return a context without effect."""
        return _NO_CONTEXT

    def succeeded(self) -> None:
        """Do nothing."""

    def failed(self, error: Any) -> bool:
        """Return True: the request may be sent again."""
        return True
