"""Following the log of a part, also over lost connections: missed entries are taken from the stored log."""

from __future__ import annotations

import time
from collections import Counter, deque
from datetime import tzinfo
from typing import Callable, Deque, Iterator, List, Optional, Tuple

import grpc

from viam_sync.app._fleet.machine_records import LogEntry
from viam_sync.errors import GRPCError
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.proto import google as google_pb
from viam_sync.rpc import retry
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.channel import ServiceChannel
from viam_sync.rpc.closing import ClosingIterator
from viam_sync.rpc.policies import Policy
from viam_sync.rpc.retry_limits import Unlimited
from viam_sync.rpc.streams import Stream, iterator_repr

Entries = List[common_pb.LogEntry]
#: Begins a tail; takes the seconds that are left, None for no limit.
Open = Callable[[Optional[float]], Stream[pb.TailRobotPartLogsResponse]]
#: Returns the stored entries from a time on, in nanoseconds since 1970, the oldest first, in pages, each of which may
#: take the seconds that the second argument says, None for no limit.
Stored = Callable[[int, Callable[[], Optional[float]], Cancellation], Iterator[Entries]]

#: Seconds after which a connection that ends counts as a good one.
_GOOD = 30.0
#: Nanoseconds by which entries may arrive later than others that were logged after them.
_LATE = 10 * 10**9
#: The latest time that a message can name.
_LAST = 253_402_300_799 * 10**9
#: How many of the latest entries are remembered, so that none is returned twice.
_REMEMBERED = 10_000


class LogsStream(ClosingIterator[List[LogEntry]]):
    """The entries that a part logs from now on, in lists as they come in, until it is closed.

    When the connection is lost it is made again, as often in a row as ``DialOptions.max_reconnect_attempts`` says; a
    service that is away is waited for, up to 10 minutes; entries that were logged meanwhile are taken from the stored
    log, so that none is missing and none comes twice. It can be closed from another thread, which ends a waiting
    ``next`` at once.

    Example:
        >>> with app.tail_robot_part_logs(sandbox.robot_part_id, errors_only=False) as stream:
        ...     sandbox.wait_for_tail(sandbox.robot_part_id)
        ...     sandbox.log(sandbox.robot_part_id, "Hot")
        ...     [entry.message for entry in next(stream)]
        ['Hot']
    """

    def __init__(self, tail: Tail, policy: Policy, timeout: Optional[float], tz: Optional[tzinfo] = None) -> None:
        """Take what it is made of; only the package makes one.

        Args:
            tail: The tail, which begins at once.
            policy: How many connections in a row may be lost without an entry.
            timeout: Seconds after which it ends with DeadlineExceededError; None for no limit.
            tz: The time zone of the entries' times; None for UTC without a time zone.
        """
        self._tail = tail
        self._tz = tz
        self._policy = policy
        self._end = None if timeout is None else tail.now() + timeout
        self._failure: Optional[Exception] = None
        tail.connect(timeout)

    def __next__(self) -> List[LogEntry]:
        if self._tail.cancellation.cancelled:
            raise StopIteration
        if self._failure is not None:
            raise self._failure.with_traceback(None)
        try:
            left = None if self._end is None else max(self._end - self._tail.now(), 0)
            entries = retry.run(self._tail, self._policy, left)
        except (retry.CallFailed, GRPCError) as error:
            if self._tail.cancellation.cancelled:
                raise StopIteration from None
            failure = self._failure = error.error if isinstance(error, retry.CallFailed) else error
        else:
            if entries is None:
                raise StopIteration
            return [LogEntry.from_proto(entry, tz=self._tz) for entry in entries]
        raise failure

    def __repr__(self) -> str:
        return iterator_repr(self, LogEntry, self._tail.cancellation.cancelled)

    def next(self) -> List[LogEntry]:
        """Wait for the next entries.

        Returns:
            The entries, at least one.

        Raises:
            StopIteration: If the service has ended the stream, or it was closed.
            GRPCError: If the service refuses it, or is lost for good; a subclass says which.

        Example:
            >>> with app.tail_robot_part_logs(sandbox.robot_part_id, errors_only=False) as stream:
            ...     sandbox.wait_for_tail(sandbox.robot_part_id)
            ...     sandbox.log(sandbox.robot_part_id, "Ready")
            ...     [entry.level for entry in stream.next()]
            ['info']
        """
        return next(self)

    def close(self) -> None:
        """End the stream; closing it again does nothing.

        Example:
            >>> stream = app.tail_robot_part_logs(sandbox.robot_part_id)
            >>> stream.close()
            >>> list(stream)
            []
        """
        self._tail.close()


