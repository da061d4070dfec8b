import logging
from typing import Any, Callable, List, Optional

import grpc
import pytest

from viam_sync.rpc import retry
from viam_sync.rpc.retry import IDEMPOTENT, ONCE, QUERY, READ, READ_FILES, STREAM, TAIL, UPLOAD, Policy

POLICIES = [READ, QUERY, READ_FILES, IDEMPOTENT, ONCE, UPLOAD, STREAM, TAIL]


class Failure(grpc.RpcError, grpc.Call):  # type: ignore[misc, unused-ignore]
    """A failed call as grpc would raise it, without a server."""

    __abstractmethods__: Any = frozenset()

    def __init__(self, status: grpc.StatusCode, details: str = "") -> None:
        super().__init__(status)
        self._status = status
        self._details = details

    def code(self) -> grpc.StatusCode:
        return self._status

    def details(self) -> str:
        return self._details


Failure.__abstractmethods__ = frozenset()


class Clock:
    """A clock that only moves when something waits, or takes its time."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: List[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


class Attempts:
    """A request that fails as planned, then answers."""

    def __init__(self, clock: Clock, *failures: BaseException, takes: float = 0) -> None:
        self.clock = clock
        self.failures = list(failures)
        self.takes = takes
        self.allowed: List[Optional[float]] = []

    def __call__(self, seconds: Optional[float]) -> str:
        self.allowed.append(seconds)
        self.clock.now += self.takes if seconds is None else min(self.takes, seconds)
        if self.failures:
            raise self.failures.pop(0)
        return "answer"


def unavailable(times: int) -> List[BaseException]:
    return [Failure(grpc.StatusCode.UNAVAILABLE) for _ in range(times)]


def run(attempts: Attempts, policy: Policy, **settings: Any) -> str:
    return retry.run(attempts, policy, clock=attempts.clock, sleep=attempts.clock.sleep, **settings)


def test_an_answer_is_returned_without_a_wait() -> None:
    attempts = Attempts(Clock())
    assert run(attempts, READ) == "answer"
    assert (attempts.allowed, attempts.clock.waits) == ([20], [])


@pytest.mark.parametrize("policy", [READ, READ_FILES, IDEMPOTENT])
def test_what_may_be_repeated_is_tried_five_times_and_the_last_error_comes_out(policy: Policy) -> None:
    attempts = Attempts(Clock(), *unavailable(9))
    with pytest.raises(Failure):
        run(attempts, policy)
    assert len(attempts.allowed) == 5
    assert len(attempts.clock.waits) == 4


def test_waits_are_random_and_grow_to_ten_seconds_at_most() -> None:
    longest = [0.2, 0.4, 0.8, 1.6]
    seen = set()
    for _ in range(20):
        attempts = Attempts(Clock(), *unavailable(4))
        run(attempts, READ)
        assert all(0 <= wait <= most for wait, most in zip(attempts.clock.waits, longest))
        seen.add(tuple(attempts.clock.waits))
    assert len(seen) > 1


@pytest.mark.parametrize("policy", [ONCE, UPLOAD, STREAM, TAIL])
@pytest.mark.parametrize("status", list(grpc.StatusCode))
def test_what_may_not_be_repeated_is_sent_once_whatever_happens(policy: Policy, status: grpc.StatusCode) -> None:
    attempts = Attempts(Clock(), Failure(status))
    with pytest.raises(Failure):
        run(attempts, policy)
    assert len(attempts.allowed) == 1


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_is_known_by_its_name(policy: Policy) -> None:
    assert getattr(retry, policy.name) is policy


PASSING = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}


@pytest.mark.parametrize("status", [code for code in grpc.StatusCode if code not in PASSING])
def test_a_read_that_would_fail_again_is_not_repeated(status: grpc.StatusCode) -> None:
    attempts = Attempts(Clock(), Failure(status))
    with pytest.raises(Failure):
        run(attempts, READ)
    assert len(attempts.allowed) == 1


def test_a_quota_is_worth_another_try_but_a_message_too_large_is_not() -> None:
    assert run(Attempts(Clock(), Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "quota")), READ) == "answer"
    too_large = Failure(grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (5 vs. 4)")
    with pytest.raises(Failure):
        run(Attempts(Clock(), too_large), READ)


def test_an_error_that_is_not_of_grpc_comes_out_at_once() -> None:
    attempts = Attempts(Clock(), LookupError("mine"))
    with pytest.raises(LookupError, match="mine"):
        run(attempts, READ)
    assert len(attempts.allowed) == 1


def test_all_attempts_together_end_within_the_total() -> None:
    attempts = Attempts(Clock(), *[Failure(grpc.StatusCode.DEADLINE_EXCEEDED) for _ in range(9)], takes=20)
    started = attempts.clock.now
    with pytest.raises(Failure):
        run(attempts, READ)
    assert attempts.clock.now - started <= 60
    assert len(attempts.allowed) == 3


def test_the_callers_timeout_bounds_everything_and_is_not_cut_short() -> None:
    attempts = Attempts(Clock(), *unavailable(9), takes=50)
    started = attempts.clock.now
    with pytest.raises(Failure):
        run(attempts, READ, timeout=120)
    assert attempts.allowed[0] == 120
    assert attempts.clock.now - started <= 120


def test_no_attempt_may_take_longer_than_what_is_left() -> None:
    attempts = Attempts(Clock(), *unavailable(2), takes=1)
    run(attempts, READ, timeout=10)
    assert attempts.allowed[0] == 10
    assert all(seconds is not None and seconds <= 10 - spent for spent, seconds in enumerate(attempts.allowed))


def test_no_timeout_is_no_limit_for_a_tail() -> None:
    attempts = Attempts(Clock())
    run(attempts, TAIL)
    assert attempts.allowed == [None]


@pytest.mark.parametrize(("reconnects", "sent"), [(0, 1), (1, 2), (9, 5)])
def test_reconnects_cap_the_attempts(reconnects: int, sent: int) -> None:
    attempts = Attempts(Clock(), *unavailable(9))
    with pytest.raises(Failure):
        run(attempts, READ, reconnects=reconnects)
    assert len(attempts.allowed) == sent


def renewing(times: int) -> Callable[[grpc.RpcError, Optional[float]], bool]:
    left = [True] * times
    return lambda error, seconds: bool(left and left.pop())


def test_a_renewal_is_followed_by_one_more_attempt_outside_the_count() -> None:
    attempts = Attempts(Clock(), Failure(grpc.StatusCode.UNAUTHENTICATED))
    assert run(attempts, ONCE, renew=renewing(1)) == "answer"
    assert len(attempts.allowed) == 2


def test_what_fails_after_its_renewal_is_not_renewed_again() -> None:
    attempts = Attempts(Clock(), *[Failure(grpc.StatusCode.UNAUTHENTICATED) for _ in range(9)])
    with pytest.raises(Failure):
        run(attempts, READ, renew=renewing(1))
    assert len(attempts.allowed) == 2


def test_each_retry_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    run(Attempts(Clock(), *unavailable(2)), READ, method="demo/Get")
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    assert caplog.messages[0].startswith("demo/Get: attempt 1 ended with UNAVAILABLE; trying again in ")
