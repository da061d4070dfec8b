"""Captured data as a timeline: which request asks for the data of a stretch of it."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.paging.pages import Items
from viam_sync.transfer.paging.time_ranges import TimeRange

T = TypeVar("T")

#: A tick is a millisecond: the service may store times no finer, and what it takes for one time must stay together.
_TICK = 1_000_000  # in nanoseconds


class CaptureTimeline:
    """The data that matches a filter, by the time at which it was requested.

    Whether the service counts the ends of a range in, and how it rounds them, is for it to say. So a little more than a
    stretch is asked for, and what is not in it is left out by its own time.

    Args:
        request: Asks for the first page of all.
        send: Sends a request, and returns the answer.
        read: Takes a request and its response; returns the items, and where the next page begins.
        time: Returns the time of a message in an answer.
    """

    def __init__(
        self,
        request: Any,
        send: Callable[[Message, Cancellation], Any],
        read: Callable[[Any, Any], Tuple[Items[Any], str]],
        time: Callable[[Any], Timestamp],
    ) -> None:
        self._request = request
        self._ask = send
        self._read = read
        self._time = time
        self._ascending = request.data_request.sort_order == pb.Order.ORDER_ASCENDING

    def page(
        self, stretch: TimeRange, cursor: str, size: int, cancellation: Cancellation
    ) -> Tuple[Items[Any], Sequence[Optional[int]], str]:
        """Return a page of a stretch, the ticks of what is in it, and where the next page begins."""
        request = self._copy(self._ascending)
        request.data_request.last = cursor
        request.data_request.limit = size
        self._narrow(request.data_request.filter, stretch)
        response = self._ask(request, cancellation)
        items, after = self._read(request, response)
        return items, self._ticks(response), after

    def last(self, cancellation: Cancellation) -> Optional[int]:
        """Return the tick of the last one of all."""
        request = self._copy(not self._ascending)
        request.data_request.limit = 1
        if isinstance(request, pb.BinaryDataByFilterRequest):
            request.include_binary = False
        ticks = self._ticks(self._ask(request, cancellation))
        return ticks[0] if ticks else None

    def _copy(self, ascending: bool) -> Any:
        request = type(self._request)()
        request.CopyFrom(self._request)
        order = pb.Order.ORDER_ASCENDING if ascending else pb.Order.ORDER_DESCENDING
        request.data_request.sort_order = order
        return request

    def _ticks(self, response: Any) -> List[Optional[int]]:
        direction = 1 if self._ascending else -1
        found = [(time.seconds, time.nanos) for time in map(self._time, response.data)]
        # A time that is not set reads as 1970.
        return [direction * (seconds * 1000 + nanos // _TICK) if seconds or nanos else None for seconds, nanos in found]

    def _narrow(self, filter: Any, stretch: TimeRange) -> None:
        """Let a filter match what is in a stretch, and a tick more on either side, but nothing that it did not."""
        start, end = stretch
        if not self._ascending:
            # The ticks run backwards, and each begins where it ended.
            start, end = None if end is None else 1 - end, None if start is None else 1 - start
        if start is not None:
            before = _split(start - 1)
            if not filter.interval.HasField("start") or before > _pair(filter.interval.start):
                filter.interval.start.seconds, filter.interval.start.nanos = before
        if end is not None:
            behind = _split(end + 1)
            if not filter.interval.HasField("end") or behind < _pair(filter.interval.end):
                filter.interval.end.seconds, filter.interval.end.nanos = behind


def _split(ticks: int) -> Tuple[int, int]:
    seconds, rest = divmod(ticks, 1000)
    return seconds, rest * _TICK


def _pair(time: Timestamp) -> Tuple[int, int]:
    return time.seconds, time.nanos
