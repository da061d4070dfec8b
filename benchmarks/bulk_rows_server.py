"""A server of very many readings, in pages that are all the same; it prints its port and ends with its input."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any, Optional

import grpc
from calls_server import page
from serving import serve

from viam_sync.proto.app import data as pb

#: What the cloud does: pages of 50 unless asked otherwise, and never of more than 100.
DEFAULT, MOST = 50, 100


@lru_cache(maxsize=None)
def rows_of(count: int) -> bytes:
    """Return a page of so many readings, which another message may follow that says what comes next."""
    found = page()
    del found.data[count:]
    found.ClearField("last")
    return found.SerializeToString()


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, readings: int) -> None:
        self._readings = readings

    def service(self, details: grpc.HandlerCallDetails) -> Optional[grpc.RpcMethodHandler[Any, Any]]:
        return grpc.unary_unary_rpc_method_handler(self._answer)

    def _answer(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        asked = pb.TabularDataByFilterRequest.FromString(request).data_request
        first = int(asked.last or 0)
        count = min(asked.limit or DEFAULT, MOST, self._readings - first)
        last = str(first + count) if count else ""
        return rows_of(count) + pb.TabularDataByFilterResponse(last=last, count=count).SerializeToString()


def main() -> None:
    serve(_Handler(int(sys.argv[1])))


if __name__ == "__main__":
    main()
