"""A server that takes uploads of any size, also in one message; it prints its port and ends with its input.

It is started with the seconds that it takes to answer an upload once all of it is there.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from typing import Any, Iterator, Optional

import grpc
from serving import serve

from viam_sync.proto.app import datasync as pb

ANSWER = pb.FileUploadResponse(file_id="f", binary_data_id="o/l/f").SerializeToString()
#: The uploads that it takes at a time.
WORKERS = 40


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, delay: float) -> None:
        self._delay = delay

    def service(self, details: grpc.HandlerCallDetails) -> Optional[grpc.RpcMethodHandler[Any, Any]]:
        return grpc.stream_unary_rpc_method_handler(self._take)

    def _take(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        deque(requests, maxlen=0)
        time.sleep(self._delay)
        return ANSWER


def main(delay: float) -> None:
    serve(_Handler(delay), WORKERS, options=[("grpc.max_receive_message_length", -1)])


if __name__ == "__main__":
    main(float(sys.argv[1]))
