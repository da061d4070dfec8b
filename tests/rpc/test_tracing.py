"""Spans of OpenTelemetry, as its own SDK collects them."""

import gc
import itertools
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional

import grpc
import pytest
from servers import FakeService, refuse

from viam_sync.app.app_client import AppClient
from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import (
    AmbiguousResultError,
    ClosedError,
    GRPCError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from viam_sync.proto import app as pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.rpc.dial import Channel, Credentials, DialOptions
from viam_sync.rpc.policies import STREAM
from viam_sync.rpc.streams import Stream
from viam_sync.sandbox import Sandbox
from viam_sync.services import methods
from viam_sync.utils import create_filter

pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry-sdk; tox -e otel has it")

from opentelemetry import baggage, context, trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

KEY_ID = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
PART = "4a3b2c1d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
SECRET = "do-not-show-this"
GET_ROBOT = "viam.app.v1.AppService/GetRobot"
AUTHENTICATE = "proto.rpc.v1.AuthService/Authenticate"
EXPORT = "viam.app.data.v1.DataService/ExportTabularData"
ROBOT = pb.GetRobotResponse(robot=pb.Robot(name="rover")).SerializeToString()
ROWS = [data_pb.ExportTabularDataResponse(part_id=name).SerializeToString() for name in "ab"]
LONG = 30

EXPORTER = InMemorySpanExporter()
TRACER = trace.get_tracer("tests")


@pytest.fixture(scope="module", autouse=True)
def provider() -> None:
    # It can be set only once in a process.
    if not isinstance(trace.get_tracer_provider(), TracerProvider):
        trace.set_tracer_provider(TracerProvider())
    trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(EXPORTER))


@pytest.fixture(autouse=True)
def no_spans_yet_and_none_left() -> Iterator[None]:
    gc.collect()
    EXPORTER.clear()
    yield
    assert trace.get_current_span() is trace.INVALID_SPAN


@pytest.fixture
def server(server: FakeService) -> FakeService:
    server.unary["GetRobot"] = lambda request, context: ROBOT
    server.stream["ExportTabularData"] = lambda request, context: iter(ROWS)
    return server


def connect(server: FakeService) -> ViamClient:
    options = DialOptions(auth_entity=KEY_ID, credentials=Credentials("api-key", SECRET))
    return ViamClient.create_from_dial_options(options, server.url)


def export(channel: grpc.Channel, **changes: Any) -> Stream[data_pb.ExportTabularDataResponse]:
    request = data_pb.ExportTabularDataRequest()
    return DataClient(channel, {})._unary_stream(
        methods.EXPORT_TABULAR_DATA._replace(policy=STREAM._replace(**changes)), request, None
    )


