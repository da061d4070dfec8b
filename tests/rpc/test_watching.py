"""What a program sees of its calls: lines of the log, and nothing of OpenTelemetry unless it has loaded it."""

import itertools
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Iterator, List

import grpc
import pytest
from servers import FakeService, refuse

from viam_sync.app.viam_client import ViamClient
from viam_sync.proto import app as pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.rpc.dial import Credentials, DialOptions

KEY_ID = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
PART = "4a3b2c1d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
ROBOT = pb.GetRobotResponse(robot=pb.Robot(name="rover")).SerializeToString()
SECRET = "do-not-show-this"


def connect(server: FakeService) -> ViamClient:
    options = DialOptions(auth_entity=KEY_ID, credentials=Credentials("api-key", SECRET))
    return ViamClient.create_from_dial_options(options, server.url)


def after(status: grpc.StatusCode, then: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that fails once."""
    count = itertools.count()
    return lambda request, context: (then if next(count) else refuse(status, "busy"))(request, context)


def lines(caplog: pytest.LogCaptureFixture) -> List[str]:
    ours = [
        record for record in caplog.records if record.name.startswith("viam_sync.") and record.levelno > logging.DEBUG
    ]
    return [record.getMessage() for record in ours]


def test_a_call_that_is_sent_again_has_a_line_for_it(server: FakeService, caplog: pytest.LogCaptureFixture) -> None:
    server.unary["GetRobot"] = after(grpc.StatusCode.UNAVAILABLE, lambda request, context: ROBOT)
    with connect(server) as client, caplog.at_level(logging.INFO, logger="viam_sync"):
        client.app_client.get_robot("r-1")
    assert lines(caplog) == ["viam.app.v1.AppService/GetRobot: attempt 1 ended with UNAVAILABLE; trying again in 0.0 s"]


def test_a_stream_that_is_asked_for_again_has_a_line_for_it(
    server: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    row = data_pb.ExportTabularDataResponse(part_id=PART).SerializeToString()
    server.stream["ExportTabularData"] = after(
        grpc.StatusCode.UNAVAILABLE, lambda request, context: itertools.repeat(row, 2)
    )
    with connect(server) as client, caplog.at_level(logging.INFO, logger="viam_sync"):
        rows = client.data_client.export_tabular_data(PART, "sensor", "rdk:component:sensor", "Readings")
        assert len(rows) == 2
    assert lines(caplog) == [
        "viam.app.data.v1.DataService/ExportTabularData: attempt 1 ended with UNAVAILABLE; trying again in 0.0 s"
    ]


def test_an_upload_that_is_sent_again_has_a_line_for_it(server: FakeService, caplog: pytest.LogCaptureFixture) -> None:
    def read(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        assert list(requests)
        return datasync_pb.FileUploadResponse(binary_data_id="b-1").SerializeToString()

    server.upload["FileUpload"] = after(grpc.StatusCode.RESOURCE_EXHAUSTED, read)
    with connect(server) as client, caplog.at_level(logging.INFO, logger="viam_sync"):
        assert client.data_client.file_upload(PART, b"contents", file_name="a.txt") == "b-1"
    (line,) = lines(caplog)
    assert line.startswith("viam.app.datasync.v1.DataSyncService/FileUpload: attempt 1 ended with RESOURCE_EXHAUSTED;")
    assert line.endswith("trying again in 0.0 s")


def test_a_token_that_is_replaced_has_a_line_and_so_has_each_try_to_get_it(
    server: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    server.unary["GetRobot"] = after(grpc.StatusCode.UNAUTHENTICATED, lambda request, context: ROBOT)
    with connect(server) as client, caplog.at_level(logging.INFO, logger="viam_sync"):
        server.unary["Authenticate"] = after(grpc.StatusCode.UNAVAILABLE, server.authenticate)
        client.app_client.get_robot("r-1")
    assert lines(caplog) == [
        "proto.rpc.v1.AuthService/Authenticate: attempt 1 ended with UNAVAILABLE; trying again in 0.0 s",
        "viam.app.v1.AppService/GetRobot: attempt 1 ended with UNAUTHENTICATED; trying again at once with a new token",
    ]
    assert SECRET not in caplog.text
    assert "token-" not in caplog.text


def test_attempts_are_counted_with_those_that_had_no_good_token(
    server: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    busy = after(grpc.StatusCode.UNAVAILABLE, lambda request, context: ROBOT)
    server.unary["GetRobot"] = after(grpc.StatusCode.UNAUTHENTICATED, busy)
    with connect(server) as client, caplog.at_level(logging.INFO, logger="viam_sync"):
        client.app_client.get_robot("r-1")
    assert [line.partition("attempt ")[2][:1] for line in lines(caplog)] == ["1", "2"]


def test_the_log_is_as_its_page_shows_it() -> None:
    page = (Path(__file__).parents[2] / "docs" / "watching.md").read_text(encoding="utf-8")
    script = page.partition("```python\n")[2].partition("```")[0]
    shown = page.partition("prints\n\n```text\n")[2].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", shown)


def test_a_program_that_sets_up_no_logging_sees_nothing_and_loads_no_opentelemetry(server: FakeService) -> None:
    server.unary["GetRobot"] = after(grpc.StatusCode.UNAVAILABLE, lambda request, context: ROBOT)
    script = f"""
import sys
from viam_sync.app.app_client import AppClient
from viam_sync.rpc.dial import Channel, parse_address
with Channel(parse_address({server.url!r}), 3) as channel:
    print(AppClient(channel, {{}}).get_robot("r-1").name)
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout.splitlines(), done.stderr) == (["rover", "[]"], "")
    assert not [name for name in server.calls[-1].metadata if name in ("traceparent", "tracestate", "baggage")]
