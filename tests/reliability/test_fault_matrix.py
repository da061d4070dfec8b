"""Every RPC under every fault: how often it was sent, what was raised, and how long was waited."""

import signal
import threading
from typing import Iterable, Iterator, List, Optional

import grpc
import pytest

from viam_sync.errors import InternalError, UnavailableError
from viam_sync.rpc.auth import Credentials, Token
from viam_sync.rpc.service import Service

from . import abortable
from .cases import (
    AUTHENTICATE,
    PASSING,
    REFUSALS,
    SEEDS,
    WITH_TOKEN,
    Case,
    connected,
    in_a_row,
    passing,
    staying,
    with_refused_token,
)
from .h2_faults import GO_AWAY_EXCLUDING, SOME_MESSAGE, after_one, cut, finished, reset
from .h2_server import OK, PATIENCE, Answer, Exchange, H2Server
from .matrix import (
    RPCS,
    WaitlessChannel,
    check,
    check_together,
    differences,
    expected,
    meet,
    method_of,
)
from .retry_table import CLASSES, FAULTS, GRPC_VERSION, NO_ANSWER, Fault, lost, refused, unprocessed
from .rpcs import Rpc

#: Seconds that are long for a request to arrive in, and short to wait for an answer that never comes.
A_WHILE = 2


def named(answer: Answer) -> str:
    return answer.name


@pytest.fixture(scope="module")
def channel() -> Iterator[WaitlessChannel]:
    with connected() as opened:
        yield opened


def all_of(found: Iterable[List[str]]) -> List[str]:
    return [line for lines in found for line in lines]


def differences_of(cases: Iterable[Case], channel: WaitlessChannel) -> List[str]:
    """Run the cases, except those in which grpcio may abort the process; return what is not as the policy says."""
    return all_of(case.check(channel) for case in cases if not case.may_abort)


def test_the_matrix_is_of_every_rpc_and_large_enough() -> None:
    assert {rpc.policy for rpc in RPCS} <= CLASSES.keys()
    assert len({fault.answer.name for fault in FAULTS}) == len(FAULTS) >= 12
    assert len({rpc.path for rpc in RPCS}) >= 200
    assert len(RPCS) * len(FAULTS) >= 2_500


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_fault_that_stays_ends_every_rpc_as_the_policy_says(fault: Fault, channel: WaitlessChannel) -> None:
    found = differences_of(staying(fault), channel)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("fault", [fault for fault in PASSING if "upstream" not in str(fault)], ids=str)
def test_a_fault_that_passes_is_survived_where_the_policy_says_so(fault: Fault, channel: WaitlessChannel) -> None:
    found = differences_of(passing(fault), channel)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_faults_of_all_kinds_in_a_row_end_every_rpc_as_the_policy_says(seed: int, channel: WaitlessChannel) -> None:
    found = differences_of(in_a_row(seed), channel)
    assert not found, "\n".join(found)


