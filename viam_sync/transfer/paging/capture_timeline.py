"""Captured data as a timeline: the requests that fetch the data of a time range."""

from __future__ import annotations

from typing import Any, Callable, List, Optional, Sequence, Tuple, TypeVar

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.paging.pages import PageItems
from viam_sync.transfer.paging.time_ranges import TimeRange

T = TypeVar("T")

#: A tick is a millisecond: the service may store times no finer, and items that it takes for simultaneous must stay
#: together.
_TICK = 1_000_000  # in nanoseconds


class CaptureTimeline:
    """The data that matches a filter, by the time at which it was requested.

    The service decides whether the ends of a range belong to it, and how they are rounded. So a request asks for a
    little more than its range, and the items out of it are left out by their own times.

    Args:
        request: The request for the first page of all.
        send: Sends a request, and returns the response.
        read: Takes a request and its response; returns the page, and the cursor of the next one.
        time: Returns the time of a message in a response.
    """

    def __init__(
        self,
        request: Any,
        send: Callable[[Message, Cancellation], Any],
        read: Callable[[Any, Any], Tuple[PageItems[Any], str]],
        time: Callable[[Any], Timestamp],
    ) -> None:
        self._request = request
        self._send = send
        self._read = read
        self._time = time
        self._ascending = request.data_request.sort_order == pb.Order.ORDER_ASCENDING

    def page(
        self, time_range: TimeRange, cursor: str, size: int, cancellation: Cancellation
    ) -> Tuple[PageItems[Any], Sequence[Optional[int]], str]:
        """Return a page of a time range, the ticks of its items, and the cursor of the next page."""
        request = self._copy(self._ascending)
        request.data_request.last = cursor
        request.data_request.limit = size
        self._narrow(request.data_request.filter, time_range)
        response = self._send(request, cancellation)
        items, after = self._read(request, response)
        return items, self._ticks(response), after

    def last(self, cancellation: Cancellation) -> Optional[int]:
        """Return the tick of the last item of all."""
        request = self._copy(not self._ascending)
        request.data_request.limit = 1
        if isinstance(request, pb.BinaryDataByFilterRequest):
            request.include_binary = False
        ticks = self._ticks(self._send(request, cancellation))
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
        # A time that is not set is read as 1970.
        return [direction * (seconds * 1000 + nanos // _TICK) if seconds or nanos else None for seconds, nanos in found]

    def _narrow(self, filter: Any, time_range: TimeRange) -> None:
        """Narrow a filter to a time range, and a tick more on either side."""
        start, end = time_range
        if not self._ascending:
            # The ticks run backwards, so that each begins where it ended.
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
