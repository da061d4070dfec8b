"""What uploads cost: ours, beside bare stubs in as many threads, and beside the official SDK, in one run."""

import asyncio
import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import grpc
from figures import Figure, Taken, in_turns, memory, milliseconds, ratio, server
from grpclib.client import Channel as OfficialChannel
from viam.app.data_client import DataClient as OfficialDataClient

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.dial import Channel, parse_address

MIB = 1 << 20
LARGE, MEDIUM = 1024 * MIB, 64 * MIB
CHUNK = 256 * 1024
ROUNDS = 5
#: Of many small files: how many there are, their bytes, the seconds that the service takes for each, and the rounds.
FILES, SMALL, DELAY, FEW_ROUNDS = 2000, 50_000, 0.02, 3
#: Files at a time, as many as there are by default, and many; and what bounds the figure.
BOUNDS = {
    4: "the time that the service takes",
    32: "processor time of both sides; a call of grpcio that can be cancelled takes more of it",
}
METADATA = {"authorization": "Bearer token"}


def our_client(stack: contextlib.ExitStack, port: str) -> DataClient:
    return DataClient(stack.enter_context(Channel(parse_address(f"http://127.0.0.1:{port}"), 0)), METADATA)


def bare_stub(stack: contextlib.ExitStack, port: str) -> Any:
    channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
    path = "/viam.app.datasync.v1.DataSyncService/FileUpload"
    return channel.stream_unary(path, pb.FileUploadRequest.SerializeToString, pb.FileUploadResponse.FromString)


def bare_upload(stack: contextlib.ExitStack, port: str) -> Callable[[Path], Any]:
    """Return the function that uploads a file with a bare stub, message by message."""
    stub = bare_stub(stack, port)
    return lambda path: stub(requests(path), metadata=tuple(METADATA.items()))


def cancellable_upload(stack: contextlib.ExitStack, port: str) -> Callable[[Path], Any]:
    """Return the function that does it with a call that another thread may cancel, as Ctrl-C takes."""
    stub = bare_stub(stack, port)
    return lambda path: stub.future(requests(path), metadata=tuple(METADATA.items())).result()


def requests(path: Path) -> Iterator[pb.FileUploadRequest]:
    metadata = pb.UploadMetadata(part_id="part", type=pb.DataType.DATA_TYPE_FILE, file_name=path.stem)
    yield pb.FileUploadRequest(metadata=metadata)
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield pb.FileUploadRequest(file_contents=pb.FileData(data=chunk))


def in_threads(work: Callable[[Path], Any], paths: List[Path], workers: int) -> None:
    """Call a function with each path, in so many threads; the next free one takes the next path."""
    left = iter(paths)
    lock = threading.Lock()

    def run() -> None:
        while True:
            with lock:
                path = next(left, None)
            if path is None:
                return
            work(path)

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def official_upload(port: str, path: Path) -> None:
    channel = OfficialChannel("127.0.0.1", int(port))
    try:
        await OfficialDataClient(channel, METADATA).file_upload_from_path(str(path), "part")
    finally:
        channel.close()


def peak(port: str, path: Path, whose: str) -> float:
    """Return how much more memory an upload takes at its peak than there was at its start, in MiB, on Linux."""
    command = [sys.executable, __file__, port, str(path), whose]
    return float(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def print_peak(port: str, path: Path, whose: str) -> None:
    with contextlib.ExitStack() as stack:
        data = our_client(stack, port)
        Path("/proc/self/clear_refs").write_text("5")  # forget the peak
        before = memory()
        if whose == "ours":
            data.file_upload_from_path(path, "part")
        else:
            asyncio.run(official_upload(port, path))
        print((memory("VmHWM") - before) / MIB)


def made_file(folder: str, size: int) -> Path:
    path = Path(folder, f"{size}.bin")
    with path.open("wb") as file:
        for _ in range(size // MIB):
            file.write(bytes(MIB))
    return path


def files_at_a_time(port: str, folder: Path, workers: int) -> Taken:
    paths = sorted(folder.glob("*.bin"))
    journals = (folder.with_name(f"{workers}-{number}.jsonl") for number in itertools.count())
    with contextlib.ExitStack() as stack:
        data, bare, cancellable = our_client(stack, port), bare_upload(stack, port), cancellable_upload(stack, port)

        def upload() -> None:
            results = data.upload_files(folder, "part", workers=workers, journal=next(journals))
            assert all(result.id and not result.already_sent for result in results)

        acts: Dict[str, Callable[[], object]] = {
            "ours": upload,
            "bare": lambda: in_threads(bare, paths, workers),
            "cancellable": lambda: in_threads(cancellable, paths, workers),
        }
        return in_turns(acts, FEW_ROUNDS)


def many_files() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as root, server("uploads_server.py", DELAY) as port:
        folder = Path(root, "files")
        folder.mkdir()
        for number in range(FILES):
            (folder / f"{number:04}.bin").write_bytes(os.urandom(SMALL))
        for workers, bounded_by in BOUNDS.items():
            taken = files_at_a_time(port, folder, workers)
            yield Figure(
                work=f"upload_files, {FILES:,} files of 50 KB at {DELAY * 1000:.0f} ms a call, workers={workers}",
                ours=milliseconds(taken["ours"]),
                peers={
                    f"bare stubs in {workers} threads": milliseconds(taken["bare"]),
                    "the same, cancellable": milliseconds(taken["cancellable"]),
                },
                ratio=ratio(taken, "bare", "ours"),
                of="of bare stubs' throughput",
                goal="≥ 0.9",
                bounded_by=bounded_by,
            )


def large_files() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, server("uploads_server.py", 0) as port:
        with contextlib.ExitStack() as stack:
            large, medium = made_file(folder, LARGE), made_file(folder, MEDIUM)
            data, bare = our_client(stack, port), bare_upload(stack, port)
            acts: Dict[str, Callable[[], object]] = {
                "ours": lambda: data.file_upload_from_path(large, "part"),
                "bare": lambda: bare(large),
                "ours medium": lambda: data.file_upload_from_path(medium, "part"),
                "official medium": lambda: asyncio.run(official_upload(port, medium)),
            }
            taken = in_turns(acts, ROUNDS)
        ours, theirs = (peak(port, medium, whose) for whose in ("ours", "official"))
    yield Figure(
        work="file_upload_from_path, 1 GiB",
        ours=milliseconds(taken["ours"]),
        peers={"a bare stub": milliseconds(taken["bare"])},
        ratio=ratio(taken, "bare", "ours"),
        of="of a bare stub's throughput",
        goal="",
        bounded_by="",
    )
    yield Figure(
        work="file_upload_from_path, 64 MiB",
        ours=milliseconds(taken["ours medium"]),
        peers={"the official SDK": milliseconds(taken["official medium"])},
        ratio=ratio(taken, "ours medium", "official medium"),
        of="of the official SDK's time",
        goal="",
        bounded_by="",
    )
    yield Figure(
        work="the same, memory at the peak",
        ours=f"{ours:.0f} MiB",
        peers={"the official SDK": f"{theirs:.0f} MiB"},
        ratio=ours / theirs,
        of="of the official SDK's memory",
        goal="",
        bounded_by="",
    )


def figures() -> Iterator[Figure]:
    yield from many_files()
    yield from large_files()


if __name__ == "__main__":
    print_peak(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
