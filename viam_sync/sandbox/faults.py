"""Faults on demand: what is to go wrong, with which calls, and how often."""

from __future__ import annotations

import difflib
import errno
import functools
import os
import pkgutil
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, FrozenSet, List, Optional, Sequence, Tuple, Union

from google.protobuf.descriptor_pb2 import FileDescriptorSet

if TYPE_CHECKING:
    import grpc

#: Names every RPC.
ALL = "all"

#: The codes that a call can fail with.
CODES = (
    *("CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)

#: Where a process can look at its own open files.
_OPEN_FILES = (Path("/proc/self/fd"), Path("/dev/fd"))


@dataclass(eq=False)
class Fault:
    """Something that is planned to go wrong.

    Attributes:
        what: A code such as "UNAVAILABLE", or "delay", "drop" or "full disk".
        rpc: The RPC that it is for, as it was given.
        times: How many calls are to meet it; None for no end.
        rate: The share of the calls that meet it, of those that could.
        after: Whether it happens after the call took effect, not before.
        after_messages: After how many messages of a stream it happens; None if it does not wait for one.
        seconds: How long a delay is.
        pushback_ms: What the caller is told about when to try again, in milliseconds; None for nothing.
        met: How many calls have met it.
    """

    what: str
    rpc: str = ALL
    times: Optional[int] = 1
    rate: float = 1.0
    after: bool = False
    after_messages: Optional[int] = None
    seconds: float = 0.0
    pushback_ms: Optional[int] = None
    met: int = field(default=0, init=False)
    _claimed: int = field(default=0, init=False, repr=False)
    _rpcs: FrozenSet[str] = field(default=frozenset(), init=False, repr=False)

    def __post_init__(self) -> None:
        if self.times is not None:
            _check("times", self.times, 1, " or None for no end", whole=True)
        _check("rate", self.rate, 0, " to 1")
        if self.rate > 1:
            raise ValueError(f"rate takes a number from 0 to 1, got {self.rate!r}")
        _check("seconds", self.seconds, 0)
        if self.pushback_ms is not None:
            _check("pushback_ms", self.pushback_ms, 0, whole=True)
        if self.after_messages is not None:
            _check("after_messages", self.after_messages, 0, whole=True)
        self._rpcs = _matching(self.rpc, streams_only=self.after_messages is not None)

    @property
    def left(self) -> bool:
        """Whether another call can meet it."""
        return self.times is None or self._claimed < self.times


class Faults:
    """What is to go wrong in a sandbox; it is the ``faults`` of one that runs.

    Each method but ``clear`` and ``expire_tokens`` plans a fault and returns it; what it counts as ``met`` tells a
    test whether it happened. Where several faults are for one RPC, a call waits for all of its delays, and meets the
    first of the others that has not been met as often as it was to be. A fault that a call does not live to meet,
    since it is refused or ends before, waits for the next call.

    An RPC is named as "GetRobot" or "viam.app.v1.AppService/GetRobot"; "all" is every RPC, also the one that hands
    out tokens. With a seed, the same calls in the same order meet the same faults in every run.

    Example:
        >>> fault = sandbox.faults.fail("GetRobot", "UNAVAILABLE")
        >>> cloud.get_robot(sandbox.robot_id).name  # the client tries again by itself
        'rover'
        >>> fault.met
        1
    """

    def __init__(self, seed: Optional[int] = None, expire: Callable[[], None] = lambda: None) -> None:
        self._seed = seed
        self._expire = expire
        self._lock = threading.Lock()
        self._faults: List[Fault] = []
        self.reset()

    @property
    def planned(self) -> List[Fault]:
        """The faults that can still be met, in the order in which they were planned."""
        with self._lock:
            return [fault for fault in self._faults if fault.left]

    @property
    def met(self) -> int:
        """How many times a call has met a fault, since the start or the last ``reset`` of the sandbox."""
        return self._met

    def fail(
        self,
        rpc: str,
        code: Union[str, grpc.StatusCode],
        *,
        times: Optional[int] = 1,
        after: bool = False,
        rate: float = 1.0,
        pushback_ms: Optional[int] = None,
    ) -> Fault:
        """Let calls fail.

        Args:
            rpc: The RPC.
            code: The code of the status, such as "UNAVAILABLE".
            times: How many calls are to fail; None for no end.
            after: Whether the call takes effect all the same, and only its answer is lost.
            rate: The share of the calls that fail, until as many as ``times`` did.
            pushback_ms: Milliseconds that the caller is told to wait before it tries again, in the trailing header
                ``grpc-retry-pushback-ms``; None for no such header.

        Raises:
            ValueError: If there is no such RPC or code, or a number makes no sense.

        Example:
            >>> fault = sandbox.faults.fail("ListLocations", "PERMISSION_DENIED")
            >>> cloud.list_locations(sandbox.organization_id)
            Traceback (most recent call last):
            viam_sync.errors.PermissionDeniedError: ...
        """
        name = str(getattr(code, "name", code))
        if name not in CODES:
            raise ValueError(
                f"{name!r} is no code that a call can fail with{_near(name.upper(), CODES, 'UNAVAILABLE')}"
            )
        return self._plan(Fault(name, rpc, times, rate, after, pushback_ms=pushback_ms))

    def delay(self, rpc: str, seconds: float, *, times: Optional[int] = None, rate: float = 1.0) -> Fault:
        """Let calls wait before they begin; others go on meanwhile.

        Args:
            rpc: The RPC.
            seconds: How long.
            times: How many calls are to wait; None for all.
            rate: The share of the calls that wait, until as many as ``times`` did.

        Raises:
            ValueError: If there is no such RPC, or a number makes no sense.

        Example:
            >>> fault = sandbox.faults.delay("GetRobot", 30)
            >>> cloud.get_robot(sandbox.robot_id, timeout=0.1)
            Traceback (most recent call last):
            viam_sync.errors.DeadlineExceededError: ...
        """
        return self._plan(Fault("delay", rpc, times, rate, seconds=seconds))

    def drop(
        self,
        rpc: str,
        *,
        after_messages: Optional[int] = None,
        after: bool = False,
        times: Optional[int] = 1,
        rate: float = 1.0,
    ) -> Fault:
        """Let calls lose their connection, with all other calls that are on it.

        Args:
            rpc: The RPC.
            after_messages: Of an RPC that answers with a stream, how many messages are sent before; of one that takes
                a stream, how many are read before. None to drop the connection before the call takes effect.
            after: Whether to drop it after the call took effect instead, before the answer is sent.
            times: How many calls are to lose it; None for no end.
            rate: The share of the calls that lose it, until as many as ``times`` did.

        Raises:
            ValueError: If there is no such RPC, it has no stream to count messages of, or a number makes no sense.
            RuntimeError: If this operating system does not let a process look at its own connections.

        Example:
            >>> fault = sandbox.faults.drop("GetRobot")
            >>> cloud.get_robot(sandbox.robot_id).name, fault.met
            ('rover', 1)
        """
        if open_files() is None:
            raise RuntimeError(
                "A connection cannot be dropped here, as this operating system does not let a process look at its own"
                f" connections ({' or '.join(map(str, _OPEN_FILES))}); fail the call with UNAVAILABLE instead."
            )
        if after and after_messages is not None:
            raise ValueError("a connection is dropped after the call took effect, or after_messages; give one of both")
        return self._plan(Fault("drop", rpc, times, rate, after, after_messages))

    def fill_disk(self, *, times: Optional[int] = None) -> Fault:
        """Let there be no room for the contents of files: what uploads them fails with RESOURCE_EXHAUSTED.

        Args:
            times: How many contents find no room; None for all, until ``clear``.

        Raises:
            ValueError: If the number makes no sense.

        Example:
            >>> sandbox.faults.fill_disk().what
            'full disk'
        """
        return self._plan(Fault("full disk", times=times))

    def expire_tokens(self) -> None:
        """Let all tokens that were handed out so far be no longer accepted.

        Example:
            >>> sandbox.faults.expire_tokens()
            >>> cloud.get_robot(sandbox.robot_id).name  # the client gets itself a new one
            'rover'
        """
        self._expire()

    def clear(self, fault: Optional[Fault] = None) -> None:
        """Give up a fault, or all; it does not matter whether it is still planned.

        Args:
            fault: What a method of this class returned; None for all.

        Example:
            >>> fault = sandbox.faults.fail("all", "INTERNAL", times=None)
            >>> sandbox.faults.clear(fault)
            >>> sandbox.faults.planned
            []
        """
        with self._lock:
            self._faults = [each for each in self._faults if fault is not None and each is not fault]

    def reset(self) -> None:
        """Begin anew, as the sandbox does when it is reset: nothing is planned, nothing was met."""
        with self._lock:
            # A source of its own, so that faults do not change which IDs are made.
            self._random = random.Random(None if self._seed is None else f"{self._seed}/faults")
            self._faults = []
            self._met = 0

    def claim(self, rpc: str) -> Tuple[List[Fault], Optional[Fault]]:
        """Return the delays of a call, and what else is to go wrong with it; `strike` or `release` follows for each.

        ``rpc`` is a full name, such as "viam.app.v1.AppService/GetRobot".
        """
        delays: List[Fault] = []
        other: Optional[Fault] = None
        with self._lock:
            for fault in self._faults:
                if rpc not in fault._rpcs or fault.what == "full disk" or (other and fault.what != "delay"):
                    continue
                if fault.left and (fault.rate == 1 or self._random.random() < fault.rate):
                    fault._claimed += 1
                    if fault.what == "delay":
                        delays.append(fault)
                    else:
                        other = fault
        return delays, other

    def strike(self, fault: Fault) -> None:
        """Count that a call has met what it claimed."""
        with self._lock:
            fault.met += 1
            self._met += fault in self._faults

    def release(self, fault: Fault) -> None:
        """Leave to the next call what one claimed and did not meet."""
        with self._lock:
            fault._claimed -= 1

    def check_disk(self) -> None:
        """Go on only if there is room on the disk.

        Raises:
            OSError: As the operating system does, if the disk is said to be full.
        """
        with self._lock:
            for fault in self._faults:
                if fault.what == "full disk" and fault.left:
                    fault._claimed += 1
                    fault.met += 1
                    self._met += 1
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _plan(self, fault: Fault) -> Fault:
        with self._lock:
            self._faults.append(fault)
        return fault


def open_files() -> Optional[Path]:
    """Return the folder that lists the open files of this process, or None if there is none."""
    return next((folder for folder in _OPEN_FILES if folder.is_dir()), None)


def _check(name: str, value: Any, least: int, more: str = "", whole: bool = False) -> None:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value < float("inf"):
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{name} takes {kind} from {least}{more or ' on'}, got {value!r}")


@functools.lru_cache(maxsize=1)
def _rpcs() -> Dict[str, bool]:
    """Return the full name of every RPC, and whether it has a stream."""
    schema = pkgutil.get_data("viam_sync.proto", "schema.bin")
    assert schema is not None
    return {
        f"{file.package}.{service.name}/{method.name}": method.client_streaming or method.server_streaming
        for file in FileDescriptorSet.FromString(schema).file
        for service in file.service
        for method in service.method
    }


def _matching(rpc: Any, streams_only: bool) -> FrozenSet[str]:
    """Return the full names of the RPCs that a name is for."""
    named = [full for full in _rpcs() if rpc in (ALL, full, full.rpartition("/")[2])]
    if not named:
        known = [ALL, *(name for full in _rpcs() for name in (full, full.rpartition("/")[2]))]
        raise ValueError(f"{rpc!r} is no RPC of the cloud{_near(str(rpc), known, 'GetRobot')}")
    found = frozenset(full for full in named if not streams_only or _rpcs()[full])
    if not found:
        raise ValueError(f"{rpc} has no stream, so it takes no after_messages; leave it out")
    return found


def _near(name: str, known: Sequence[str], example: str) -> str:
    close = difflib.get_close_matches(name, known, n=3)
    return f"; did you mean {' or '.join(close)}?" if close else f"; give one such as {example}"
