"""How often a call is tried, and how long it may take: one policy for each class of RPC."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, Optional, TypeVar

import grpc

if TYPE_CHECKING:
    import tenacity

LOGGER = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True)
class Policy:
    """What may be tried again, and for how long.

    Attributes:
        name: The name under which ``protos/surface.toml`` speaks of it.
        attempts: How often a request may be sent; 1 means that it is never sent twice.
        attempt_timeout: Seconds that one attempt may take; None leaves it to the total.
        total_timeout: Seconds that all attempts and the waits between them may take; None is no limit.
    """

    name: str
    attempts: int
    attempt_timeout: Optional[float]
    total_timeout: Optional[float]


#: Changes nothing, so it can be asked again.
READ = Policy("READ", attempts=5, attempt_timeout=20, total_timeout=60)
#: A read whose answer takes the service long: SQL and MQL.
QUERY = Policy("QUERY", attempts=2, attempt_timeout=120, total_timeout=300)
#: A read that carries the contents of files, over lines that may be slow.
READ_FILES = Policy("READ_FILES", attempts=5, attempt_timeout=120, total_timeout=300)
#: Doing it twice leaves the same as doing it once.
IDEMPOTENT = Policy("IDEMPOTENT", attempts=5, attempt_timeout=20, total_timeout=60)
#: Doing it twice would do harm: it is not sent again once it may have been processed.
ONCE = Policy("ONCE", attempts=1, attempt_timeout=30, total_timeout=60)
#: Sends a stream of messages; the source may not be readable twice.
UPLOAD = Policy("UPLOAD", attempts=1, attempt_timeout=None, total_timeout=None)
#: Receives a stream of messages that ends.
STREAM = Policy("STREAM", attempts=1, attempt_timeout=None, total_timeout=None)
#: Receives a stream of messages that goes on until it is closed.
TAIL = Policy("TAIL", attempts=1, attempt_timeout=None, total_timeout=None)


def never(error: grpc.RpcError, seconds: Optional[float]) -> bool:
    """Renew nothing: what was refused once is refused for good."""
    return False


def run(
    attempt: Callable[[Optional[float]], T],
    policy: Policy,
    timeout: Optional[float] = None,
    reconnects: Optional[int] = None,
    renew: Callable[[grpc.RpcError, Optional[float]], bool] = never,
    method: str = "",
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call ``attempt`` until it returns, or fails in a way that another try would not mend.

    Args:
        attempt: Makes the request once; gets the seconds that it may take, None for no limit.
        policy: How often and how long.
        timeout: The caller's own limit in seconds for everything, waits included; None leaves it to the policy.
        reconnects: How often a lost connection may be tried again; None leaves it to the policy.
        renew: Told of a failure and the seconds left; tells whether it has mended its cause, in which case the attempt
            is made once more, outside the count.
        method: What the log calls the request.
        clock: Tells the time in seconds.
        sleep: Waits that many seconds.

    Returns:
        What ``attempt`` returned.

    Raises:
        grpc.RpcError: The last failure.
    """
    # A caller who names a limit knows how long one answer may take; the policy's guess would cut it short.
    each, total = (policy.attempt_timeout, policy.total_timeout) if timeout is None else (None, timeout)
    limits = _Limits(each, total, clock)

    def once() -> T:
        while True:
            try:
                return attempt(limits.seconds())
            except grpc.RpcError as error:
                if not renew(error, limits.seconds()):
                    raise

    try:
        return once()
    except grpc.RpcError as error:
        if policy.attempts == 1 or not _is_worth_retrying(error):
            raise
        failure = error
    attempts = policy.attempts if reconnects is None else min(policy.attempts, 1 + reconnects)
    return _again(once, failure, attempts, limits, method, sleep)


class _Limits:
    """When everything must be over, and what is left for one attempt."""

    def __init__(self, each: Optional[float], total: Optional[float], clock: Callable[[], float]) -> None:
        self._each = each
        self._clock = clock
        self._end = None if total is None else clock() + total

    def seconds(self) -> Optional[float]:
        if self._end is None:
            return self._each
        left = max(self._end - self._clock(), 0)
        return left if self._each is None or left < self._each else self._each

    def passed_after(self, wait: float) -> bool:
        return self._end is not None and self._clock() + wait >= self._end


def _again(
    once: Callable[[], T],
    failure: grpc.RpcError,
    attempts: int,
    limits: _Limits,
    method: str,
    sleep: Callable[[float], None],
) -> T:
    """Go on after the first failure; tenacity is loaded and set up only here, out of the way of most calls."""
    import tenacity

    failures = [failure]

    def next_attempt() -> T:
        if failures:
            raise failures.pop()
        return once()

    enough = tenacity.stop_after_attempt(attempts)

    def stop(retry_state: tenacity.RetryCallState) -> bool:
        return bool(enough(retry_state)) or limits.passed_after(retry_state.upcoming_sleep)

    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_is_worth_retrying),
        stop=stop,
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=10),
        sleep=sleep,
        before_sleep=lambda state: _log(state, method),
        reraise=True,
    )
    return retrying(next_attempt)


def is_too_large(status: Optional[grpc.StatusCode], text: str) -> bool:
    """Tell whether a call failed because its answer, or its request, is too large for one message.

    Example:
        >>> from viam_sync.rpc.retry import is_too_large
        >>> is_too_large(grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (70 vs. 64)")
        True
    """
    if "INCLUDE_BINARY_TOO_LARGE" in text:
        return True
    return status is grpc.StatusCode.RESOURCE_EXHAUSTED and ("larger than max" in text or "too large" in text.lower())


def _is_worth_retrying(error: BaseException) -> bool:
    """Tell whether a request that may be repeated could fare better the next time."""
    if not isinstance(error, grpc.RpcError) or not isinstance(error, grpc.Call):
        return False
    status = error.code()
    if is_too_large(status, error.details() or ""):
        return False
    passing = (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    )
    return status in passing


def _log(state: tenacity.RetryCallState, method: str) -> None:
    error = state.outcome.exception() if state.outcome else None
    status = error.code().name if isinstance(error, grpc.Call) else type(error).__name__
    LOGGER.info(
        "%s: attempt %d ended with %s; trying again in %.1f s",
        method,
        state.attempt_number,
        status,
        state.upcoming_sleep,
    )