def test_an_upload_that_is_answered_by_http_alone_ends_as_the_policy_says() -> None:
    r"""These cases run in child processes, as grpcio may abort a process that makes such an upload.

    A client-streaming call that is answered by an HTTP status other than 200, a body and trailers ends, once in
    1,000 to 100,000 calls, in SIGABRT and "call_combiner.cc:144] Check failed: prev_size >= 1u (0 vs. 1)". Seen with
    grpcio 1.62, 1.71, 1.76, 1.80, 1.82 and 1.85.3, not with 1.32. Without our code, within a minute or two::

        import contextlib, grpc, socket, threading

        def frame(kind, flags, stream, data=b""):
            return len(data).to_bytes(3, "big") + bytes([kind, flags]) + stream + data

        def serve(peer):
            frames, connection = peer.makefile("rb"), bytes(4)
            frames.read(24)
            peer.sendall(frame(4, 0, connection))  # SETTINGS
            while True:
                head = frames.read(9)
                kind, flags, stream, data = head[3], head[4], head[5:], frames.read(int.from_bytes(head[:3], "big"))
                if kind in (4, 6) and not flags & 1:  # SETTINGS and PING are acknowledged
                    peer.sendall(frame(kind, 1, connection, data if kind == 6 else b""))
                if kind == 0 and data:  # DATA is made up for by WINDOW_UPDATE
                    peer.sendall(frame(8, 0, connection, len(data).to_bytes(4, "big")))
                if kind == 0 and flags & 1:  # END_STREAM is answered by ":status: 404", a body, and a trailer "x: y"
                    peer.sendall(frame(1, 4, stream, b"\x8d"))
                    peer.sendall(frame(0, 0, stream, b"no"))
                    peer.sendall(frame(1, 5, stream, b"\0\1x\1y"))

        def upload():
            while True:
                with contextlib.suppress(grpc.RpcError):
                    call(iter([b""]))

        listener = socket.create_server(("127.0.0.1", 0))
        call = grpc.insecure_channel(f"127.0.0.1:{listener.getsockname()[1]}").stream_unary("/a.B/C")
        for _ in range(4):
            threading.Thread(target=upload).start()
        peer, _ = listener.accept()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        serve(peer)
    """
    outcome = abortable.run_in_children()
    assert not outcome.differences, "\n".join(outcome.differences)
    assert outcome.ended == len(abortable.cases()) >= 100
    if outcome.aborted:
        pytest.xfail(f"grpcio {grpc.__version__} aborted the process, as it is known to, amid {outcome.aborted}")


CHECK_FAILED = "F1126 17:26:07.655120   30539 call_combiner.cc:144] Check failed: prev_size >= 1u (0 vs. 1) \n"


@pytest.mark.parametrize(
    ("status", "errors", "known"),
    [
        (-signal.SIGABRT, CHECK_FAILED, True),
        # The words of grpcio before 1.67.
        (
            -signal.SIGABRT,
            "E1126 17:48:15.519678525   18622 call_combiner.cc:158]      ASSERTION FAILED: prev_size >= 1",
            True,
        ),
        (-signal.SIGABRT, "Fatal Python error: Aborted\n", False),
        (-signal.SIGABRT, CHECK_FAILED.replace("call_combiner.cc:144", "call.cc:144"), False),
        (-signal.SIGABRT, f"AssertionError: {CHECK_FAILED}", False),
        (-signal.SIGSEGV, CHECK_FAILED, False),
        (1, CHECK_FAILED, False),
    ],
)
def test_no_other_end_of_a_process_is_taken_for_the_known_abort_of_grpcio(
    status: int, errors: str, known: bool
) -> None:
    assert abortable.is_known_abort(status, errors) == known


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
        # A message that grpc has not handed over by then is lost, and the stream has not begun.
        assert received.wait(PATIENCE)
        then.act(exchange)

    broken = after_one(then.name, breaks)
    channel.server.plan(rpc.path, broken)
    channel.settle()
    asked, answered = rpc.types()
    with Service(channel, {})._unary_stream(method_of(rpc), asked(), 30) as stream:
        assert next(stream) == answered.FromString(SOME_MESSAGE)
        received.set()
        with pytest.raises((UnavailableError, InternalError)):
            next(stream)
    assert channel.server.met(rpc.path) == [broken.name]


@pytest.mark.parametrize(("refusal", "fault"), REFUSALS, ids=lambda given: getattr(given, "name", str(given)))
def test_a_token_that_is_refused_is_renewed_once_for_one_more_attempt_outside_the_count(
    refusal: Answer, fault: Optional[Fault], channel: WaitlessChannel
) -> None:
    found = differences_of(with_refused_token(refusal, fault), channel)
    assert not found, "\n".join(found)


def test_a_token_is_not_renewed_where_a_right_is_missing(channel: WaitlessChannel) -> None:
    token = Token(channel, "entity", Credentials("api-key", "key"))
    token.refresh()
    channel.server.plan(AUTHENTICATE)
    found = all_of(check(rpc, channel, [refused("PERMISSION_DENIED")], metadata=token) for rpc in WITH_TOKEN)
    assert not found, "\n".join(found)
    assert not channel.server.requests(AUTHENTICATE)
