import contextlib
import logging
import re
from typing import Any, List, Optional, Sequence, Type

import grpc
import grpc_testing
import pytest

from viam_sync.rpc import policies, retry
from viam_sync.rpc.policies import (
    DELETE,
    IDEMPOTENT,
    NON_IDEMPOTENT,
    QUERY,
    READ,
    READ_FILES,
    STREAM,
    TAIL,
    UPLOAD,
    Policy,
    Retry,
)
from viam_sync.rpc.retry import CallFailed
from viam_sync.rpc.retry_limits import RetryThrottle

from .failures import Failed

POLICIES = [READ, QUERY, READ_FILES, IDEMPOTENT, DELETE, NON_IDEMPOTENT, UPLOAD, STREAM, TAIL]

REFUSED = "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Connection refused"
LOST = "recvmsg:Connection reset by peer"

#: Failures that prove that the service did not process the request.
UNPROCESSED = [
    Failed(grpc.StatusCode.UNAVAILABLE, REFUSED),
    Failed(grpc.StatusCode.UNAVAILABLE, "Received RST_STREAM with error code 7"),
    Failed(grpc.StatusCode.UNAVAILABLE, "Received http2 header with status: 429"),
    Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down", pushback="5"),
]
#: Answers of a service that has turned a request down.
REFUSALS = [
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.OUT_OF_RANGE,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.UNAUTHENTICATED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
]


class Attempts(retry.Call[str]):
    """A request that fails as planned, then answers, on a clock that only moves when something takes time."""

    def __init__(
        self,
        *failures: BaseException,
        takes: float = 0,
        throttle: Optional[RetryThrottle] = None,
        max_reconnects: Optional[int] = None,
        renewals: Sequence[bool] = (),
        was_reached: bool = True,
    ) -> None:
        self.clock = grpc_testing.strict_fake_time(1000)
        self.name, self.max_reconnects = "demo/Get", max_reconnects
        self.throttle = RetryThrottle(self.now) if throttle is None else throttle
        self.was_reached = was_reached
        self.failures = list(failures)
        self.takes = takes
        self.renewals = list(renewals)
        self.allowed: List[Optional[float]] = []
        self.waits: List[float] = []

    def attempt(self, seconds: Optional[float]) -> str:
        self.allowed.append(seconds)
        takes = self.takes if seconds is None else min(self.takes, seconds)
        if takes:
            self.clock.sleep_for(takes)
        if self.failures:
            raise self.failures.pop(0)
        return "answer"

    def renew(self, error: Any, seconds: Optional[float]) -> bool:
        return self.renewals.pop(0) if self.renewals else False

    def may_outlast_outages(self) -> bool:
        return self.was_reached

    def empty_response(self) -> str:
        return "deleted before"

    def now(self) -> float:
        return self.clock.time()

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if seconds:
            self.clock.sleep_for(seconds)


class Resumed(Attempts):
    """A request each of whose attempts comes nearer to the end."""

    def has_progressed(self) -> bool:
        return True


def unavailable(times: int, text: str = "") -> List[BaseException]:
    return [Failed(grpc.StatusCode.UNAVAILABLE, text) for _ in range(times)]


def test_an_answer_is_returned_without_a_wait() -> None:
    attempts = Attempts()
    assert retry.run(attempts, READ) == "answer"
    assert (attempts.allowed, attempts.waits) == ([20], [])


@pytest.mark.parametrize("policy", [READ, READ_FILES, IDEMPOTENT, DELETE, STREAM])
def test_an_idempotent_request_is_sent_five_times_and_the_last_error_comes_out(policy: Policy) -> None:
    attempts = Attempts(*unavailable(9, LOST))
    last = attempts.failures[4]
    with pytest.raises(CallFailed) as raised:
        retry.run(attempts, policy)
    assert (raised.value.error, attempts.attempts, raised.value.ambiguous) == (last, 5, False)
    assert len(attempts.allowed) == 5
    assert len(attempts.waits) == 4


