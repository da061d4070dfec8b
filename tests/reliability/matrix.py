"""Calls of every RPC to the raw HTTP/2 server, their outcomes, and the outcomes that the policy asks for."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence

import grpc

from viam_sync.errors import AmbiguousResultError, GRPCError, grpc_error
from viam_sync.rpc.channel import ServiceChannel
from viam_sync.rpc.method import Method
from viam_sync.rpc.retry_limits import Unlimited
from viam_sync.rpc.service import Service
from viam_sync.services import methods

from .h2_faults import LIMIT
from .h2_server import OK, PATIENCE, Answer, H2Server
from .retry_table import CLASSES, NOTHING, UNPROCESSED, Fault
from .rpcs import Rpc

_KINDS = {"unary_unary": "unary", "stream_unary": "upload", "unary_stream": "stream"}
_TABLE = {row.path: row for row in vars(methods).values() if isinstance(row, Method)}


def _rpcs() -> Iterator[Rpc]:
    """Yield all RPCs; those that send a stream come again as PIPE, out of a source that can be read only once."""
    for row in _TABLE.values():
        service, _, name = row.name.rpartition("/")
        rpc = Rpc(service, name, _KINDS[row.kind], row.policy.name)
        yield rpc
        if rpc.kind == "upload":
            yield rpc._replace(policy="PIPE")


RPCS = sorted(_rpcs())

READY = grpc.ChannelConnectivity.READY.value[0]

#: The outcome of a call.
Outcome = Dict[str, Any]


class WaitlessChannel(ServiceChannel):
    """A channel that writes down how long it was to wait, and takes no message above ``LIMIT``.

    Its service counts as never reached, so that each attempt counts; ``test_outages`` has the calls that go on.
    """

    was_reached = property(lambda self: False, lambda self, reached: None)  # type: ignore[assignment]

    def __init__(self, server: H2Server, max_reconnect_attempts: int = 100) -> None:
        options = [("grpc.max_receive_message_length", LIMIT), ("grpc.use_local_subchannel_pool", 1)]
        super().__init__(
            lambda: grpc.insecure_channel(server.address, options), max_reconnect_attempts=max_reconnect_attempts
        )
        self.server = server
        self.meanwhile: Callable[[], object] = self.settle
        # One case has no say in the next.
        self.retry_throttle: Any = Unlimited()
        self._mine = threading.local()

    @property
    def waits(self) -> List[float]:
        """The seconds that calls of this thread were to wait."""
        found: List[float] = self._mine.__dict__.setdefault("waits", [])
        return found

    def sleep(self, seconds: float, cancellation: object = None) -> None:
        self.waits.append(seconds)
        self.meanwhile()

    def settle(self) -> None:
        """Let the client see the end of the connection, if the server has ended it.

        Until then it gives requests to that connection which never leave, so that they could not be counted. Real waits
        are long enough for that.
        """
        core = self.connection.channel()._channel
        if not self.server.connected() and core.check_connectivity_state(False) == READY:
            core.watch_connectivity_state(READY, time.time() + PATIENCE)


def method_of(rpc: Rpc, **limits: Any) -> Method:
    """Return the row of an RPC, whose policy may have other limits."""
    row = _TABLE[rpc.path]
    return row._replace(policy=row.policy._replace(**limits))


def send(
    rpc: Rpc, channel: ServiceChannel, metadata: Optional[Mapping[str, str]], timeout: Optional[float], **limits: Any
) -> List[Any]:
    """Make a call as a client's method does, whose policy may have other limits; return the responses."""
    service, method = Service(channel, metadata or {}), method_of(rpc, **limits)
    request = rpc.types()[0]()
    if rpc.kind == "unary":
        return [service._unary_unary(method, request, timeout)]
    if rpc.kind == "upload":
        requests = iter([request]) if rpc.policy == "PIPE" else lambda: [request]
        return [service._stream_unary(method, requests, timeout)]
    with service._unary_stream(method, request, timeout) as stream:
        return list(stream)


