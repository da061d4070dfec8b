"""How often a call is tried, and how long it may take: one policy for each class of RPC."""

from __future__ import annotations

import logging
import random
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Callable, Generic, Optional, TypeVar, Union

import grpc

from viam_sync.checks import MOST_SECONDS, describe
from viam_sync.errors import GRPCError
from viam_sync.rpc import classification
from viam_sync.rpc.decoding import UndecodableError

if TYPE_CHECKING:
    import tenacity

LOGGER = logging.getLogger(__name__)

T = TypeVar("T")

#: Is told of a failure, and of the seconds until the next attempt.
Observer = Callable[[Any, float], None]


@dataclass(frozen=True)
class Policy:
    """What may be tried again, and for how long.

    Attributes:
        name: The name under which ``protos/surface.toml`` speaks of it.
        attempts: How often a request may be sent.
        attempt_timeout: Seconds that one attempt may take; None leaves it to the total.
        total_timeout: Seconds that all attempts and the waits between them may take; None is no limit.
        idle_timeout: Seconds that may pass in a stream without a message; None is no limit.
        repeats: Whether a request may be sent again that may have been processed.
        counted: Whether the answer is a count, which an attempt before may have diminished.
        gone_is_done: Whether it is done where a later attempt finds nothing, as an earlier one may have done it.
    """

    name: str
    attempts: int
    attempt_timeout: Optional[float]
    total_timeout: Optional[float]
    idle_timeout: Optional[float] = None
    repeats: bool = True
    gone_is_done: bool = False
    counted: bool = False


#: Changes nothing, so it can be asked again.
READ = Policy("READ", attempts=5, attempt_timeout=20, total_timeout=60)
#: A read whose answer takes the service long: SQL and MQL.
QUERY = Policy("QUERY", attempts=2, attempt_timeout=120, total_timeout=300)
#: A read that carries the contents of files, over lines that may be slow.
READ_FILES = Policy("READ_FILES", attempts=5, attempt_timeout=120, total_timeout=300)
#: Doing it twice leaves the same as doing it once.
IDEMPOTENT = Policy("IDEMPOTENT", attempts=5, attempt_timeout=20, total_timeout=60)
#: Deletes what has an ID: the second time there is nothing left to delete.
DELETE = replace(IDEMPOTENT, name="DELETE", gone_is_done=True)
#: Deletes several things, and tells how many there were.
DELETE_SOME = replace(DELETE, name="DELETE_SOME", counted=True)
#: Doing it twice would do harm: it is sent again only where that it was not processed is proved.
NON_IDEMPOTENT = Policy("NON_IDEMPOTENT", attempts=3, attempt_timeout=30, total_timeout=60, repeats=False)
#: Sends a stream of messages; as NON_IDEMPOTENT, and only where its source can be read again.
UPLOAD = Policy("UPLOAD", attempts=3, attempt_timeout=None, total_timeout=None, idle_timeout=60, repeats=False)
#: Receives a stream of messages that ends; as READ until the first one is there.
STREAM = Policy("STREAM", attempts=5, attempt_timeout=None, total_timeout=None, idle_timeout=60)
#: Receives a stream of messages that goes on until it is closed; what takes it up again knows where it was.
TAIL = Policy("TAIL", attempts=1, attempt_timeout=None, total_timeout=None)


@dataclass(frozen=True)
class Retry:
    """How often the calls of a client may be tried, and for how long; what is None stays as each class of RPC has it.

    What may be tried again at all is not changed by it: a call that creates something is repeated only where it is
    proved that the service did not process it.

    Attributes:
        attempts: How often a request may be sent; 1 for never again.
        total_timeout: Seconds that a call may take with all its attempts and the waits between them. Uploads and
            streams have no such limit.

    Raises:
        ValueError: If ``attempts`` is no whole number from 1 on, or ``total_timeout`` not above 0.

    Example:
        >>> from viam_sync import Retry
        >>> patient = client.options(retry=Retry(attempts=10, total_timeout=600))
        >>> patient.app_client.get_robot(sandbox.robot_id).name
        'rover'
    """

    attempts: Optional[int] = None
    total_timeout: Optional[float] = None

    def __post_init__(self) -> None:
        attempts, seconds = self.attempts, self.total_timeout
        if attempts is not None and (not isinstance(attempts, int) or isinstance(attempts, bool) or attempts < 1):
            raise ValueError(f"attempts takes a whole number from 1 on, got {describe(attempts)}")
        if seconds is not None and (not isinstance(seconds, (int, float)) or not 0 < seconds <= MOST_SECONDS):
            raise ValueError(f"total_timeout takes a number of seconds above 0, got {describe(seconds)}")

    def applied_to(self, policy: Policy) -> Policy:
        """Return a policy with these numbers; what can only be sent once stays so."""
        if policy.attempts == 1:
            return policy
        total = policy.total_timeout
        return replace(
            policy,
            attempts=policy.attempts if self.attempts is None else self.attempts,
            total_timeout=total if total is None or self.total_timeout is None else self.total_timeout,
        )