class Tail(retry.Call[Optional[Entries]]):
    """Waits for the next entries of a log; an attempt after a lost connection begins a new tail, and fills the gap.

    Args:
        open: Begins a tail.
        stored: Returns the stored log from a time on.
        channel: The channel of the client.
    """

    def __init__(self, open: Open, stored: Stored, channel: ServiceChannel) -> None:
        # A tail may lose its connection any number of times; how often in a row, its policy says.
        self.name, self.throttle = "viam.app.v1.AppService/TailRobotPartLogs", Unlimited()
        self._open = open
        self._stored = stored
        self._channel = channel
        self.cancellation = Cancellation()
        self._memory = _Memory(time.time_ns())
        self._stream: Optional[Stream[pb.TailRobotPartLogsResponse]] = None
        self._begun = 0.0
        self._end: Optional[float] = None
        self._restarts = 0
        self._filling: Optional[Iterator[Entries]] = None
        self._fill_first = False
        self._held: Entries = []

    def attempt(self, seconds: Optional[float]) -> Optional[Entries]:
        self._end = None if seconds is None else self.now() + seconds
        if self._stream is None:
            self.connect(seconds)
            # Twice: at once for missed entries, and at the first message for those logged while the tail began.
            self._filling, self._fill_first = self._missed(), True
        entries: Optional[Entries] = []
        try:
            while entries is not None and not entries:
                entries = None if self.cancellation.cancelled else self._step()
        except GRPCError:
            self._disconnect()
            raise
        return entries

    def connect(self, seconds: Optional[float]) -> None:
        """Begin a tail, which may last that many seconds."""
        self._stream = self._open(seconds)
        self._restarts = 0
        self._begun = self.now()
        # close() sets the flag, then reads the stream; this stores the stream, then reads the flag: one sees the other.
        if self.cancellation.cancelled:
            self._stream.close()

    def _disconnect(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream, self._filling, self._held = None, None, []

    def _step(self) -> Optional[Entries]:
        """Return the next entries, of which there may be none; None at the end of the tail."""
        if self._filling is not None:
            page = next(self._filling, None)
            if page is not None:
                return page
            self._filling = None
        if self._held:
            held, self._held = self._held, []
            return self._memory.from_tail(held)
        assert self._stream is not None
        message = next(self._stream, None)
        if message is None:
            return None
        entries = list(message.logs)
        if self._fill_first or self._stream.restarts > self._restarts:
            self._fill_first, self._restarts = False, self._stream.restarts
            self._held, self._filling = entries, self._missed()
            return []
        return self._memory.from_tail(entries)

    def _missed(self) -> Iterator[Entries]:
        """Yield the entries of the stored log that were not returned yet."""
        start = self._memory.start()
        known = self._memory.known()
        for page in self._stored(start, self._left, self.cancellation):
            yield self._memory.from_store(page, start, known)

    def _left(self) -> Optional[float]:
        return None if self._end is None else max(self._end - self.now(), 0)

    def is_failure(self, error: BaseException) -> bool:
        if not isinstance(error, GRPCError):
            return False
        # Credentials that were refused will be refused again.
        return not (error.status is grpc.StatusCode.UNAUTHENTICATED and error.method.endswith("/Authenticate"))

    def has_progressed(self) -> bool:
        return self.now() - self._begun > _GOOD

    def now(self) -> float:
        return self._channel.time.time()

    def sleep(self, seconds: float) -> None:
        self._channel.sleep(seconds, self.cancellation)

    def close(self) -> None:
        """End the tail."""
        self.cancellation.cancel()
        if self._stream is not None:
            self._stream.close()


class _Memory:
    """Remembers the latest entries that were returned, so that none of them is returned again.

    Entries that are alike in all, their time included, are told apart by their number.
    """

    def __init__(self, now: int) -> None:
        self._latest: Deque[Tuple[int, bytes]] = deque()
        #: Nothing from before is asked for: the tail began then, or more is no longer remembered.
        self._floor = now
        self._newest: Optional[int] = None
        #: Those that came from the stored log since the tail was taken up, which may come by the tail as well.
        self._from_store: Counter[bytes] = Counter()

    def start(self) -> int:
        """Return the time from which the stored log may hold what was not given."""
        return self._floor if self._newest is None else max(self._floor, self._newest - _LATE)

    def known(self) -> Counter[bytes]:
        """Return how often each of the latest entries was given."""
        return Counter(mark for _, mark in self._latest)

    def from_store(self, entries: Entries, start: int, known: Counter[bytes]) -> Entries:
        """Return those of the stored log that were not given yet, and take them as given."""
        fresh = []
        for entry in entries:
            mark = _mark(entry)
            if known[mark]:
                known[mark] -= 1
            elif _moment(entry) >= start:
                fresh.append(entry)
                self._remember(entry, mark)
                self._from_store[mark] += 1
        return fresh

    def from_tail(self, entries: Entries) -> Entries:
        """Return those of the tail that did not come from the stored log already, and take them as given."""
        fresh = []
        for entry in entries:
            mark = _mark(entry)
            if self._from_store[mark]:
                self._from_store[mark] -= 1
            else:
                fresh.append(entry)
                self._remember(entry, mark)
        return fresh

    def _remember(self, entry: common_pb.LogEntry, mark: bytes) -> None:
        # One that has no time is taken for one of now.
        moment = _moment(entry) if entry.HasField("time") else self._newest or self._floor
        if self._newest is None:
            # The clock of the machine may be another than this one's.
            self._floor = min(self._floor, moment)
        self._newest = moment if self._newest is None else max(self._newest, moment)
        self._latest.append((moment, mark))
        if len(self._latest) > _REMEMBERED:
            forgotten, mark = self._latest.popleft()
            self._floor = max(self._floor, forgotten + 1)
            self._from_store.pop(mark, None)


def _mark(entry: common_pb.LogEntry) -> bytes:
    import hashlib  # slow to load, and only of use here

    return hashlib.blake2b(entry.SerializeToString(deterministic=True), digest_size=16).digest()


def _moment(entry: common_pb.LogEntry) -> int:
    # Its own method refuses what no calendar has, and a service may send that.
    return min(max(entry.time.seconds * 1_000_000_000 + entry.time.nanos, 0), _LAST)


def timestamp_from_nanoseconds(nanoseconds: int) -> google_pb.Timestamp:
    """Return a time as a message.

    Example:
        >>> from viam_sync.app._fleet.log_tail import timestamp_from_nanoseconds
        >>> timestamp_from_nanoseconds(1_500_000_000).ToJsonString()
        '1970-01-01T00:00:01.500Z'
    """
    seconds, nanos = divmod(nanoseconds, 10**9)
    return google_pb.Timestamp(seconds=seconds, nanos=nanos)
