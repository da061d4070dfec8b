"""Following the log of a part, also over lost connections: what was missed is taken from the stored log."""

from __future__ import annotations

import hashlib
import logging
import time
from collections import Counter, deque
from typing import Callable, Deque, Iterator, List, Optional, Tuple

import grpc

from viam_sync.app._fleet.records import LogEntry
from viam_sync.errors import GRPCError
from viam_sync.proto import app as pb
from viam_sync.proto import common as common_pb
from viam_sync.proto import google as google_pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.closing import Closing
from viam_sync.rpc.retry import pause_before
from viam_sync.rpc.streams import Stream

LOGGER = logging.getLogger(__name__)

Entries = List[common_pb.LogEntry]
#: Begins a tail; takes the seconds that are left, None for no limit.
Begin = Callable[[Optional[float]], Stream[pb.TailRobotPartLogsResponse]]
#: Gives what was logged from a time on, in nanoseconds since 1970, the oldest first, in pages.
Stored = Callable[[int, Cancellation], Iterator[Entries]]

#: What does not pass, however often it is tried.
_FINAL = (
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNIMPLEMENTED,
)
#: Seconds between two connections at most; one that has lasted longer was a good one.
_LONGEST = 30.0
#: Nanoseconds by which entries may arrive later than others that were logged after them.
_LATE = 10 * 10**9
#: The end of the times that a message can name.
_LAST = 253_402_300_799 * 10**9
#: How many of the latest entries are remembered, so that none is given twice.
_REMEMBERED = 10_000


class LogsStream(Closing, Iterator[List[LogEntry]]):
    """The entries that a part logs from now on, in lists as they come in, until it is closed.

    When the connection is lost it is made again, as often in a row as ``DialOptions.max_reconnect_attempts`` says;
    what was logged meanwhile is taken from the stored log, so that no entry is missing and none comes twice. It can be
    closed from another thread, which ends a waiting ``next`` at once.

    Args:
        begin: Begins a tail.
        stored: Gives the stored log from a time on.
        reconnects: How many connections in a row may be lost without an entry.
        timeout: Seconds after which it ends with DeadlineExceededError; None for no limit.
        sleep: Waits that many seconds, or until a cancellation.

    Example:
        >>> with cloud.tail_robot_part_logs(sandbox.robot_part_id, errors_only=False) as stream:
        ...     sandbox.wait_for_tail(sandbox.robot_part_id)
        ...     sandbox.log(sandbox.robot_part_id, "Hot")
        ...     [entry.message for entry in next(stream)]
        ['Hot']
    """

    def __init__(
        self,
        begin: Begin,
        stored: Stored,
        reconnects: int,
        timeout: Optional[float],
        sleep: Callable[[float, Cancellation], None],
    ) -> None:
        self._begin = begin
        self._stored = stored
        self._reconnects = reconnects
        self._sleep = sleep
        self._end = None if timeout is None else time.monotonic() + timeout
        self._cancellation = Cancellation()
        self._memory = _Memory(time.time_ns())
        self._failures = 0
        self._filling: Optional[Iterator[Entries]] = None
        self._held: Entries = []
        self._connect(again=False)

    def __next__(self) -> List[LogEntry]:
        while not self._cancellation.cancelled:
            try:
                entries = self._step()
            except GRPCError as error:
                if self._cancellation.cancelled:
                    break
                self._take_up_again(error)
                continue
            if entries:
                self._failures = 0
                return [LogEntry.from_proto(entry) for entry in entries]
        raise StopIteration

    def _connect(self, *, again: bool) -> None:
        left = None if self._end is None else max(self._end - time.monotonic(), 0)
        self._stream = self._begin(left)
        self._begun = time.monotonic()
        # Closing looks at the stream after it has left its word, and here it is the other way round.
        if self._cancellation.cancelled:
            self._stream.close()
        # Twice: at once for what was missed, and at the first message for what was logged while the tail began.
        self._filling = self._missed() if again else None
        self._fill_first = again

    def _step(self) -> Entries:
        """Return the next entries, of which there may be none."""
        if self._filling is not None:
            page = next(self._filling, None)
            if page is not None:
                return page
            self._filling = None
        if self._held:
            held, self._held = self._held, []
            return self._memory.from_tail(held)
        entries = list(next(self._stream).logs)
        if self._fill_first or self._stream.restarts:
            self._fill_first, self._stream.restarts = False, 0
            self._held, self._filling = entries, self._missed()
            return []
        return self._memory.from_tail(entries)

    def _missed(self) -> Iterator[Entries]:
        """Yield what the stored log has and was not given yet."""
        start = self._memory.start()
        known = self._memory.known()
        for page in self._stored(start, self._cancellation):
            yield self._memory.from_store(page, start, known)

    def _take_up_again(self, error: GRPCError) -> None:
        """Begin a new tail after a failure, unless that is the end of it."""
        refused = error.status is grpc.StatusCode.UNAUTHENTICATED and error.method.endswith("/Authenticate")
        over = self._end is not None and time.monotonic() >= self._end
        if error.status in _FINAL or refused or over:
            raise error
        lasted = time.monotonic() - self._begun
        self._failures = 1 if lasted > _LONGEST else self._failures + 1
        if self._failures > self._reconnects:
            raise error
        wait = pause_before(self._failures, _LONGEST)
        text = "%s: the connection ended with %s; taking it up again in %.1f s (attempt %d of %d)"
        LOGGER.info(text, error.method, error.status.name, wait, self._failures, self._reconnects)
        self._stream.close()
        self._held = []
        self._sleep(wait, self._cancellation)
        self._connect(again=True)

    def next(self) -> List[LogEntry]:
        """Wait for the next entries.

        Returns:
            The entries, at least one.

        Raises:
            StopIteration: If the service has ended the stream, or it was closed.
            GRPCError: If the service refuses it, or is lost for good; a subclass says which.

        Example:
            >>> with cloud.tail_robot_part_logs(sandbox.robot_part_id, errors_only=False) as stream:
            ...     sandbox.wait_for_tail(sandbox.robot_part_id)
            ...     sandbox.log(sandbox.robot_part_id, "Ready")
            ...     [entry.level for entry in stream.next()]
            ['info']
        """
        return next(self)

    def close(self) -> None:
        """End the stream; closing it again does nothing.

        Example:
            >>> stream = cloud.tail_robot_part_logs(sandbox.robot_part_id)
            >>> stream.close()
            >>> list(stream)
            []
        """
        self._cancellation.cancel()
        self._stream.close()


class _Memory:
    """Which entries were given, the latest of them, so that none of them is given again.

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
    return hashlib.blake2b(entry.SerializeToString(deterministic=True), digest_size=16).digest()


def _moment(entry: common_pb.LogEntry) -> int:
    # Its own method refuses what no calendar has, and a service may send that.
    return min(max(entry.time.seconds * 1_000_000_000 + entry.time.nanos, 0), _LAST)


def timestamp(nanoseconds: int) -> google_pb.Timestamp:
    """Return a time as a message.

    Example:
        >>> from viam_sync.app._fleet.log_tail import timestamp
        >>> timestamp(1_500_000_000).ToJsonString()
        '1970-01-01T00:00:01.500Z'
    """
    seconds, nanos = divmod(nanoseconds, 10**9)
    return google_pb.Timestamp(seconds=seconds, nanos=nanos)
