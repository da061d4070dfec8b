"""Imports under addresses of the official SDK that mypy and pyright must accept, or reject where it says so."""

import logging
from typing import NoReturn

from typing_extensions import assert_type

from viam_sync.app.app_client import FragmentPB, LogOrder, RobotPart, RobotPartPB
from viam_sync.app.app_client import Robots as NoSuchMessage  # type: ignore[attr-defined]  # noqa: F401
from viam_sync.app.data_client import Filter, ProtoDataPipeline, TabularDataByFilterRequest
from viam_sync.app.ml_training_client import ModelType
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import NotSupportedError, ViamGRPCError
from viam_sync.gen.app.data.v1.data_pb2 import ORDER_ASCENDING, Order
from viam_sync.gen.app.data.v1.data_pb2 import Filter as SameFilter
from viam_sync.gen.app.v1 import app_pb2
from viam_sync.logging import getLogger
from viam_sync.proto.app import Fragment
from viam_sync.proto.app.robot import RobotConfig
from viam_sync.proto.rpc.webrtc.signaling import ICECandidate
from viam_sync.robot.client import DialOptions
from viam_sync.utils import ResourceName


def messages(fragment: FragmentPB, part: RobotPart, message: RobotPartPB, candidate: ICECandidate) -> None:
    assert_type(fragment, Fragment)
    assert_type(part.id, str)
    assert_type(message.robot_config.fields["a"].string_value, str)
    assert_type(candidate.candidate, str)
    assert_type(RobotConfig(debug=True).debug, bool)
    assert_type(ResourceName(name="arm").name, str)
    assert_type(app_pb2.Robot(id="r").id, str)
    assert_type(Filter(robot_id="r"), SameFilter)
    assert_type(ProtoDataPipeline().name, str)
    TabularDataByFilterRequest(count_only=True)
    Filter(robot=5)  # type: ignore[call-arg]


def values() -> None:
    assert_type(ORDER_ASCENDING, Order.ValueType)
    assert_type(LogOrder.Value("LOG_ORDER_UNSPECIFIED"), LogOrder.ValueType)
    assert_type(ModelType.Name(ModelType.MODEL_TYPE_UNSPECIFIED), str)


def others(client: ViamClient, options: DialOptions) -> None:
    assert_type(getLogger("lesson"), logging.Logger)
    try:
        assert_type(client.connect_to_machine(address="rover"), NoReturn)
    except (NotSupportedError, ViamGRPCError):
        print(options.auth_entity)
