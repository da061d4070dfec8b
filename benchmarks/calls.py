"""What calls cost: ours, the official SDK's in a running loop, and those of a bare stub, in turns."""

import asyncio
import contextlib
import threading
from typing import Any, Callable, Dict, Iterator

import grpc
from figures import Figure, Taken, in_turns, milliseconds, ratio, server
from grpclib.client import Channel
from viam.app.app_client import AppClient as OfficialAppClient

from viam_sync.app.app_client import AppClient
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import Channel as OurChannel
from viam_sync.rpc.dial import parse_address

ROUNDS, CALLS, THREADS = 30, 200, 32
#: What a unary call is bounded by.
BOUND = "grpcio; steps of ours that meet cold caches"
METADATA = {"authorization": "Bearer token"}


def repeated(call: Callable[[], object], times: int) -> Callable[[], None]:
    def act() -> None:
        for _ in range(times):
            call()

    return act


def in_threads(call: Callable[[], object], times: int, count: int) -> Callable[[], None]:
    """Return the act that makes a call some times in all, in that many threads at the same time."""

    def act() -> None:
        threads = [threading.Thread(target=repeated(call, times // count)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return act


def awaited(
    loop: asyncio.AbstractEventLoop, call: Callable[[], Any], times: int, count: int = 1
) -> Callable[[], object]:
    """Return the act that awaits a call some times in all, in that many tasks at the same time."""

    async def task() -> None:
        for _ in range(times // count):
            await call()

    async def act() -> None:
        await asyncio.gather(*(task() for _ in range(count)))

    return lambda: loop.run_until_complete(act())


def bare_call(channel: grpc.Channel) -> Callable[[], Any]:
    stub = channel.unary_unary(
        "/viam.app.v1.AppService/GetRobot", pb.GetRobotRequest.SerializeToString, pb.GetRobotResponse.FromString
    )
    metadata = tuple(METADATA.items())
    return lambda: stub(pb.GetRobotRequest(id="r-1"), timeout=20, metadata=metadata).robot


def rounds(port: int) -> Dict[str, Taken]:
    """Return what all acts have taken, those that are compared together."""
    loop = asyncio.new_event_loop()
    with contextlib.ExitStack() as stack:
        stack.callback(loop.close)
        theirs = loop.run_until_complete(connected(port))
        stack.callback(theirs.close)
        ours = stack.enter_context(OurChannel(parse_address(f"http://127.0.0.1:{port}"), max_reconnect_attempts=3))
        bare = bare_call(stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}")))
        app, official = AppClient(ours, METADATA), OfficialAppClient(theirs, METADATA)
        our, their = lambda: app.get_robot("r-1"), lambda: official.get_robot("r-1")
        acts: Dict[str, Dict[str, Callable[[], object]]] = {
            "main": {
                "bare": repeated(bare, CALLS),
                "ours": repeated(our, CALLS),
                "official": awaited(loop, their, CALLS),
            },
            "other": {"bare": in_threads(bare, CALLS, 1), "ours": in_threads(our, CALLS, 1)},
            "many": {
                "bare": in_threads(bare, CALLS * 8, THREADS),
                "ours": in_threads(our, CALLS * 8, THREADS),
                "official": awaited(loop, their, CALLS * 8, THREADS),
            },
        }
        return {name: in_turns(compared, ROUNDS) for name, compared in acts.items()}


async def connected(port: int) -> Channel:
    return Channel("127.0.0.1", port)


def figures() -> Iterator[Figure]:
    with server("calls_server.py") as port:
        taken = rounds(int(port))
    main, other, many = (taken[name] for name in ("main", "other", "many"))
    yield Figure(
        work=f"{CALLS} unary calls, main thread",
        ours=milliseconds(main["ours"]),
        peers={"a bare stub": milliseconds(main["bare"]), "the official SDK": milliseconds(main["official"])},
        ratio=ratio(main, "ours", "bare"),
        of="of a bare stub's time",
        goal="≤ 1.04",
        bounded_by=BOUND,
    )
    yield Figure(
        work="the same beside the official SDK",
        ours=milliseconds(main["ours"]),
        peers={"the official SDK in a running loop": milliseconds(main["official"])},
        ratio=ratio(main, "ours", "official"),
        of="of the official SDK's time",
        goal="< 1",
        bounded_by="grpcio's own calls",
    )
    yield Figure(
        work=f"{CALLS} unary calls, another thread",
        ours=milliseconds(other["ours"]),
        peers={"a bare stub": milliseconds(other["bare"])},
        ratio=ratio(other, "ours", "bare"),
        of="of a bare stub's time",
        goal="≤ 1.04",
        bounded_by=BOUND,
    )
    yield Figure(
        work=f"{CALLS * 8} unary calls on one client, {THREADS} threads",
        ours=milliseconds(many["ours"]),
        peers={
            "bare stubs": milliseconds(many["bare"]),
            f"the official SDK, {THREADS} tasks": milliseconds(many["official"]),
        },
        ratio=ratio(many, "bare", "ours"),
        of="of bare stubs' throughput",
        goal="≥ 0.95",
        bounded_by="the lock of the interpreter",
    )
