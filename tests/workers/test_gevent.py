"""What gevent does to a greenlet that makes a call: it is ended in the middle, and the client goes on."""

import pytest
from reliability.processes import environment, run

from viam_sync.sandbox import Sandbox

CALLS = """
from gevent import monkey; monkey.patch_all()
import sys
import gevent
from viam_sync import ViamClient

app_client = ViamClient.lazy().app_client
print(app_client.list_organizations()[0].name)
try:
    with gevent.Timeout(0.2):
        app_client.get_robot(sys.argv[1])
except gevent.Timeout:
    print("timeout")
call = gevent.spawn(app_client.get_robot, sys.argv[1])
gevent.sleep(0.2)
call.kill()
print(call.successful(), repr(call.value))
print(app_client.list_organizations()[0].name)
"""


def test_a_call_is_ended_with_its_greenlet_and_the_client_goes_on(sandbox: Sandbox) -> None:
    pytest.importorskip("gevent", reason="tox -e workers has it")
    fault = sandbox.faults.delay("GetRobot", 30)
    lines = run(CALLS, sandbox.robot_id, env=environment(sandbox))
    assert lines == ["Lesson Robotics", "timeout", "True GreenletExit()", "Lesson Robotics"]
    assert fault.met == 2
