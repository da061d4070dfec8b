"""A server that answers at once, always with the same; it prints its port and ends with its input."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, Optional

import grpc

from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.rpc import auth as auth_pb

ROWS = 500


def page() -> data_pb.TabularDataByFilterResponse:
    """Return a page of sensor readings, with nested values, as robots send them."""
    readings = {"readings": {"temperature": 21.5, "humidity": 0.4, "on": True, "state": "idle", "axes": [1, 2, 3]}}
    row = data_pb.TabularData(data=readings, time_requested=datetime(2024, 1, 1), time_received=datetime(2024, 1, 2))
    metadata = data_pb.CaptureMetadata(robot_id="r-1", component_name="sensor", method_name="Readings")
    return data_pb.TabularDataByFilterResponse(metadata=[metadata], data=[row] * ROWS, count=ROWS, last="x")


class _Handler(grpc.GenericRpcHandler):
    def __init__(self) -> None:
        robot = app_pb.Robot(id="r-1", name="rover", location="abcdefghij")
        answers = {
            "Authenticate": auth_pb.AuthenticateResponse(access_token="token"),
            "GetRobot": app_pb.GetRobotResponse(robot=robot),
            "TabularDataByFilter": page(),
        }
        self._answers = {name: message.SerializeToString() for name, message in answers.items()}

    def service(self, details: grpc.HandlerCallDetails) -> Optional[grpc.RpcMethodHandler[Any, Any]]:
        answer = self._answers[details.method.rpartition("/")[2]]
        return grpc.unary_unary_rpc_method_handler(lambda request, context: answer)


def main() -> None:
    server = grpc.server(ThreadPoolExecutor(4))
    server.add_generic_rpc_handlers([_Handler()])
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(0).wait()


if __name__ == "__main__":
    main()
