"""What it takes to bring 2,000 images of 50 KB home: ours and the official SDK's loops, in one run.

The sandbox runs in a process of its own and lets each call wait for 20 ms. The official SDK's loop is the one in the
documentation of its ``binary_data_by_filter``, which asks for one file at a time; it is shown with pages of the size
that is the default, too. These loops write nothing to disk. Ours does, each file with fsync and what is known of it
beside: to the disk where temporary files go, or where an argument says, and to one in memory where there is one, in
turns. What it wrote is removed at the end, since some disks make files slowly for a while after many were removed. The
medians of the rounds are printed.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, List

from grpclib.client import Channel
from viam.app.data_client import DataClient as OfficialDataClient
from viam.utils import create_filter as official_filter

from viam_sync import ViamClient
from viam_sync.rpc.dial import DialOptions
from viam_sync.sandbox import Sandbox
from viam_sync.sandbox.data.captures import current_capture_metadata, find_or_add_capture
from viam_sync.utils import create_filter

ROUNDS = 5
FILES, SIZE = 2_000, 50_000
LATENCY = 0.02


def serve() -> None:
    """Run a sandbox with the images until the standard input ends."""
    with Sandbox() as sandbox:
        world = sandbox._world
        assert world is not None
        metadata = current_capture_metadata(world, world.part(sandbox.robot_part_id))
        metadata.component_name = "bench"
        with world.store.transaction():
            capture = find_or_add_capture(world, metadata)
            for number in range(FILES):
                id = f"{number:064d}"
                world.store.blobs.put(id, os.urandom(SIZE))
                sql = "INSERT INTO files (file_id, capture_id, requested, received, size, body)"
                row = (id, capture, number * 1_000_000, number * 1_000_000, SIZE)
                world.store.run(f"{sql} VALUES (?, ?, ?, ?, ?, x'')", *row)
        sandbox.faults.delay("all", LATENCY)
        print(sandbox.url, sandbox.api_key, sandbox.api_key_id, flush=True)
        sys.stdin.read()


def timed(act: Callable[[], int]) -> float:
    """Return the seconds that ``act`` takes; it returns how many files it has got."""
    started = time.perf_counter()
    assert act() == FILES
    return time.perf_counter() - started


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


def ours(client: ViamClient, folder: str) -> int:
    result = client.data_client.export_binary_data(create_filter(component_name="bench"), folder)
    assert result.complete
    return len(result.exported)


def measure(url: str, key: str, key_id: str, stack: ExitStack) -> Dict[str, float]:
    """Return the medians of the seconds that each takes."""
    disks = {"ours, to the disk": sys.argv[1] if len(sys.argv) > 1 else None}
    if Path("/dev/shm").is_dir():
        disks["ours, to memory"] = "/dev/shm"
    taken: Dict[str, List[float]] = defaultdict(list)
    with ViamClient.create_from_dial_options(DialOptions.with_api_key(key, key_id), url) as client:
        port, token = int(url.rpartition(":")[2]), client._metadata["authorization"]
        taken["documented"].append(timed(lambda: official(port, token, limit=1)))
        for _ in range(ROUNDS):
            for name, disk in disks.items():
                folder = stack.enter_context(tempfile.TemporaryDirectory(dir=disk))
                taken[name].append(timed(partial(ours, client, folder)))
            taken["pages"].append(timed(lambda: official(port, token)))
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def main() -> None:
    command = [sys.executable, __file__, "serve"]
    with ExitStack() as stack, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        url, key, key_id = server.stdout.readline().split()
        taken = measure(url, key, key_id, stack)
        server.stdin.close()
    documented, pages = taken.pop("documented"), taken.pop("pages")
    print(f"2,000 images, the official SDK's documented loop: {documented:.2f} s, with pages of 50: {pages:.2f} s")
    for name, seconds in taken.items():
        said = f"2,000 images, {name}: {seconds:.2f} s"
        print(f"{said}, the official SDK's documented loop / this: {documented / seconds:.1f}")
        print(f"{said}, that loop with pages of the default size / this: {pages / seconds:.1f}")


if __name__ == "__main__":
    serve() if sys.argv[1:] == ["serve"] else main()
