"""The cases of the fault matrix: each is a call of an RPC, and the faults that its requests meet."""

import contextlib
import random
from itertools import count
from typing import Iterator, List, NamedTuple, Optional, Sequence

from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.rpc.auth import Credentials, Token

from .h2_faults import http, reset, status
from .h2_server import OK, Answer, Exchange, H2Server, reply
from .matrix import RPCS, WaitlessChannel, check, differences, expected, failure, is_retried, meet
from .retry_table import CLASSES, FAULTS, Fault, refused, unprocessed
from .rpcs import Rpc

AUTHENTICATE = "/proto.rpc.v1.AuthService/Authenticate"
WITH_TOKEN = [rpc for rpc in RPCS if rpc.path != AUTHENTICATE]

PASSING = [fault for fault in FAULTS if fault.passing]
#: How many times all RPCs meet faults of all kinds in a row.
SEEDS = 3
#: How a token is refused, and the fault that the attempt with the next one meets; None if it meets none.
REFUSALS = [
    (status("UNAUTHENTICATED"), None),
    (status("UNAUTHENTICATED"), refused("UNAUTHENTICATED")),
    (status("UNAUTHENTICATED"), refused("PERMISSION_DENIED")),
    (status("UNAUTHENTICATED"), unprocessed(reset("REFUSED_STREAM"))),
    (http(401), None),
    (http(401), refused("UNAUTHENTICATED", http(401))),
]


class Case(NamedTuple):
    """A call of an RPC.

    Attributes:
        rpc: The RPC.
        faults: The faults that the requests meet, one after the other.
        refusal: How the token is refused before that; None if it is good.
    """

    rpc: Rpc
    faults: Sequence[Fault]
    refusal: Optional[Answer] = None

    def __str__(self) -> str:
        return f"{self.rpc.policy} {self.rpc.path}: {', '.join(self.answers)}"

    @property
    def answers(self) -> List[str]:
        """The names of the answers that its requests meet."""
        return [answer.name for answer in [self.refusal, *(fault.answer for fault in self.faults)] if answer]

    @property
    def may_abort(self) -> bool:
        """Whether grpcio may abort the process: an upload that is answered by HTTP alone."""
        return self.rpc.kind == "upload" and any(name.startswith("HTTP") for name in self.answers)

    def check(self, channel: WaitlessChannel) -> List[str]:
        """Make the call; return what is not as the policy says."""
        if self.refusal is None:
            return check(self.rpc, channel, self.faults)
        return list(_check_renewal(self.rpc, channel, self.refusal, self.faults))


def staying(fault: Fault) -> List[Case]:
    """Every RPC under a fault that stays."""
    return [Case(rpc, [fault] * CLASSES[rpc.policy].attempts) for rpc in RPCS]


def passing(fault: Fault) -> List[Case]:
    """Every RPC that may be tried again, under a fault that passes."""
    return [Case(rpc, [fault]) for rpc in RPCS if is_retried(rpc, fault)]


def in_a_row(seed: int) -> List[Case]:
    """Every RPC under faults of all kinds."""
    chance = random.Random(seed)
    return [Case(rpc, [*chance.choices(PASSING, k=chance.randrange(4)), *chance.sample(FAULTS, 2)]) for rpc in RPCS]


def with_refused_token(refusal: Answer, fault: Optional[Fault]) -> List[Case]:
    """Every RPC that carries a token, which is refused once; then there is a fault that stays, or none."""
    return [Case(rpc, [] if fault is None else [fault] * 5, refusal) for rpc in WITH_TOKEN]


def everything() -> List[Case]:
    """All of these cases, always in the same order."""
    groups = [
        *map(staying, FAULTS),
        *map(passing, PASSING),
        *map(in_a_row, range(SEEDS)),
        *(with_refused_token(*refusal) for refusal in REFUSALS),
    ]
    return [case for group in groups for case in group]


@contextlib.contextmanager
def connected() -> Iterator[WaitlessChannel]:
    """Start a server that authenticates everybody; gives a channel to it."""
    with H2Server(otherwise={AUTHENTICATE: _give_tokens()}) as server, WaitlessChannel(server) as channel:
        yield channel


def _give_tokens() -> Answer:
    """Return an answer that authenticates everybody, each time with another token."""
    numbers = count()

    def act(exchange: Exchange) -> None:
        message = auth_pb.AuthenticateResponse(access_token=f"token-{next(numbers)}")
        reply(message.SerializeToString()).act(exchange)

    return Answer("token", act)


def _check_renewal(rpc: Rpc, channel: WaitlessChannel, refusal: Answer, faults: Sequence[Fault]) -> Iterator[str]:
    """Yield what is not as it should be where the token is refused once, and then there are these faults."""
    token = Token(channel, "entity", Credentials("api-key", "key"))
    token.refresh()
    channel.token_accepted = False
    channel.server.plan(AUTHENTICATE)
    wanted = expected(rpc, faults)
    if rpc.policy == "PIPE":
        wanted = {"met": [], "left": 0, "waits": [], **failure(rpc, refused("UNAUTHENTICATED"), 0)}
    wanted["met"] = [refusal.name, *wanted["met"]]
    if "attempts" in wanted:
        wanted["attempts"] += 1
    answers = [refusal, *(fault.answer for fault in faults), OK]
    yield from differences(rpc, meet(rpc, channel, answers[: len(wanted["met"])], token), wanted)
    sent = {request.headers["authorization"] for request in channel.server.requests(rpc.path)}
    renewals = len(channel.server.requests(AUTHENTICATE))
    if (len(sent), renewals) != ((1, 0) if rpc.policy == "PIPE" else (2, 1)):
        yield f"{rpc.policy} {rpc.path}: {renewals} renewals, sent with {sent}"
