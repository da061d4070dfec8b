"""What a unary call costs: ours and the official SDK's, as ratios to a bare grpcio stub in the same run.

The three take turns in short rounds, so that what else the machine does meets all of them; the
median of the rounds is printed.
"""

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Dict, List

import grpc
from grpclib.client import Channel
from viam.app.app_client import AppClient as OfficialClient

from viam_sync.app.app_client import AppClient
from viam_sync.proto import app as pb

ROUNDS, CALLS = 30, 200
METADATA = {"authorization": "Bearer token"}


def timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    for _ in range(CALLS):
        act()
    return time.perf_counter() - started


async def rounds(port: int) -> Dict[str, List[float]]:
    taken: Dict[str, List[float]] = {"bare": [], "ours": [], "official": []}
    theirs = Channel("127.0.0.1", port)
    official = OfficialClient(theirs, METADATA)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        client = AppClient(channel, METADATA)
        stub = channel.unary_unary(
            "/viam.app.v1.AppService/GetRobot", pb.GetRobotRequest.SerializeToString, pb.GetRobotResponse.FromString
        )
        metadata = tuple(METADATA.items())
        for _ in range(ROUNDS):
            taken["bare"].append(timed(lambda: stub(pb.GetRobotRequest(id="r-1"), timeout=20, metadata=metadata).robot))
            taken["ours"].append(timed(lambda: client.get_robot("r-1")))
            started = time.perf_counter()
            for _ in range(CALLS):
                await official.get_robot("r-1")
            taken["official"].append(time.perf_counter() - started)
    theirs.close()
    return taken


def main() -> None:
    command = [sys.executable, str(Path(__file__).with_name("server.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        taken = asyncio.run(rounds(int(server.stdout.readline())))
        server.stdin.close()
    for name in ("ours", "official"):
        ratio = statistics.median(mine / bare for mine, bare in zip(taken[name], taken["bare"]))
        print(f"a unary call, {name} / a bare stub: {ratio:.2f}")


if __name__ == "__main__":
    main()
