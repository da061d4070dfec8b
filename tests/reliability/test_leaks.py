"""Clients that are opened and closed leave nothing behind."""

import os
import sys

import pytest

from viam_sync.sandbox import Sandbox

from .processes import environment, run

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="this looks into /proc")

#: The number of clients that are opened and closed; the environment `reliability` of tox says 1000.
CLIENTS = os.environ.get("VIAM_SYNC_CLIENTS", "200")

SCRIPT = """
import gc, os, sys
from waiting import until
from viam_sync import ViamClient

def use(times):
    for _ in range(times):
        with ViamClient.create_from_env_vars() as client:
            client.app_client.list_organizations()

def held():
    gc.collect()
    with open("/proc/self/status") as status:
        facts = dict(line.split(":", 1) for line in status)
    return int(facts["VmRSS"].split()[0]), int(facts["Threads"]), len(os.listdir("/proc/self/fd"))

use(200)
before = held()
use(int(sys.argv[1]))
# grpc ends its threads, and closes descriptors, a moment after a channel is closed.
until(lambda: all(now <= then for now, then in zip(held()[1:], before[1:])))
print(held()[0] - before[0])
"""


def test_clients_that_are_closed_leave_no_memory_thread_or_descriptor(sandbox: Sandbox) -> None:
    (kibibytes,) = run(SCRIPT, CLIENTS, env=environment(sandbox), seconds=600)
    assert int(kibibytes) < 4096
