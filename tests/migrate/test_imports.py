"""Imports are rewritten where there is a counterpart, and what belongs to machines stays."""

import textwrap

import libcst
import pytest

from viam_sync.migrate.imports import rewrite_imports
from viam_sync.migrate.left_imports import left_imports


def rewritten(text):
    """Return a script with its imports rewritten; once more changes nothing."""
    result = rewrite_imports(libcst.parse_module(text)).code
    assert rewrite_imports(libcst.parse_module(result)).code == result
    return result


def left(text):
    return [(each.line, each.reason.partition(":")[0]) for each in left_imports(libcst.parse_module(text))]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from viam.app.viam_client import ViamClient", "from viam_sync.app.viam_client import ViamClient"),
        ("import viam.app.viam_client as vc", "import viam_sync.app.viam_client as vc"),
        ("from viam.proto.app import (\n  Robot,\n)", "from viam_sync.proto.app import (\n  Robot,\n)"),
        ("from viam.gen.app.v1 import app_pb2 as pb", "from viam_sync.gen.app.v1 import app_pb2 as pb"),
        ("from viam.utils import *", "from viam_sync.utils import *"),
        ("from viam import logging, app", "from viam_sync import logging, app"),
        ("from viam.rpc.dial import Credentials as C", "from viam_sync.rpc.dial import Credentials as C"),
        ("from viam.robot.client import DialOptions", "from viam_sync.rpc.dial import DialOptions"),
        ("from viam.errors import GRPCError", "from viam_sync import GRPCError"),
        ("import os, viam.logging; print(viam.logging)", "import os, viam_sync.logging; print(viam_sync.logging)"),
        ("import viam\nprint(viam.__version__)", "import viam_sync\nprint(viam_sync.__version__)"),
        ("import viam as v\nprint(v.logging)", "import viam_sync as v\nprint(v.logging)"),
        ("from viam import proto\nproto.app.Robot()", "from viam_sync import proto\nproto.app.Robot()"),
        ("if True: import viam.utils", "if True: import viam_sync.utils"),
    ],
)
def test_imports_of_the_cloud_are_ours(before, after):
    assert rewritten(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "from viam.components.arm import Arm",
        "from viam.services.vision import VisionClient as V",
        "import viam.media.video",
        "from viam.utils import sensor_readings_native_to_value",
        "from viam.rpc.dial import dial",
        "from viam.proto.component.arm import Status",
        "from viam.gen.app.v1 import app_grpc",
        "import viam.robot.client as robots\nrobots.RobotClient",
        "from viam import robot\nrobot.client.RobotClient",
        "from .viam.app import ViamClient",
        "import viamond, grpc",
        "viam = 1\nviam.app.x",
    ],
)
def test_other_imports_stay(text):
    assert rewritten(text) == text


def test_dotted_names_follow_their_import_and_no_other_name_does():
    before = textwrap.dedent("""\
    import viam.utils, viam.components.arm
    def f(viam):
        return viam.utils
    def g(x: "viam.utils.ValueTypes", y=viam.utils.create_filter()):
        text = "viam.utils"
        return viam.components.arm.Arm, viam.utils.struct_to_dict(viam.utils.x)["viam"].viam, f(viam=1)
    """)
    # It uses an arm, so what both need stays.
    assert rewritten(before) == before
    after = rewritten(before.replace("viam.components.arm.Arm", "1"))
    assert "import viam_sync.utils, viam.components.arm\n" in after
    assert "def f(viam):\n    return viam.utils\n" in after
    assert 'x: "viam.utils.ValueTypes", y=viam_sync.utils.create_filter()' in after
    assert 'viam_sync.utils.struct_to_dict(viam_sync.utils.x)["viam"].viam, f(viam=1)' in after


def test_a_file_that_drives_machines_keeps_the_names_that_both_need():
    before = """\
    # The lesson.
    from viam.robot.client import RobotClient, DialOptions  # both
    from viam.rpc.dial import Credentials
    from viam.proto.common import Pose
    from viam.proto.app import Robot
    from viam.app.viam_client import ViamClient
    robot = RobotClient.at_address
    """
    after = before.replace("viam.app", "viam_sync.app").replace("viam.proto.app", "viam_sync.proto.app")
    assert rewritten(textwrap.dedent(before)) == textwrap.dedent(after)


