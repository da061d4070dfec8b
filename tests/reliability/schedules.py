"""Schedules, made from seeds: calls, the faults of each, and the outcome that the policy asks for.

The expected outcomes are written from the text of the policy, not from code.
"""

import random
from dataclasses import dataclass, field
from typing import Dict, List, NamedTuple, Optional, Tuple

from .fault_proxy import REFUSE, RESET
from .items import Write
from .writes import WRITES

#: The proof that a fault gives: the request was not processed, it was rejected, or neither.
UNPROCESSED, REFUSED, NOTHING = "unprocessed", "refused", "nothing"

_DOUBTFUL = ("UNAVAILABLE", "UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "CANCELLED", "DATA_LOSS")
_REFUSALS = (
    *("INVALID_ARGUMENT", "ALREADY_EXISTS", "PERMISSION_DENIED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE"),
    *("UNIMPLEMENTED", "RESOURCE_EXHAUSTED", "NOT_FOUND"),
)
_PASSING = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "drop", RESET)
#: A connection that is refused.
SHUT = "refused connection"
_STATUS = {"drop": "UNAVAILABLE", REFUSE: "UNAVAILABLE", SHUT: "UNAVAILABLE", RESET: "INTERNAL"}
#: Milliseconds that the service may ask for, and those that are too long for any call.
_PUSHBACKS, TOO_LONG = (0, 7, 250, 12_000), 600_000


class Class(NamedTuple):
    """A retry class, as the policy has it."""

    attempts: int
    idempotent: bool


CLASSES: Dict[str, Class] = {
    "READ": Class(5, idempotent=True),
    "IDEMPOTENT": Class(5, idempotent=True),
    "DELETE": Class(5, idempotent=True),
    "DELETE_SOME": Class(5, idempotent=True),
    "NON_IDEMPOTENT": Class(3, idempotent=False),
    "UPLOAD": Class(3, idempotent=False),
    "PIPE": Class(1, idempotent=False),
}
FILE_UPLOAD = next(write for write in WRITES if write.rpc == "FileUpload")
#: How often a call is tried again after its connection was lost.
RECONNECTS = 3
#: Tokens of the retry throttle: full, nearly used up, and the number below which nothing is tried again.
FULL, LOW, ENOUGH = 100.0, 51.0, 50.0


class PlannedFault(NamedTuple):
    """A fault that one request is to meet.

    Attributes:
        what: A code, "drop", "full disk", or a fault of the proxy: "refused stream", "reset", "refused connection".
        after: Whether the call takes effect before the fault.
        messages: The number of messages of an upload that come before it; None for any number.
        pushback: The milliseconds that the service asks the client to wait; None for nothing.
    """

    what: str
    after: bool = False
    messages: Optional[int] = None
    pushback: Optional[int] = None

    @property
    def status(self) -> str:
        return "RESOURCE_EXHAUSTED" if self.what == "full disk" else _STATUS.get(self.what, self.what)

    @property
    def is_in_proxy(self) -> bool:
        """Whether it happens in the proxy, between the client and the service."""
        return self.what in (REFUSE, RESET, SHUT)

    @property
    def never_arrives(self) -> bool:
        """Whether the service never sees the request."""
        return self.what in (REFUSE, SHUT)

    @property
    def proves(self) -> str:
        if self.after or self.what == "drop" or self.what in _DOUBTFUL:
            return NOTHING
        asked_to_wait = self.pushback is not None and self.status == "RESOURCE_EXHAUSTED"
        return UNPROCESSED if asked_to_wait or self.never_arrives else REFUSED

    @property
    def precedes_authentication(self) -> bool:
        """Whether it happens before the service checks the token."""
        return not self.after and self.messages is None and self.what != "full disk"

    def is_retried(self, policy: str) -> bool:
        if CLASSES[policy].idempotent and self.what in _PASSING:
            return True
        return self.proves == UNPROCESSED


