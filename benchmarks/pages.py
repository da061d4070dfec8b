"""What going through 50,000 readings costs, with 5 ms before each page: ours, and the official SDK's documented loop.

That loop asks for the next page when it has the last, and names no size, which gives pages of 50. Whether the service
gives pages of more than 100 is not known for sure, so ours by default is measured with one that does and with one that
does not. The readings come in bursts, which is what several workers must cope with.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Callable, Iterator, List

from figures import Figure, Taken, in_turns, milliseconds, ratio, server
from grpclib.client import Channel
from viam.app.data_client import DataClient as OfficialDataClient

from viam_sync.app.data_client import DataClient
from viam_sync.rpc.dial import Channel as OurChannel
from viam_sync.rpc.dial import parse_address

READINGS, LATENCY, ROUNDS = 50_000, 0.005, 3
#: The most readings in a page, as the service is known to give them, and where it gives as many as one asks for.
KNOWN, ANY = 100, 1_000_000
METADATA = {"authorization": "Bearer token"}


async def documented_loop(port: str) -> None:
    channel = Channel("127.0.0.1", int(port))
    data = OfficialDataClient(channel, METADATA)
    rows: List[Any] = []
    last = None
    while True:
        page, _, last = await data.tabular_data_by_filter(last=last)
        if not page:
            break
        rows.extend(page)
    channel.close()
    assert len(rows) == READINGS


def ours(port: str, **how: Any) -> Callable[[], None]:
    def act() -> None:
        with OurChannel(parse_address(f"http://127.0.0.1:{port}"), 3) as channel:
            assert len(list(DataClient(channel, METADATA).iter_tabular_data(**how))) == READINGS

    return act


def rounds() -> Taken:
    with contextlib.ExitStack() as stack:
        port, generous = (stack.enter_context(server("pages_server.py", READINGS, LATENCY, m)) for m in (KNOWN, ANY))
        acts = {
            "official": lambda: asyncio.run(documented_loop(port)),
            "larger": ours(generous),
            "known": ours(port),
            "workers": ours(port, workers=8),
        }
        return in_turns(acts, ROUNDS)


def figures() -> Iterator[Figure]:
    taken = rounds()
    rows = {
        "larger": ("by default, of a service that gives larger pages", "≥ 4", "values of Python"),
        "known": (
            "by default, of a service that gives no pages of more than 100",
            "≥ 4",
            "the waits for 500 pages: each is asked for with the cursor of the one before",
        ),
        "workers": ("with workers=8, of such a service", "≥ 8", "values of Python, made by one thread at a time"),
    }
    for name, (how, goal, bound) in rows.items():
        yield Figure(
            work=f"{READINGS:,} readings, {LATENCY * 1000:.0f} ms before a page, {how}",
            ours=milliseconds(taken[name]),
            peers={"the official SDK, as documented": milliseconds(taken["official"])},
            ratio=ratio(taken, "official", name),
            of="times as fast",
            goal=goal,
            bounded_by=bound,
        )