@pytest.mark.parametrize("arm", ["def f(arm: Arm): ...", "def f(arm: 'Arm'): ...", "Arm"])
def test_annotations_say_that_a_file_drives_machines(arm):
    text = f"from viam.components.arm import Arm\nfrom viam.rpc.dial import DialOptions\n{arm}\n"
    assert rewritten(text) == text


def test_a_name_of_machines_that_is_only_imported_changes_nothing_else():
    before = "from viam.robot.client import (\n    RobotClient,  # machines\n    DialOptions,\n)\n"
    after = (
        "from viam.robot.client import (\n    RobotClient,  # machines\n)\nfrom viam_sync.rpc.dial import DialOptions\n"
    )
    assert rewritten(before) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "from grpclib import GRPCError, Status",
            "from viam_sync import GRPCError\nfrom grpc import StatusCode as Status",
        ),
        ("from grpclib.const import Status as S", "from grpc import StatusCode as S"),
        ("import grpclib\nprint(grpclib.GRPCError.status)", "import viam_sync\nprint(viam_sync.GRPCError.status)"),
        ("import grpclib.const\ngrpclib.const.Status.OK", "import grpc\ngrpc.StatusCode.OK"),
        ("import grpclib.exceptions as e, os\ne.GRPCError", "import viam_sync, os\nviam_sync.GRPCError"),
        (
            "from grpclib import const, exceptions\nexceptions.GRPCError, const.Status",
            "import grpc\nimport viam_sync\nviam_sync.GRPCError, grpc.StatusCode",
        ),
        (
            "import grpclib\nprint(grpclib.Status.OK, grpclib.client.Channel)",
            "import grpclib, grpc\nprint(grpc.StatusCode.OK, grpclib.client.Channel)",
        ),
        (
            "from grpclib.exceptions import StreamTerminatedError as Lost",
            "from viam_sync import UnavailableError as Lost",
        ),
    ],
)
def test_errors_of_grpclib_are_ours_and_its_statuses_those_of_grpc(before, after):
    viam = "from viam.app.viam_client import ViamClient\n"
    assert rewritten(viam + before) == viam.replace("viam.", "viam_sync.") + after
    assert rewritten(before) == before  # a file without viam may be about any other service


def test_conditional_imports_are_rewritten_in_their_places():
    before = """\
    from typing import TYPE_CHECKING

    __all__ = ["ViamClient", "viam"]
    if TYPE_CHECKING:
        from viam.app.viam_client import ViamClient
    try:
        from viam.rpc.dial import DialOptions
    except ImportError:
        DialOptions = None


    def connect():
        from viam.app import viam_client
        import importlib

        return importlib.import_module("viam.app.data_client"), viam_client
    """
    after = textwrap.dedent(before).replace("from viam.", "from viam_sync.")
    assert rewritten(textwrap.dedent(before)) == after
    assert left(textwrap.dedent(before)) == [(16, "the text 'viam.app.data_client' names a module of viam-sdk")]


def test_imports_of_machines_are_named_by_line_with_the_reason():
    text = """\
    from viam.app.viam_client import ViamClient
    from viam.robot.client import RobotClient, DialOptions
    from grpclib import GRPCError
    from grpclib.client import Channel
    RobotClient
    """
    assert left(textwrap.dedent(text)) == [
        (2, "viam.robot.client.RobotClient belongs to machines, which viam-sdk drives"),
        (3, "machines raise grpclib.GRPCError, and calls to the cloud an error of viam_sync"),
        (4, "grpclib.client.Channel comes from the library beneath viam-sdk, and has no counterpart here"),
    ]


def test_errors_in_a_file_without_viam_are_named():
    assert left("from grpclib.exceptions import GRPCError") == [
        (1, "grpclib.exceptions.GRPCError is what viam-sdk raises")
    ]
    assert left("import grpclib.server\nfrom viam.app.viam_client import ViamClient")[1:] == []
