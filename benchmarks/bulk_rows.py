"""What readings cost in bulk: whether the last tenth of them is as fast as the first, and what memory they take.

There are 1,000,000 readings; ``python benchmarks/bulk_rows.py 10000000`` takes another number. They come in pages of a
server that makes the same page each time, and are gone through or written to a file by a process of its own, whose
processor time counts: it has a second pass over CSV and Parquet, which is no part of the tenths.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import tempfile
import time
from typing import Any, Dict, Iterator, List

import grpc
from figures import Figure, memory, server, show

from viam_sync.app.data_client import DataClient

READINGS = 1_000_000
SUFFIXES = ("", ".jsonl", ".csv", ".parquet")


def run(address: str, suffix: str, folder: str, readings: int) -> Dict[str, Any]:
    """Go through readings, or write them to a file, and return what their tenths have taken."""
    if suffix == ".parquet":
        importlib.import_module("pyarrow.parquet")  # which is no part of the first tenth
    ends: List[float] = []
    held: List[float] = []

    def note(done: int) -> None:
        if done % (readings // 10) == 0:
            ends.append(time.process_time())
            held.append(memory() / 1e6)

    with grpc.insecure_channel(address) as channel:
        data = DataClient(channel, {"authorization": "Bearer token"})
        note(0)
        if suffix:
            path = f"{folder}/readings{suffix}"
            data.export_tabular_data_to(None, path, progress=lambda done, total, unit: note(done) if done else None)
        else:
            for number, _ in enumerate(data.iter_tabular_data(), 1):
                note(number)
    seconds = time.process_time() - ends[0]
    tenths = [after - before for before, after in zip(ends, ends[1:])]
    return {"tenths": tenths, "seconds": seconds, "first": held[1], "most": memory("VmHWM") / 1e6}


def figures(readings: int = READINGS) -> Iterator[Figure]:
    with server("bulk_rows_server.py", readings) as port, tempfile.TemporaryDirectory() as folder:
        for suffix in SUFFIXES:
            command = [sys.executable, __file__, f"127.0.0.1:{port}", suffix, folder, str(readings)]
            found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
            tenths = found["tenths"]
            yield Figure(
                work=f"{readings:,} readings, {'to ' + suffix[1:].upper() if suffix else 'as an iterator'}",
                ours=f"{found['seconds'] / readings * 1e6:.1f} µs each, at most {found['most']:.0f} MB",
                peers={"a tenth": f"{found['first']:.0f} MB"},
                ratio=sum(tenths[-3:]) / sum(tenths[:3]),
                of="of the time of the first three tenths, in the last three",
                goal="≤ 1.1",
                bounded_by="reading messages" if not suffix else "reading messages, making and writing rows",
            )


if __name__ == "__main__":
    if len(sys.argv) > 2:
        address, suffix, folder, readings = sys.argv[1:]
        print(json.dumps(run(address, suffix, folder, int(readings))))
    else:
        show(figures(int(sys.argv[1]) if sys.argv[1:] else READINGS))
