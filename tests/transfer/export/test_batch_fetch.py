"""Exports in which some requests for contents fail: whether they concern one file, or all."""

import time
from collections import Counter
from pathlib import Path
from typing import Any, Iterator, List

import grpc
import grpc_testing
import pytest
from file_service import FileService
from servers import FakeService, closed_port

from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import PermissionDeniedError, UnavailableError
from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.channel import service_channel
from viam_sync.services import methods
from viam_sync.transfer.export.batch_fetch import BatchFetch, Outcome
from viam_sync.transfer.export.contents import ContentsFetcher, concurrency_for
from viam_sync.transfer.export.limits import ExportLimits
from viam_sync.transfer.export.pending import PendingFile
from viam_sync.transfer.export.results import ExportResult
from viam_sync.transfer.output.export_paths import ExportPath

ENVOY = "upstream connect error or disconnect/reset before headers. reset reason: remote reset"

OF_ONE_FILE = [
    (grpc.StatusCode.UNAVAILABLE, "not this one"),
    (grpc.StatusCode.UNAVAILABLE, ENVOY),
    (grpc.StatusCode.DEADLINE_EXCEEDED, "it takes too long"),
    (grpc.StatusCode.RESOURCE_EXHAUSTED, "too much"),
    (grpc.StatusCode.INTERNAL, "its contents are lost"),
    (grpc.StatusCode.PERMISSION_DENIED, "not yours"),
    (grpc.StatusCode.UNKNOWN, ""),
    (grpc.StatusCode.CANCELLED, "the service has cancelled it"),
]


@pytest.fixture
def waiting(server: FakeService) -> Iterator[DataClient]:
    """A client on a clock whose waits are over at once."""
    clock = grpc_testing.strict_fake_time(0)
    with service_channel(grpc.insecure_channel(server.address), clock) as channel:
        yield DataClient(channel, {})


@pytest.fixture
def hasty(other: DataClient) -> DataClient:
    """A client whose calls are sent once, so that nothing is waited for."""
    return other.options(retry=False)


def add_files(service: FileService, count: int, robot: str = "r", **metadata: Any) -> List[str]:
    """Add files of a machine, and return their IDs."""
    ids = [f"o/l/{robot}-{number}" for number in range(count)]
    for id in ids:
        service.add(b"x", binary_data_id=id, file_size_bytes=1, capture_metadata={"robot_id": robot}, **metadata)
    return ids


def failed_ids(result: ExportResult) -> List[str]:
    return [file.id for file in result.failed]


@pytest.mark.parametrize(("status", "text"), OF_ONE_FILE)
def test_a_file_that_keeps_failing_does_not_keep_the_others_of_its_batch(
    service: FileService, hasty: DataClient, tmp_path: Path, status: grpc.StatusCode, text: str
) -> None:
    ids = add_files(service, 60)
    service.refusals[ids[41]] = (status, text)
    result = hasty.export_binary_data(None, tmp_path)
    assert failed_ids(result) == [ids[41]]
    assert len(result.exported) == 59
    assert [getattr(file.error, "status", None) for file in result.failed] == [status]
    assert len(service.asked) < 25


@pytest.mark.parametrize(("status", "text"), OF_ONE_FILE[:2])
def test_a_batch_is_tried_with_patience_and_its_parts_are_not(
    service: FileService, waiting: DataClient, tmp_path: Path, status: grpc.StatusCode, text: str
) -> None:
    ids = add_files(service, 16)
    service.refusals[ids[3]] = (status, text)
    result = waiting.export_binary_data(None, tmp_path)
    assert failed_ids(result) == [ids[3]]
    sizes = Counter(len(asked.binary_data_ids) for asked in service.asked)
    assert sizes[16] == 8
    assert max(times for size, times in sizes.items() if 1 < size < 16) <= 3


def test_several_files_that_fail_keep_no_others(service: FileService, hasty: DataClient, tmp_path: Path) -> None:
    ids = add_files(service, 90)
    bad = ids[::11]
    for id in bad:
        service.refusals[id] = (grpc.StatusCode.INTERNAL, "its contents are lost")
    result = hasty.export_binary_data(None, tmp_path)
    assert failed_ids(result) == bad
    assert len(result.exported) == 90 - len(bad)