@dataclass
class Plan:
    """A call, and the faults that it is to meet.

    Attributes:
        write: The call.
        faults: The faults of its requests, one after the other.
        authentication: The faults of the requests for a new token.
        expires: The wait, counted from 1, before which the token expires; 0 for before the call, None for never.
        attempts: How often its client may send a request; None leaves that to the policy.
        tokens: The tokens that are left in the retry throttle.
        late: Whether it is delayed for longer than its client waits.
        proxied: Whether it goes through a fault proxy.
        size: How many bytes it has, if it is an upload.
    """

    write: Write
    faults: List[PlannedFault] = field(default_factory=list)
    authentication: List[PlannedFault] = field(default_factory=list)
    expires: Optional[int] = None
    attempts: Optional[int] = None
    tokens: float = FULL
    late: bool = False
    proxied: bool = False
    size: int = 0


@dataclass
class FolderPlan:
    """The upload of a folder, which is run again where the first run leaves files behind.

    Attributes:
        faults: The faults of the uploads, one after the other.
        asking: The faults of the second run's requests for the files that are in doubt.
        workers: How many uploads go on at a time.
        journal: Whether there is one.
        sizes: How many bytes each file has.
    """

    faults: List[PlannedFault]
    asking: List[PlannedFault]
    workers: int
    journal: bool
    sizes: List[int]


@dataclass
class Outcome:
    """The outcome of a call.

    Attributes:
        raised: "returned", "ambiguous", or "plain" for an error that leaves nothing in doubt.
        status: The status of the error.
        sent: How often the request was sent.
        begun: How often the service began to do it.
        done: How often it did.
        met: How many of the faults happened.
        waits: The seconds that were waited before each other attempt; None where these are random.
        counts: Whether a warning must say that the count is a lower bound.
    """

    raised: str = "returned"
    status: str = ""
    sent: int = 0
    begun: int = 0
    done: int = 0
    met: int = 0
    waits: Tuple[Optional[float], ...] = ()
    counts: bool = False


def schedule(seed: int) -> List[Plan]:
    """Return the calls of a schedule."""
    source = random.Random(seed)
    return [_plan(source) for _ in range(source.randint(1, 5))]


def folder_schedule(seed: int) -> FolderPlan:
    """Return the upload of a folder, and its faults."""
    source = random.Random(seed)
    return FolderPlan(
        [_planned_fault(source, FILE_UPLOAD) for _ in range(source.choice((0, 1, 2, 3, 5)))],
        [_doubtful(source) for _ in range(source.choice((0, 1, 2)))],
        source.choice((1, 2, 4)),
        source.random() < 0.7,
        [source.choice((0, 1, 5_000, 300_000)) for _ in range(4)],
    )


def _plan(source: random.Random) -> Plan:
    plan = Plan(source.choice(WRITES))
    idempotent = CLASSES[plan.write.policy].idempotent
    if plan.write.policy in ("UPLOAD", "PIPE") or plan.write.rpc == "DataCaptureUpload":
        plan.size = source.choice((0, 1, 5_000, 60_000) if plan.write.policy == "PIPE" else (0, 1, 5_000, 300_000))
    if source.random() < 0.02:
        plan.late = True
        return plan
    plan.proxied = source.random() < 0.15
    if source.random() < 0.1 and not plan.proxied:
        plan.expires = source.choice((0, 0, 1, 2))
        plan.authentication = [_doubtful(source) for _ in range(source.choice((0, 0, 0, 1, 2)))]
    count = source.choice((0, 1, 1, 2, 3, 6) if idempotent else (0, 1, 1, 2, 3))
    plan.faults = [_planned_fault(source, plan.write, proxied=plan.proxied) for _ in range(count)]
    if idempotent and source.random() < 0.05:
        # A connection that is lost again and again.
        plan.faults = [PlannedFault("drop", source.random() < 0.5) for _ in range(5)]
    if source.random() < 0.2:
        plan.attempts = source.choice((1, 2, 4, 7))
    if source.random() < 0.05 and not plan.authentication:
        plan.tokens = LOW
    return plan


