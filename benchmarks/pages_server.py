"""A server of readings in pages of so many at most, each after a wait; it prints its port and ends with its input."""

from __future__ import annotations

import sys
import time
from bisect import bisect_left
from typing import Any, List, Optional

import grpc
from calls_server import page
from serving import serve

from viam_sync.proto.app import data as pb

#: Readings in a page unless asked otherwise.
DEFAULT = 50
#: A robot that measures each second for ten minutes, and then rests for fifty.
RUN, REST = 600, 3000


def times(readings: int) -> List[int]:
    """Return when the readings were made, in seconds since 1970."""
    return [1_700_000_000 + number + number // RUN * REST for number in range(readings)]


def bodies(seconds: List[int]) -> List[bytes]:
    """Return a message for each reading, of it alone; messages that are joined are merged."""
    readings = page().data
    found = []
    for number, second in enumerate(seconds):
        reading = readings[number % len(readings)]
        reading.time_requested.seconds = reading.time_received.seconds = second
        reading.time_requested.nanos = reading.time_received.nanos = 0
        found.append(pb.TabularDataByFilterResponse(data=[reading]).SerializeToString())
    return found


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, readings: int, seconds: float, most: int) -> None:
        self._seconds = seconds
        self._most = most
        self._times = times(readings)
        self._bodies = bodies(self._times)
        self._metadata = pb.TabularDataByFilterResponse(metadata=page().metadata).SerializeToString()

    def service(self, details: grpc.HandlerCallDetails) -> Optional[grpc.RpcMethodHandler[Any, Any]]:
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def _answer(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        time.sleep(self._seconds)
        asked = pb.TabularDataByFilterRequest.FromString(request).data_request
        interval = asked.filter.interval
        # Here every reading has a whole second.
        first = self._index(interval.start) if interval.HasField("start") else 0
        end = self._index(interval.end) if interval.HasField("end") else len(self._times)
        rows = min(asked.limit or DEFAULT, self._most)
        if asked.sort_order == pb.Order.ORDER_ASCENDING:
            numbers = range(int(asked.last) + 1 if asked.last else first, end)[:rows]
        else:
            numbers = range((int(asked.last) if asked.last else end) - 1, first - 1, -1)[:rows]
        last = str(numbers[-1]) if numbers else ""
        parts = [self._bodies[number] for number in numbers]
        parts.append(pb.TabularDataByFilterResponse(last=last, count=len(numbers)).SerializeToString())
        return b"".join([self._metadata, *parts])

    def _index(self, moment: Any) -> int:
        return bisect_left(self._times, moment.seconds + (moment.nanos > 0))


def main() -> None:
    readings, seconds, most = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    serve(_Handler(readings, seconds, most), 16)


if __name__ == "__main__":
    main()
