"""What calls cost: ours, the official SDK's in a running loop, and those of a bare stub, in one run."""

import asyncio
import contextlib
from typing import Any, Callable, Iterator

import grpc
from figures import Figure, Taken, in_turns, milliseconds, ratio, server
from grpclib.client import Channel
from viam.app.app_client import AppClient as OfficialAppClient

from viam_sync.app.app_client import AppClient
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import Channel as OurChannel
from viam_sync.rpc.dial import parse_address

ROUNDS, CALLS = 30, 200
METADATA = {"authorization": "Bearer token"}


def repeated(call: Callable[[], object], times: int) -> Callable[[], None]:
    def act() -> None:
        for _ in range(times):
            call()

    return act


def awaited(loop: asyncio.AbstractEventLoop, call: Callable[[], Any], times: int) -> Callable[[], None]:
    """Return the act that awaits a call some times, in one task."""

    async def act() -> None:
        for _ in range(times):
            await call()

    return lambda: loop.run_until_complete(act())


def bare_call(channel: grpc.Channel) -> Callable[[], Any]:
    stub = channel.unary_unary(
        "/viam.app.v1.AppService/GetRobot", pb.GetRobotRequest.SerializeToString, pb.GetRobotResponse.FromString
    )
    metadata = tuple(METADATA.items())
    return lambda: stub(pb.GetRobotRequest(id="r-1"), timeout=20, metadata=metadata).robot


def rounds(port: int) -> Taken:
    loop = asyncio.new_event_loop()
    with contextlib.ExitStack() as stack:
        stack.callback(loop.close)
        theirs = loop.run_until_complete(connected(port))
        stack.callback(theirs.close)
        ours = stack.enter_context(OurChannel(parse_address(f"http://127.0.0.1:{port}"), max_reconnect_attempts=3))
        bare = bare_call(stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}")))
        app, official = AppClient(ours, METADATA), OfficialAppClient(theirs, METADATA)
        acts = {
            "bare": repeated(bare, CALLS),
            "ours": repeated(lambda: app.get_robot("r-1"), CALLS),
            "official": awaited(loop, lambda: official.get_robot("r-1"), CALLS),
        }
        return in_turns(acts, ROUNDS)


async def connected(port: int) -> Channel:
    return Channel("127.0.0.1", port)


def figures() -> Iterator[Figure]:
    with server("calls_server.py") as port:
        taken = rounds(int(port))
    yield Figure(
        work=f"{CALLS} unary calls, main thread",
        ours=milliseconds(taken["ours"]),
        peers={"a bare stub": milliseconds(taken["bare"]), "the official SDK": milliseconds(taken["official"])},
        ratio=ratio(taken, "ours", "bare"),
        of="of a bare stub's time",
        goal="≤ 1.04",
        bounded_by="",
    )
