"""What it takes to write 20,000 readings to a file, beside going through them, and the memory of those of a stream.

The server is a process of its own, and waits 50 ms before each page, as a cloud some way off would. The readings are
written while several workers fetch pages, in turns with the bare iterator and as many workers.
"""

from __future__ import annotations

import contextlib
import tempfile
import tracemalloc
from collections import deque
from functools import partial
from typing import Any, Callable, Iterator

from figures import Figure, Taken, in_turns, milliseconds, ratio, server

from viam_sync.app.data_client import DataClient
from viam_sync.rpc.dial import Channel, parse_address

READINGS, LATENCY, LARGEST_PAGE = 20_000, 0.05, 100
WORKERS, ROUNDS = 8, 3
SUFFIXES = (".csv", ".jsonl", ".parquet")
RESOURCE = ("p-1", "air", "rdk:component:sensor", "Readings")


@contextlib.contextmanager
def client_of(script: str, *arguments: Any) -> Iterator[DataClient]:
    """Run a server of this folder, and give a client of it."""
    with server(script, *arguments) as port, Channel(parse_address(f"http://127.0.0.1:{port}"), 3) as channel:
        yield DataClient(channel, {"authorization": "Bearer token"})


def rounds(data: DataClient, folder: str) -> Taken:
    def go_through() -> None:
        assert sum(1 for _ in data.iter_tabular_data(workers=WORKERS)) == READINGS

    def write(suffix: str) -> None:
        assert data.export_tabular_data_to(None, f"{folder}/readings{suffix}", workers=WORKERS) == READINGS

    acts = {suffix: partial(write, suffix) for suffix in SUFFIXES}
    for act in acts.values():  # each loads modules
        act()
    return in_turns({"iterator": go_through, **acts}, ROUNDS)


def peak(act: Callable[[], object]) -> float:
    """Return the MiB that Python holds at most while ``act`` runs, beyond what it held before."""
    tracemalloc.start()
    act()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / (1 << 20)


def figures() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, client_of("pages_server.py", READINGS, LATENCY, LARGEST_PAGE) as data:
        taken = rounds(data, folder)
    for suffix in SUFFIXES:
        yield Figure(
            work=f"{READINGS:,} readings to {suffix}, {LATENCY * 1000:.0f} ms before a page, workers={WORKERS}",
            ours=milliseconds(taken[suffix]),
            peers={"the iterator": milliseconds(taken["iterator"])},
            ratio=ratio(taken, suffix, "iterator"),
            of="of the iterator's time",
            goal="",
            bounded_by="the writing, while the pages come",
        )
    with client_of("streams_server.py") as data:
        as_list = peak(lambda: data.export_tabular_data(*RESOURCE))
        as_iterator = peak(lambda: deque(data.iter_export_tabular_data(*RESOURCE), maxlen=0))
    yield Figure(
        work=f"memory of {READINGS:,} readings of a stream, as an iterator",
        ours=f"{as_iterator:.2f} MiB",
        peers={"as a list": f"{as_list:.1f} MiB"},
        ratio=as_iterator / as_list,
        of="of the list's",
        goal="",
        bounded_by="the messages that grpcio holds",
    )
