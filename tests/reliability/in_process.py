"""A sandbox in the test's own process: it records requests and operations, and injects planned faults one by one."""

import functools
import re
import threading
import time
from collections import deque
from typing import Any, Deque, Dict, Iterator, List, Optional, Sequence, Union

import grpc
import pytest

from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.faults.faults import Fault

from .fault_proxy import REFUSE, FaultProxy
from .schedules import SHUT, PlannedFault

#: Seconds after which a test fails rather than waits on.
LONG = 30

_MARK = re.compile(rb"m\d+x\d+e")


class Operation:
    """An operation that the sandbox began.

    Attributes:
        rpc: The name of the RPC.
        marks: The marks in its request.
        done: Whether it was carried out.
    """

    def __init__(self, rpc: str) -> None:
        self.rpc = rpc
        self.marks: List[bytes] = []
        self.done = False

    def received(self, request: Any) -> None:
        # The contents of an upload follow its metadata, and hold marks without a number.
        self.marks = self.marks or list(set(_MARK.findall(request.SerializeToString()[:4000])))


class Line:
    """The connections of a client, which can be tried without the client's knowledge.

    Args:
        channel: The channel of the client.
        proxy: The proxy on the way to the server; None for none.
    """

    def __init__(self, channel: Any, proxy: Optional[FaultProxy] = None) -> None:
        self.proxy = proxy
        connections = set(channel.lanes.values())
        self._calls = [
            connection.channel().unary_unary("/viam.app.v1.AppService/ListOrganizations") for connection in connections
        ]

    def renew(self) -> None:
        """Wait until there are connections on which calls arrive, after the last ones were ended."""
        self._try_until("A call carries its token", wait_for_ready=True)

    def lose(self) -> None:
        """Wait until the client's channel has noticed that the service cannot be reached."""
        self._try_until("failed to connect to all addresses")

    def _try_until(self, words: str, **options: Any) -> None:
        """Make calls without a token, on each connection until they fail with these words."""
        for call in self._calls:
            end, said = time.monotonic() + LONG, ""
            while not said.startswith(words):
                assert time.monotonic() < end, f"not {words!r}, but {said!r}"
                with pytest.raises(grpc.RpcError) as failed:
                    call(b"", timeout=LONG, **options)
                error: Any = failed.value
                said = error.details()


class ProxyFault:
    """A fault that the proxy injects.

    Attributes:
        what: The kind of fault.
        met: Whether it has happened.
    """

    def __init__(self, line: Line, what: str) -> None:
        assert line.proxy is not None
        self.what = what
        self._line = line
        self._proxy = line.proxy
        self._before = self._proxy.happened
        self._over = False
        if what == SHUT:
            self._proxy.shut()
            line.lose()
        else:
            self._proxy.next = what

    @property
    def met(self) -> int:
        return int(self._over if self.what == SHUT else self._proxy.happened > self._before)

    @property
    def kept_away(self) -> int:
        """How many requests it has kept from arriving."""
        return self.met if self.what in (REFUSE, SHUT) else 0

    def finish(self) -> None:
        """Let the client connect again, after the fault has happened."""
        if self._over:
            return
        self._over = True
        self._proxy.next = None
        if self.what == SHUT:
            self._proxy.open()
        elif self.met:
            self._proxy.end()
        self._line.renew()


class InProcessSandbox:
    """Injects the faults of a client's calls, each after the one before it has happened.

    Args:
        sandbox: The sandbox.

    Attributes:
        arrived: The names of the RPCs that arrived.
        begun: The operations that the sandbox began.
        line: The connection of the client; None where it makes several calls at a time.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.arrived: List[str] = []
        self.begun: List[Operation] = []
        self.line: Optional[Line] = None
        self._arrival = threading.Event()
        self._dropped = 0
        self._left: Dict[str, Deque[PlannedFault]] = {}
        self._injected: Dict[str, List[Union[Fault, ProxyFault]]] = {}
        self._dispatcher: Any = sandbox._dispatcher
        self._note, self._method = self._dispatcher.calls.begin, self._dispatcher._method
        self._dispatcher.calls.begin = self._arrive
        self._dispatcher._method = self._recorded

    def plan(self, line: Optional[Line], **faults: Sequence[PlannedFault]) -> None:
        """Begin anew, and let the requests of an RPC meet these faults."""
        self.arrived, self.begun, self._dropped = [], [], 0
        self.line = line
        self._arrival.clear()
        self._left = {rpc: deque(each) for rpc, each in faults.items()}
        self._injected = {rpc: [] for rpc in faults}
        self._inject_in_proxy()

    def met(self, rpc: str) -> int:
        """Return how many faults happened."""
        return sum(fault.met for fault in self._injected[rpc])

    def sent(self, rpc: str) -> int:
        """Return how many requests were sent, with those that did not arrive."""
        kept_away = sum(fault.kept_away for fault in self._injected[rpc] if isinstance(fault, ProxyFault))
        return self.arrived.count(rpc) + kept_away

    def notice(self) -> None:
        """Have the client notice the end of its connection; requests that it sent before that would be lost, too."""
        if self.line is None:
            return
        faults = [fault for each in self._injected.values() for fault in each]
        dropped = sum(fault.met for fault in faults if fault.what == "drop")
        if dropped > self._dropped:
            self._dropped = dropped
            self.line.renew()
        for fault in faults:
            if isinstance(fault, ProxyFault):
                fault.finish()
        self._inject_in_proxy()

    def settle(self, *, arrived: bool = False) -> None:
        """Wait until the sandbox is idle, also with calls that the client gave up; then plan no more faults."""
        self._left = {}
        self.notice()
        if arrived:
            self._arrival.wait(1)
        for call in self._dispatcher.active_calls():
            assert call.ended.wait(LONG), f"{call.rpc} does not end"
        self.sandbox.faults.clear()

    def _inject_in_proxy(self) -> None:
        for rpc, left in self._left.items():
            if self.line is not None and left and left[0].is_in_proxy:
                self._injected[rpc].append(ProxyFault(self.line, left.popleft().what))

    def _arrive(self, rpc: str) -> Any:
        name = rpc.rpartition("/")[2]
        self.arrived.append(name)
        self._arrival.set()
        left, injected = self._left.get(name), self._injected.get(name, [])
        # One at a time, as a full disk would not wait for its turn.
        if left and not left[0].is_in_proxy and all(fault.met for fault in injected):
            injected.append(self._inject(name, left.popleft()))
        return self._note(rpc)

    def _inject(self, rpc: str, planned: PlannedFault) -> Fault:
        faults = self.sandbox.faults
        if planned.what == "full disk":
            return faults.fill_disk(times=1)
        if planned.what == "drop":
            return faults.drop(rpc, after=planned.after, after_messages=planned.messages)
        return faults.fail(rpc, planned.what, after=planned.after, pushback_ms=planned.pushback)

    def _recorded(self, method: Any) -> Any:
        answer = self._method(method)

        @functools.wraps(answer)
        def recorded(request: Any, *rest: Any) -> Any:
            operation = Operation(method.name)
            self.begun.append(operation)
            if hasattr(request, "SerializeToString"):
                operation.received(request)
            else:
                request = _received(operation, request)
            response = answer(request, *rest)
            operation.done = True
            return response

        return recorded


def _received(operation: Operation, requests: Iterator[Any]) -> Iterator[Any]:
    for request in requests:
        operation.received(request)
        yield request
