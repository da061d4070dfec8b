"""What a message of a stream costs: in the main thread, in another, and on a bare stub, in one run."""

import statistics
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Callable, Dict, List

import grpc

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app import data as pb
from viam_sync.rpc.dial import Channel, parse_address
from viam_sync.services import methods

ROUNDS = 15


def timed(open: Callable[[], Any]) -> float:
    started = time.perf_counter()
    deque(open(), maxlen=0)
    return time.perf_counter() - started


def in_another_thread(open: Callable[[], Any]) -> float:
    taken: List[float] = []
    thread = threading.Thread(target=lambda: taken.append(timed(open)))
    thread.start()
    thread.join()
    return taken[0]


def rounds(port: str) -> Dict[str, List[float]]:
    request = pb.ExportTabularDataRequest()
    taken: Dict[str, List[float]] = {"main": [], "other": [], "bare": []}
    method = methods.EXPORT_TABULAR_DATA
    serialize, deserialize = pb.ExportTabularDataRequest.SerializeToString, pb.ExportTabularDataResponse.FromString
    address = f"127.0.0.1:{port}"
    with Channel(parse_address(f"http://{address}"), 3) as ours, grpc.insecure_channel(address) as channel:
        data, stub = DataClient(ours, {}), channel.unary_stream(method.path, serialize, deserialize)
        for _ in range(ROUNDS):
            taken["main"].append(timed(lambda: data._unary_stream(method, request, None)))
            taken["other"].append(in_another_thread(lambda: data._unary_stream(method, request, None)))
            taken["bare"].append(in_another_thread(lambda: stub(request)))
    return taken


def ratio(taken: Dict[str, List[float]], one: str, other: str) -> str:
    return f"{statistics.median(a / b for a, b in zip(taken[one], taken[other])):.2f}"


def main() -> None:
    command = [sys.executable, str(Path(__file__).with_name("streams_server.py"))]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        taken = rounds(server.stdout.readline().strip())
        server.stdin.close()
    print(f"a message of a stream, read in the main thread / in another: {ratio(taken, 'main', 'other')}")
    print(f"a message of a stream, read in another thread / from a bare stub there: {ratio(taken, 'other', 'bare')}")


if __name__ == "__main__":
    main()
