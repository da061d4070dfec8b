"""Exports over lines so slow that contents which are asked for together would come too late."""

import os
from pathlib import Path
from typing import Iterator, Set

import pytest
from servers import FakeService

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.proto.app import data as pb
from viam_sync.rpc.dial import Channel, ConnectionTimes, parse_address
from viam_sync.sandbox import Sandbox
from viam_sync.services import methods
from viam_sync.transfer.export.contents import ContentsFetcher, concurrency_for
from viam_sync.transfer.export.exporter import Export
from viam_sync.transfer.export.http_download import Downloader
from viam_sync.transfer.export.limits import ExportLimits
from viam_sync.transfer.export.results import ExportResult
from viam_sync.transfer.output.progress import Progress
from viam_sync.utils import create_filter

from .forwarder import Forwarder

#: Bytes a second of the line, as in the field; sizes and times are a fiftieth of what they are there.
RATE, SCALE = 200_000, 50
FIELD = ExportLimits()
SCALED = ExportLimits(
    batch_bytes=FIELD.batch_bytes // SCALE,
    first_bytes=FIELD.first_bytes // SCALE,
    good_time=FIELD.good_time / SCALE,
    patience=FIELD.patience / SCALE,
)
COUNT, SIZE = 40, (1 << 20) // SCALE
MINE = create_filter(tags=["mine"])


@pytest.fixture
def files(sandbox: Sandbox, client: ViamClient) -> Set[bytes]:
    """The contents of files in the sandbox."""
    contents = {os.urandom(SIZE) for _ in range(COUNT)}
    for each in contents:
        client.data_client.file_upload(sandbox.robot_part_id, each, file_name="f", tags=["mine"])
    return contents


@pytest.fixture
def far(sandbox: Sandbox) -> Iterator[DataClient]:
    """A client at the other end of a slow line."""
    with Forwarder(int(sandbox.url.rpartition(":")[2]), RATE) as line:
        address = f"http://{line.address}"
        with ViamClient.create_from_dial_options(sandbox.dial_options(), address) as connected:
            yield connected.data_client


def exported(data: DataClient, folder: Path, limits: ExportLimits, workers: int = 8) -> ExportResult:
    """Export the files of a test as ``export_binary_data`` does, within other limits."""
    concurrency = concurrency_for(workers, limits, None, data._channel.time.time)
    downloads = Downloader(data._metadata, concurrency, data._channel, data._run)
    contents = ContentsFetcher(data._unary_unary, methods.BINARY_DATA_BY_IDS, concurrency, limits, None)
    listed = data.iter_binary_data(MINE, include_binary_data=False)
    with listed, Export(folder, contents, downloads, Progress(None), limits) as export:
        export.run(listed, workers)
    return export.result


def are_there(files: Set[bytes], result: ExportResult) -> bool:
    return result.complete and {file.path.read_bytes() for file in result.exported if file.path} == files


def test_all_workers_together_ask_for_what_a_slow_line_brings_in_time(
    sandbox: Sandbox, far: DataClient, files: Set[bytes], tmp_path: Path
) -> None:
    asked = sandbox.faults.delay("BinaryDataByIDs", 0.001, times=None)
    assert are_there(files, exported(far, tmp_path, SCALED))
    assert asked.met <= COUNT


def test_requests_that_come_too_late_become_fewer_and_smaller(
    sandbox: Sandbox, far: DataClient, files: Set[bytes], tmp_path: Path
) -> None:
    # All files are asked for at once, and take four seconds, twice as long as they may.
    bold = ExportLimits(
        batch_bytes=SIZE * COUNT, first_bytes=SIZE * COUNT, good_time=0.6, patience=2, slowest_line=10**9
    )
    asked = sandbox.faults.delay("BinaryDataByIDs", 0.001, times=None)
    assert are_there(files, exported(far, tmp_path, bold))
    assert asked.met <= COUNT // 2


def test_the_timeout_of_the_caller_makes_for_smaller_requests_too(
    sandbox: Sandbox, far: DataClient, files: Set[bytes], tmp_path: Path
) -> None:
    asked = sandbox.faults.delay("BinaryDataByIDs", 0.001, times=None)
    result = far.export_binary_data(MINE, tmp_path, timeout=1.5)
    assert are_there(files, result)
    assert asked.met <= COUNT


def test_a_response_that_takes_longer_than_a_ping_may_is_no_lost_connection(server: FakeService) -> None:
    whole = pb.BinaryDataByIDsResponse(data=[pb.BinaryData(binary=bytes(2 * RATE))]).SerializeToString()
    server.unary["BinaryDataByIDs"] = lambda request, context: whole
    times = ConnectionTimes(keepalive=0.5, ping_timeout=0.5)
    with Forwarder(server.port, RATE) as line, Channel(parse_address(f"http://{line.address}"), 0, times) as channel:
        (file,) = DataClient(channel, {}).options(retry=False).binary_data_by_ids(["o/l/f"])
    assert len(file.binary) == 2 * RATE
    assert len(server.named("BinaryDataByIDs")) == 1