#: What turns the retries off: everything is sent once.
OFF = Retry(attempts=1)


def retry_from(given: Union[Retry, bool, None]) -> Optional[Retry]:
    """Return an argument ``retry``; None leaves all as it is, and False turns the retries off.

    Raises:
        TypeError: If it is neither of these, nor a ``Retry``.
    """
    if given is None or isinstance(given, Retry):
        return given
    if given is False:
        return OFF
    raise TypeError(f"retry takes a viam_sync.Retry, or False for none, got {describe(given)}")


class RetryThrottle:
    """What keeps the clients of a broken service from hammering it: after many failures there are no more retries.

    Failures take from it and successes give back; below half of it, nothing is tried again.
    """

    FULL = 100.0
    COST = 1.0
    GAIN = 0.1

    def __init__(self) -> None:
        # Threads may lose a step of one another; that is a matter of tenths.
        self.tokens = self.FULL

    def succeeded(self) -> None:
        """Put back what a success gives."""
        if self.tokens < self.FULL:
            self.tokens = min(self.FULL, self.tokens + self.GAIN)

    def failed(self) -> bool:
        """Take what a failure costs; tell whether it may be tried again."""
        self.tokens = max(0.0, self.tokens - self.COST)
        return self.tokens >= self.FULL / 2


class Failure(Exception):
    """The end of a call that was tried as often as it may be.

    Attributes:
        error: The last failure, as grpc raised it.
        attempts: How often the request was sent.
        ambiguous: Whether it may have been processed, and may not be sent again for that.
    """

    def __init__(self, error: grpc.RpcError, attempts: int, ambiguous: bool) -> None:
        super().__init__(error, attempts, ambiguous)
        self.error = error
        self.attempts = attempts
        self.ambiguous = ambiguous


class Stalled(GRPCError):
    """A stream in which nothing moved for too long, so that it was ended from here (DEADLINE_EXCEEDED)."""


def no_renewal(error: grpc.RpcError, seconds: Optional[float]) -> bool:
    """Renew nothing: what was refused once is refused for good."""
    return False


