"""What a table of 200,000 readings takes: time, and memory while it is made, as a ratio to its size once it is there.

The readings come from an iterator, as those of ``iter_tabular_data`` do: ten numbers, a text and a flag each, with the
metadata that a page of them shares; a case of its own has mixed numbers. The memory is what Python's and Arrow's
allocators have handed out; their two peaks are added up, also where they were at different times.
"""

import itertools
import time
import tracemalloc
from datetime import datetime, timedelta
from typing import Any, Callable, Iterator, List, Tuple

import pyarrow as pa
from figures import Figure, in_turns, milliseconds, ratio, show

from viam_sync.app.data_client import DataClient
from viam_sync.proto.app.data import CaptureMetadata
from viam_sync.tabular import to_arrow, to_pandas

READINGS, PAGE = 200_000, 100
ROUNDS = 5
START = datetime(2024, 5, 1)


def readings() -> Iterator[Any]:
    for number in range(READINGS):
        if number % PAGE == 0:
            metadata = CaptureMetadata(
                organization_id="2f6ee2c5-8ab7-4c7c-9f2c-1d8ff3e45c1b",
                location_id="yb2c8oz0mr",
                robot_name="greenhouse",
                robot_id="c0ab1cd0-0e9e-4c2e-8f1f-8f2b9f2dfb5a",
                part_name="greenhouse-main",
                part_id="8d7a5a70-7b3b-4c39-8a51-0e7c0a2ad7a9",
                component_type="rdk:component:sensor",
                component_name="air",
                method_name="Readings",
                tags=["indoors"],
            )
        at = START + timedelta(seconds=number)
        values = {f"value{index}": number * index / 7 for index in range(10)}
        data = {"readings": {**values, "note": f"note {number}", "on": number % 3 == 0}}
        yield DataClient.TabularData(data, metadata, at, at + timedelta(milliseconds=20))


def mixed_numbers() -> Iterator[Any]:
    for number in range(READINGS):
        yield {f"value{index}": number if (number + index) % 2 else number + 0.5 for index in range(10)}


def measure(make: Callable[[Iterator[Any]], Any], rows: Callable[[], Iterator[Any]]) -> Tuple[int, int]:
    """Return the bytes of a table, and the most that were taken while it was made."""
    make(itertools.islice(rows(), 1))  # What is imported or kept with the first table is not of the next one.
    default, pool = pa.default_memory_pool(), pa.proxy_memory_pool(pa.system_memory_pool())
    pa.set_memory_pool(pool)
    tracemalloc.start()
    table = make(rows())
    size, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    size += pool.bytes_allocated()
    # The pool must not be gone before what it has handed out, nor while it is the default.
    del table
    pa.set_memory_pool(default)
    return size, most + pool.max_memory()


def by_hand(rows: List[Any]) -> Any:
    """Return readings as a table as one would make it in three lines: without the metadata, types and times of ours."""
    return pa.Table.from_pylist([{"at": row.time_requested, **row.data["readings"]} for row in rows])


def speed() -> Figure:
    rows = list(readings())
    acts = {"ours": lambda: to_arrow(iter(rows)), "by hand": lambda: by_hand(rows)}
    taken = in_turns(acts, ROUNDS, time.process_time)
    return Figure(
        work=f"{READINGS:,} readings to Arrow, time",
        ours=milliseconds(taken["ours"]),
        peers={"pyarrow.Table.from_pylist, of 13 of the 25 columns": milliseconds(taken["by hand"])},
        ratio=ratio(taken, "ours", "by hand"),
        of="of the processor time by hand",
        goal="",
        bounded_by="pyarrow.array() of Python's values, a look at the type of each, and a list for each column",
    )


def figures() -> Iterator[Figure]:
    yield speed()
    for source in (readings, mixed_numbers):
        for make in (to_arrow, to_pandas):
            size, most = measure(make, source)
            yield Figure(
                work=f"{READINGS:,} {source.__name__.replace('_', ' ')}, {make.__name__}, memory",
                ours=f"{most / 1e6:.0f} MB",
                peers={"the table": f"{size / 1e6:.0f} MB"},
                ratio=most / size,
                of="of the table's memory",
                goal="≤ 2",
                bounded_by="the table while it grows, and the types that are known at the last row alone",
            )


if __name__ == "__main__":
    show(figures())
