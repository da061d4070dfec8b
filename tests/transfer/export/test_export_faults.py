"""Exports from a raw HTTP/2 server on loopback that breaks off the calls for the contents."""

from pathlib import Path
from typing import Any, Iterator, Union

import grpc
import grpc_testing
import pytest
from reliability.h2_faults import RESETS, SILENCE, cut, midway, reset, status
from reliability.h2_server import OK, Answer, H2Server, reply

from viam_sync.app.data_client import DataClient
from viam_sync.errors import InternalError, UnavailableError
from viam_sync.proto.app import data as pb
from viam_sync.rpc.channel import service_channel
from viam_sync.rpc.policies import Retry

LIST = "/viam.app.data.v1.DataService/BinaryDataByFilter"
CONTENTS = "/viam.app.data.v1.DataService/BinaryDataByIDs"
ID = "org/location/f1"

RESET = reset("INTERNAL_ERROR")
RESET_MIDWAY = midway("RST_STREAM", lambda exchange: exchange.reset(RESETS["INTERNAL_ERROR"]))


@pytest.fixture
def server() -> Iterator[H2Server]:
    """A service with one file."""
    file = pb.BinaryData(binary=b"PNG", metadata=pb.BinaryMetadata(binary_data_id=ID, file_size_bytes=3))
    listed = pb.BinaryDataByFilterResponse(data=[pb.BinaryData(metadata=file.metadata)], last="1")
    found = pb.BinaryDataByIDsResponse(data=[file])
    with H2Server(otherwise={CONTENTS: reply(found.SerializeToString())}) as running:
        running.plan(LIST, reply(listed.SerializeToString()), OK)
        yield running


@pytest.fixture
def clock() -> Any:
    return grpc_testing.strict_fake_time(0)


@pytest.fixture
def data(server: H2Server, clock: Any) -> Iterator[DataClient]:
    with service_channel(grpc.insecure_channel(server.address), clock) as channel:
        yield DataClient(channel, {})


@pytest.mark.parametrize("fault", [RESET, RESET_MIDWAY], ids=lambda fault: fault.name)
def test_a_reset_stream_does_not_fail_the_file_whose_contents_it_was_for(
    server: H2Server, data: DataClient, tmp_path: Path, fault: Answer
) -> None:
    server.plan(CONTENTS, fault)
    result = data.export_binary_data(None, tmp_path)
    assert server.met(CONTENTS) == [fault.name, "ok"]
    assert [(file.id, file.error) for file in result.files] == [(ID, None)]
    assert result.complete
    assert [path.read_bytes() for path in (tmp_path / "data").iterdir()] == [b"PNG"]


@pytest.mark.parametrize("fault", [RESET, RESET_MIDWAY], ids=lambda fault: fault.name)
def test_the_call_for_the_contents_alone_survives_the_same_reset(
    server: H2Server, data: DataClient, fault: Answer
) -> None:
    server.plan(CONTENTS, fault)
    assert [file.binary for file in data.binary_data_by_ids([ID])] == [b"PNG"]
    assert server.met(CONTENTS) == [fault.name, "ok"]


def test_a_stream_that_is_reset_at_every_attempt_is_the_error_of_the_file(
    server: H2Server, data: DataClient, tmp_path: Path
) -> None:
    server.plan(CONTENTS, *[RESET] * 8)
    result = data.export_binary_data(None, tmp_path)
    assert server.met(CONTENTS) == [RESET.name] * 8
    assert [type(file.error) for file in result.failed] == [InternalError]
    assert not result.complete


def test_an_export_waits_as_long_as_a_pushback_says(
    server: H2Server, data: DataClient, clock: Any, tmp_path: Path
) -> None:
    server.plan(CONTENTS, *[status("RESOURCE_EXHAUSTED", pushback="2000")] * 2)
    assert data.export_binary_data(None, tmp_path).complete
    assert clock.time() == pytest.approx(4)


@pytest.mark.parametrize(("retry", "attempts"), [(False, 1), (Retry(attempts=2), 2), (Retry(attempts=12), 12)])
def test_the_options_of_the_client_hold_for_an_export(
    server: H2Server, data: DataClient, tmp_path: Path, retry: Union[Retry, bool], attempts: int
) -> None:
    server.plan(CONTENTS, *[status("UNAVAILABLE")] * 20)
    result = data.options(retry=retry).export_binary_data(None, tmp_path)
    assert len(server.met(CONTENTS)) == attempts
    assert [type(file.error) for file in result.failed] == [UnavailableError]


LOST = cut()


def test_an_export_survives_more_lost_connections_than_a_single_call_may_lose(
    server: H2Server, data: DataClient, tmp_path: Path
) -> None:
    server.plan(CONTENTS, *[LOST] * 6)
    assert data.export_binary_data(None, tmp_path).complete
    assert server.met(CONTENTS) == [LOST.name] * 6 + ["ok"]


def test_the_timeout_of_an_export_is_that_of_an_attempt(server: H2Server, data: DataClient, tmp_path: Path) -> None:
    server.plan(CONTENTS, SILENCE)
    assert data.export_binary_data(None, tmp_path, timeout=1).complete
    assert server.met(CONTENTS) == [SILENCE.name, "ok"]
