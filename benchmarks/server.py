"""A server that answers GetRobot with the same machine at once; it prints its port and ends with its input."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Optional

import grpc

from viam_sync.proto import app as pb

ANSWER = pb.GetRobotResponse(robot=pb.Robot(id="r-1", name="rover", location="abcdefghij")).SerializeToString()


class _Handler(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> Optional[grpc.RpcMethodHandler[Any, Any]]:
        return grpc.unary_unary_rpc_method_handler(lambda request, context: ANSWER)


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([_Handler()])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0).wait()


if __name__ == "__main__":
    main()
