"""A sandbox, looked at from inside: what arrives, what is begun, what is done; and what goes wrong, step by step."""

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

from .gate import REFUSE, Gate
from .schedules import SHUT, Mishap

#: Seconds after which a test rather fails than waits on.
LONG = 30

_MARK = re.compile(rb"m\d+x\d+e")


class Begun:
    """Something that the sandbox began to do.

    Attributes:
        rpc: The name of the RPC.
        marks: The marks in what it was asked.
        done: Whether it did it.
    """

    def __init__(self, rpc: str) -> None:
        self.rpc = rpc
        self.marks: List[bytes] = []
        self.done = False

    def asked(self, request: Any) -> None:
        # What is uploaded comes last, and has marks without number.
        self.marks = self.marks or list(set(_MARK.findall(request.SerializeToString()[:4000])))


class Line:
    """The connection of a client, which can be tried without the client's knowledge.

    Args:
        channel: That of the client.
        gate: What it goes through; None for nothing.
    """

    def __init__(self, channel: Any, gate: Optional[Gate] = None) -> None:
        self.gate = gate
        self._call = channel.connection.channel().unary_unary("/viam.app.v1.AppService/ListOrganizations")

    def renew(self) -> None:
        """Wait until there is a connection on which calls arrive, after the last one was ended."""
        self._try_until("A call carries its token", wait_for_ready=True)

    def lose(self) -> None:
        """Wait until it is known that the service cannot be reached."""
        self._try_until("failed to connect to all addresses")

    def _try_until(self, words: str, **options: Any) -> None:
        """Make calls without a token until they fail with these words."""
        end, said = time.monotonic() + LONG, ""
        while not said.startswith(words):
            assert time.monotonic() < end, f"not {words!r}, but {said!r}"
            with pytest.raises(grpc.RpcError) as failed:
                self._call(b"", timeout=LONG, **options)
            error: Any = failed.value
            said = error.details()


class OnTheWay:
    """A mishap at the gate.

    Attributes:
        what: What it is.
        met: Whether it has happened.
    """

    def __init__(self, line: Line, what: str) -> None:
        assert line.gate is not None
        self.what = what
        self._line = line
        self._gate = line.gate
        self._before = self._gate.happened
        self._over = False
        if what == SHUT:
            self._gate.shut()
            line.lose()
        else:
            self._gate.next = what

    @property
    def met(self) -> int:
        return int(self._over if self.what == SHUT else self._gate.happened > self._before)

    @property
    def kept_away(self) -> int:
        """How many requests it has kept from arriving."""
        return self.met if self.what in (REFUSE, SHUT) else 0

    def finish(self) -> None:
        """Let the client connect anew, after it has happened."""
        if self._over:
            return
        self._over = True
        self._gate.next = None
        if self.what == SHUT:
            self._gate.open()
        elif self.met:
            self._gate.end()
        self._line.renew()


class Inside:
    """Plans mishaps for the calls of a client, one after the other, when the last one has happened.

    Args:
        sandbox: The sandbox.

    Attributes:
        arrived: The names of the RPCs that arrived.
        begun: What it began to do.
        line: The connection of the client; None where it makes several calls at a time.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.arrived: List[str] = []
        self.begun: List[Begun] = []
        self.line: Optional[Line] = None
        self._arrival = threading.Event()
        self._dropped = 0
        self._left: Dict[str, Deque[Mishap]] = {}
        self._planned: Dict[str, List[Union[Fault, OnTheWay]]] = {}
        self._dispatcher: Any = sandbox._dispatcher
        self._note, self._method = self._dispatcher.calls.begin, self._dispatcher._method
        self._dispatcher.calls.begin = self._arrive
        self._dispatcher._method = self._watched

    def plan(self, line: Optional[Line], **mishaps: Sequence[Mishap]) -> None:
        """Begin anew, and let the requests of an RPC meet these."""
        self.arrived, self.begun, self._dropped = [], [], 0
        self.line = line
        self._arrival.clear()
        self._left = {rpc: deque(each) for rpc, each in mishaps.items()}
        self._planned = {rpc: [] for rpc in mishaps}
        self._plan_on_the_way()

    def met(self, rpc: str) -> int:
        """Return how many happened."""
        return sum(fault.met for fault in self._planned[rpc])

    def sent(self, rpc: str) -> int:
        """Return how many requests were sent, also in vain."""
        kept_away = sum(fault.kept_away for fault in self._planned[rpc] if isinstance(fault, OnTheWay))
        return self.arrived.count(rpc) + kept_away

    def notice(self) -> None:
        """Have the client know what happened to its connection, as what it sends before that is lost, too."""
        if self.line is None:
            return
        faults = [fault for each in self._planned.values() for fault in each]
        dropped = sum(fault.met for fault in faults if fault.what == "drop")
        if dropped > self._dropped:
            self._dropped = dropped
            self.line.renew()
        for fault in faults:
            if isinstance(fault, OnTheWay):
                fault.finish()
        self._plan_on_the_way()

    def settle(self, *, arrived: bool = False) -> None:
        """Wait until it has nothing to do any more, of what the client gave up, too; then plan nothing."""
        self._left = {}
        self.notice()
        if arrived:
            self._arrival.wait(1)
        for call in self._dispatcher.active_calls():
            assert call.ended.wait(LONG), f"{call.rpc} does not end"
        self.sandbox.faults.clear()

    def _plan_on_the_way(self) -> None:
        for rpc, left in self._left.items():
            if self.line is not None and left and left[0].is_on_the_way:
                self._planned[rpc].append(OnTheWay(self.line, left.popleft().what))

    def _arrive(self, rpc: str) -> Any:
        name = rpc.rpartition("/")[2]
        self.arrived.append(name)
        self._arrival.set()
        left, planned = self._left.get(name), self._planned.get(name, [])
        # One at a time, as a full disk would not wait for its turn.
        if left and not left[0].is_on_the_way and all(fault.met for fault in planned):
            planned.append(self._fault(name, left.popleft()))
        return self._note(rpc)

    def _fault(self, rpc: str, mishap: Mishap) -> Fault:
        faults = self.sandbox.faults
        if mishap.what == "full disk":
            return faults.fill_disk(times=1)
        if mishap.what == "drop":
            return faults.drop(rpc, after=mishap.after, after_messages=mishap.messages)
        return faults.fail(rpc, mishap.what, after=mishap.after, pushback_ms=mishap.pushback)

    def _watched(self, method: Any) -> Any:
        answer = self._method(method)

        @functools.wraps(answer)
        def watched(request: Any, *rest: Any) -> Any:
            begun = Begun(method.name)
            self.begun.append(begun)
            if hasattr(request, "SerializeToString"):
                begun.asked(request)
            else:
                request = _heard(begun, request)
            response = answer(request, *rest)
            begun.done = True
            return response

        return watched


def _heard(begun: Begun, requests: Iterator[Any]) -> Iterator[Any]:
    for request in requests:
        begun.asked(request)
        yield request
