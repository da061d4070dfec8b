"""No write happens twice, no acknowledged write is missing, and a doubtful one is reported as such.

Thousands of schedules, each made from its number: a few calls, and the faults of each, in a real sandbox and in a proxy
in front of it. ``VIAM_SYNC_SCHEDULES`` says how many; ``VIAM_SYNC_SCHEDULE`` names the one to run alone.
"""

import os
from collections import Counter
from pathlib import Path
from typing import Any, Callable, Iterator, List, Sequence

import pytest

from viam_sync.errors import AmbiguousResultError
from viam_sync.rpc import classification, policies
from viam_sync.rpc.method import Method
from viam_sync.rpc.retry_limits import RetryThrottle
from viam_sync.rpc.service import Service, _RpcCall, _UnaryCall
from viam_sync.services import methods
from viam_sync.transfer.upload.batch import BatchUpload
from viam_sync.transfer.upload.source import ProgressChunks

from .fault_proxy import REFUSE, RESET
from .oracle import Oracle
from .schedules import CLASSES, NOTHING, SHUT, UNPROCESSED, Plan, PlannedFault, expected, folder_schedule, schedule
from .writes import WRITES

#: The environment `reliability` of tox says 10000.
SCHEDULES = int(os.environ.get("VIAM_SYNC_SCHEDULES", "1000"))
ONE = os.environ.get("VIAM_SYNC_SCHEDULE")
SEEDS: Sequence[int] = range(SCHEDULES) if ONE is None else [int(ONE)]
#: The schedules of one test, and how many come between two uploads of a folder, as writing to disk is slow.
SHARE, FOLDERS = 100, 10

#: The first of the schedules that are run with a broken policy.
ELSEWHERE = 1_000_000


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[Oracle]:
    with Oracle(tmp_path) as asked:
        yield asked


@pytest.mark.parametrize("start", range(0, len(SEEDS), SHARE))
def test_every_write_happens_as_often_as_its_outcome_says(start: int, oracle: Oracle) -> None:
    seeds = SEEDS[start : start + SHARE]
    wrong: List[str] = []
    for seed in seeds:
        wrong += oracle.judge(seed)
        if seed % FOLDERS == 0 or ONE is not None:
            wrong += oracle.judge_folder(seed)
    wrong += oracle.judge_the_end()
    print(dict(oracle.tally))  # to be seen with "pytest -rP"
    again = "VIAM_SYNC_SCHEDULE=N pytest tests/reliability/test_exactly_once.py runs schedule N alone"
    assert not wrong, "\n".join([*wrong, again])
    if len(seeds) == SHARE:
        assert all(oracle.tally[name] for name in ("returned", "ambiguous", "plain", "faults", "retries", "runs"))


def test_the_schedules_are_of_every_write_and_every_planned_fault() -> None:
    plans = [plan for seed in range(1000) for plan in schedule(seed)]
    assert Counter(plan.write.rpc for plan in plans).keys() == {write.rpc for write in WRITES}
    assert {plan.write.policy for plan in plans} == CLASSES.keys()
    kinds = Counter((fault.what, fault.after) for plan in plans for fault in plan.faults)
    for code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "CANCELLED", "DATA_LOSS", "drop"):
        assert kinds[code, False] > 10, code
        assert kinds[code, True] > 10, code
    for what in ("RESOURCE_EXHAUSTED", "NOT_FOUND", "full disk", REFUSE, SHUT):
        assert kinds[what, False] > 10, what
    assert kinds[RESET, True] > 10
    outcomes = Counter((plan.write.policy, expected(plan).raised) for plan in plans)
    for policy, each in CLASSES.items():
        for raised in ("returned", "plain", *([] if each.idempotent else ["ambiguous"])):
            assert outcomes[policy, raised] > 10, (policy, raised)
    assert sum(plan.late for plan in plans) > 10
    assert sum(plan.expires is not None for plan in plans) > 10
    assert len({str(folder_schedule(seed)) for seed in range(100)}) > 90


@pytest.mark.parametrize(
    "write", [write for write in WRITES if not CLASSES[write.policy].idempotent], ids=lambda w: w.rpc
)
def test_the_oracle_expects_doubt_only_without_proof(write: Any) -> None:
    lost = [PlannedFault("UNAVAILABLE", after=True), PlannedFault("drop", after=True), PlannedFault(RESET, after=True)]
    for fault in lost:
        assert expected(Plan(write, [fault])).raised == "ambiguous"
    proved = [PlannedFault("RESOURCE_EXHAUSTED", pushback=0), PlannedFault(REFUSE), PlannedFault(SHUT)]
    for count in range(10):
        outcome = expected(Plan(write, [proved[number % 3] for number in range(count)]))
        # A connection that is refused does not count.
        counted = count - count // 3
        assert outcome.raised == ("returned" if counted < CLASSES[write.policy].attempts else "plain")
        assert outcome.done == (outcome.raised == "returned")
    assert {fault.proves for fault in lost} == {NOTHING}
    assert {fault.proves for fault in proved} == {UNPROCESSED}


