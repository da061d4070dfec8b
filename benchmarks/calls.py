"""What calls cost: ours and the official SDK's, in one run.

All take turns in short rounds, so that what else the machine does meets all of them; the median of
the rounds is printed.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Awaitable, Callable, Dict, List

import grpc
from grpclib.client import Channel
from viam.app.app_client import AppClient as OfficialAppClient
from viam.app.data_client import DataClient as OfficialDataClient

from viam_sync.app.app_client import AppClient
from viam_sync.app.data_client import DataClient
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import Channel as OurChannel
from viam_sync.rpc.dial import parse_address

ROUNDS = 30
METADATA = {"authorization": "Bearer token"}

Taken = Dict[str, List[float]]


def timed(act: Callable[[], object], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        act()
    return time.perf_counter() - started


async def timed_async(act: Callable[[], Awaitable[object]], times: int) -> float:
    started = time.perf_counter()
    for _ in range(times):
        await act()
    return time.perf_counter() - started


async def rounds(port: int) -> Taken:
    taken: Taken = defaultdict(list)
    theirs = Channel("127.0.0.1", port)
    official, official_data = OfficialAppClient(theirs, METADATA), OfficialDataClient(theirs, METADATA)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel, our_channel(port) as ours:
        client, data, bare = AppClient(ours, METADATA), DataClient(ours, METADATA), bare_call(channel)
        for _ in range(ROUNDS):
            taken["bare"].append(timed(bare, 200))
            taken["ours"].append(timed(lambda: client.get_robot("r-1"), 200))
            taken["official"].append(await timed_async(lambda: official.get_robot("r-1"), 200))
            taken["our page"].append(timed(data.tabular_data_by_filter, 3))
            taken["official page"].append(await timed_async(official_data.tabular_data_by_filter, 3))
    theirs.close()
    return taken


def our_channel(port: int) -> OurChannel:
    return OurChannel(parse_address(f"http://127.0.0.1:{port}"), max_reconnect_attempts=3)


def bare_call(channel: grpc.Channel) -> Callable[[], Any]:
    stub = channel.unary_unary(
        "/viam.app.v1.AppService/GetRobot", pb.GetRobotRequest.SerializeToString, pb.GetRobotResponse.FromString
    )
    metadata = tuple(METADATA.items())
    return lambda: stub(pb.GetRobotRequest(id="r-1"), timeout=20, metadata=metadata).robot


def ratio(taken: Taken, one: str, other: str) -> str:
    return f"{statistics.median(a / b for a, b in zip(taken[one], taken[other])):.2f}"


def main() -> None:
    command = [sys.executable, str(Path(__file__).with_name("calls_server.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        taken = asyncio.run(rounds(int(server.stdout.readline())))
        server.stdin.close()
    print("a unary call, ours / a bare stub:", ratio(taken, "ours", "bare"))
    print("a unary call, the official SDK / a bare stub:", ratio(taken, "official", "bare"))
    print("a page of tabular rows, ours / the official SDK:", ratio(taken, "our page", "official page"))


if __name__ == "__main__":
    main()
