"""A process that becomes a daemon: it is forked, and all its files are closed, as python-daemon does."""

import os

import pytest

from viam_sync.sandbox import Sandbox

from .processes import environment, run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks here")

PROGRAM = """
import os, sys
from viam_sync import ViamClient

def name(client):
    return client.app_client.list_organizations()[0].name

client = ViamClient.create_from_env_vars()
print(name(client), flush=True)
client.close()
child = os.fork()
if child == 0:
    os.closerange(3, 1024)
    print(name(ViamClient.create_from_env_vars()), flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""

#: Nothing of gRPC is loaded here: where it is, its threads may miss their files first, and kill the process.
CONNECTION = """
import os
from viam_sync.rpc.connection import Connection

def begin(connection):
    try:
        print(connection.channel(), flush=True)
    except RuntimeError as error:
        print(error, flush=True)

parent = Connection(lambda: "channel")
begin(parent)
child = os.fork()
if child == 0:
    begin(parent.after_fork())
    # A daemon is a grandchild.
    if os.fork() == 0:
        os.closerange(3, 1024)
        begin(parent.after_fork())
        begin(Connection(lambda: "channel"))
        os._exit(0)
    os.wait()
    os._exit(0)
os.waitpid(child, 0)
"""

REFUSAL = (
    "The files of this process were closed after it was forked, as python-daemon does, and those of gRPC with them."
    " Make the client after that, or close it before."
)


def test_a_connection_that_was_open_before_says_that_its_files_were_closed() -> None:
    assert run(CONNECTION, env=environment()) == ["channel", "channel", REFUSAL, REFUSAL]


def test_a_client_that_is_made_after_works_if_the_one_before_was_closed(sandbox: Sandbox) -> None:
    assert run(PROGRAM, env=environment(sandbox)) == ["Lesson Robotics"] * 2