def setting(policy: policies.Policy, name: str, value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """Return what breaks a retry class."""

    def break_it(patch: pytest.MonkeyPatch) -> None:
        for key, method in list(vars(methods).items()):
            if isinstance(method, Method) and method.policy is policy:
                patch.setattr(methods, key, method._replace(policy=policy._replace(**{name: value})))

    return break_it


def saying(name: str, value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    """Return what breaks the classification of failures."""
    return lambda patch: patch.setattr(classification, name, lambda error: value)


def half_pushbacks(patch: pytest.MonkeyPatch) -> None:
    whole = classification.pushback

    def half(error: Any) -> Any:
        told = whole(error)
        return None if told is None else told / 2

    patch.setattr(classification, "pushback", half)


def no_budget(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RetryThrottle, "failed", lambda self, error: True)


def no_new_token(patch: pytest.MonkeyPatch) -> None:
    renew = _RpcCall.renew
    # The oracle itself lists organizations to have a token.
    patch.setattr(_RpcCall, "renew", lambda self, *rest: "List" in type(self.request).__name__ and renew(self, *rest))


def pipes_sent_again(patch: pytest.MonkeyPatch) -> None:
    send: Any = Service._stream_unary

    def again(self: Any, method: Any, requests: Any, *rest: Any, **named: Any) -> Any:
        return send(self, method, requests if callable(requests) else lambda: requests, *rest, **named)

    patch.setattr(Service, "_stream_unary", again)


def uploads_sent_again_without_contents(patch: pytest.MonkeyPatch) -> None:
    pieces = ProgressChunks.__iter__
    patch.setattr(ProgressChunks, "__iter__", lambda self: iter([b""]) if self._iteration else pieces(self))


def doubt_taken_for_success(patch: pytest.MonkeyPatch) -> None:
    run: Any = Service._run

    def sure(self: Any, call: Any, *rest: Any, **named: Any) -> Any:
        try:
            return run(self, call, *rest, **named)
        except AmbiguousResultError:
            return call.empty_response()

    patch.setattr(Service, "_run", sure)


def charged_twice(patch: pytest.MonkeyPatch) -> None:
    attempt: Any = _UnaryCall.attempt

    def twice(self: Any, seconds: Any) -> Any:
        if "Charge" in type(self.request).__name__:
            attempt(self, seconds)
        return attempt(self, seconds)

    patch.setattr(_UnaryCall, "attempt", twice)


#: Ways to break the client, and what the oracle must say of each.
BROKEN = {
    "NON_IDEMPOTENT is repeated": (setting(policies.NON_IDEMPOTENT, "idempotent", True), "was begun 2 times"),
    "UPLOAD is repeated": (setting(policies.UPLOAD, "idempotent", True), "was begun 2 times"),
    "charges are sent twice": (charged_twice, "was begun 2 times"),
    "all is unprocessed": (saying("was_not_processed", True), "was begun 2 times"),
    "nothing is unprocessed": (saying("was_not_processed", False), "raised is 'plain', not 'returned'"),
    "all is harmless": (saying("had_no_effect", True), "says that it was not done, and it was"),
    "nothing is harmless": (saying("had_no_effect", False), "raised is 'ambiguous', not 'plain'"),
    "nothing passes": (saying("is_transient", False), "raised is 'plain', not 'returned'"),
    "nothing is lost": (saying("is_connection_lost", False), "raised is 'returned', not 'plain'"),
    "doubt is taken for success": (doubt_taken_for_success, "returned, and it was not done"),
    "IDEMPOTENT is not repeated": (
        setting(policies.IDEMPOTENT, "idempotent", False),
        "is left in doubt, and could have",
    ),
    "NON_IDEMPOTENT has another attempt": (setting(policies.NON_IDEMPOTENT, "attempts", 4), "sent is 4, not 3"),
    "what is gone is missed": (
        setting(policies.DELETE, "not_found_is_success", False),
        "status is 'NOT_FOUND', not ''",
    ),
    "no count is doubted": (setting(policies.DELETE_SOME, "returns_count", False), "counts is False, not True"),
    "pushbacks are cut short": (half_pushbacks, "waited "),
    "there is no budget": (no_budget, "sent is 3, not 2"),
    "there is no new token": (no_new_token, "status is 'UNAUTHENTICATED', not ''"),
    "pipes are sent again": (pipes_sent_again, "sent is 2, not 1"),
    "uploads are sent again empty": (uploads_sent_again_without_contents, "was done 1 times, and there are -1"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_oracle_finds_a_broken_client(name: str, oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    break_it, words = BROKEN[name]
    break_it(monkeypatch)
    found = (text for seed in range(ELSEWHERE, ELSEWHERE + 2000) for text in oracle.judge(seed))
    assert any(words in text for text in found)


def test_the_oracle_finds_a_journal_that_is_not_asked(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BatchUpload, "_resolve", lambda self, doubtful, journal: None)
    found = (text for seed in range(ELSEWHERE, ELSEWHERE + 50) for text in oracle.judge_folder(seed))
    assert any("is there 2 times" in text for text in found)


def test_the_oracle_finds_an_operation_after_the_end_of_its_call(oracle: Oracle) -> None:
    wrong = [text for seed in range(3) for text in oracle.judge(seed)]
    assert [*wrong, *oracle.judge_the_end()] == []
    again = next(begun for begun in oracle._begun if begun.done and (begun.rpc, begun.marks[0]) in oracle._once)
    oracle._begun.append(again)
    (text,) = oracle.judge_the_end()
    assert text.endswith("was done 2 times in the end, and 1 times before")
