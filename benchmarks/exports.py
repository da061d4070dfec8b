"""What it takes to bring 2,000 images of 50 KB home: ours and the official SDK's loops, in one run.

The sandbox runs in a process of its own and lets each call wait for 20 ms. The official SDK's loop is the one in the
documentation of its ``binary_data_by_filter``, which asks for one file at a time; it is shown with pages of the size
that is the default, too. These loops write nothing to disk, so ours writes to one in memory where there is one, each
file with fsync and what is known of it beside; name a folder to have it write there. The median of the rounds is
printed.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, List

from grpclib.client import Channel
from viam.app.data_client import DataClient as OfficialDataClient
from viam.utils import create_filter as official_filter

from viam_sync import ViamClient
from viam_sync.rpc.dial import DialOptions
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.captures import capture_of, metadata_for
from viam_sync.utils import create_filter

ROUNDS = 3
FILES, SIZE = 2_000, 50_000
LATENCY = 0.02


def serve() -> None:
    """Run a sandbox with the images until the standard input ends."""
    with Sandbox() as cloud:
        world = cloud._world
        assert world is not None
        metadata = metadata_for(world, world.part(cloud.robot_part_id))
        metadata.component_name = "bench"
        with world.store.transaction():
            capture = capture_of(world, metadata)
            for number in range(FILES):
                id = f"{number:064d}"
                world.store.blobs.put(id, os.urandom(SIZE))
                sql = "INSERT INTO files (file_id, capture_id, requested, received, size, body)"
                row = (id, capture, number * 1_000_000, number * 1_000_000, SIZE)
                world.store.run(f"{sql} VALUES (?, ?, ?, ?, ?, x'')", *row)
        cloud.faults.delay("all", LATENCY)
        print(cloud.url, cloud.api_key, cloud.api_key_id, flush=True)
        sys.stdin.read()


def timed(act: Callable[[], int], rounds: int) -> float:
    """Return the median of the seconds that ``act`` takes; it returns how many files it has got."""
    taken: List[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        assert act() == FILES
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def official(port: int, token: str, **page: Any) -> int:
    async def loop() -> int:
        channel = Channel("127.0.0.1", port)
        client = OfficialDataClient(channel, {"authorization": token})
        my_filter = official_filter(component_name="bench")
        my_data: List[Any] = []
        last = None
        while True:
            data, _, last = await client.binary_data_by_filter(my_filter, last=last, **page)
            if not data:
                break
            my_data.extend(data)
        channel.close()
        return len(my_data)

    return asyncio.run(loop())


def ours(client: ViamClient) -> int:
    in_memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else in_memory) as folder:
        result = client.data_client.export_binary_data(create_filter(component_name="bench"), folder)
        assert result.complete
        return len(result.exported)


def main() -> None:
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url, key, key_id = server.stdout.readline().split()
        options = DialOptions.with_api_key(key, key_id)
        with ViamClient.create_from_dial_options(options, url) as client:
            port, token = int(url.rpartition(":")[2]), client._metadata["authorization"]
            us = timed(lambda: ours(client), ROUNDS)
            pages = timed(lambda: official(port, token), ROUNDS)
            documented = timed(lambda: official(port, token, limit=1), 1)
        server.stdin.close()
    print(f"2,000 images, ours: {us:.2f} s")
    print(f"the official SDK's documented loop / ours: {documented / us:.1f} ({documented:.2f} s)")
    print(f"that loop with pages of the default size / ours: {pages / us:.1f} ({pages:.2f} s)")


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
