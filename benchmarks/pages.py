"""What going through 50,000 readings costs: ours and the official SDK's, in one run.

The server is a process of its own, and waits before each page, as a cloud some way off would. The official SDK's loop
is the documented one: it asks for the next page when it has the last, and names no size, which gives pages of 50; here
it is also given pages of 100, the most that there are, which is what ours asks for. Ours is shown as it is by default,
and with several workers, which go by the time of the readings; these come in bursts. All take turns, and the median of
the ratios is printed.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any, Dict, List, Optional

import grpc
from grpclib.client import Channel
from viam.app.data_client import DataClient as OfficialDataClient

from viam_sync.app.data_client import DataClient

READINGS = 50_000
ROUNDS = 3
WORKERS = (4, 8)
LATENCIES = (0, 0.005)


async def official(port: int, limit: Optional[int]) -> float:
    """Return the seconds that the official SDK takes."""
    channel = Channel("127.0.0.1", port)
    data = OfficialDataClient(channel, {"authorization": "Bearer token"})
    started = time.perf_counter()
    rows: List[Any] = []
    last = None
    while True:
        page, _, last = await data.tabular_data_by_filter(limit=limit, last=last)
        if not page:
            break
        rows.extend(page)
    taken = time.perf_counter() - started
    channel.close()
    assert len(rows) == READINGS
    return taken


def ours(port: int, **how: Any) -> float:
    """Return the seconds that ours takes."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        data = DataClient(channel, {"authorization": "Bearer token"})
        started = time.perf_counter()
        rows = list(data.iter_tabular_data(**how))
        taken = time.perf_counter() - started
    assert len(rows) == READINGS
    return taken


def measure(port: int) -> Dict[str, List[float]]:
    taken: Dict[str, List[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        taken["official, as documented"].append(asyncio.run(official(port, None)))
        taken["official, 100 a page"].append(asyncio.run(official(port, 100)))
        taken["ours"].append(ours(port))
        taken["ours, no prefetch"].append(ours(port, prefetch=False))
        for workers in WORKERS:
            taken[f"ours, workers={workers}"].append(ours(port, workers=workers))
    return taken


def main() -> None:
    for seconds in LATENCIES:
        command = [sys.executable, str(Path(__file__).with_name("pages_server.py")), str(READINGS), str(seconds)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            taken = measure(int(server.stdout.readline()))
            server.stdin.close()
        for name in taken:
            ratio = statistics.median(a / b for a, b in zip(taken["official, as documented"], taken[name]))
            print(
                f"{READINGS} readings, {seconds * 1000:.0f} ms before a page, {name}:"
                f" {statistics.median(taken[name]):.1f} s, the official SDK's documented loop / this: {ratio:.2f}"
            )


if __name__ == "__main__":
    main()
