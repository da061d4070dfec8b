"""A server of readings in pages, each after a wait; it prints its port and ends with its input."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Optional

import grpc
from server import page

from viam_sync.proto.app import data as pb

#: What the cloud does: pages of 50 unless asked otherwise, and never of more than 100.
DEFAULT, MOST = 50, 100


def body(rows: int) -> bytes:
    """Return a page without its cursor, as bytes."""
    whole = page()
    message = pb.TabularDataByFilterResponse(metadata=whole.metadata, data=whole.data[:rows], count=rows)
    return message.SerializeToString()


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, readings: int, seconds: float) -> None:
        self._readings, self._seconds = readings, seconds
        self._bodies: Dict[int, bytes] = {}

    def service(self, details: grpc.HandlerCallDetails) -> Optional[grpc.RpcMethodHandler[Any, Any]]:
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def _answer(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        time.sleep(self._seconds)
        asked = pb.TabularDataByFilterRequest.FromString(request).data_request
        first = int(asked.last or 0)
        rows = min(asked.limit or DEFAULT, MOST, self._readings - first)
        if rows not in self._bodies:
            self._bodies[rows] = body(rows)
        # Messages that are joined are merged, so the cursor can come after the rows.
        return self._bodies[rows] + pb.TabularDataByFilterResponse(last=str(first + rows)).SerializeToString()


def main() -> None:
    readings, seconds = int(sys.argv[1]), float(sys.argv[2])
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([_Handler(readings, seconds)])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0).wait()


if __name__ == "__main__":
    main()