def _planned_fault(source: random.Random, write: Write, *, proxied: bool = False) -> PlannedFault:
    if proxied and source.random() < 0.7:
        # A client waits a while before it connects again, so refused connections are few.
        what = source.choice((*[REFUSE] * 7, *[RESET] * 7, SHUT))
        return PlannedFault(what, after=what == RESET)
    kind = source.random()
    is_upload = write.policy in ("UPLOAD", "PIPE")
    if kind < 0.35:
        return PlannedFault("RESOURCE_EXHAUSTED", pushback=_pushback(source))
    if kind < 0.45:
        # NOT_FOUND would not be true, as there is something to delete.
        return PlannedFault(source.choice(_REFUSALS[:-1] if write.policy.startswith("DELETE") else _REFUSALS))
    if is_upload and kind < 0.5:
        return PlannedFault("full disk")
    if is_upload and kind < 0.6:
        return PlannedFault("drop", messages=source.randint(0, 2))
    return _doubtful(source)


def _doubtful(source: random.Random) -> PlannedFault:
    after = source.random() < 0.5
    if source.random() < 0.2:
        return PlannedFault("drop", after)
    pushback = _pushback(source) if source.random() < 0.2 else None
    return PlannedFault(source.choice(_DOUBTFUL), after, pushback=pushback)


def _pushback(source: random.Random) -> int:
    return TOO_LONG if source.random() < 0.1 else source.choice(_PUSHBACKS)


def expected(plan: Plan) -> Outcome:
    """Return the outcome that the policy asks for."""
    policy = plan.write.policy
    if plan.late:
        raised = "plain" if CLASSES[policy].idempotent else "ambiguous"
        return Outcome(raised, "DEADLINE_EXCEEDED", sent=1)
    outcome, expired, tries, doubtful = Outcome(), plan.expires == 0, _Tries(plan), False
    while True:
        outcome.sent += 1
        fault = plan.faults[outcome.met] if outcome.met < len(plan.faults) else None
        if fault is None or not fault.precedes_authentication:
            if expired:
                failure = "UNAUTHENTICATED" if policy == "PIPE" else _authentication(plan, tries)
                if failure:
                    outcome.raised, outcome.status = "plain", failure
                    return outcome
                expired = False
                continue
            outcome.begun += 1
            gone = policy == "DELETE" and outcome.done > 0
            # NOT_FOUND is an answer, too, and may be lost in the proxy.
            if fault is None or (gone and not fault.is_in_proxy):
                outcome.done += not gone
                outcome.counts = policy == "DELETE_SOME" and doubtful
                return outcome
            outcome.done += fault.after and not gone
        outcome.met += 1
        if not tries.may_go_on_after(fault, policy):
            ambiguous = fault.proves == NOTHING and not CLASSES[policy].idempotent
            outcome.raised, outcome.status = "ambiguous" if ambiguous else "plain", fault.status
            return outcome
        doubtful = doubtful or fault.proves != UNPROCESSED
        outcome.waits += (None if fault.pushback is None else fault.pushback / 1000,)
        expired = expired or plan.expires == len(outcome.waits)


def _authentication(plan: Plan, tries: "_Tries") -> str:
    """Return the status with which the request for a new token fails; "" if it succeeds."""
    own = _Tries(Plan(plan.write, tokens=tries.tokens))
    own.most = CLASSES["READ"].attempts
    for fault in plan.authentication:
        if not own.may_go_on_after(fault, "READ"):
            return fault.status
    tries.tokens = own.tokens
    return ""


class _Tries:
    """Decides whether there is another attempt."""

    def __init__(self, plan: Plan) -> None:
        own = CLASSES[plan.write.policy].attempts
        self.most = own if plan.attempts is None or own == 1 else plan.attempts
        self.failed = 0
        self.lost = 0
        self.tokens = plan.tokens
        self.is_chosen = plan.attempts is not None

    def may_go_on_after(self, fault: PlannedFault, policy: str) -> bool:
        self.failed += not self._is_away(fault)
        self.lost += fault.what == "drop"
        if not fault.is_retried(policy):
            return False
        self.tokens -= fault.what != SHUT
        is_throttled = self.tokens < ENOUGH and not self._is_away(fault)
        if is_throttled or self.failed >= self.most or (self.lost > RECONNECTS and not self.is_chosen):
            return False
        return fault.pushback != TOO_LONG

    def _is_away(self, fault: PlannedFault) -> bool:
        """Tell whether the service is waited for, outside the count."""
        says_so = fault.what == "UNAVAILABLE" and fault.pushback is None and not self.is_chosen
        return self.most > 1 and (fault.what == SHUT or says_so)
