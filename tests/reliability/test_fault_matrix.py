"""Every RPC under every fault: how often it was sent, what was raised, and how long was waited."""

import random
import threading
from itertools import count
from typing import Iterable, Iterator, List, Optional

import grpc
import pytest

from viam_sync.errors import InternalError, UnavailableError
from viam_sync.proto.rpc import auth as auth_pb
from viam_sync.rpc.auth import Credentials, Token

from .h2_faults import GO_AWAY_EXCLUDING, after_one, cut, finished, http, reset, status
from .h2_server import OK, PATIENCE, Answer, Exchange, H2Server, reply
from .matrix import (
    RPCS,
    WaitlessChannel,
    caller_of,
    check,
    check_together,
    differences,
    expected,
    failure,
    is_retried,
    meet,
    policy_of,
)
from .retry_table import CLASSES, FAULTS, GRPC_VERSION, NO_ANSWER, Fault, lost, refused, unprocessed
from .rpcs import Rpc

AUTHENTICATE = "/proto.rpc.v1.AuthService/Authenticate"
WITH_TOKEN = [rpc for rpc in RPCS if rpc.path != AUTHENTICATE]

#: Seconds that are long for a request to arrive in, and short to wait for an answer that never comes.
A_WHILE = 2

PASSING = [fault for fault in FAULTS if fault.passing]


def named(answer: Answer) -> str:
    return answer.name


def give_tokens() -> Answer:
    """Return what authenticates everybody, each time with another token."""
    numbers = count()

    def act(exchange: Exchange) -> None:
        message = auth_pb.AuthenticateResponse(access_token=f"token-{next(numbers)}")
        reply(message.SerializeToString()).act(exchange)

    return Answer("token", act)


@pytest.fixture(scope="module")
def server() -> Iterator[H2Server]:
    with H2Server(otherwise={AUTHENTICATE: give_tokens()}) as running:
        yield running


@pytest.fixture(scope="module")
def channel(server: H2Server) -> Iterator[WaitlessChannel]:
    with WaitlessChannel(server) as opened:
        yield opened


def all_of(found: Iterable[List[str]]) -> List[str]:
    return [line for lines in found for line in lines]


def test_the_matrix_is_of_every_rpc_and_large_enough() -> None:
    assert {rpc.policy for rpc in RPCS} <= CLASSES.keys()
    assert len({fault.answer.name for fault in FAULTS}) == len(FAULTS) >= 12
    assert len({rpc.path for rpc in RPCS}) >= 200
    assert len(RPCS) * len(FAULTS) >= 2_500


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_that_stays_ends_every_rpc_as_the_policy_says(fault: Fault, channel: WaitlessChannel) -> None:
    found = all_of(check(rpc, channel, [fault] * CLASSES[rpc.policy].attempts) for rpc in RPCS)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("fault", [fault for fault in PASSING if "upstream" not in str(fault)], ids=str)
def test_a_fault_that_passes_is_survived_where_the_policy_says_so(fault: Fault, channel: WaitlessChannel) -> None:
    found = all_of(check(rpc, channel, [fault]) for rpc in RPCS if is_retried(rpc, fault))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("seed", range(3))
def test_faults_of_all_kinds_in_a_row_end_every_rpc_as_the_policy_says(seed: int, channel: WaitlessChannel) -> None:
    chance = random.Random(seed)
    rows = [(rpc, [*chance.choices(PASSING, k=chance.randrange(4)), *chance.sample(FAULTS, 2)]) for rpc in RPCS]
    found = all_of(check(rpc, channel, faults) for rpc, faults in rows)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("earlier", [lost(cut()), unprocessed(reset("REFUSED_STREAM"))], ids=str)
def test_a_deletion_that_finds_nothing_is_done_if_it_may_have_been_done_before(
    earlier: Fault, channel: WaitlessChannel
) -> None:
    found = all_of(check(rpc, channel, [earlier, refused("NOT_FOUND")]) for rpc in RPCS)
    assert not found, "\n".join(found)


@pytest.mark.skipif(GRPC_VERSION < (1, 46), reason="grpc looks at no GOAWAY")
def test_grpc_itself_sends_again_what_a_goaway_excluded_once(channel: WaitlessChannel) -> None:
    found: List[str] = []
    for rpc in RPCS:
        wanted = {**expected(rpc, []), "met": [GO_AWAY_EXCLUDING.name, "ok"]}
        found += differences(rpc, meet(rpc, channel, [GO_AWAY_EXCLUDING, OK]), wanted)
    assert not found, "\n".join(found)


def test_no_request_leaves_where_the_connection_is_refused() -> None:
    refusal = unprocessed(Answer("-", Exchange.finish), sent=0)
    with H2Server(listen=False) as nobody, WaitlessChannel(nobody) as channel:
        found = all_of(check(rpc, channel, [refusal] * 5) for rpc in RPCS)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("policy", sorted(name for name, kind in CLASSES.items() if kind.attempts > 1))
