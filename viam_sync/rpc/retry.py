"""The retry loop: makes a request until it succeeds, or fails in a way that another attempt would not mend."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Callable, Generic, Optional, TypeVar

import grpc

from viam_sync import clock
from viam_sync.rpc import classification
from viam_sync.rpc.policies import Policy
from viam_sync.rpc.retry_limits import RetryLimit

if TYPE_CHECKING:
    import tenacity

LOGGER = logging.getLogger(__name__)

T = TypeVar("T")


#: Seconds that an attempt needs at least; a deadline of grpc may pass that much before ours.
_LEAST = 0.01
#: Seconds between two attempts at most while no connection can be made.
_LONGEST_WAIT_TO_CONNECT = 2.0
#: Seconds after which a service that is away is worth a warning.
_SILENCE = 3.0
#: A success is worth one after more failed attempts than this, or more seconds from the first attempt to the last.
_FEW_FAILURES = 2
_SHORT_DELAY = 3.0


class Call(ABC, Generic[T]):
    """A request that the retry loop makes; a subclass says how, and what to do between two attempts.

    There is no constructor: a subclass sets the attributes, as each call makes one.

    Attributes:
        name: How the log and errors call the request.
        attempts: How often it was sent.
        throttle: Limits the retries; all calls of a channel share one.
        max_reconnects: How often the request may be made again after its connection was lost; None leaves that to the
            policy.
    """

    name: str
    attempts: int = 0
    throttle: RetryLimit
    max_reconnects: Optional[int] = None

    @abstractmethod
    def attempt(self, seconds: Optional[float]) -> T:
        """Make the request once, in that many seconds; None is no limit."""

    def is_failure(self, error: BaseException) -> bool:
        """Tell whether an error is that of an attempt, and not of a step between two, such as authenticating."""
        return isinstance(error, classification.AttemptError) or classification.is_of_grpc(error)

    def renew(self, error: Any, seconds: Optional[float]) -> bool:
        """Tell whether the cause of a failure was mended, so that the request is made once more, outside the count."""
        return False

    def may_outlast_outages(self) -> bool:
        """Tell whether the service was ever reached, so that it is worth waiting for it to come back."""
        return True

    def has_progressed(self) -> bool:
        """Tell whether the last attempt came nearer to the end, so that the count of failures starts afresh."""
        return False

    def will_retry(self, error: Any, wait: float) -> None:
        """Take note of a failure after which the request is made again in ``wait`` seconds."""

    def empty_response(self) -> T:
        """Return the response of a deletion that an earlier attempt carried out."""
        raise NotImplementedError

    def now(self) -> float:
        """Return the time in seconds, from any origin."""
        return clock.now()

    def sleep(self, seconds: float) -> None:
        """Wait that many seconds, or until the call is cancelled."""
        time.sleep(seconds)


class CallFailed(Exception):
    """A call that failed for good.

    Attributes:
        error: The last failure.
        ambiguous: Whether the request may have been processed, and may not be sent again for that reason.
    """

    def __init__(self, error: Any, ambiguous: bool) -> None:
        super().__init__(error, ambiguous)
        self.error = error
        self.ambiguous = ambiguous


def run(call: Call[T], policy: Policy, timeout: Optional[float] = None) -> T:
    """Make a call as its policy says.

    Args:
        call: The call.
        policy: How often it may be sent, and how long it may take.
        timeout: The caller's own limit in seconds for everything, waits included; None leaves it to the policy.

    Returns:
        The response.

    Raises:
        CallFailed: When no more attempts are made.
    """
    began = call.now()
    # A caller who names a limit knows how long one response may take; the policy's guess would cut it short.
    first = timeout
    if timeout is None:
        first = min(filter(None, (policy.attempt_timeout, policy.total_timeout)), default=None)
    call.attempts += 1
    try:
        response = call.attempt(first)
    except grpc.RpcError as error:
        if not call.is_failure(error):
            raise
        failure = error
    else:
        call.throttle.succeeded()
        return response
    return _RetryLoop(call, policy, _Deadline(policy, timeout, call.now, began)).run(failure)


class _Deadline:
    """The end of a call, and the seconds left for one attempt."""

    def __init__(self, policy: Policy, timeout: Optional[float], now: Callable[[], float], began: float) -> None:
        total = policy.total_timeout if timeout is None else timeout
        self._attempt_timeout = policy.attempt_timeout if timeout is None else None
        #: The longest wait of a call without an end that the service may ask for.
        self._longest_wait = policy.outage_timeout if policy.idle_timeout is None else policy.idle_timeout
        self.now = now
        self.began = began
        self.end = None if total is None else began + total

    def left(self) -> Optional[float]:
        if self.end is None:
            return self._attempt_timeout
        left = max(self.end - self.now(), 0)
        return left if self._attempt_timeout is None or left < self._attempt_timeout else self._attempt_timeout

    def is_over_after(self, wait: float) -> bool:
        if self.end is None:
            return self._longest_wait is not None and wait >= self._longest_wait
        return self.now() + wait + _LEAST >= self.end


class _Outage:
    """The attempts in a row that the service was away, which do not count while it may come back in time."""

    def __init__(self, call: Call[Any], policy: Policy, deadline: _Deadline) -> None:
        self._name = call.name
        self._limit = policy.outage_timeout if policy.attempts > 1 and call.may_outlast_outages() else 0
        self._counts_unavailable = policy.counts_unavailable
        self._deadline = deadline
        self._began: Optional[float] = None
        self._reported = False

    def meets(self, error: Any) -> bool:
        """Take note of a failure; tell whether the service is away, so that the attempt does not count."""
        is_away = self._limit != 0 and (classification.is_unreachable(error) or self._says_so(error))
        if not is_away:
            self._began = None
        elif self._began is None:
            self._began = self._deadline.now()
        return is_away

    def _says_so(self, error: Any) -> bool:
        # A service that names a time to wait is there, and may name a very short one.
        is_unavailable = classification.is_unavailable(error) and classification.pushback(error) is None
        return is_unavailable and not self._counts_unavailable

    def is_over_after(self, wait: float) -> bool:
        """Tell whether the service has been away for too long by the end of a wait."""
        if self._began is None or self._limit is None:
            return False
        return self._deadline.now() + wait - self._began >= self._limit

    def report(self, error: Any) -> None:
        """Log once that the service is away, when it has been so for some seconds."""
        if self._began is None or self._reported:
            return
        away = self._deadline.now() - self._began
        if away >= _SILENCE:
            self._reported = True
            end = self._began + self._limit if self._deadline.end is None and self._limit else self._deadline.end
            left = "" if end is None else f" for {end - self._deadline.now():.0f} s more"
            text = "%s: the service has been away for %.0f s; going on to try%s (%s)"
            LOGGER.warning(text, self._name, away, left, classification.text_of(error))


class _Delay:
    """The failed attempts of a call since it last made progress, and the time that they took."""

    def __init__(self, call: Call[Any], deadline: _Deadline) -> None:
        self._call = call
        self._now = deadline.now
        self._began = deadline.began
        self._failures = 0
        self._seconds = 0.0

    def begin(self) -> None:
        """Begin afresh."""
        self._began = self._now()
        self._failures = 0

    def grow(self, wait: float) -> None:
        """Take note of a failure after which the request is made again in ``wait`` seconds."""
        self._failures += 1
        self._seconds = self._now() + wait - self._began

    def report(self) -> None:
        """Log the success of the call, if it came late."""
        if self._failures > _FEW_FAILURES or self._seconds > _SHORT_DELAY:
            LOGGER.warning(
                "%s: succeeded at attempt %d, %.1f s late", self._call.name, self._call.attempts, self._seconds
            )


class _RetryLoop(Generic[T]):
    """The attempts after the first failure of a call."""

    def __init__(self, call: Call[T], policy: Policy, deadline: _Deadline) -> None:
        self._call = call
        self._policy = policy
        self._deadline = deadline
        self._outage = _Outage(call, policy, deadline)
        self._counted = 0
        self._connections_lost = 0
        #: Whether the last attempt found the service away, and whether the throttle was against another one.
        self._is_away = self._is_throttled = False
        #: Whether an attempt that failed may have been processed.
        self._in_doubt = False
        self._delay = _Delay(call, deadline)

    def run(self, first: Any) -> T:
        """Go on after the first failure; tenacity is loaded only here, as most calls do not need it."""
        import tenacity

        pending = [first]
        retrying = tenacity.Retrying(
            retry=self._is_worth_retrying,
            stop=self._is_cut_off,
            wait=self._waits(),
            sleep=self._sleep,
            before_sleep=self._report,
            reraise=True,
        )
        try:
            response = retrying(lambda: self._attempt(pending.pop() if pending else None))
        except grpc.RpcError as error:
            if not self._call.is_failure(error):
                raise
            last = error
        else:
            self._call.throttle.succeeded()
            self._delay.report()
            if self._in_doubt and self._policy.returns_count:
                LOGGER.warning(
                    "%s: an earlier attempt may have deleted some; the count is a lower bound", self._call.name
                )
            return response
        was_deleted = self._policy.not_found_is_success and self._in_doubt
        if was_deleted and classification.status_of(last) is grpc.StatusCode.NOT_FOUND:
            return self._call.empty_response()
        raise CallFailed(last, not self._policy.idempotent and not classification.had_no_effect(last))

    def _waits(self) -> Callable[[tenacity.RetryCallState], float]:
        """Return the function that says how long to wait for the next attempt."""
        import tenacity

        longest = self._policy.longest_wait
        jitter = tenacity.wait_random_exponential(multiplier=0.2, max=longest)
        slowly = tenacity.wait_random(longest / 2, longest)

        def wait(state: tenacity.RetryCallState) -> float:
            error = _failure(state)
            pushback = classification.pushback(error)
            if pushback is not None:
                return pushback
            if self._is_throttled:
                return slowly(state)
            # An attempt that reaches nobody is a burden to nobody.
            most = _LONGEST_WAIT_TO_CONNECT if classification.is_unreachable(error) else longest
            return min(jitter(state), most)

        return wait

    def _attempt(self, failure: Optional[Any]) -> T:
        """Make the request, once more for each failure whose cause could be mended; begin with ``failure``, if any."""
        while True:
            if failure is not None and not self._call.renew(failure, self._deadline.left()):
                raise failure
            self._call.attempts += 1
            try:
                return self._call.attempt(self._deadline.left())
            except grpc.RpcError as error:
                failure = error

    def _is_worth_retrying(self, state: tenacity.RetryCallState) -> bool:
        error = _failure(state)
        if error is None or not self._call.is_failure(error):
            return False
        if self._call.has_progressed():
            state.attempt_number = 1
            self._counted = 0
            self._delay.begin()
        retry = self._may_be_sent_again(error)
        if retry:
            self._count(error)
        return retry

    def _may_be_sent_again(self, error: Any) -> bool:
        if classification.was_not_processed(error):
            return True
        if self._policy.resumes:
            return classification.can_resume(error)
        retry = self._policy.idempotent and classification.is_transient(error)
        self._in_doubt = self._in_doubt or retry
        return retry

    def _count(self, error: Any) -> None:
        self._is_away = self._outage.meets(error)
        self._counted += not self._is_away
        self._connections_lost += classification.is_connection_lost(error)
        self._is_throttled = not (classification.is_unreachable(error) or self._call.throttle.failed(error))

    def _is_cut_off(self, state: tenacity.RetryCallState) -> bool:
        """Tell whether the attempts, the throttle, the service, the lost connections or the time forbid another one."""
        wait = state.upcoming_sleep
        most = self._call.max_reconnects
        pushback = classification.pushback(_failure(state))
        return (
            # An outage is not over the sooner for the number of calls that wait for its end; they wait longer.
            (self._is_throttled and not self._is_away)
            or self._counted >= self._policy.attempts
            or (most is not None and self._connections_lost > most)
            or (pushback is not None and pushback < 0)
            or self._outage.is_over_after(wait)
            or self._deadline.is_over_after(wait)
        )

    def _sleep(self, seconds: float) -> None:
        with self._call.throttle.waiting():
            self._call.sleep(seconds)

    def _report(self, state: tenacity.RetryCallState) -> None:
        error, wait = _failure(state), state.upcoming_sleep
        status = classification.status_of(error).name
        text = "%s: attempt %d ended with %s; trying again in %.1f s"
        LOGGER.info(text, self._call.name, self._call.attempts, status, wait)
        self._outage.report(error)
        self._delay.grow(wait)
        self._call.will_retry(error, wait)


def _failure(state: tenacity.RetryCallState) -> Any:
    return state.outcome.exception() if state.outcome else None
