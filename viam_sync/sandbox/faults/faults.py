"""Faults on demand: which calls fail, wait or lose their connection, how, and how often."""

from __future__ import annotations

import errno
import os
import random
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, FrozenSet, List, Optional, Sequence, Tuple, Union

from viam_sync.sandbox.faults.connections import OPEN_FILES, open_files_folder
from viam_sync.sandbox.faults.rpc_names import ALL, did_you_mean, rpcs_matching

if TYPE_CHECKING:
    import grpc

#: The codes that a call can fail with.
CODES = (
    *("CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)


@dataclass(eq=False)
class Fault:
    """A planned fault.

    Attributes:
        what: A code such as "UNAVAILABLE", or "delay", "drop" or "full disk".
        rpc: The name of the RPC that it applies to, as it was given.
        times: The number of calls that it applies to; None for no limit.
        rate: The probability that it is triggered by a call, from 0 to 1.
        after: Whether it is triggered after the call took effect, not before.
        after_messages: The number of messages of a stream that pass before it is triggered; None if it does not wait
            for any.
        seconds: The length of a delay, in seconds.
        pushback_ms: The header that tells the client when to retry, in milliseconds; None for no header.
        met: The number of calls that have met it.
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
            _check_number("times", self.times, 1, " or None for no end", whole=True)
        _check_number("rate", self.rate, 0, " to 1")
        if self.rate > 1:
            raise ValueError(f"rate takes a number from 0 to 1, got {self.rate!r}")
        _check_number("seconds", self.seconds, 0)
        if self.pushback_ms is not None:
            _check_number("pushback_ms", self.pushback_ms, 0, whole=True)
        if self.after_messages is not None:
            _check_number("after_messages", self.after_messages, 0, whole=True)
        self._rpcs = rpcs_matching(self.rpc, streams_only=self.after_messages is not None)

    @property
    def left(self) -> bool:
        """Whether it can still be triggered."""
        return self.times is None or self._claimed < self.times


class Faults:
    """The planned faults of a sandbox, as its attribute ``faults``.

    Each method but ``clear`` and ``expire_tokens`` plans a fault and returns it; its attribute ``met`` tells a test
    how often it was triggered. Where several faults apply to one RPC, a call waits for all delays, and then meets the
    first of the others that is left. A fault that a call claimed but did not meet, since the call was rejected or
    ended before, is left to the next call.

    An RPC is named as "GetRobot" or "viam.app.v1.AppService/GetRobot"; "all" is every RPC, including the one that
    issues tokens. With a seed, the same calls in the same order meet the same faults in every run.

    Args:
        seed: The seed of the random numbers that rates are compared with; None for a random one.
        expire: Called by `expire_tokens`.
        open_files: The folders in which the operating system may list the open files of this process.

    Attributes:
        drop_delay: Seconds between the trigger of a drop and the end of the connection, in which messages that were
            sent before can reach the client. Of 1500 streams, 22 lost a message without a delay, and none after 5 ms.

    Example:
        >>> fault = sandbox.faults.fail("GetRobot", "UNAVAILABLE")
        >>> client.app_client.get_robot(sandbox.robot_id).name  # the client retries
        'rover'
        >>> fault.met
        1
    """

    def __init__(
        self,
        seed: Optional[int] = None,
        expire: Callable[[], None] = lambda: None,
        open_files: Sequence[Path] = OPEN_FILES,
    ) -> None:
        self.drop_delay = 0.05
        self._seed = seed
        self._expire = expire
        self._open_files = open_files
        self._lock = threading.Lock()
        self._faults: List[Fault] = []
        self.reset()

    @property
    def planned(self) -> List[Fault]:
        """The faults that can still be triggered, in the order in which they were planned."""
        with self._lock:
            return [fault for fault in self._faults if fault.left]

    @property
    def met(self) -> int:
        """The number of faults that calls have met since the start or the last ``reset`` of the sandbox."""
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
        """Let calls fail with a status code.

        Args:
            rpc: The name of the RPC.
            code: The status code, such as "UNAVAILABLE".
            times: The number of calls that fail; None for no limit.
            after: Whether the call takes effect before it fails, so that only its response is lost.
            rate: The probability that a call fails, from 0 to 1.
            pushback_ms: Milliseconds that the client is told to wait before it retries, in the trailing metadata
                ``grpc-retry-pushback-ms``; None for no such metadata.

        Raises:
            ValueError: If there is no such RPC or code, or a number is out of range.

        Example:
            >>> fault = sandbox.faults.fail("ListLocations", "PERMISSION_DENIED")
            >>> client.app_client.list_locations(sandbox.organization_id)
            Traceback (most recent call last):
            viam_sync.errors.PermissionDeniedError: ...
        """
        name = str(getattr(code, "name", code))
        if name not in CODES:
            raise ValueError(
                f"{name!r} is no code that a call can fail with{did_you_mean(name.upper(), CODES, 'UNAVAILABLE')}"
            )
        return self._plan(Fault(name, rpc, times, rate, after, pushback_ms=pushback_ms))

    def delay(self, rpc: str, seconds: float, *, times: Optional[int] = None, rate: float = 1.0) -> Fault:
        """Delay calls before they take effect; other calls are not delayed.

        Args:
            rpc: The name of the RPC.
            seconds: The length of the delay, in seconds.
            times: The number of calls that are delayed; None for no limit.
            rate: The probability that a call is delayed, from 0 to 1.

        Raises:
            ValueError: If there is no such RPC, or a number is out of range.

        Example:
            >>> fault = sandbox.faults.delay("GetRobot", 30)
            >>> client.app_client.get_robot(sandbox.robot_id, timeout=0.1)
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
        """Cut the TCP connection of calls, and with it all other calls on that connection.

        Args:
            rpc: The name of the RPC.
            after_messages: The number of messages that are sent before, for an RPC that returns a stream, or read
                before, for one that takes a stream. None to cut the connection before the call takes effect.
            after: Whether to cut it after the call took effect instead, before the response is sent.
            times: The number of calls that lose their connection; None for no limit.
            rate: The probability that a call loses its connection, from 0 to 1.

        Raises:
            ValueError: If there is no such RPC, it has no stream to count messages of, or a number is out of range.
            RuntimeError: If this operating system does not let a process find its own connections.

        Example:
            >>> fault = sandbox.faults.drop("GetRobot")
            >>> client.app_client.get_robot(sandbox.robot_id).name, fault.met
            ('rover', 1)
        """
        if open_files_folder(self._open_files) is None:
            raise RuntimeError(
                "A connection cannot be dropped here, as this operating system does not let a process look at its own"
                f" connections ({' or '.join(map(str, self._open_files))}); fail the call with UNAVAILABLE instead."
            )
        if after and after_messages is not None:
            raise ValueError("after and after_messages exclude each other; give one of them")
        return self._plan(Fault("drop", rpc, times, rate, after, after_messages))

    def fill_disk(self, *, times: Optional[int] = None) -> Fault:
        """Declare the disk full, so that uploads fail with RESOURCE_EXHAUSTED.

        Args:
            times: The number of uploads that fail; None for no limit, until ``clear``.

        Raises:
            ValueError: If the number is out of range.

        Example:
            >>> sandbox.faults.fill_disk().what
            'full disk'
        """
        return self._plan(Fault("full disk", times=times))

    def expire_tokens(self) -> None:
        """Invalidate all tokens that were issued so far.

        Example:
            >>> sandbox.faults.expire_tokens()
            >>> client.app_client.get_robot(sandbox.robot_id).name  # the client authenticates again
            'rover'
        """
        self._expire()

    def clear(self, fault: Optional[Fault] = None) -> None:
        """Cancel a fault, or all; one that is not planned any more is ignored.

        Args:
            fault: A fault that a method of this class returned; None for all.

        Example:
            >>> fault = sandbox.faults.fail("all", "INTERNAL", times=None)
            >>> sandbox.faults.clear(fault)
            >>> sandbox.faults.planned
            []
        """
        with self._lock:
            self._faults = [each for each in self._faults if fault is not None and each is not fault]

    def reset(self) -> None:
        """Cancel all faults, and set the counter ``met`` to 0, as a reset of the sandbox does."""
        with self._lock:
            # The random numbers have a source of their own, so that faults do not change the IDs that are generated.
            self._random = random.Random(None if self._seed is None else f"{self._seed}/faults")
            self._faults = []
            self._met = 0

    def claim(self, rpc: str) -> Tuple[List[Fault], Optional[Fault]]:
        """Return the delays of a call and the other fault that it claims; `trigger` or `release` each of them.

        Args:
            rpc: The full name of the RPC, such as "viam.app.v1.AppService/GetRobot".
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

    def trigger(self, fault: Fault) -> None:
        """Count a claimed fault as met."""
        with self._lock:
            fault.met += 1
            self._met += fault in self._faults

    def release(self, fault: Fault) -> None:
        """Leave a claimed fault to the next call."""
        with self._lock:
            fault._claimed -= 1

    def check_disk(self) -> None:
        """Check that the disk is not declared full.

        Raises:
            OSError: With the errno ENOSPC, as the operating system raises it.
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


def _check_number(name: str, value: Any, least: int, more: str = "", whole: bool = False) -> None:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value < float("inf"):
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"{name} takes {kind} from {least}{more or ' on'}, got {value!r}")