def failing(status: grpc.StatusCode, times: int, then: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that fails some times, and is another from then on."""
    count = itertools.count()
    return lambda request, context: (refuse(status, "busy") if next(count) < times else then)(request, context)


def spans(name: Optional[str] = None) -> List[ReadableSpan]:
    return [span for span in EXPORTER.get_finished_spans() if name is None or span.name == name]


def only(name: Optional[str] = None) -> ReadableSpan:
    (span,) = spans(name)
    return span


def attributes(span: ReadableSpan) -> Dict[str, Any]:
    return dict(span.attributes or {})


def events(span: ReadableSpan) -> List[Any]:
    return [(event.name, dict(event.attributes or {})) for event in span.events]


def parent(span: ReadableSpan) -> Optional[int]:
    return span.parent.span_id if span.parent is not None else None


def failed(attempt: int, status: str, wait: Optional[float] = 0) -> Any:
    told = {"viam_sync.attempt": attempt, "rpc.response.status_code": status}
    return "attempt failed", told if wait is None else {**told, "viam_sync.retry_delay": wait}


def test_a_call_is_a_client_span_with_the_names_of_the_conventions(server: FakeService, channel: Channel) -> None:
    AppClient(channel, {}).get_robot("r-1")
    span = only()
    assert (span.name, span.kind) == (GET_ROBOT, trace.SpanKind.CLIENT)
    assert attributes(span) == {
        "rpc.system": "grpc",
        "rpc.system.name": "grpc",
        "rpc.service": "viam.app.v1.AppService",
        "rpc.method": "GetRobot",
        "rpc.grpc.status_code": 0,
        "rpc.response.status_code": "OK",
        "server.address": "127.0.0.1",
        "server.port": server.port,
        "viam_sync.attempts": 1,
    }
    assert (span.status.status_code, events(span), span.parent) == (trace.StatusCode.UNSET, [], None)
    assert span.instrumentation_scope is not None
    assert span.instrumentation_scope.name == "viam_sync"


@pytest.mark.parametrize(("opted", "old"), [("http,rpc", False), ("rpc/dup", True), ("rpc, rpc/dup", True)])
def test_a_program_that_opts_in_gets_the_newer_names(
    channel: Channel, monkeypatch: pytest.MonkeyPatch, opted: str, old: bool
) -> None:
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", opted)
    AppClient(channel, {}).get_robot("r-1")
    found = attributes(only())
    assert found["rpc.method"] == GET_ROBOT
    assert found["rpc.system.name"] == "grpc"
    assert found["rpc.response.status_code"] == "OK"
    assert [name in found for name in ("rpc.system", "rpc.service", "rpc.grpc.status_code")] == [old] * 3


@pytest.mark.parametrize(
    ("variable", "value", "count"),
    [
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "requests, viam_sync", 0),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "viam-sync", 0),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "*", 0),
        ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "requests,grpc_client", 1),
        ("VIAM_SYNC_SPANS", "off", 0),
        ("VIAM_SYNC_SPANS", "False", 0),
        ("VIAM_SYNC_SPANS", "on", 1),
        ("VIAM_SYNC_SPANS", "", 1),
    ],
)
def test_a_variable_of_the_environment_turns_spans_off(
    server: FakeService, channel: Channel, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, count: int
) -> None:
    monkeypatch.setenv(variable, value)
    with TRACER.start_as_current_span("caller"):
        AppClient(channel, {}).get_robot("r-1")
    assert len(spans(GET_ROBOT)) == count
    assert ("traceparent" in server.calls[0].metadata) == (count > 0)


def test_a_channel_that_is_not_ours_has_no_address(server: FakeService) -> None:
    with grpc.insecure_channel(server.address) as plain:
        AppClient(plain, {}).get_robot("r-1")
    assert "server.address" not in attributes(only())


def test_the_service_is_told_what_its_work_belongs_to(server: FakeService, channel: Channel) -> None:
    token = context.attach(baggage.set_baggage("robot", "r 1"))
    try:
        with TRACER.start_as_current_span("caller") as caller:
            AppClient(channel, {"one": "1"}).get_robot("r-1")
    finally:
        context.detach(token)
    span = only(GET_ROBOT)
    metadata = server.calls[0].metadata
    assert parent(span) == caller.get_span_context().span_id
    here = span.context
    assert metadata["traceparent"] == f"00-{here.trace_id:032x}-{here.span_id:016x}-{here.trace_flags:02x}"
    assert (metadata["baggage"], metadata["one"]) == ("robot=r+1", "1")


def test_the_state_of_a_trace_goes_on_and_what_is_not_sampled_stays_so(server: FakeService, channel: Channel) -> None:
    state = trace.TraceState([("vendor", "1")])
    remote = trace.SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=trace.TraceFlags(0), trace_state=state)
    server.unary["GetRobot"] = failing(grpc.StatusCode.UNAVAILABLE, 1, server.unary["GetRobot"])
    with trace.use_span(trace.NonRecordingSpan(remote)):
        AppClient(channel, {}).get_robot("r-1")
    metadata = server.calls[0].metadata
    assert metadata["traceparent"].startswith(f"00-{0xABC:032x}-")
    assert metadata["traceparent"].endswith("-00")
    assert metadata["tracestate"] == "vendor=1"
    assert spans() == []


def test_a_failure_is_the_status_of_its_span(server: FakeService, channel: Channel) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.NOT_FOUND, "No such machine.")
    with pytest.raises(NotFoundError) as raised:
        AppClient(channel, {}).get_robot("r-1")
    span = only()
    assert span.status.status_code is trace.StatusCode.ERROR
    assert span.status.description == str(raised.value)
    found = attributes(span)
    assert found["error.type"] == found["rpc.response.status_code"] == "NOT_FOUND"
    assert (found["rpc.grpc.status_code"], found["viam_sync.attempts"]) == (5, 1)
    assert events(span) == [failed(1, "NOT_FOUND", None)]


def test_each_attempt_that_failed_is_an_event(server: FakeService, channel: Channel) -> None:
    server.unary["GetRobot"] = failing(grpc.StatusCode.UNAVAILABLE, 2, server.unary["GetRobot"])
    AppClient(channel, {}).get_robot("r-1")
    span = only()
    assert events(span) == [failed(1, "UNAVAILABLE"), failed(2, "UNAVAILABLE")]
    assert attributes(span)["viam_sync.attempts"] == 3
    assert attributes(span)["rpc.response.status_code"] == "OK"
    assert span.status.status_code is trace.StatusCode.UNSET
    # All attempts are the same call.
    assert len({call.metadata["traceparent"] for call in server.calls}) == 1


def test_attempts_that_run_out_are_all_told_of(server: FakeService, channel: Channel) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    with pytest.raises(UnavailableError):
        AppClient(channel, {}).get_robot("r-1")
    assert events(only()) == [*(failed(n, "UNAVAILABLE") for n in range(1, 5)), failed(5, "UNAVAILABLE", None)]
    assert attributes(only())["viam_sync.attempts"] == 5


def test_a_result_that_nobody_knows_is_recorded(server: FakeService, channel: Channel) -> None:
    server.unary["NewRobot"] = refuse(grpc.StatusCode.INTERNAL, "It broke.")
    with pytest.raises(AmbiguousResultError) as raised:
        AppClient(channel, {}).new_robot("rover", "loc")
    span = only()
    (first, (name, told)) = events(span)
    assert first == failed(1, "INTERNAL", None)
    # Older versions leave the module out.
    assert (name, told["exception.type"].rpartition(".")[2]) == ("exception", "AmbiguousResultError")
    assert told["exception.message"] == str(raised.value) == span.status.description
    assert "new_robot" not in told["exception.message"]
    assert "_run" in told["exception.stacktrace"]


def test_a_token_that_is_replaced_is_an_event_and_a_span_below(server: FakeService) -> None:
    with connect(server) as client:
        server.unary["GetRobot"] = failing(grpc.StatusCode.UNAUTHENTICATED, 1, server.unary["GetRobot"])
        EXPORTER.clear()
        client.app_client.get_robot("r-1")
    span, asked = only(GET_ROBOT), only(AUTHENTICATE)
    assert events(span) == [failed(1, "UNAUTHENTICATED"), ("token renewed", {})]
    assert attributes(span)["viam_sync.attempts"] == 2
    assert parent(asked) == span.context.span_id
    assert attributes(asked)["rpc.response.status_code"] == "OK"


def test_a_token_that_cannot_be_replaced_fails_the_call_and_its_span(server: FakeService) -> None:
    with connect(server) as client:
        server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "Expired.")
        server.unary["Authenticate"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "No.")
        with pytest.raises(UnauthenticatedError):
            client.app_client.get_robot("r-1")
    span = only(GET_ROBOT)
    assert events(span) == [failed(1, "UNAUTHENTICATED")]
    assert attributes(span)["error.type"] == "UNAUTHENTICATED"


def test_a_key_that_stays_refused_is_no_loop_where_the_context_is_sent_on(server: FakeService) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "revoked")
    with connect(server) as client, pytest.raises(UnauthenticatedError, match="revoked"):
        client.app_client.get_robot("r-1")
    assert attributes(only(GET_ROBOT))["viam_sync.attempts"] == len(server.named("GetRobot")) == 2
    assert events(only(GET_ROBOT))[-1] == failed(2, "UNAUTHENTICATED", None)


def test_dialling_is_a_span_below_that_of_the_caller(server: FakeService) -> None:
    with TRACER.start_as_current_span("caller") as caller, connect(server):
        pass
    assert parent(only(AUTHENTICATE)) == caller.get_span_context().span_id


def test_a_call_that_was_never_sent_ends_its_span_too(channel: Channel) -> None:
    client = AppClient(channel, {})
    channel.close()
    with pytest.raises(ClosedError):
        client.get_robot("r-1")
    assert attributes(only())["error.type"] == "viam_sync.errors.ClosedError"


def stored(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    assert list(requests)
    return datasync_pb.FileUploadResponse(binary_data_id="b-1").SerializeToString()


def test_an_upload_is_one_span_with_its_attempts(server: FakeService, channel: Channel) -> None:
    server.upload["FileUpload"] = failing(grpc.StatusCode.RESOURCE_EXHAUSTED, 1, stored)
    DataClient(channel, {}).file_upload(PART, b"contents", file_name="a.txt")
    span = only()
    assert span.name == "viam.app.datasync.v1.DataSyncService/FileUpload"
    assert events(span) == [failed(1, "RESOURCE_EXHAUSTED")]
    assert attributes(span)["viam_sync.attempts"] == 2
    assert server.calls[1].metadata["traceparent"].split("-")[2] == f"{span.context.span_id:016x}"


def test_an_exception_of_the_callers_source_is_named_and_not_quoted(server: FakeService, channel: Channel) -> None:
    def source() -> Iterator[datasync_pb.FileUploadRequest]:
        yield datasync_pb.FileUploadRequest()
        raise OSError(f"cannot read {SECRET}")

    server.upload["FileUpload"] = stored
    with pytest.raises(OSError, match="cannot read"):
        DataClient(channel, {})._stream_unary(methods.FILE_UPLOAD._replace(policy=STREAM), source, None)
    span = only()
    assert (span.status.description, attributes(span)["error.type"]) == ("OSError", "OSError")
    assert "rpc.response.status_code" not in attributes(span)


def test_the_span_of_a_stream_lasts_as_long_as_the_stream(server: FakeService, channel: Channel) -> None:
    with TRACER.start_as_current_span("caller") as caller:
        stream = export(channel)
        assert trace.get_current_span() is caller
        assert next(stream).part_id == "a"
        assert trace.get_current_span() is caller
    assert spans(EXPORT) == []
    assert [row.part_id for row in stream] == ["b"]
    span = only(EXPORT)
    stream.close()
    assert only(EXPORT) is span
    assert parent(span) == caller.get_span_context().span_id
    assert (events(span), attributes(span)["rpc.response.status_code"]) == ([], "OK")
    assert server.calls[0].metadata["traceparent"].split("-")[2] == f"{span.context.span_id:016x}"


def test_a_stream_without_messages_ends_its_span(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = lambda request, context: iter(())
    assert list(export(channel)) == []
    assert attributes(only())["rpc.response.status_code"] == "OK"


def test_closing_a_stream_ends_its_span_and_is_no_error(server: FakeService, channel: Channel) -> None:
    with export(channel) as stream:
        next(stream)
    span = only()
    assert (attributes(span)["rpc.response.status_code"], attributes(span)["rpc.grpc.status_code"]) == ("CANCELLED", 1)
    assert (span.status.status_code, "error.type" in attributes(span)) == (trace.StatusCode.UNSET, False)


@pytest.mark.parametrize("read", [0, 1])
def test_dropping_a_stream_ends_its_span(server: FakeService, channel: Channel, read: int) -> None:
    # Its watchdog looks that often whether it is still there.
    stream = export(channel, idle_timeout=1)
    for _ in range(read):
        next(stream)
    assert spans() == []
    del stream
    gc.collect()
    assert attributes(only())["rpc.response.status_code"] == "CANCELLED"
    for thread in threading.enumerate():
        if thread.name == "viam-sync watchdog":
            thread.join(LONG)


def test_closing_a_stream_in_another_thread_ends_its_span_once(server: FakeService, channel: Channel) -> None:
    begun, over = threading.Event(), threading.Event()

    def silent(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(over.set)
        begun.set()
        over.wait(LONG)
        return iter(())

    server.stream["ExportTabularData"] = silent
    stream = export(channel)
    reader = threading.Thread(target=list, args=(stream,))
    reader.start()
    assert begun.wait(LONG)
    stream.close()
    reader.join(LONG)
    assert not reader.is_alive()
    assert attributes(only())["rpc.response.status_code"] == "CANCELLED"


def test_a_stream_that_is_asked_for_again_is_one_span(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = failing(grpc.StatusCode.UNAVAILABLE, 2, lambda request, context: iter(ROWS))
    assert len(list(export(channel))) == 2
    span = only()
    assert events(span) == [failed(1, "UNAVAILABLE"), failed(2, "UNAVAILABLE")]
    assert attributes(span)["viam_sync.attempts"] == 3
    assert len({call.metadata["traceparent"] for call in server.calls}) == 1


def test_a_stream_that_fails_before_its_first_message_fails_its_span(server: FakeService, channel: Channel) -> None:
    server.stream["ExportTabularData"] = refuse(grpc.StatusCode.NOT_FOUND, "No such part.")
    with pytest.raises(NotFoundError):
        next(export(channel))
    span = only()
    assert events(span) == [failed(1, "NOT_FOUND", None)]
    assert span.status.status_code is trace.StatusCode.ERROR


def test_a_stream_that_breaks_fails_its_span(server: FakeService, channel: Channel) -> None:
    def breaking(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield ROWS[0]
        context.abort(grpc.StatusCode.INTERNAL, "It broke.")

    server.stream["ExportTabularData"] = breaking
    stream = export(channel)
    next(stream)
    with pytest.raises(GRPCError):
        next(stream)
    span = only()
    assert attributes(span)["error.type"] == "INTERNAL"
    assert events(span) == [failed(1, "INTERNAL", None)]


def test_a_stream_that_cannot_begin_ends_its_span(channel: Channel) -> None:
    data = DataClient(channel, {})
    channel.close()
    with pytest.raises(ClosedError):
        data._unary_stream(methods.EXPORT_TABULAR_DATA, data_pb.ExportTabularDataRequest(), None)
    assert attributes(only())["error.type"] == "viam_sync.errors.ClosedError"


def test_the_token_of_a_stream_is_replaced_within_its_span(server: FakeService) -> None:
    with connect(server) as client:
        EXPORTER.clear()
        server.stream["ExportTabularData"] = failing(
            grpc.StatusCode.UNAUTHENTICATED, 1, lambda request, context: iter(ROWS)
        )
        client.data_client.export_tabular_data(PART, "sensor", "rdk:component:sensor", "Readings")
    span = only(EXPORT)
    assert events(span) == [failed(1, "UNAUTHENTICATED"), ("token renewed", {})]
    assert parent(only(AUTHENTICATE)) == span.context.span_id


def test_messages_both_ways_are_one_span(server: FakeService, channel: Channel) -> None:
    data = DataClient(channel, {})
    both_ways = methods.EXPORT_TABULAR_DATA._replace(kind="stream_stream")
    stream = data._stream_stream(both_ways, [data_pb.ExportTabularDataRequest()], None)
    assert len(list(stream)) == 2
    assert only().name == EXPORT
    assert "traceparent" in server.calls[0].metadata


def test_the_tail_of_a_log_is_a_span_until_it_is_closed(sandbox: Sandbox, client: ViamClient) -> None:
    EXPORTER.clear()
    with client.app_client.tail_robot_part_logs(sandbox.robot_part_id, errors_only=False) as tail:
        sandbox.wait_for_tail(sandbox.robot_part_id)
        sandbox.log(sandbox.robot_part_id, "Ready")
        assert tail.next()[0].message == "Ready"
        assert spans() == []
    span = only()
    assert span.name == "viam.app.v1.AppService/TailRobotPartLogs"
    assert span.status.status_code is trace.StatusCode.UNSET


def test_calls_that_threads_make_for_a_caller_are_below_its_span(
    sandbox: Sandbox, client: ViamClient, tmp_path: Path
) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(4)]
    for path in paths:
        path.write_text("contents")
    EXPORTER.clear()
    with TRACER.start_as_current_span("caller") as caller:
        list(client.data_client.upload_files(paths, part_id=sandbox.robot_part_id, workers=2))
        assert list(client.data_client.iter_binary_data(create_filter(), include_binary_data=False))
        client.data_client.export_binary_data(create_filter(), tmp_path / "out")
    made = [span for span in spans() if span.name != "caller"]
    assert {span.name.rpartition("/")[2] for span in made} >= {"FileUpload", "BinaryDataByFilter", "BinaryDataByIDs"}
    assert {parent(span) for span in made} == {caller.get_span_context().span_id}


def test_no_span_has_a_key_a_token_or_what_was_sent(sandbox: Sandbox) -> None:
    options = sandbox.dial_options()
    assert options.credentials is not None
    key = options.credentials.payload
    with ViamClient.create_from_dial_options(options, sandbox.url) as client:
        token = client.app_client._metadata["authorization"]
        sandbox.faults.expire_tokens()
        client.app_client.list_organizations()
        client.data_client.file_upload(sandbox.robot_part_id, SECRET.encode(), file_name=f"{SECRET}.txt")
        with pytest.raises(GRPCError):
            client.data_client.tabular_data_by_sql("no-such-organization", f"SELECT '{SECRET}'")
    wrong = DialOptions.with_api_key(SECRET, KEY_ID)
    with pytest.raises(UnauthenticatedError):
        ViamClient.create_from_dial_options(wrong, sandbox.url)
    told = json.dumps([json.loads(span.to_json()) for span in spans()])
    assert len(spans()) >= 6
    for secret in (key, token.partition(" ")[2], SECRET):
        assert secret not in told


SCRIPT = """
import sys
import opentelemetry.trace as trace
from viam_sync.app.app_client import AppClient
from viam_sync.rpc.dial import Channel, parse_address
remote = trace.SpanContext(0xabc, 0xdef, is_remote=True, trace_flags=trace.TraceFlags(1))
with Channel(parse_address(sys.argv[1]), 3) as channel:
    client = AppClient(channel, {})
    client.get_robot("r-1")
    with trace.use_span(trace.NonRecordingSpan(remote)):
        client.get_robot("r-1")
print([name for name in sys.modules if name.startswith("opentelemetry.sdk")])
"""


def test_the_api_alone_makes_no_spans_and_sends_on_the_context_that_there_is(server: FakeService) -> None:
    command = [sys.executable, "-c", SCRIPT, server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
    first, second = server.calls
    assert "traceparent" not in first.metadata
    assert second.metadata["traceparent"] == f"00-{0xABC:032x}-{0xDEF:016x}-01"


def test_the_example_of_the_page_prints_its_spans() -> None:
    page = (Path(__file__).parents[2] / "docs" / "watching.md").read_text(encoding="utf-8")
    script = page.split("```python\n")[2].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    found = [line.strip() for line in done.stdout.splitlines() if line.startswith('    "name"')]
    assert found == [f'"name": "{name}",' for name in (AUTHENTICATE, GET_ROBOT, "look at a robot")]
