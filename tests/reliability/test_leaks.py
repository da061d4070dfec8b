"""Clients that are opened and closed leave nothing behind."""

import os
import sys

import pytest

from viam_sync.sandbox import Sandbox

from .processes import environment, run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="this looks into /proc")

#: How many clients are opened and closed; the environment `reliability` of tox says 1000.
CLIENTS = os.environ.get("VIAM_SYNC_CLIENTS", "200")

SCRIPT = """
import gc, os, sys, time
from viam_sync import ViamClient

def use(times):
    for _ in range(times):
        with ViamClient.create_from_env_vars() as client:
            client.app_client.list_organizations()

def left():
    gc.collect()
    with open("/proc/self/status") as status:
        facts = dict(line.split(":", 1) for line in status)
    return int(facts["VmRSS"].split()[0]), int(facts["Threads"]), len(os.listdir("/proc/self/fd"))

def settled(at_most):
    # grpc ends its threads, and lets go of descriptors, a moment after a channel is closed.
    for _ in range(200):
        now = left()
        if now[1] <= at_most[1] and now[2] <= at_most[2]:
            break
        time.sleep(0.05)
    return now

use(200)
time.sleep(1)
before = left()
use(int(sys.argv[1]))
after = settled(before)
print(*[now - then for now, then in zip(after, before)])
"""


def test_clients_that_are_closed_leave_no_memory_thread_or_descriptor(sandbox: Sandbox) -> None:
    (line,) = run(SCRIPT, CLIENTS, env=environment(sandbox), seconds=600)
    kibibytes, threads, descriptors = map(int, line.split())
    assert kibibytes < 4096
    assert threads <= 0
    assert descriptors <= 0