def test_waits_are_random_and_grow_to_ten_seconds_at_most() -> None:
    longest = [0.2, 0.4, 0.8, 1.6]
    seen = set()
    for _ in range(20):
        attempts = Attempts(*unavailable(4))
        retry.run(attempts, READ)
        assert all(0 <= wait <= most for wait, most in zip(attempts.waits, longest))
        seen.add(tuple(attempts.waits))
    assert len(seen) > 1


@pytest.mark.parametrize("policy", [NON_IDEMPOTENT, UPLOAD])
@pytest.mark.parametrize("status", [each for each in grpc.StatusCode if each not in REFUSALS])
def test_a_request_that_may_have_been_processed_is_not_sent_again_and_is_ambiguous(
    policy: Policy, status: grpc.StatusCode
) -> None:
    attempts = Attempts(Failed(status))
    with pytest.raises(CallFailed) as raised:
        retry.run(attempts, policy)
    assert (attempts.attempts, raised.value.ambiguous, len(attempts.allowed)) == (1, True, 1)


@pytest.mark.parametrize("policy", [NON_IDEMPOTENT, UPLOAD])
@pytest.mark.parametrize("status", REFUSALS)
def test_a_rejection_is_not_ambiguous(policy: Policy, status: grpc.StatusCode) -> None:
    attempts = Attempts(Failed(status))
    with pytest.raises(CallFailed) as raised:
        retry.run(attempts, policy)
    assert (attempts.attempts, raised.value.ambiguous, len(attempts.allowed)) == (1, False, 1)


@pytest.mark.parametrize("policy", [NON_IDEMPOTENT, UPLOAD])
@pytest.mark.parametrize("failure", UNPROCESSED[1:])
def test_a_request_that_was_not_processed_is_sent_three_times(policy: Policy, failure: Failed) -> None:
    attempts = Attempts(*[failure] * 9)
    with pytest.raises(CallFailed) as raised:
        retry.run(attempts, policy)
    assert (attempts.attempts, raised.value.ambiguous, len(attempts.allowed)) == (3, False, 3)


def test_the_last_attempt_decides_whether_the_result_is_ambiguous() -> None:
    attempts = Attempts(UNPROCESSED[0], Failed(grpc.StatusCode.UNAVAILABLE, "recvmsg:Connection reset"))
    with pytest.raises(CallFailed) as raised:
        retry.run(attempts, NON_IDEMPOTENT)
    assert (attempts.attempts, raised.value.ambiguous) == (2, True)


def test_an_answer_that_is_too_large_may_have_happened_but_a_request_has_not() -> None:
    def ambiguous(text: str) -> bool:
        with pytest.raises(CallFailed) as raised:
            retry.run(Attempts(Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, text)), NON_IDEMPOTENT)
        return raised.value.ambiguous

    assert ambiguous("CLIENT: Received message larger than max (70 vs. 64)")
    assert ambiguous("Received RST_STREAM with error code 11")
    assert not ambiguous("grpc: received message larger than max (70 vs. 64)")
    assert not ambiguous("Sent message larger than max (70 vs. 64)")


def test_a_tail_is_for_its_caller_to_take_up_again() -> None:
    attempts = Attempts(*unavailable(1))
    with pytest.raises(CallFailed):
        retry.run(attempts, TAIL)
    assert len(attempts.allowed) == 1


def test_a_deletion_that_finds_nothing_is_done_only_after_an_attempt_that_may_have_done_it() -> None:
    nothing = Failed(grpc.StatusCode.NOT_FOUND)
    assert retry.run(Attempts(*unavailable(1), nothing), DELETE) == "deleted before"
    for failures in ([nothing], [UNPROCESSED[0], nothing]):
        with pytest.raises(CallFailed) as raised:
            retry.run(Attempts(*failures), DELETE)
        assert raised.value.error is nothing


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_is_known_by_its_name(policy: Policy) -> None:
    assert getattr(policies, policy.name) is policy


