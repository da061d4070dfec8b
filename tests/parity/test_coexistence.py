"""The official SDK and this package can be imported in one process, in either order, and work there together."""

import importlib.metadata
import subprocess
import sys

import pytest

INSTALLED = [found for found in importlib.metadata.distributions() if found.metadata["Name"] == "viam-sdk"]

pytestmark = pytest.mark.skipif(not INSTALLED, reason="viam-sdk is not installed; there is nothing to live beside")

BOTH_WORK = """
theirs = official.Filter(robot_id="r", interval=official.CaptureInterval(start=Timestamp(seconds=3)))
ours = data.Filter(robot_id="r", interval=data.CaptureInterval(start=Timestamp(seconds=3)))
assert type(theirs) is not type(ours)
assert theirs.SerializeToString() == ours.SerializeToString()
assert official.Filter.FromString(ours.SerializeToString()) == theirs
assert data.Filter.FromString(theirs.SerializeToString()) == ours
"""

OFFICIAL_MESSAGES_ARE_TAKEN = """
theirs = official.Filter(robot_id="r", interval=official.CaptureInterval(start=Timestamp(seconds=3)))
ours = data.DataRequest(filter=theirs)
assert type(ours.filter) is data.Filter
assert ours.filter.interval.start.seconds == 3
assert data.Filter(interval=theirs.interval).interval == ours.filter.interval
ours.filter.CopyFrom(official.Filter(robot_id="s"))
assert ours.filter == data.Filter(robot_id="s")

role = official_app.Authorization(authorization_id="organization_owner", organization_id="o")
invite = app.CreateOrganizationInviteRequest(organization_id="o", authorizations=[role, app.Authorization()])
assert [each.authorization_id for each in invite.authorizations] == ["organization_owner", ""]
assert {type(each) for each in invite.authorizations} == {app.Authorization}

try:
    data.DataRequest(filter=role)
except TypeError as error:
    takes = "filter takes a Filter, as viam_sync.utils.create_filter(…) returns"
    assert str(error) == f"{takes}, got an Authorization", error
else:
    raise AssertionError("an Authorization was taken for a Filter")
"""

OFFICIAL = """
from viam.proto import app as official_app
from viam.proto.app import data as official
"""
OURS = """
from viam_sync.proto import app
from viam_sync.proto.app import data
"""
ORDERS = {
    "official_first": OFFICIAL + OURS,
    "ours_first": OURS + OFFICIAL,
    "ours_built_first": OURS + "data.Filter()" + OFFICIAL,
}


def run(code):
    # What the official SDK warns of when it is imported is not ours to mend, so warnings are no errors here.
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("imports", ORDERS.values(), ids=list(ORDERS))
def test_messages_of_both_are_built_and_understand_each_other(imports):
    run(f"{imports}\nfrom google.protobuf.timestamp_pb2 import Timestamp\n{BOTH_WORK}")


@pytest.mark.parametrize("imports", ORDERS.values(), ids=list(ORDERS))
def test_messages_of_the_official_sdk_are_taken_by_ours(imports):
    run(f"{imports}\nfrom google.protobuf.timestamp_pb2 import Timestamp\n{OFFICIAL_MESSAGES_ARE_TAKEN}")


@pytest.mark.parametrize("order", [("viam", "viam_sync"), ("viam_sync", "viam")], ids="-".join)
def test_the_packages_can_be_imported_in_either_order(order):
    run("\n".join(f"import {name}" for name in order))


@pytest.mark.parametrize("order", [("viam", "viam_sync"), ("viam_sync", "viam")], ids="-".join)
def test_machines_are_driven_by_the_official_sdk_beside_ours(order):
    imports = "\n".join(f"import {name}" for name in order)
    code = f"""
{imports}
from viam.components.arm import Arm
from viam.robot.client import RobotClient
from viam_sync.robot.client import DialOptions
try:
    from viam_sync.components.arm import Arm
except ModuleNotFoundError as error:
    assert "viam-sdk" in str(error), error
else:
    raise AssertionError("there is an arm")
"""
    run(code)


# The older ones cannot be told to dial without TLS, so their client gets an open channel.
BOTH_CALL = """
import asyncio
from grpclib.client import Channel
from viam.app.app_client import AppClient as OfficialClient
from viam_sync.app.viam_client import AppClient
from viam_sync.rpc.dial import dial
from viam_sync.sandbox import Sandbox


async def their_names(host, port, metadata):
    channel = Channel(host, port)
    try:
        return [organization.name for organization in await OfficialClient(channel, metadata).list_organizations()]
    finally:
        channel.close()


with Sandbox() as sandbox:
    channel, metadata = dial(sandbox.url, sandbox.dial_options())
    host, port = sandbox.address.split(":")
    theirs = asyncio.run(their_names(host, int(port), dict(metadata)))
    ours = [organization.name for organization in AppClient(channel, metadata).list_organizations()]
    channel.close()
    assert ours == theirs == ["Lesson Robotics"]
"""


@pytest.mark.parametrize("imports", ORDERS.values(), ids=list(ORDERS))
def test_both_call_the_same_cloud_from_one_process(imports):
    run(imports + BOTH_CALL)
