"""A server that exports rows of one size for as long as they are read; it prints its port and ends with its input."""

from __future__ import annotations

from typing import Any, Iterator, Optional

import grpc
from serving import serve

from viam_sync.proto.app import data as pb

#: Messages in a stream.
MESSAGES = 20_000


class _Handler(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> Optional[grpc.RpcMethodHandler[Any, Any]]:
        return grpc.unary_stream_rpc_method_handler(self._export)

    def _export(self, request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        message = pb.ExportTabularDataResponse(resource_name="air", payload={"readings": {"temperature": 20.5}})
        data = message.SerializeToString()
        for _ in range(MESSAGES):
            yield data


def main() -> None:
    serve(_Handler())


if __name__ == "__main__":
    main()
