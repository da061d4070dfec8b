"""How fast 2,000 images of 50 KB come to a disk: ours, and the official SDK's loop with pages of 50 into memory.

The sandbox runs in a process of its own and lets each call wait for 20 ms. The official SDK's loop is the one in the
documentation of its ``binary_data_by_filter``, with pages of the default size, and writes nothing. What ours
wrote is removed at the end, since some disks make files slowly for a while after many were removed. The disk is that of
temporary files, ``TMPDIR``.
"""

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Callable, Iterator, Optional

from figures import Figure, Taken, in_turns, milliseconds, ratio, server
from grpclib.client import Channel
from viam.app.data_client import DataClient as OfficialDataClient
from viam.utils import create_filter as official_filter

from viam_sync import ViamClient
from viam_sync.rpc.dial import DialOptions
from viam_sync.utils import create_filter

ROUNDS = 5
FILES, SIZE, LATENCY = 2_000, 50_000, 0.02


def official(port: int, token: str) -> None:
    async def loop() -> int:
        channel = Channel("127.0.0.1", port)
        client = OfficialDataClient(channel, {"authorization": token})
        got, last = 0, None
        while True:
            data, _, last = await client.binary_data_by_filter(official_filter(component_name="bench"), last=last)
            if not data:
                channel.close()
                return got
            got += len(data)

    assert asyncio.run(loop()) == FILES


def exported(client: ViamClient, stack: ExitStack, disk: Optional[str], durable: bool) -> Callable[[], None]:
    def act() -> None:
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir=disk))
        result = client.data_client.export_binary_data(create_filter(component_name="bench"), folder, durable=durable)
        assert (result.complete, len(result.exported)) == (True, FILES)

    return act


def rounds(url: str, key: str, key_id: str) -> Taken:
    with ExitStack() as stack:
        client = stack.enter_context(ViamClient.create_from_dial_options(DialOptions.with_api_key(key, key_id), url))
        port, token = int(url.rpartition(":")[2]), client._metadata["authorization"]
        acts = {
            "official": lambda: official(port, token),
            "durable": exported(client, stack, None, True),
            "not durable": exported(client, stack, None, False),
        }
        if Path("/dev/shm").is_dir():
            acts["memory"] = exported(client, stack, "/dev/shm", False)
        return in_turns(acts, ROUNDS)


def figures() -> Iterator[Figure]:
    with server("exports_server.py", FILES, SIZE, LATENCY) as address:
        taken = rounds(*address.split())
    peers = {"the official SDK's pages of 50 into memory": milliseconds(taken["official"])}
    for name, words, goal in (
        ("durable", "to disk, each flushed", "≥ 2"),
        ("not durable", "to disk, durable=False", "≥ 3"),
        ("memory", "to a disk in memory", ""),
    ):
        if name in taken:
            yield Figure(
                work=f"{FILES:,} images of {SIZE // 1000} KB, {LATENCY * 1000:.0f} ms a call, {words}",
                ours=milliseconds(taken[name]),
                peers=peers,
                ratio=ratio(taken, "official", name),
                of="times as fast as the official SDK's",
                goal=goal,
                bounded_by="the list, page by page; Python, and the system's calls, for each file",
            )
