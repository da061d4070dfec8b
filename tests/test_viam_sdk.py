"""What belongs to machines says where it is, and nothing else is disturbed by that."""

import importlib
import importlib.util
import pkgutil
import pydoc
import subprocess
import sys
from pathlib import Path
from typing import Set

import pytest

import viam_sync
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import NotSupportedError
from viam_sync.sandbox import Sandbox
from viam_sync.viam_sdk import MACHINES, MissingModules

OF_MACHINES = [
    "import viam_sync.components.arm",
    "from viam_sync import components",
    "from viam_sync.components.camera import Camera",
    "from viam_sync.services.vision import VisionClient",
    "from viam_sync.services import motion",
    "from viam_sync.media.video import CameraMimeType",
    "from viam_sync.module.module import Module",
    "from viam_sync.resource.types import Model",
    "from viam_sync.robot import service",
    "from viam_sync.robot.client import RobotClient",
    "from viam_sync.app.viam_client import RobotClient",
    "from viam_sync.rpc.server import Server",
    "from viam_sync.spatialmath import Quaternion",
    "from viam_sync.operations import Operation",
    "from viam_sync.streams import Stream",
    "from viam_sync.proto.component.arm import JointPositions",
    "from viam_sync.proto import robot",
    "from viam_sync.gen.component.arm.v1 import arm_pb2",
    "from viam_sync.gen.service.vision.v1.vision_pb2 import Detection",
    "from viam_sync.utils import get_geometries",
]


@pytest.mark.parametrize("statement", OF_MACHINES)
def test_an_import_of_machines_says_in_a_sentence_where_they_are(statement: str) -> None:
    with pytest.raises(ImportError) as raised:
        exec(statement, {})
    assert str(raised.value).endswith(f": {MACHINES}")
    assert "viam-sdk" in MACHINES
    assert "docs/migrating.md" in MACHINES


OF_STUBS = [
    "import viam_sync.gen.app.v1.app_grpc",
    "from viam_sync.gen.app.v1 import app_grpc",
    "from viam_sync.proto.app import AppServiceStub",
    "from viam_sync.proto.app import UnimplementedAppServiceBase",
    "from viam_sync.proto.app.data import Filter, DataServiceBase",
    "from viam_sync.app.app_client import AppServiceStub",
    "from viam_sync.app.data_client import DataSyncServiceStub",
]


@pytest.mark.parametrize("statement", OF_STUBS)
def test_an_import_of_a_stub_says_what_to_call(statement: str) -> None:
    with pytest.raises(ImportError, match=r"(_grpc|Stub|Base)'.*: the stubs .* has a method of a client, such as "):
        exec(statement, {})


def test_looking_for_a_module_of_machines_says_it_as_well() -> None:
    with pytest.raises(ModuleNotFoundError, match="viam-sdk"):
        importlib.util.find_spec("viam_sync.components")


TYPOS = ["viam_sync.component", "viam_sync.services.visions", "viam_sync.proto.app.dta", "viam_sync.gen.app.v1.app_pb3"]


@pytest.mark.parametrize("module", TYPOS)
def test_a_name_that_the_official_sdk_does_not_have_is_an_ordinary_error(module: str) -> None:
    with pytest.raises(ModuleNotFoundError) as raised:
        importlib.import_module(module)
    assert (str(raised.value), raised.value.name) == (f"No module named '{module}'", module)
    assert importlib.util.find_spec(module) is None


def test_modules_of_other_packages_are_none_of_its_business() -> None:
    with pytest.raises(ModuleNotFoundError) as raised:
        importlib.import_module("components")
    assert str(raised.value) == "No module named 'components'"
    assert importlib.util.find_spec("viam_sync_tools") is None


def test_an_attribute_says_it_too() -> None:
    with pytest.raises(AttributeError, match="no attribute 'components': machines are driven by"):
        viam_sync.components  # noqa: B018
    assert not hasattr(viam_sync, "components")
    with pytest.raises(AttributeError, match=r"'viam_sync\.robot\.client' has no attribute 'Robot'$"):
        importlib.import_module("viam_sync.robot.client").Robot  # noqa: B018


def test_the_finder_is_asked_last_and_is_there_once_however_often_the_package_is_loaded() -> None:
    script = """
import importlib, sys, viam_sync
importlib.reload(viam_sync)
print([type(finder).__name__ for finder in sys.meta_path].count("MissingModules"), type(sys.meta_path[-1]).__name__)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", MissingModules.__name__]


def modules() -> Set[str]:
    return {found.name for found in pkgutil.walk_packages(viam_sync.__path__, "viam_sync.")}


def test_a_walk_finds_the_modules_that_are_files_and_no_others() -> None:
    package = Path(viam_sync.__file__).parent
    # A build copies the lessons, which are scripts, to lessons/course/.
    paths = [path for path in package.rglob("*.py") if path.parent.name != "course"]
    files = [path.relative_to(package.parent).with_suffix("") for path in paths]
    named = {".".join(path.parts[:-1] if path.name == "__init__" else path.parts) for path in files}
    assert modules() == named - {"viam_sync"}
    assert {"viam_sync.gen.app.data.v1.data_pb2", "viam_sync.logging", "viam_sync.robot.client"} <= modules()


@pytest.mark.parametrize("name", ["viam_sync", "viam_sync.gen.app.packages.v1.packages_pb2", "viam_sync.robot.client"])
def test_help_shows(name: str) -> None:
    assert name in pydoc.render_doc(name)


def test_connecting_to_a_machine_says_it_too(sandbox: Sandbox, client: ViamClient) -> None:
    with pytest.raises(NotSupportedError) as raised:
        client.connect_to_machine(address="rover-main.abcdef1234.viam.cloud")
    assert str(raised.value) == MACHINES


def test_modules_that_come_with_the_official_sdk_need_no_import_of_their_own() -> None:
    script = "import viam_sync; print(viam_sync.logging.getLogger('lesson').name, viam_sync.gen.__name__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["lesson", "viam_sync.gen"]
