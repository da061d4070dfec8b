"""What it takes to write 20,000 readings to a file: as a ratio to going through them, in one run.

The server is a process of its own, and waits 50 ms before each page, as a cloud some way off would. The readings are
written as CSV, JSON lines and Parquet while several workers fetch pages, in turns with the bare iterator and as many
workers; once, with one worker. The median of the ratios is printed, and what memory the readings of a stream take, as a
list and as an iterator.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections import defaultdict, deque
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import grpc

from viam_sync.app.data_client import DataClient

READINGS = 20_000
LATENCY = 0.05
WORKERS = 8
ROUNDS = 5
SUFFIXES = (".csv", ".jsonl", ".parquet")


@contextmanager
def client_of(server: str, *arguments: Any) -> Iterator[DataClient]:
    """Run a server of this folder, and yield a client of it."""
    command = [sys.executable, str(Path(__file__).with_name(server)), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with grpc.insecure_channel(f"127.0.0.1:{int(process.stdout.readline())}") as channel:
            yield DataClient(channel, {"authorization": "Bearer token"})
        process.stdin.close()


def timed(act: Callable[[], int]) -> float:
    """Return the seconds that ``act`` takes; it returns how many readings it has seen."""
    started = time.perf_counter()
    assert act() == READINGS
    return time.perf_counter() - started


def measure(data: DataClient, folder: str) -> None:
    taken: Dict[str, List[float]] = defaultdict(list)

    def bare() -> int:
        return sum(1 for _ in data.iter_tabular_data(workers=WORKERS))

    def write(suffix: str, workers: int) -> int:
        return data.export_tabular_data_to(None, f"{folder}/readings{suffix}", workers=workers)

    for suffix in SUFFIXES:  # each loads modules
        write(suffix, WORKERS)
    for _ in range(ROUNDS):
        taken["bare"].append(timed(bare))
        for suffix in SUFFIXES:
            taken[suffix].append(timed(partial(write, suffix, WORKERS)))
    what = f"{READINGS} readings, {LATENCY * 1000:.0f} ms before a page"
    print(f"{what}, the iterator with workers={WORKERS}: {statistics.median(taken['bare']):.2f} s")
    for suffix in SUFFIXES:
        ratio = statistics.median(a / b for a, b in zip(taken["bare"], taken[suffix]))
        seconds = statistics.median(taken[suffix])
        print(f"{what}, to {suffix} with workers={WORKERS}: {seconds:.2f} s, the iterator / this: {ratio:.2f}")
    seconds = timed(partial(write, ".csv", 1))
    print(f"{what}, to .csv with workers=1: {seconds:.2f} s, this / with workers={WORKERS}:", end=" ")
    print(f"{seconds / statistics.median(taken['.csv']):.1f}")


def peak(act: Callable[[], Any]) -> float:
    """Return the MiB that Python holds at most while ``act`` runs, beyond what it held before."""
    tracemalloc.start()
    act()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / (1 << 20)


def measure_memory(data: DataClient) -> None:
    resource = ("p-1", "air", "rdk:component:sensor", "Readings")
    as_list = peak(lambda: data.export_tabular_data(*resource))
    as_iterator = peak(lambda: deque(data.iter_export_tabular_data(*resource), maxlen=0))
    what = f"{READINGS} readings of a stream"
    print(f"{what}: {as_list:.1f} MiB as a list, {as_iterator:.2f} MiB as an iterator")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, client_of("pages_server.py", READINGS, LATENCY) as data:
        measure(data, folder)
    with client_of("streams_server.py") as data:
        measure_memory(data)


if __name__ == "__main__":
    main()
