"""One call on grpcio and protobuf alone, which builds no more classes than it uses.

Its arguments are the port of the server, and a file with the two .proto files that it needs and what these import.
"""

import sys
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FileDescriptorSet

pool = descriptor_pool.DescriptorPool()
for file in FileDescriptorSet.FromString(Path(sys.argv[2]).read_bytes()).file:
    pool.AddSerializedFile(file.SerializeToString())


def message(name: str) -> Any:
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(name))


def call(channel: grpc.Channel, rpc: str, request: Any, response: str, **options: Any) -> Any:
    stub = channel.unary_unary(rpc, type(request).SerializeToString, message(response).FromString)
    return stub(request, timeout=20, **options)


with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as channel:
    login = message("proto.rpc.v1.AuthenticateRequest")(
        entity="5ec1a9f2-0000-4000-8000-000000000001", credentials={"type": "api-key", "payload": "secret"}
    )
    answer = call(channel, "/proto.rpc.v1.AuthService/Authenticate", login, "proto.rpc.v1.AuthenticateResponse")
    metadata = (("authorization", f"Bearer {answer.access_token}"),)
    request = message("viam.app.v1.GetRobotRequest")(id="r-1")
    response = "viam.app.v1.GetRobotResponse"
    found = call(channel, "/viam.app.v1.AppService/GetRobot", request, response, metadata=metadata)
    assert found.robot.name == "rover"
