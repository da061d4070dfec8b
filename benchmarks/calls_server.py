"""A server that answers at once, always with the same; it prints its port and ends with its input."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Optional

import grpc
from serving import serve

from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.rpc import auth as auth_pb

ROWS = 500


def row(number: int) -> data_pb.TabularData:
    """Return a sensor reading with nested values, as robots send them, each with others than the one before."""
    axes = [number / 7, number / 11, 9.81]
    state = ("idle", "busy", "charging")[number % 3]
    readings = {"temperature": 20 + number / 100, "humidity": 0.4, "on": number % 2 == 0, "state": state, "axes": axes}
    made = datetime(2024, 1, 1) + number * timedelta(milliseconds=1234)
    return data_pb.TabularData(
        data={"readings": readings}, time_requested=made, time_received=made + timedelta(milliseconds=5)
    )


def page() -> data_pb.TabularDataByFilterResponse:
    """Return a page of sensor readings."""
    metadata = data_pb.CaptureMetadata(robot_id="r-1", component_name="sensor", method_name="Readings")
    rows = [row(number) for number in range(ROWS)]
    return data_pb.TabularDataByFilterResponse(metadata=[metadata], data=rows, count=ROWS, last="x")


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
    serve(_Handler())


if __name__ == "__main__":
    main()
