"""Calls at the end of a program, when some versions of Python start no threads: each works or is refused, and ends."""

import sys
from typing import Any, Dict, Iterator

import grpc
import pytest
from servers import FakeService

from viam_sync.app.app_client import AppClient
from viam_sync.proto import app as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.channel import ServiceChannel
from viam_sync.services import methods

from .kinds import RESULTS
from .processes import environment, run, sandbox_process

#: Seconds after which a program that does not end is killed.
HANGS = 60.0

PROGRAM = """
import atexit, sys, threading
from concurrent.futures import ThreadPoolExecutor
from reliability.kinds import calls
from viam_sync import ViamClient
from viam_sync.rpc.threads import can_start_threads

moment = sys.argv[1]
if moment == "atexit":
    # Before the iterators are there: it is called after all that they may do at the end.
    atexit.register(lambda: act())

client = ViamClient.create_from_env_vars()
CALLS = calls(client)

def act():
    print("threads", can_start_threads())
    for name, call in CALLS.items():
        try:
            print(name, call(), sep=": ")
        except RuntimeError as error:
            print(name, error, sep=": ")
    sys.stdout.flush()

def later():
    threading.main_thread().join()
    act()

def shut_down():
    # The pool's threads are waited for before the main thread counts as ended.
    while not sys.modules["concurrent.futures.thread"]._shutdown:
        threading.Event().wait(0.01)
    act()

if moment == "thread":
    threading.Thread(target=later).start()
elif moment == "pool":
    ThreadPoolExecutor(1).submit(shut_down)
elif moment == "exhausted":
    # No computer has room for such a stack.
    threading.stack_size(1 << 47)
    act()
"""

#: The results where no thread can be started; None stands for a refusal.
WITHOUT_THREADS = {**RESULTS, "file": None, "several files": None, "stream": None, "tail": None}


@pytest.fixture(scope="module")
def environ() -> Iterator[Dict[str, str]]:
    with sandbox_process() as variables:
        yield {**environment(), **variables}


@pytest.mark.parametrize("moment", ["atexit", "thread", "pool", "exhausted"])
def test_every_kind_of_call_at_the_end_of_a_program_works_or_says_why_not(environ: Dict[str, str], moment: str) -> None:
    first, *lines = run(PROGRAM, moment, env=environ, seconds=HANGS)
    has_threads = first == "threads True"
    if moment == "exhausted" or (3, 12, 0) <= sys.version_info < (3, 12, 3):
        assert not has_threads
    found = dict(line.split(": ", 1) for line in lines)
    refused = [name for name, text in found.items() if " needs a new thread, and Python starts none (can't " in text]
    expected = RESULTS if has_threads else WITHOUT_THREADS
    assert {**found, **dict.fromkeys(refused, "None")} == {name: str(result) for name, result in expected.items()}


LAST_MOMENT = """
import threading, sys
import grpc
from viam_sync import ViamClient
from viam_sync.app.app_client import AppClient
from viam_sync.rpc.channel import ServiceChannel

opened = []

def open_channel():
    # From here on, no thread can be started: no computer has room for such a stack.
    threading.stack_size(1 << 47)
    opened.append(grpc.insecure_channel(sys.argv[1]))
    return opened[-1]

def act():
    with ServiceChannel(open_channel) as channel:
        app = AppClient(channel, {})
        try:
            app.tail_robot_part_logs("p-1")
        except RuntimeError as error:
            print(error)
        try:
            app.list_organizations()
        except Exception as error:
            print(type(error).__name__, len(opened))

thread = threading.Thread(target=act)
thread.start()
thread.join()
"""


def test_a_program_ends_though_its_threads_ran_out_when_a_stream_had_just_begun(environ: Dict[str, str]) -> None:
    address = environ["VIAM_APP_URL"].partition("//")[2]
    first, second = run(LAST_MOMENT, address, env=environ, seconds=HANGS)
    assert first.startswith("can't start new thread")
    assert second == "UnauthenticatedError 2"


class LastThread(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc, unused-ignore]
    """Lets the first call meet that no thread can be started any more."""

    def __init__(self) -> None:
        self.calls = 0

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        self.calls += 1
        if self.calls == 1:
            raise RuntimeError("can't create new thread at interpreter shutdown")
        return continuation(details, request)


def test_a_page_that_is_asked_for_when_threads_run_out_is_asked_for_again(server: FakeService) -> None:
    server.unary["GetRobot"] = lambda request, context: pb.GetRobotResponse(robot={"id": "r-1"}).SerializeToString()
    last = LastThread()
    with ServiceChannel(lambda: grpc.intercept_channel(grpc.insecure_channel(server.address), last)) as channel:
        request = pb.GetRobotRequest(id="r-1")
        response = AppClient(channel, {})._unary_unary(methods.GET_ROBOT, request, None, Cancellation())
    assert response.robot.id == "r-1"
    assert last.calls == 2