def test_a_server_that_is_started_again_is_found_by_the_next_attempt(policy: str) -> None:
    rpc = next(rpc for rpc in RPCS if rpc.policy == policy)
    with H2Server(listen=False) as server, WaitlessChannel(server) as channel:

        def start() -> None:
            server.listen()
            grpc.channel_ready_future(channel.connection.channel()).result(PATIENCE)

        channel.meanwhile = start
        refusal = unprocessed(Answer("-", Exchange.finish), sent=0)
        assert not list(differences(rpc, meet(rpc, channel, []), expected(rpc, [refusal])))


def test_the_dial_options_cap_how_often_a_lost_connection_is_made_again() -> None:
    with H2Server() as server, WaitlessChannel(server, max_reconnect_attempts=1) as channel:
        found = all_of(check(rpc, channel, [lost(finished())] * 5, most=2) for rpc in RPCS)
    assert not found, "\n".join(found)


def test_an_attempt_that_gets_no_answer_is_given_up(channel: WaitlessChannel) -> None:
    def one(rpc: Rpc) -> List[str]:
        limit = {"idle_timeout" if rpc.kind in ("upload", "stream") else "attempt_timeout": A_WHILE}
        return check(rpc, channel, [NO_ANSWER], timeout=None, arrivals=1, **limit)

    found = check_together([rpc for rpc in RPCS if rpc.policy != "TAIL"], one)
    assert not found, "\n".join(found)


def test_the_time_of_the_caller_ends_a_call_whatever_its_class(channel: WaitlessChannel) -> None:
    def one(rpc: Rpc) -> List[str]:
        return check(rpc, channel, [NO_ANSWER], most=1, timeout=A_WHILE, arrivals=1)

    found = check_together(RPCS, one)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("then", [cut(), finished(), reset("INTERNAL_ERROR"), reset("REFUSED_STREAM")], ids=named)
@pytest.mark.parametrize("rpc", [rpc for rpc in RPCS if rpc.kind == "stream"], ids=lambda rpc: rpc.name)
def test_a_stream_that_has_begun_is_not_begun_again(rpc: Rpc, then: Answer, channel: WaitlessChannel) -> None:
    received = threading.Event()

    def breaks(exchange: Exchange) -> None:
        # What grpc has not handed over by then is lost, and the stream has not begun.
        assert received.wait(PATIENCE)
        then.act(exchange)

    broken = after_one(then.name, breaks)
    channel.server.plan(rpc.path, broken)
    channel.settle()
    asked, answered = rpc.types()
    with caller_of(rpc, channel)._receive(rpc.name, asked(), policy_of(rpc), 30) as stream:
        assert next(stream) == answered()
        received.set()
        with pytest.raises((UnavailableError, InternalError)):
            next(stream)
    assert channel.server.met(rpc.path) == [broken.name]


def with_token(rpc: Rpc, channel: WaitlessChannel, first: Answer, faults: List[Fault]) -> Iterator[str]:
    """Yield what is not as it should be where the token is refused once, and then there are these faults."""
    token = Token(channel, "entity", Credentials("api-key", "key"))
    token.refresh()
    channel.accepted = False
    channel.server.plan(AUTHENTICATE)
    wanted = expected(rpc, faults)
    if rpc.policy == "PIPE":
        wanted = {"met": [], "left": 0, "waits": [], **failure(rpc, refused("UNAUTHENTICATED"), 0)}
    wanted["met"] = [first.name, *wanted["met"]]
    if "attempts" in wanted:
        wanted["attempts"] += 1
    answers = [first, *(fault.answer for fault in faults), OK]
    yield from differences(rpc, meet(rpc, channel, answers[: len(wanted["met"])], token), wanted)
    sent = {request.headers["authorization"] for request in channel.server.requests(rpc.path)}
    renewals = len(channel.server.requests(AUTHENTICATE))
    if (len(sent), renewals) != ((1, 0) if rpc.policy == "PIPE" else (2, 1)):
        yield f"{rpc.policy} {rpc.path}: {renewals} renewals, sent with {sent}"


@pytest.mark.parametrize(
    ("first", "fault"),
    [
        (status("UNAUTHENTICATED"), None),
        (status("UNAUTHENTICATED"), refused("UNAUTHENTICATED")),
        (status("UNAUTHENTICATED"), refused("PERMISSION_DENIED")),
        (status("UNAUTHENTICATED"), unprocessed(reset("REFUSED_STREAM"))),
        (http(401), None),
        (http(401), refused("UNAUTHENTICATED", http(401))),
    ],
    ids=lambda given: getattr(given, "name", str(given)),
)
def test_a_token_that_is_refused_is_renewed_once_for_one_more_attempt_outside_the_count(
    first: Answer, fault: Optional[Fault], channel: WaitlessChannel
) -> None:
    faults = [] if fault is None else [fault] * 5
    found = [line for rpc in WITH_TOKEN for line in with_token(rpc, channel, first, faults)]
    assert not found, "\n".join(found)


def test_a_token_is_not_renewed_where_a_right_is_missing(channel: WaitlessChannel) -> None:
    token = Token(channel, "entity", Credentials("api-key", "key"))
    token.refresh()
    channel.server.plan(AUTHENTICATE)
    found = all_of(check(rpc, channel, [refused("PERMISSION_DENIED")], metadata=token) for rpc in WITH_TOKEN)
    assert not found, "\n".join(found)
    assert not channel.server.requests(AUTHENTICATE)
