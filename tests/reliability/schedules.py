"""Schedules: calls and what goes wrong with each, all made from a number, and what must come of them.

What is expected is written here from the policy, and read from no code.
"""

import random
from dataclasses import dataclass, field
from typing import Dict, List, NamedTuple, Optional, Tuple

from .gate import REFUSE, RESET
from .items import Write
from .writes import WRITES

#: What a mishap proves: that the request was not processed, that it was turned down, or nothing.
UNPROCESSED, REFUSED, NOTHING = "unprocessed", "refused", "nothing"

_DOUBTFUL = ("UNAVAILABLE", "UNAVAILABLE", "DEADLINE_EXCEEDED", "INTERNAL", "UNKNOWN", "CANCELLED", "DATA_LOSS")
_REFUSALS = (
    *("INVALID_ARGUMENT", "ALREADY_EXISTS", "PERMISSION_DENIED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE"),
    *("UNIMPLEMENTED", "RESOURCE_EXHAUSTED", "NOT_FOUND"),
)
_PASSING = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "drop", RESET)
#: A connection that nobody takes.
SHUT = "refused connection"
_STATUS = {"drop": "UNAVAILABLE", REFUSE: "UNAVAILABLE", SHUT: "UNAVAILABLE", RESET: "INTERNAL"}
#: Milliseconds that the service may ask for, and those that are too long for any call.
_PUSHBACKS, TOO_LONG = (0, 7, 250, 12_000), 600_000


class Class(NamedTuple):
    """What the policy says of a retry class."""

    attempts: int
    repeats: bool


CLASSES: Dict[str, Class] = {
    "READ": Class(5, repeats=True),
    "IDEMPOTENT": Class(5, repeats=True),
    "DELETE": Class(5, repeats=True),
    "DELETE_SOME": Class(5, repeats=True),
    "NON_IDEMPOTENT": Class(3, repeats=False),
    "UPLOAD": Class(3, repeats=False),
    "PIPE": Class(1, repeats=False),
}
FILE_UPLOAD = next(write for write in WRITES if write.rpc == "FileUpload")
#: How often a call is tried again after its connection was lost.
RECONNECTS = 3
#: What a client may fail before it tries nothing again; and where that ends.
FULL, LOW, ENOUGH = 100.0, 51.0, 50.0


class Mishap(NamedTuple):
    """Something that is to go wrong with one request.

    Attributes:
        what: A code, "drop", "full disk", or what happens on the way: "refused stream", "reset", "refused connection".
        after: Whether the call takes effect first.
        messages: After how many messages of an upload it happens; None if it does not wait for one.
        pushback: How many milliseconds the service asks the client to wait; None for nothing.
    """

    what: str
    after: bool = False
    messages: Optional[int] = None
    pushback: Optional[int] = None

    @property
    def status(self) -> str:
        return "RESOURCE_EXHAUSTED" if self.what == "full disk" else _STATUS.get(self.what, self.what)

    @property
    def is_on_the_way(self) -> bool:
        """Whether it happens between the client and the service."""
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
    def is_at_the_door(self) -> bool:
        """Whether it happens before the service looks who is calling."""
        return not self.after and self.messages is None and self.what != "full disk"

    def is_retried(self, policy: str) -> bool:
        if CLASSES[policy].repeats and self.what in _PASSING:
            return True
        return self.proves == UNPROCESSED


@dataclass
class Plan:
    """A call, and what is to go wrong with it.

    Attributes:
        write: The call.
        mishaps: What its requests meet, one after the other.
        authentication: What the requests for a new token meet.
        expires: Before which wait, counted from 1, the token is to expire; 0 for before the call, None for never.
        attempts: How often its client may send a request; None for what the policy says.
        tokens: What there is of the retry budget.
        late: Whether it is delayed for longer than its client waits.
        gated: Whether it goes through a gate.
        size: How many bytes it has, if it is an upload.
    """

    write: Write
    mishaps: List[Mishap] = field(default_factory=list)
    authentication: List[Mishap] = field(default_factory=list)
    expires: Optional[int] = None
    attempts: Optional[int] = None
    tokens: float = FULL
    late: bool = False
    gated: bool = False
    size: int = 0


@dataclass
class FolderPlan:
    """The upload of a folder, which is done again where the first run leaves something to be done.

    Attributes:
        mishaps: What the uploads meet, one after the other.
        asking: What the second run meets when it asks which of those in doubt are there.
        workers: How many uploads go on at a time.
        journal: Whether there is one.
        sizes: How many bytes each file has.
    """

    mishaps: List[Mishap]
    asking: List[Mishap]
    workers: int
    journal: bool
    sizes: List[int]


