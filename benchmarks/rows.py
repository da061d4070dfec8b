"""What rows cost until they are values of Python: those of a page, and those of a stream, beside the official SDK."""

import asyncio
import contextlib
import threading
from collections import deque
from typing import Any, Callable, Iterator

from figures import Figure, Taken, in_turns, milliseconds, ratio, server
from grpclib.client import Channel
from viam.app.data_client import DataClient as OfficialDataClient

from viam_sync.app.data_client import DataClient
from viam_sync.rpc.dial import Channel as OurChannel
from viam_sync.rpc.dial import parse_address

ROUNDS, PAGES = 30, 3
STREAM_ROUNDS = 10
METADATA = {"authorization": "Bearer token"}
RESOURCE = ("p-1", "air", "rdk:component:sensor", "Readings")


@contextlib.contextmanager
def clients(port: str) -> Iterator[Any]:
    """Give a client of ours, one of the official SDK, and a function that waits for a call of the latter."""
    loop = asyncio.new_event_loop()

    async def connected() -> Channel:
        return Channel("127.0.0.1", int(port))

    with contextlib.closing(loop), OurChannel(parse_address(f"http://127.0.0.1:{port}"), 3) as ours:
        theirs = loop.run_until_complete(connected())
        with contextlib.closing(theirs):
            yield DataClient(ours, METADATA), OfficialDataClient(theirs, METADATA), loop.run_until_complete


def page_rounds(port: str) -> Taken:
    with clients(port) as (ours, official, wait):

        async def official_pages() -> None:
            for _ in range(PAGES):
                await official.tabular_data_by_filter()

        def our_pages() -> None:
            for _ in range(PAGES):
                ours.tabular_data_by_filter()

        return in_turns({"ours": our_pages, "official": lambda: wait(official_pages())}, ROUNDS)


def stream_rounds(port: str) -> Taken:
    with clients(port) as (ours, official, wait):

        def read() -> None:
            deque(ours.iter_export_tabular_data(*RESOURCE), maxlen=0)

        acts = {
            "main": read,
            "other": lambda: in_another_thread(read),
            "list": lambda: ours.export_tabular_data(*RESOURCE),
            "official": lambda: wait(official.export_tabular_data(*RESOURCE)),
        }
        return in_turns(acts, STREAM_ROUNDS)


def in_another_thread(act: Callable[[], None]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


def figures() -> Iterator[Figure]:
    with server("calls_server.py") as port:
        pages = page_rounds(port)
    yield Figure(
        work=f"{PAGES} calls of tabular_data_by_filter, 500 rows each",
        ours=milliseconds(pages["ours"]),
        peers={"the official SDK": milliseconds(pages["official"])},
        ratio=ratio(pages, "ours", "official"),
        of="of the official SDK's time",
        goal="≤ 0.5",
        bounded_by="protobuf's objects: one for each row, its Struct and its times; and the call itself",
    )
    with server("streams_server.py") as port:
        streams = stream_rounds(port)
    yield Figure(
        work="the rows of export_tabular_data, main thread",
        ours=milliseconds(streams["list"]),
        peers={"the official SDK": milliseconds(streams["official"])},
        ratio=ratio(streams, "list", "official"),
        of="of the official SDK's time",
        goal="≤ 0.5",
        bounded_by="grpcio: a bare stub takes longer than the official SDK for the messages alone",
    )
    yield Figure(
        work="the rows of iter_export_tabular_data, main thread",
        ours=milliseconds(streams["main"]),
        peers={"ours in another thread": milliseconds(streams["other"])},
        ratio=ratio(streams, "main", "other"),
        of="of the time in another thread",
        goal="≤ 1.2",
        bounded_by="the same",
    )