@pytest.mark.parametrize("status", [grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED])
def test_a_refusal_of_the_caller_is_found_in_a_few_requests_however_many_files_there_are(
    service: FileService, other: DataClient, tmp_path: Path, status: grpc.StatusCode
) -> None:
    service.refusals = dict.fromkeys(add_files(service, 3000), (status, "not you"))
    result = other.export_binary_data(None, tmp_path)
    assert len(result.failed) == 3000
    assert {getattr(file.error, "status", None) for file in result.failed} == {status}
    assert len(service.asked) <= 8 + 3  # a batch of each worker, and three files alone


def test_a_refusal_for_one_machine_is_none_for_another(service: FileService, other: DataClient, tmp_path: Path) -> None:
    refused = add_files(service, 250, "theirs")
    service.refusals = dict.fromkeys(refused, (grpc.StatusCode.PERMISSION_DENIED, "not yours"))
    allowed = add_files(service, 250, "mine")
    service.listed.sort(key=lambda metadata: metadata.binary_data_id.rpartition("-")[2])
    result = other.export_binary_data(None, tmp_path)
    assert sorted(failed_ids(result)) == sorted(refused)
    assert sorted(file.id for file in result.exported) == sorted(allowed)
    assert all(isinstance(file.error, PermissionDeniedError) for file in result.failed)
    assert len(service.asked) < 50


def test_a_service_that_is_away_is_asked_for_a_few_files_alone(
    service: FileService, waiting: DataClient, tmp_path: Path
) -> None:
    service.refusals = dict.fromkeys(add_files(service, 100), (grpc.StatusCode.UNAVAILABLE, "not now"))
    result = waiting.export_binary_data(None, tmp_path)
    assert len(result.failed) == 100
    assert all(isinstance(file.error, UnavailableError) for file in result.failed)
    assert len(service.asked) == 8 + 3 * 2


def test_a_service_that_cannot_be_reached_is_not_looked_for_file_by_file() -> None:
    files = [
        PendingFile(number, f"f{number}", pb.BinaryMetadata(binary_data_id=f"o/l/f{number}"), ExportPath("", ""), False)
        for number in range(50)
    ]
    outcomes: List[Outcome] = []
    with grpc.insecure_channel(f"127.0.0.1:{closed_port()}") as nowhere:
        call = DataClient(nowhere, {}).options(retry=False)._unary_unary
        limits = ExportLimits()
        concurrency = concurrency_for(8, limits, None, time.monotonic)
        contents = ContentsFetcher(call, methods.BINARY_DATA_BY_IDS, concurrency, limits, None)
        BatchFetch(contents).fetch(files, Cancellation(), lambda outcome: bool(outcomes.append(outcome)))
    assert [len(outcome.files) for outcome in outcomes] == [1, 1, 1, 47]
    assert {type(outcome.error) for outcome in outcomes} == {UnavailableError}


@pytest.mark.parametrize("tells_size", [True, False])
@pytest.mark.parametrize("count", [1, 20])
@pytest.mark.parametrize(("status", "text"), OF_ONE_FILE[1:3])
def test_a_response_that_is_too_large_for_a_proxy_or_too_late_comes_from_the_uri(
    service: FileService,
    hasty: DataClient,
    client: ViamClient,
    tmp_path: Path,
    tells_size: bool,
    count: int,
    status: grpc.StatusCode,
    text: str,
) -> None:
    (file,), _, _ = client.data_client.binary_data_by_filter(limit=1)
    uri, _ = client.data_client.create_binary_data_signed_url(file.metadata.binary_data_id)
    told = len(file.binary) if tells_size else 0
    for number in range(count):
        service.add(b"", binary_data_id=f"o/l/f{number}", file_size_bytes=told, uri=uri)
        service.refusals[f"o/l/f{number}"] = (status, text)
    result = hasty.export_binary_data(None, tmp_path)
    assert result.complete
    assert {each.path.read_bytes() for each in result.exported if each.path} == {file.binary}