@dataclass
class Outcome:
    """What comes of a call.

    Attributes:
        raised: "returned", "ambiguous", or "plain" for an error that says what happened.
        status: That of the error.
        sent: How often the request was sent.
        begun: How often the service began to do it.
        done: How often it did.
        met: How many of the mishaps happened.
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
    """Return what happens to the upload of a folder."""
    source = random.Random(seed)
    return FolderPlan(
        [_mishap(source, FILE_UPLOAD) for _ in range(source.choice((0, 1, 2, 3, 5)))],
        [_doubtful(source) for _ in range(source.choice((0, 1, 2)))],
        source.choice((1, 2, 4)),
        source.random() < 0.7,
        [source.choice((0, 1, 5_000, 300_000)) for _ in range(4)],
    )


def _plan(source: random.Random) -> Plan:
    plan = Plan(source.choice(WRITES))
    repeats = CLASSES[plan.write.policy].repeats
    if plan.write.policy in ("UPLOAD", "PIPE") or plan.write.rpc == "DataCaptureUpload":
        plan.size = source.choice((0, 1, 5_000, 60_000) if plan.write.policy == "PIPE" else (0, 1, 5_000, 300_000))
    if source.random() < 0.02:
        plan.late = True
        return plan
    plan.gated = source.random() < 0.15
    if source.random() < 0.1 and not plan.gated:
        plan.expires = source.choice((0, 0, 1, 2))
        plan.authentication = [_doubtful(source) for _ in range(source.choice((0, 0, 0, 1, 2)))]
    count = source.choice((0, 1, 1, 2, 3, 6) if repeats else (0, 1, 1, 2, 3))
    plan.mishaps = [_mishap(source, plan.write, gated=plan.gated) for _ in range(count)]
    if repeats and source.random() < 0.05:
        # A line that is cut again and again.
        plan.mishaps = [Mishap("drop", source.random() < 0.5) for _ in range(5)]
    if source.random() < 0.2:
        plan.attempts = source.choice((1, 2, 4, 7))
    if source.random() < 0.05 and not plan.authentication:
        plan.tokens = LOW
    return plan


def _mishap(source: random.Random, write: Write, *, gated: bool = False) -> Mishap:
    if gated and source.random() < 0.7:
        # A client waits a while before it knocks again, so there are few of these.
        what = source.choice((*[REFUSE] * 7, *[RESET] * 7, SHUT))
        return Mishap(what, after=what == RESET)
    kind = source.random()
    is_upload = write.policy in ("UPLOAD", "PIPE")
    if kind < 0.35:
        return Mishap("RESOURCE_EXHAUSTED", pushback=_pushback(source))
    if kind < 0.45:
        # That there is nothing to delete would be a lie of the service's.
        return Mishap(source.choice(_REFUSALS[:-1] if write.policy.startswith("DELETE") else _REFUSALS))
    if is_upload and kind < 0.5:
        return Mishap("full disk")
    if is_upload and kind < 0.6:
        return Mishap("drop", messages=source.randint(0, 2))
    return _doubtful(source)


def _doubtful(source: random.Random) -> Mishap:
    after = source.random() < 0.5
    if source.random() < 0.2:
        return Mishap("drop", after)
    pushback = _pushback(source) if source.random() < 0.2 else None
    return Mishap(source.choice(_DOUBTFUL), after, pushback=pushback)


def _pushback(source: random.Random) -> int:
    return TOO_LONG if source.random() < 0.1 else source.choice(_PUSHBACKS)


def expected(plan: Plan) -> Outcome:
    """Return what must come of a call."""
    policy = plan.write.policy
    if plan.late:
        raised = "plain" if CLASSES[policy].repeats else "ambiguous"
        return Outcome(raised, "DEADLINE_EXCEEDED", sent=1)
    outcome, expired, tries, doubtful = Outcome(), plan.expires == 0, _Tries(plan), False
    while True:
        outcome.sent += 1
        mishap = plan.mishaps[outcome.met] if outcome.met < len(plan.mishaps) else None
        if mishap is None or not mishap.is_at_the_door:
            if expired:
                failure = "UNAUTHENTICATED" if policy == "PIPE" else _authentication(plan, tries)
                if failure:
                    outcome.raised, outcome.status = "plain", failure
                    return outcome
                expired = False
                continue
            outcome.begun += 1
            gone = policy == "DELETE" and outcome.done > 0
            # That there is nothing left is an answer, too, and may be lost on the way.
            if mishap is None or (gone and not mishap.is_on_the_way):
                outcome.done += not gone
                outcome.counts = policy == "DELETE_SOME" and doubtful
                return outcome
            outcome.done += mishap.after and not gone
        outcome.met += 1
        if not tries.may_go_on_after(mishap, policy):
            ambiguous = mishap.proves == NOTHING and not CLASSES[policy].repeats
            outcome.raised, outcome.status = "ambiguous" if ambiguous else "plain", mishap.status
            return outcome
        doubtful = doubtful or mishap.proves != UNPROCESSED
        outcome.waits += (None if mishap.pushback is None else mishap.pushback / 1000,)
        expired = expired or plan.expires == len(outcome.waits)


def _authentication(plan: Plan, tries: "_Tries") -> str:
    """Return the status that asking for a new token ends with; nothing if there is one."""
    own = _Tries(Plan(plan.write, tokens=tries.tokens))
    own.most = CLASSES["READ"].attempts
    for mishap in plan.authentication:
        if not own.may_go_on_after(mishap, "READ"):
            return mishap.status
    tries.tokens = own.tokens
    return ""


class _Tries:
    """What allows for another attempt."""

    def __init__(self, plan: Plan) -> None:
        own = CLASSES[plan.write.policy].attempts
        self.most = own if plan.attempts is None or own == 1 else plan.attempts
        self.failed = 0
        self.lost = 0
        self.tokens = plan.tokens

    def may_go_on_after(self, mishap: Mishap, policy: str) -> bool:
        self.failed += 1
        self.lost += mishap.what in ("drop", SHUT)
        if not mishap.is_retried(policy):
            return False
        self.tokens -= 1
        if self.tokens < ENOUGH or self.failed >= self.most or self.lost > RECONNECTS:
            return False
        return mishap.pushback != TOO_LONG
