"""What an upload costs: memory and time of ours, beside a bare stub and the official SDK, in one run.

Time is compared in short rounds in which all take turns, so that what else the machine does meets all of them; the
median of the rounds is printed. Memory is that of a process of its own, on Linux.
"""

import asyncio
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Dict, Iterator, List

import grpc
from grpclib.client import Channel as OfficialChannel
from viam.app.data_client import DataClient as OfficialDataClient

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.dial import Channel, parse_address

MIB = 1 << 20
LARGE, SMALL = 1024 * MIB, 64 * MIB
CHUNK = 256 * 1024
ROUNDS = 5
METADATA = {"authorization": "Bearer token"}

Taken = Dict[str, List[float]]


def ours(port: int, path: str) -> None:
    with Channel(parse_address(f"http://127.0.0.1:{port}"), 0) as channel:
        DataClient(channel, METADATA).file_upload_from_path(path, "part")


def bare(port: int, path: str) -> None:
    def requests() -> Iterator[pb.FileUploadRequest]:
        metadata = pb.UploadMetadata(part_id="part", type=pb.DataType.DATA_TYPE_FILE)
        yield pb.FileUploadRequest(metadata=metadata)
        with Path(path).open("rb") as file:
            while chunk := file.read(CHUNK):
                yield pb.FileUploadRequest(file_contents=pb.FileData(data=chunk))

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        upload = channel.stream_unary(
            "/viam.app.datasync.v1.DataSyncService/FileUpload",
            pb.FileUploadRequest.SerializeToString,
            pb.FileUploadResponse.FromString,
        )
        upload(requests(), metadata=tuple(METADATA.items()))


async def official(port: int, path: str) -> None:
    channel = OfficialChannel("127.0.0.1", port)
    try:
        await OfficialDataClient(channel, METADATA).file_upload_from_path(path, "part")
    finally:
        channel.close()


def rounds(port: int, large: str, small: str) -> Taken:
    acts = {
        "ours": lambda: ours(port, large),
        "bare": lambda: bare(port, large),
        "ours small": lambda: ours(port, small),
        "official small": lambda: asyncio.run(official(port, small)),
    }
    taken: Taken = defaultdict(list)
    for _ in range(ROUNDS):
        for name, act in acts.items():
            started = time.perf_counter()
            act()
            taken[name].append(time.perf_counter() - started)
    return taken


def memory(port: int, path: str) -> None:
    """Print how much more memory an upload takes at its peak than there was at its start, in MiB."""
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    before = held("VmRSS")
    ours(port, path)
    print((held("VmHWM") - before) / 1024)


def held(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1])


def peak(port: int, path: str) -> float:
    command = [sys.executable, __file__, str(port), path]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def ratio(taken: Taken, one: str, other: str) -> str:
    return f"{statistics.median(b / a for a, b in zip(taken[one], taken[other])):.2f}"


def main() -> None:
    command = [sys.executable, str(Path(__file__).with_name("uploads_server.py"))]
    with tempfile.TemporaryDirectory() as folder, subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        port = int(server.stdout.readline())
        large, small = Path(folder, "large.bin"), Path(folder, "small.bin")
        for path, size in ((large, LARGE), (small, SMALL)):
            with path.open("wb") as file:
                for _ in range(size // MIB):
                    file.write(bytes(MIB))
        grown = peak(port, str(large))
        taken = rounds(port, str(large), str(small))
        server.stdin.close()
    speed = LARGE / MIB / statistics.median(taken["ours"])
    print(f"uploading 1 GiB, memory above the start at its peak: {grown:.0f} MiB")
    print(f"uploading 1 GiB, speed of ours / a bare stub: {ratio(taken, 'ours', 'bare')} ({speed:.0f} MiB/s)")
    print("uploading 64 MiB, speed of ours / the official SDK:", ratio(taken, "ours small", "official small"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        memory(int(sys.argv[1]), sys.argv[2])
    else:
        main()