@pytest.mark.parametrize(
    "status",
    [each for each in grpc.StatusCode if each.name not in ("UNAVAILABLE", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED")],
)
def test_a_read_that_would_fail_again_is_not_repeated(status: grpc.StatusCode) -> None:
    attempts = Attempts(Failed(status))
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    assert len(attempts.allowed) == 1


def test_a_read_whose_stream_was_reset_is_repeated() -> None:
    assert retry.run(Attempts(Failed(grpc.StatusCode.INTERNAL, "Received RST_STREAM with error code 2")), READ)


def test_a_quota_is_worth_another_try_but_a_message_too_large_is_not() -> None:
    assert retry.run(Attempts(Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "slow down")), READ) == "answer"
    too_large = Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (70 vs. 64)")
    with pytest.raises(CallFailed):
        retry.run(Attempts(too_large), READ)


def test_an_error_that_is_not_of_grpc_comes_out_at_once() -> None:
    attempts = Attempts(KeyError("bug"))
    with pytest.raises(KeyError):
        retry.run(attempts, READ)
    assert len(attempts.allowed) == 1


def test_all_attempts_together_end_within_the_total() -> None:
    attempts = Attempts(*[Failed(grpc.StatusCode.DEADLINE_EXCEEDED) for _ in range(9)], takes=1000)
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    assert attempts.allowed[:2] == [20, 20]
    assert attempts.clock.time() <= 1000 + 60


def test_the_callers_timeout_bounds_everything_and_is_not_cut_short() -> None:
    attempts = Attempts(*unavailable(9), takes=40)
    with pytest.raises(CallFailed):
        retry.run(attempts, READ, timeout=100)
    assert attempts.allowed[0] == 100
    assert attempts.clock.time() <= 1000 + 100


def test_no_attempt_may_take_longer_than_what_is_left() -> None:
    attempts = Attempts(*unavailable(4), takes=18)
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    assert attempts.allowed[-1] is not None
    assert attempts.allowed[-1] < 20


def test_no_timeout_is_no_limit_for_a_tail() -> None:
    attempts = Attempts()
    retry.run(attempts, TAIL)
    assert attempts.allowed == [None]


@pytest.mark.parametrize(("reconnects", "sent"), [(0, 1), (1, 2), (9, 5)])
def test_reconnects_cap_the_attempts_after_a_lost_connection(reconnects: int, sent: int) -> None:
    attempts = Attempts(*unavailable(9, LOST), max_reconnects=reconnects)
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    assert len(attempts.allowed) == sent


def test_reconnects_are_not_used_up_by_a_service_that_answers() -> None:
    attempts = Attempts(*unavailable(4, "down for maintenance"), max_reconnects=0)
    assert retry.run(attempts, READ) == "answer"


@pytest.mark.parametrize("status", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_a_pushback_is_waited_exactly(status: grpc.StatusCode) -> None:
    attempts = Attempts(Failed(status, pushback="1234"), Failed(status, pushback="0"))
    assert retry.run(attempts, READ) == "answer"
    assert attempts.waits == [1.234, 0]


@pytest.mark.parametrize("pushback", ["-1", "soon", "", "1.5", "\u0663", "99999999999999"])
def test_a_negative_pushback_or_one_that_cannot_be_read_ends_the_call(pushback: str) -> None:
    attempts = Attempts(Failed(grpc.StatusCode.UNAVAILABLE, pushback=pushback))
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    assert attempts.waits == []


@pytest.mark.parametrize(("policy", "pushback"), [(READ, "60000"), (STREAM, "60000"), (NON_IDEMPOTENT, "60000")])
def test_a_pushback_that_passes_the_limit_ends_the_call_at_once(policy: Policy, pushback: str) -> None:
    attempts = Attempts(Failed(grpc.StatusCode.RESOURCE_EXHAUSTED, pushback=pushback))
    with pytest.raises(CallFailed) as raised:
        retry.run(attempts, policy)
    assert (attempts.waits, raised.value.ambiguous) == ([], False)


def test_a_create_is_not_repeated_for_a_pushback_that_proves_nothing() -> None:
    attempts = Attempts(Failed(grpc.StatusCode.UNAVAILABLE, pushback="5"))
    with pytest.raises(CallFailed) as raised:
        retry.run(attempts, NON_IDEMPOTENT)
    assert raised.value.ambiguous


def test_a_renewal_is_followed_by_one_more_attempt_outside_the_count() -> None:
    attempts = Attempts(Failed(grpc.StatusCode.UNAUTHENTICATED), renewals=[True])
    assert retry.run(attempts, NON_IDEMPOTENT) == "answer"
    assert len(attempts.allowed) == 2


def test_a_call_that_fails_after_its_renewal_is_not_renewed_again() -> None:
    failures = [Failed(grpc.StatusCode.UNAUTHENTICATED) for _ in range(2)]
    attempts = Attempts(*failures, renewals=[True, False])
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    assert len(attempts.allowed) == 2


def send_and_fail(throttle: RetryThrottle) -> int:
    """Make a call whose connection is always lost; return how often it was sent."""
    attempts = Attempts(*unavailable(9, LOST), throttle=throttle)
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    return len(attempts.allowed)


def test_a_broken_service_is_left_in_peace_until_it_answers_again() -> None:
    throttle = RetryThrottle(lambda: 0)
    # 50 failures cost half of what there is; from then on, each call is sent once.
    assert [send_and_fail(throttle) for _ in range(20)] == [5] * 10 + [1] * 10
    for _ in range(110):
        retry.run(Attempts(throttle=throttle), READ)
    assert send_and_fail(throttle) == 2


def test_a_throttle_recovers_with_time_too() -> None:
    clock = grpc_testing.strict_fake_time(0)
    throttle = RetryThrottle(clock.time)
    assert [send_and_fail(throttle) for _ in range(25)][-1] == 1
    clock.sleep_for(20)
    assert send_and_fail(throttle) == 5
    clock.sleep_for(1000)
    retry.run(Attempts(throttle=throttle), READ)
    retry.run(Attempts(*unavailable(1), throttle=throttle), READ)
    assert throttle.tokens <= RetryThrottle.FULL


@pytest.mark.parametrize("policy", [READ, QUERY, READ_FILES, IDEMPOTENT, DELETE, NON_IDEMPOTENT])
def test_a_service_that_cannot_be_reached_is_tried_for_most_of_the_total(policy: Policy) -> None:
    total = policy.total_timeout
    assert total is not None
    attempts = Attempts(*unavailable(10_000, REFUSED), takes=0.01, max_reconnects=0)
    with pytest.raises(CallFailed) as raised:
        retry.run(attempts, policy)
    assert total - 2.1 <= attempts.clock.time() - 1000 <= total
    assert not raised.value.ambiguous
    assert 1 < max(attempts.waits) <= 2
    assert attempts.throttle.failed(None)


@pytest.mark.parametrize(("policy", "seconds"), [(UPLOAD, 60), (STREAM, 60), (TAIL._replace(attempts=2), 600)])
def test_what_has_no_total_waits_so_long_for_a_service_that_cannot_be_reached(policy: Policy, seconds: float) -> None:
    attempts = Attempts(*unavailable(10_000, REFUSED), takes=0.01)
    with pytest.raises(CallFailed):
        retry.run(attempts, policy)
    assert seconds - 2.1 <= attempts.clock.time() - 1000 <= seconds + 0.1
    patient = policy.changed_by(Retry(total_timeout=1000))
    attempts = Attempts(*unavailable(10_000, REFUSED), takes=0.01)
    with pytest.raises(CallFailed):
        retry.run(attempts, patient)
    assert 997 <= attempts.clock.time() - 1000 <= 1000.1


@pytest.mark.parametrize("policy", [READ, IDEMPOTENT, STREAM])
def test_a_service_that_says_that_it_is_unavailable_is_tried_with_growing_waits(policy: Policy) -> None:
    attempts = Attempts(*unavailable(10_000, "down for maintenance"), takes=0.01)
    with pytest.raises(CallFailed):
        retry.run(attempts, policy)
    assert 49 <= attempts.clock.time() - 1000 <= 60
    assert 8 <= len(attempts.allowed) <= 50
    assert max(attempts.waits) > 2


def test_calls_of_many_threads_outlast_an_outage_and_leave_the_service_in_peace() -> None:
    throttle = RetryThrottle(lambda: 0)
    throttle.tokens = RetryThrottle.FULL / 2
    attempts = Attempts(*unavailable(12, "down for maintenance"), throttle=throttle)
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    assert 6 <= len(attempts.allowed) <= 12
    assert min(attempts.waits) >= 5
    assert retry.run(Attempts(*unavailable(5, "down for maintenance"), throttle=throttle), READ) == "answer"


def test_a_tail_does_not_wait_longer_for_a_pushback_than_for_an_outage() -> None:
    tail = TAIL._replace(attempts=2)
    attempts = Attempts(Failed(grpc.StatusCode.UNAVAILABLE, pushback="599000"))
    assert retry.run(attempts, tail) == "answer"
    with pytest.raises(CallFailed):
        retry.run(Attempts(Failed(grpc.StatusCode.UNAVAILABLE, pushback="3600000")), tail)


def test_an_outage_leaves_the_count_of_attempts_as_it_was() -> None:
    gone, lost = unavailable(10, REFUSED), unavailable(9, LOST)
    attempts = Attempts(*lost[:2], *gone, *lost)
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    assert len(attempts.allowed) == 10 + 5


def test_outages_one_after_the_other_are_each_as_long_as_an_upload_allows() -> None:
    refusal, overload = Failed(grpc.StatusCode.UNAVAILABLE, REFUSED), UNPROCESSED[3]
    attempts = Attempts(*[refusal] * 5, overload, *[refusal] * 5, takes=9)
    assert retry.run(attempts, UPLOAD) == "answer"


@pytest.mark.parametrize("failure", [REFUSED, "down for maintenance"])
def test_a_service_that_was_never_reached_is_not_waited_for(failure: str) -> None:
    attempts = Attempts(*unavailable(9, failure), was_reached=False)
    with pytest.raises(CallFailed):
        retry.run(attempts, READ)
    assert len(attempts.allowed) == 5


def test_an_explicit_retry_counts_what_the_service_has_answered_and_not_what_reached_nobody() -> None:
    three = READ.changed_by(Retry(attempts=3))
    attempts = Attempts(*unavailable(9, "down for maintenance"))
    with pytest.raises(CallFailed):
        retry.run(attempts, three)
    assert len(attempts.allowed) == 3
    assert retry.run(Attempts(*unavailable(30, REFUSED)), three) == "answer"


def test_no_retries_are_none_in_an_outage_either() -> None:
    attempts = Attempts(*unavailable(9, REFUSED))
    with pytest.raises(CallFailed):
        retry.run(attempts, READ.changed_by(policies.OFF))
    assert len(attempts.allowed) == 1


def test_a_long_outage_is_one_warning_and_its_end_another(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="viam_sync"):
        retry.run(Attempts(*unavailable(2, REFUSED), takes=0.1), READ)
        assert caplog.messages == []
        retry.run(Attempts(*unavailable(8, REFUSED), takes=1.5), READ)
    [message, end] = caplog.messages
    assert re.fullmatch(
        r"demo/Get: the service has been away for \d s; going on to try for 5\d s more \(failed to connect .*\)",
        message,
    )
    assert re.fullmatch(r"demo/Get: succeeded at attempt 9, \d\d\.\d s late", end)


@pytest.mark.parametrize(
    ("attempts", "text"),
    [
        (Attempts(Failed(grpc.StatusCode.UNAVAILABLE, pushback="1500")), None),
        (Attempts(*[Failed(grpc.StatusCode.UNAVAILABLE, pushback="500")] * 2), None),
        (Attempts(*[Failed(grpc.StatusCode.UNAVAILABLE, pushback="500")] * 3), "at attempt 4, 1.5 s late"),
        (Attempts(Failed(grpc.StatusCode.UNAVAILABLE, pushback="4000")), "at attempt 2, 4.0 s late"),
        (Attempts(Failed(grpc.StatusCode.DEADLINE_EXCEEDED, pushback="0"), takes=20), "at attempt 2, 20.0 s late"),
        (Resumed(*[Failed(grpc.StatusCode.UNAVAILABLE, pushback="500")] * 9), None),
    ],
)
def test_a_call_that_succeeds_late_is_one_warning(
    caplog: pytest.LogCaptureFixture, attempts: Attempts, text: Optional[str]
) -> None:
    with caplog.at_level(logging.WARNING, logger="viam_sync"):
        assert retry.run(attempts, READ) == "answer"
    assert caplog.messages == ([] if text is None else [f"demo/Get: succeeded {text}"])


def test_an_attempt_that_ends_a_moment_before_the_deadline_is_the_last() -> None:
    attempts = Attempts(Failed(grpc.StatusCode.DEADLINE_EXCEEDED), takes=1.999)
    with pytest.raises(CallFailed):
        retry.run(attempts, READ, timeout=2)
    assert attempts.waits == []


def test_a_throttle_is_never_more_than_full() -> None:
    throttle = RetryThrottle()
    for _ in range(100):
        retry.run(Attempts(throttle=throttle), READ)
    assert throttle.tokens == RetryThrottle.FULL


def test_a_retry_changes_the_numbers_and_not_what_may_be_repeated() -> None:
    patient = Retry(attempts=8, total_timeout=500)
    attempts = Attempts(*unavailable(7, LOST), takes=30)
    assert retry.run(attempts, READ.changed_by(patient)) == "answer"
    with pytest.raises(CallFailed):
        retry.run(Attempts(*unavailable(1)), NON_IDEMPOTENT.changed_by(patient))
    assert TAIL.changed_by(patient) is TAIL
    assert UPLOAD.changed_by(patient).total_timeout is None


@pytest.mark.parametrize(
    ("attempts", "kind"), [(0, ValueError), (-1, ValueError), (1.5, TypeError), (True, TypeError), ("3", TypeError)]
)
def test_attempts_that_are_none_are_refused(attempts: Any, kind: Type[Exception]) -> None:
    with pytest.raises(kind, match=r"^attempts takes an int from 1 on, got"):
        Retry(attempts=attempts)


@pytest.mark.parametrize(
    ("seconds", "kind"), [*((each, ValueError) for each in (0, -1, float("nan"), float("inf"))), ("3", TypeError)]
)
def test_a_time_that_is_none_is_refused(seconds: Any, kind: Type[Exception]) -> None:
    with pytest.raises(kind, match=r"^total_timeout takes a number of seconds above 0, got"):
        Retry(total_timeout=seconds)


def test_attempts_that_make_progress_are_not_counted_and_wait_as_after_the_first() -> None:
    attempts = Resumed(*unavailable(40))
    assert retry.run(attempts, STREAM) == "answer"
    assert len(attempts.allowed) == 41
    assert max(attempts.waits) <= 0.2


@pytest.mark.parametrize(
    ("status", "sent"), [("INTERNAL", 3), ("UNKNOWN", 3), ("UNAUTHENTICATED", 3), ("NOT_FOUND", 1)]
)
def test_a_call_that_resumes_is_ended_by_a_rejection_alone(status: str, sent: int) -> None:
    attempts = Attempts(*[Failed(grpc.StatusCode[status]) for _ in range(2)])
    with contextlib.suppress(CallFailed):
        retry.run(attempts, TAIL._replace(attempts=9))
    assert len(attempts.allowed) == sent


def test_each_retry_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="viam_sync"):
        retry.run(Attempts(Failed(grpc.StatusCode.UNAVAILABLE, pushback="1500")), READ)
    assert [record.getMessage() for record in caplog.records] == [
        "demo/Get: attempt 1 ended with UNAVAILABLE; trying again in 1.5 s"
    ]
