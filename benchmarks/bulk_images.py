"""Whether a million images take no longer for each than a thousand: their list, and an export that finds all of them.

``VIAM_SYNC_IMAGES`` is their number, a million by default. Two things are done with the list: it is iterated over, and
an export runs again whose manifest has all of them already, so that it fetches nothing. That the files are on the disk
is taken for granted, as two million of them would need one for themselves. Memory is the peak of a process of its own.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Iterator, List, Optional

from figures import Figure, memory, server

from viam_sync.app.data_client import DataClient
from viam_sync.rpc.dial import Channel, parse_address
from viam_sync.transfer.export.exported_metadata import metadata_digest
from viam_sync.transfer.export.exporter import Export
from viam_sync.transfer.export.local_folder import LocalFolder
from viam_sync.transfer.export.manifest import Entry
from viam_sync.transfer.output.progress import Progress

IMAGES = int(os.environ.get("VIAM_SYNC_IMAGES", "1000000"))
SIZE = 50_000


class _ThereFolder(LocalFolder):
    """A folder in which every file is, and has its size."""

    def size_of(self, path: str) -> Optional[int]:
        return SIZE


class Tenths:
    """Takes note of when each tenth was done."""

    def __init__(self) -> None:
        self.times = [time.perf_counter()]
        self._done = 0

    def advance(self, *_: object) -> None:
        self._done += 1
        if self._done % (IMAGES // 10) == 0:
            self.times.append(time.perf_counter())

    def report(self) -> None:
        """Print the microseconds for each item of the first and of the last tenth, and the peak of memory in MiB."""
        first, last = (self.times[at + 1] - self.times[at] for at in (0, -2))
        item = IMAGES / 10 / 1_000_000
        print(first / item, last / item, memory("VmHWM") >> 20, flush=True)


def listing(data: DataClient) -> None:
    tenths = Tenths()
    for _ in data.iter_binary_data(None, include_binary_data=False):
        tenths.advance()
    tenths.report()


def rerun(data: DataClient) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared = subprocess.run([sys.executable, __file__, "prepare", sys.argv[2], name], check=True)
        assert prepared.returncode == 0
        tenths = Tenths()
        progress = Progress(tenths.advance, "files")
        listed = data.iter_binary_data(None, include_binary_data=False)
        with listed, progress, Export(_ThereFolder(folder), None, None, progress) as export:  # type: ignore[arg-type]
            tenths.times = [time.perf_counter()]  # the manifest was read before
            export.run(listed, 8)
            export.finish(8, remove_gone=True)
        assert len(export.result.already_there) == IMAGES
        tenths.report()


def prepare(data: DataClient, folder: Path) -> None:
    """Write the manifest that a complete export leaves."""
    place = LocalFolder(folder)
    batch: List[Entry] = []
    for found in data.iter_binary_data(None, include_binary_data=False):
        metadata = found.metadata
        path = place.paths.allocate(metadata)
        batch.append(Entry(metadata.binary_data_id, path, SIZE, SIZE, metadata_digest(metadata)))
        if len(batch) == 1000:
            place.manifest.add(batch)
            batch = []
    place.manifest.add(batch)
    place.close()


def figures() -> Iterator[Figure]:
    with server("images_server.py", IMAGES, SIZE, "") as told:
        for name, work in (("listing", "metadata iterated over"), ("rerun", "an export that finds all of them there")):
            command = [sys.executable, __file__, name, told.split()[0]]
            first, last, peak = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
            yield Figure(
                work=f"{IMAGES:,} images, {work}",
                ours=f"{float(first):.0f} µs each at first, {float(last):.0f} at last; {peak} MiB at most",
                peers={},
                ratio=float(last) / float(first),
                of="last tenth, of the first's time",
                goal="≤ 1.1",
                bounded_by="the pages of the server, which shares the processors",
            )


if __name__ == "__main__":
    with Channel(parse_address(f"http://127.0.0.1:{sys.argv[2]}"), max_reconnect_attempts=3) as channel:
        client = DataClient(channel, {})
        if sys.argv[1] == "prepare":
            prepare(client, Path(sys.argv[3]))
        else:
            {"listing": listing, "rerun": rerun}[sys.argv[1]](client)