def run(
    attempt: Callable[[Optional[float]], T],
    policy: Policy,
    timeout: Optional[float] = None,
    *,
    reconnects: Optional[int] = None,
    budget: Optional[RetryThrottle] = None,
    renew: Callable[[grpc.RpcError, Optional[float]], bool] = no_renewal,
    gone: Optional[Callable[[], T]] = None,
    method: str = "",
    observe: Observer = lambda error, wait: None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Call ``attempt`` until it returns, or fails in a way that another try would not mend, or must not.

    Args:
        attempt: Makes the request once; gets the seconds that it may take, None for no limit.
        policy: How often and how long.
        timeout: The caller's own limit in seconds for everything, waits included; None leaves it to the policy.
        reconnects: How often a lost connection may be tried again; None leaves it to the policy.
        budget: What all calls of a channel may use up for retries; None for one of its own.
        renew: Told of a failure and the seconds left; tells whether it has mended its cause, in which case the attempt
            is made once more, outside the count.
        gone: Makes the answer of a deletion that an earlier attempt may have carried out.
        method: What the log calls the request.
        observe: Told of each failure after which it is tried again, and the seconds until then.
        clock: Tells the time in seconds.
        sleep: Waits that many seconds.

    Returns:
        What ``attempt`` returned.

    Raises:
        Failure: When no more attempts are made.
    """
    # A caller who names a limit knows how long one answer may take; the policy's guess would cut it short.
    each, total = (policy.attempt_timeout, policy.total_timeout) if timeout is None else (None, timeout)
    budget = budget or RetryThrottle()
    tries = _Tries(attempt, policy, _Limits(each, total, policy.idle_timeout, clock), reconnects, budget, renew)
    try:
        answer = tries.once()
    except grpc.RpcError as error:
        if not _is_failure(error):
            raise
        first = error
    else:
        budget.succeeded()
        return answer
    try:
        answer = tries.go_on(first, method, observe, sleep)
    except grpc.RpcError as error:
        if not _is_failure(error):
            raise
        last = error
    else:
        budget.succeeded()
        return answer
    if gone is not None and tries.doubtful and classification.status_of(last) is grpc.StatusCode.NOT_FOUND:
        return gone()
    raise Failure(last, tries.sent, not policy.repeats and not classification.had_no_effect(last))


def _is_failure(error: BaseException) -> bool:
    """Tell whether an error is that of an attempt, and not of what was done between two, such as authenticating."""
    return isinstance(error, (grpc.Call, Stalled, UndecodableError))


def pause_before(reconnect: int, most: float) -> float:
    """Return the seconds to wait before a connection is made again, at random, and longer with each that is lost.

    Args:
        reconnect: The number of the reconnection, from 1 on.
        most: Seconds to wait at most.
    """
    return random.uniform(0, min(most, 0.2 * 2 ** min(reconnect, 30)))


class _Limits:
    """When everything must be over, and what is left for one attempt."""

    def __init__(
        self, each: Optional[float], total: Optional[float], idle: Optional[float], clock: Callable[[], float]
    ) -> None:
        self._each = each
        self._idle = idle
        self._clock = clock
        self._end = None if total is None else clock() + total

    def seconds(self) -> Optional[float]:
        if self._end is None:
            return self._each
        left = max(self._end - self._clock(), 0)
        return left if self._each is None or left < self._each else self._each

    def passed_after(self, wait: float) -> bool:
        if self._end is None:
            return self._idle is not None and wait >= self._idle
        return self._clock() + wait >= self._end


class _Tries(Generic[T]):
    """The attempts of one call."""

    def __init__(
        self,
        attempt: Callable[[Optional[float]], T],
        policy: Policy,
        limits: _Limits,
        reconnects: Optional[int],
        budget: RetryThrottle,
        renew: Callable[[grpc.RpcError, Optional[float]], bool],
    ) -> None:
        self._attempt = attempt
        self._policy = policy
        self._limits = limits
        self._reconnects = reconnects
        self._budget = budget
        self._renew = renew
        self._lost = 0
        self.sent = 0
        #: Whether an attempt that failed may have been processed.
        self.doubtful = False

    def once(self) -> T:
        while True:
            self.sent += 1
            try:
                return self._attempt(self._limits.seconds())
            except grpc.RpcError as error:
                if not self._renew(error, self._limits.seconds()):
                    raise

    def go_on(self, failure: Exception, method: str, observe: Observer, sleep: Callable[[float], None]) -> T:
        """Go on after the first failure; tenacity is loaded and set up only here, out of the way of most calls."""
        import tenacity

        failures = [failure]
        jitter = tenacity.wait_random_exponential(multiplier=0.2, max=10)
        enough = tenacity.stop_after_attempt(self._policy.attempts)

        def next_attempt() -> T:
            if failures:
                raise failures.pop()
            return self.once()

        def wait(state: tenacity.RetryCallState) -> float:
            told = classification.pushback(_failure(state))
            return jitter(state) if told is None else told

        def before_sleep(state: tenacity.RetryCallState) -> None:
            error, seconds = _failure(state), state.upcoming_sleep
            text = "%s: attempt %d ended with %s; trying again in %.1f s"
            LOGGER.info(text, method, self.sent, classification.status_of(error).name, seconds)
            observe(error, seconds)

        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(self._is_worth_it),
            stop=lambda state: self._is_cut_off(state) or bool(enough(state)),
            wait=wait,
            sleep=sleep,
            before_sleep=before_sleep,
            reraise=True,
        )
        answer = retrying(next_attempt)
        if self.doubtful and self._policy.counted:
            LOGGER.warning("%s: an attempt before may have deleted some; the count is a lower bound", method)
        return answer

    def _is_worth_it(self, error: BaseException) -> bool:
        if not _is_failure(error):
            return False
        if classification.was_not_processed(error):
            return True
        worth = self._policy.repeats and classification.is_transient(error)
        self.doubtful = self.doubtful or worth
        return worth

    def _is_cut_off(self, state: tenacity.RetryCallState) -> bool:
        """Tell whether the service wants no other try, is too broken for one, or was lost too often, or time is up."""
        error = _failure(state)
        self._lost += classification.is_connection_lost(error)
        broken = not self._budget.failed()
        told = classification.pushback(error)
        lost = self._reconnects is not None and self._lost > self._reconnects
        unwanted = told is not None and told < 0
        return broken or lost or unwanted or self._limits.passed_after(state.upcoming_sleep)


def _failure(state: tenacity.RetryCallState) -> Any:
    return state.outcome.exception() if state.outcome else None