def meet(
    rpc: Rpc,
    channel: WaitlessChannel,
    plan: Sequence[Answer],
    metadata: Optional[Mapping[str, str]] = None,
    timeout: Optional[float] = 30,
    arrivals: int = 0,
    **limits: Any,
) -> Outcome:
    """Make a call whose requests get these answers; tell what came of it, once that many have arrived."""
    channel.server.plan(rpc.path, *plan)
    channel.settle()
    channel.waits.clear()
    try:
        result: Outcome = {"returned": send(rpc, channel, metadata, timeout, **limits)}
    except GRPCError as error:
        cause = type(error.__cause__).__name__ if isinstance(error, AmbiguousResultError) else "-"
        result = failed(rpc, type(error).__name__, error.status.name, error.attempts, cause)
        result["method"] = error.method
    met = channel.server.met(rpc.path, arrivals)
    return {"met": met, "left": channel.server.left(rpc.path), "waits": list(channel.waits), **result}


def failed(rpc: Rpc, raised: str, status: str, attempts: int, cause: str) -> Outcome:
    return {
        "raised": raised,
        "status": status,
        "attempts": attempts,
        "cause": cause,
        "method": rpc.path.lstrip("/"),
    }


def failure(rpc: Rpc, fault: Fault, attempts: int, status: Optional[str] = None) -> Outcome:
    """Return what is raised where a fault ends a call; ``status`` where grpc may report several."""
    name = status if status in fault.status else fault.status[0]
    plain = type(grpc_error(grpc.StatusCode[name])).__name__
    ambiguous = fault.proves == NOTHING and not CLASSES[rpc.policy].repeats
    return failed(rpc, "AmbiguousResultError" if ambiguous else plain, name, attempts, plain if ambiguous else "-")


def is_retried(rpc: Rpc, fault: Fault) -> bool:
    return fault.passing and (CLASSES[rpc.policy].repeats or fault.proves == UNPROCESSED)


def expected(rpc: Rpc, faults: Sequence[Fault], most: int = 5, status: Optional[str] = None) -> Outcome:
    """Return what should come of a call whose attempts, ``most`` of them at the most, meet these faults, then none."""
    kind = CLASSES[rpc.policy]
    met: List[str] = []
    waits: List[Optional[float]] = []
    in_doubt = False
    for attempt, fault in enumerate(faults, 1):
        met += [fault.answer.name] * fault.sent
        if kind.gone_is_done and in_doubt and fault.status == ("NOT_FOUND",):
            break
        if attempt >= min(kind.attempts, most) or not is_retried(rpc, fault):
            return {"met": met, "left": 0, "waits": waits, **failure(rpc, fault, attempt, status)}
        in_doubt = in_doubt or fault.proves == NOTHING
        waits.append(fault.wait)
    else:
        met.append("ok")
    return {"met": met, "left": 0, "waits": waits, "returned": [rpc.types()[1]()]}


def differences(rpc: Rpc, got: Outcome, wanted: Outcome) -> Iterator[str]:
    """Yield what is not as wanted, one line each; a wait of None is one that is random."""
    for key in sorted(got.keys() | wanted.keys() - {"waits"}):
        if key != "waits" and got.get(key) != wanted.get(key):
            yield f"{rpc.policy} {rpc.path}: {key} is {got.get(key)!r}, not {wanted.get(key)!r}; in all {got}"
    waits = zip(got["waits"], wanted["waits"])
    fitting = all(0 <= wait <= 10 if exact is None else wait == exact for wait, exact in waits)
    if len(got["waits"]) != len(wanted["waits"]) or not fitting:
        yield f"{rpc.policy} {rpc.path}: waited {got['waits']}, not {wanted['waits']}"


def check_together(rpcs: Iterable[Rpc], one: Callable[[Rpc], List[str]]) -> List[str]:
    """Check calls of these RPCs at the same time, but those of one RPC one after the other."""
    by_path: Dict[str, List[Rpc]] = {}
    for rpc in rpcs:
        by_path.setdefault(rpc.path, []).append(rpc)
    with ThreadPoolExecutor(64) as pool:
        found = list(pool.map(lambda same: [line for rpc in same for line in one(rpc)], by_path.values()))
    return [line for lines in found for line in lines]


def check(rpc: Rpc, channel: WaitlessChannel, faults: Sequence[Fault], most: int = 5, **options: Any) -> List[str]:
    """Let a call meet those of the faults that it should; return what is not as the policy says."""
    wanted = expected(rpc, faults, most)
    answers = [*(answer for fault in faults for answer in [fault.answer] * fault.sent), OK]
    got = meet(rpc, channel, answers[: len(wanted["met"])], **options)
    return list(differences(rpc, got, expected(rpc, faults, most, got.get("status"))))
