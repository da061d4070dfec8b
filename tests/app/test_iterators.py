import os
import random
import signal
import threading
from datetime import datetime, timedelta
from typing import Any, Callable, Dict, List, NamedTuple, Type

import grpc
import pytest
from google.protobuf.message import Message
from servers import FakeService, refuse

from viam_sync.app.app_client import AppClient, FragmentHistoryEntry, LogEntry, RobotPartHistoryEntry
from viam_sync.app.data_client import DataClient
from viam_sync.app.ml_training_client import MLTrainingClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import (
    ClosedError,
    DeadlineExceededError,
    InternalError,
    InvalidArgumentError,
    NotFoundError,
    ResourceExhaustedError,
)
from viam_sync.proto import app as app_pb
from viam_sync.proto import common as common_pb
from viam_sync.proto.app import data as pb
from viam_sync.proto.app import datapipelines as pipelines_pb
from viam_sync.proto.app import mltraining as training_pb
from viam_sync.proto.app import packages as packages_pb
from viam_sync.rpc.dial import Channel, parse_address
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter

pytestmark = pytest.mark.usefixtures("no_thread_is_left")

NOON = datetime(2024, 5, 6, 12)


@pytest.fixture(params=[True, False], ids=["prefetch", "no prefetch"])
def prefetch(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


class Case(NamedTuple):
    """A method, its requests, and its items for three pages: of two items, of one, and of none."""

    client: Any
    rpc: str
    arguments: Dict[str, Any]
    #: The request for the first page, and its field that holds the size and the cursor; "" for the request itself.
    request: Message
    place: str
    size: str
    cursor: str
    #: The cursors of the pages that are asked for.
    cursors: List[str]
    #: Makes an answer of the names of its items, and a cursor.
    answer: Callable[[List[str], str], Message]
    kind: Type[Any]
    name: Callable[[Any], str]


ALL = (create_filter(robot_id="r-1", start_time=NOON), pb.Order.ORDER_ASCENDING)
TOKENS = ["", "p-2"]
LASTS = ["", "p-2", "p-3"]


def sequences(kind: Type[Any]) -> Callable[[List[str], str], Message]:
    return lambda names, after: kind(sequences=[pb.Sequence(id=name) for name in names], next_page_token=after)


CASES = {
    "iter_tabular_data": Case(
        DataClient,
        "viam.app.data.v1.DataService/TabularDataByFilter",
        {"filter": ALL[0], "sort_order": ALL[1], "include_internal_data": True},
        pb.TabularDataByFilterRequest(
            data_request=pb.DataRequest(filter=ALL[0], sort_order=ALL[1]), include_internal_data=True
        ),
        *("data_request", "limit", "last", LASTS),
        lambda names, after: pb.TabularDataByFilterResponse(
            data=[pb.TabularData(data={"name": name}) for name in names], last=after
        ),
        DataClient.TabularData,
        lambda row: str(row.data["name"]),
    ),
    "iter_binary_data": Case(
        DataClient,
        "viam.app.data.v1.DataService/BinaryDataByFilter",
        {"filter": ALL[0], "sort_order": ALL[1], "include_internal_data": True, "include_binary_data": True},
        pb.BinaryDataByFilterRequest(
            data_request=pb.DataRequest(filter=ALL[0], sort_order=ALL[1]),
            include_binary=True,
            include_internal_data=True,
        ),
        *("data_request", "limit", "last", LASTS),
        lambda names, after: pb.BinaryDataByFilterResponse(
            data=[pb.BinaryData(binary=name.encode()) for name in names], last=after
        ),
        pb.BinaryData,
        lambda file: str(file.binary.decode()),
    ),
    "iter_sequences": Case(
        DataClient,
        "viam.app.data.v1.DataService/ListSequences",
        {"organization_id": "o-1"},
        pb.ListSequencesRequest(organization_id="o-1"),
        *("", "page_size", "page_token", TOKENS),
        sequences(pb.ListSequencesResponse),
        pb.Sequence,
        lambda sequence: str(sequence.id),
    ),
    "iter_sequences_by_dataset_id": Case(
        DataClient,
        "viam.app.data.v1.DataService/SequencesByDatasetID",
        {"dataset_id": "d-1"},
        pb.SequencesByDatasetIDRequest(dataset_id="d-1"),
        *("", "page_size", "page_token", TOKENS),
        sequences(pb.SequencesByDatasetIDResponse),
        pb.Sequence,
        lambda sequence: str(sequence.id),
    ),
    "iter_sequence_binary_data": Case(
        DataClient,
        "viam.app.data.v1.DataService/GetSequenceBinaryData",
        {"sequence_id": "s-1"},
        pb.GetSequenceBinaryDataRequest(sequence_id="s-1"),
        *("", "page_size", "page_token", TOKENS),
        lambda names, after: pb.GetSequenceBinaryDataResponse(
            data=[pb.BinaryData(binary=name.encode()) for name in names], next_page_token=after
        ),
        pb.BinaryData,
        lambda file: str(file.binary.decode()),
    ),
    "iter_data_pipeline_runs": Case(
        DataClient,
        "viam.app.datapipelines.v1.DataPipelinesService/ListDataPipelineRuns",
        {"id": "p-1"},
        pipelines_pb.ListDataPipelineRunsRequest(id="p-1"),
        *("", "page_size", "page_token", TOKENS),
        lambda names, after: pipelines_pb.ListDataPipelineRunsResponse(
            runs=[pipelines_pb.DataPipelineRun(id=name) for name in names], next_page_token=after
        ),
        DataClient.DataPipelineRun,
        lambda run: str(run.id),
    ),
    "iter_robot_part_logs": Case(
        AppClient,
        "viam.app.v1.AppService/GetRobotPartLogs",
        {
            "robot_part_id": "p-1",
            "filter": "hot",
            "log_levels": ("warn", "error"),
            "start": NOON,
            "end": NOON,
            "order": app_pb.LogOrder.LOG_ORDER_ASCENDING,
            "range": "10m",
            "source": "module",
            "user_facing_only": True,
        },
        app_pb.GetRobotPartLogsRequest(
            id="p-1",
            filter="hot",
            page_token="",
            levels=["warn", "error"],
            start=NOON,
            end=NOON,
            order=app_pb.LogOrder.LOG_ORDER_ASCENDING,
            range="10m",
            source="module",
            user_facing_only=True,
        ),
        *("", "", "page_token", TOKENS),
        lambda names, after: app_pb.GetRobotPartLogsResponse(
            logs=[common_pb.LogEntry(message=name) for name in names], next_page_token=after
        ),
        LogEntry,
        lambda entry: str(entry.message),
    ),
    "iter_robot_part_history": Case(
        AppClient,
        "viam.app.v1.AppService/GetRobotPartHistory",
        {"robot_part_id": "p-1", "start": NOON, "end": NOON},
        app_pb.GetRobotPartHistoryRequest(id="p-1", start=NOON, end=NOON),
        *("", "page_limit", "page_token", TOKENS),
        lambda names, after: app_pb.GetRobotPartHistoryResponse(
            history=[app_pb.RobotPartHistoryEntry(part=name) for name in names], next_page_token=after
        ),
        RobotPartHistoryEntry,
        lambda entry: str(entry.part),
    ),
    "iter_fragment_history": Case(
        AppClient,
        "viam.app.v1.AppService/GetFragmentHistory",
        {"id": "f-1"},
        app_pb.GetFragmentHistoryRequest(id="f-1"),
        *("", "page_limit", "page_token", TOKENS),
        lambda names, after: app_pb.GetFragmentHistoryResponse(
            history=[app_pb.FragmentHistoryEntry(fragment=name) for name in names], next_page_token=after
        ),
        FragmentHistoryEntry,
        lambda entry: str(entry.fragment),
    ),
    "iter_registry_items": Case(
        AppClient,
        "viam.app.v1.AppService/ListRegistryItems",
        {
            "organization_id": "o-1",
            "types": [packages_pb.PackageType.PACKAGE_TYPE_MODULE],
            "visibilities": [app_pb.Visibility.VISIBILITY_PUBLIC],
            "platforms": ["linux/arm64"],
            "statuses": [app_pb.RegistryItemStatus.REGISTRY_ITEM_STATUS_PUBLISHED],
            "search_term": "soil",
            "public_namespaces": ["acme"],
            "include_markdown_documentation": True,
            "module_source_types": [app_pb.ModuleSourceType.MODULE_SOURCE_TYPE_EXTERNAL],
            "module_languages": [app_pb.ModuleLanguage.MODULE_LANGUAGE_PYTHON],
            "show_owned_deprecated": True,
        },
        app_pb.ListRegistryItemsRequest(
            organization_id="o-1",
            types=[packages_pb.PackageType.PACKAGE_TYPE_MODULE],
            visibilities=[app_pb.Visibility.VISIBILITY_PUBLIC],
            platforms=["linux/arm64"],
            statuses=[app_pb.RegistryItemStatus.REGISTRY_ITEM_STATUS_PUBLISHED],
            search_term="soil",
            public_namespaces=["acme"],
            include_markdown_documentation=True,
            module_source_types=[app_pb.ModuleSourceType.MODULE_SOURCE_TYPE_EXTERNAL],
            module_languages=[app_pb.ModuleLanguage.MODULE_LANGUAGE_PYTHON],
            show_owned_deprecated=True,
        ),
        *("", "", "page_token", ["", "b", "c"]),
        lambda names, after: app_pb.ListRegistryItemsResponse(
            items=[app_pb.RegistryItem(item_id=name) for name in names]
        ),
        app_pb.RegistryItem,
        lambda item: str(item.item_id),
    ),
    "iter_training_job_logs": Case(
        MLTrainingClient,
        "viam.app.mltraining.v1.MLTrainingService/GetTrainingJobLogs",
        {"id": "j-1"},
        training_pb.GetTrainingJobLogsRequest(id="j-1"),
        *("", "", "page_token", TOKENS),
        lambda names, after: training_pb.GetTrainingJobLogsResponse(
            logs=[training_pb.TrainingJobLogEntry(message=name) for name in names], next_page_token=after
        ),
        training_pb.TrainingJobLogEntry,
        lambda entry: str(entry.message),
    ),
}
SIZED = [method for method, case in CASES.items() if case.size]


def serve(server: FakeService, case: Case) -> None:
    pages = [case.answer(list(names), after) for names, after in (("ab", "p-2"), ("c", "p-3"), ("", ""))]
    if case.cursors == TOKENS:
        pages[1] = case.answer(["c"], "")
    left = iter(pages)
    server.unary[case.rpc.partition("/")[2]] = lambda request, context: next(left).SerializeToString()


def begin(method: str, channel: Channel, **more: Any) -> Any:
    case = CASES[method]
    return getattr(case.client(channel, {}), method)(**{**case.arguments, **more})


def asked_for(case: Case, cursor: str, size: int) -> Message:
    """Return the request for a page."""
    request = type(case.request)()
    request.CopyFrom(case.request)
    place = getattr(request, case.place) if case.place else request
    if case.size:
        setattr(place, case.size, size)
    if cursor:
        setattr(place, case.cursor, cursor)
    return request


def sent(server: FakeService, case: Case) -> List[Message]:
    return [type(case.request).FromString(call.requests[0]) for call in server.calls]


def test_every_method_that_begins_with_iter_is_tried_here() -> None:
    clients = (AppClient, DataClient, MLTrainingClient)
    found = {name for client in clients for name in dir(client) if name.startswith("iter_")}
    # One stream in place of pages; tests/app/data/test_tabular_stream.py tries it.
    assert found == {*CASES, "iter_export_tabular_data"}


@pytest.mark.parametrize("method", CASES)
def test_all_pages_are_asked_for_with_every_argument(
    server: FakeService, channel: Channel, method: str, prefetch: bool
) -> None:
    case = CASES[method]
    serve(server, case)
    items = list(begin(method, channel, prefetch=prefetch))
    assert [case.name(item) for item in items] == ["a", "b", "c"]
    assert {type(item) for item in items} == {case.kind}
    assert sent(server, case) == [asked_for(case, cursor, 100) for cursor in case.cursors]
    assert {call.method for call in server.calls} == {f"/{case.rpc}"}


@pytest.mark.parametrize("method", CASES)
def test_a_limit_ends_it(server: FakeService, channel: Channel, method: str, prefetch: bool) -> None:
    case = CASES[method]
    serve(server, case)
    assert [case.name(item) for item in begin(method, channel, limit=1, prefetch=prefetch)] == ["a"]
    assert sent(server, case) == [asked_for(case, "", 1)]


@pytest.mark.parametrize("method", CASES)
def test_nothing_is_asked_before_the_first_item_is(server: FakeService, channel: Channel, method: str) -> None:
    with begin(method, channel):
        pass
    assert server.calls == []


@pytest.mark.parametrize("method", SIZED)
def test_the_size_of_a_page_is_for_the_caller_to_say(server: FakeService, channel: Channel, method: str) -> None:
    case = CASES[method]
    serve(server, case)
    assert len(list(begin(method, channel, page_size=2))) == 3
    assert sent(server, case) == [asked_for(case, cursor, 2) for cursor in case.cursors]


@pytest.mark.parametrize("method", CASES)
def test_the_timeout_is_for_each_page(server: FakeService, channel: Channel, method: str) -> None:
    serve(server, CASES[method])
    list(begin(method, channel, timeout=500))
    for call in server.calls:
        assert call.seconds is not None
        assert 400 < call.seconds < 501


@pytest.mark.parametrize("method", CASES)
def test_an_argument_that_does_not_fit_is_named_and_nothing_is_sent(
    server: FakeService, channel: Channel, method: str
) -> None:
    for name in CASES[method].arguments:
        with pytest.raises((TypeError, ValueError), match=rf"\b{name}\b"):
            begin(method, channel, **{name: object()})
    assert server.calls == []


@pytest.mark.parametrize("method", CASES)
@pytest.mark.parametrize(
    ("name", "value", "kind", "text"),
    [
        ("page_size", 0, ValueError, "page_size takes an int from 1 to 100, got 0"),
        ("page_size", 101, ValueError, "page_size takes an int from 1 to 100, got 101"),
        ("page_size", True, TypeError, "page_size takes an int from 1 to 100, got True"),
        ("page_size", None, TypeError, "page_size takes an int from 1 to 100, got None"),
        ("limit", -1, ValueError, "limit takes an int from 0 on, or None for all, got -1"),
        ("limit", 2.5, TypeError, "limit takes an int from 0 on, or None for all, got 2.5"),
        ("limit", False, TypeError, "limit takes an int from 0 on, or None for all, got False"),
        ("prefetch", 1, TypeError, "prefetch takes a bool, got 1"),
    ],
)
def test_a_number_that_does_not_fit_is_named_and_nothing_is_sent(
    server: FakeService, channel: Channel, method: str, name: str, value: Any, kind: Type[Exception], text: str
) -> None:
    grows = value is None and method == "iter_tabular_data"
    if name != "page_size" or (method in SIZED and not grows):
        with pytest.raises(kind, match=text):
            begin(method, channel, **{name: value})
    assert server.calls == []


@pytest.mark.parametrize("method", CASES)
def test_a_page_that_is_refused_is_an_error_after_the_items_before_it(
    server: FakeService, channel: Channel, method: str, prefetch: bool
) -> None:
    case = CASES[method]
    first, rpc = case.answer(["a"], "p-2").SerializeToString(), case.rpc.partition("/")[2]
    fail = refuse(grpc.StatusCode.NOT_FOUND, "gone")
    server.unary[rpc] = lambda request, context: first if len(server.calls) == 1 else fail(request, context)
    items = begin(method, channel, prefetch=prefetch)
    assert case.name(next(items)) == "a"
    with pytest.raises(NotFoundError, match=f"{case.rpc}: NOT_FOUND: gone"):
        next(items)
    assert list(items) == []


@pytest.mark.parametrize("method", CASES)
def test_a_cursor_that_comes_again_is_an_error_and_no_loop(server: FakeService, channel: Channel, method: str) -> None:
    case = CASES[method]
    pages = [case.answer([name], cursor).SerializeToString() for name, cursor in zip("abab", ("p", "q", "p", "q"))]
    left = iter(pages)
    server.unary[case.rpc.partition("/")[2]] = lambda request, context: next(left)
    with pytest.raises(InternalError, match=f"{case.rpc}: INTERNAL: The service gave the page token .* a second time"):
        list(begin(method, channel))
    assert len(server.calls) == 3


def test_a_registry_that_heeds_no_token_is_gone_through_once(server: FakeService, channel: Channel) -> None:
    page = CASES["iter_registry_items"].answer(["a", "b"], "").SerializeToString()
    server.unary["ListRegistryItems"] = lambda request, context: page
    assert [item.item_id for item in AppClient(channel, {}).iter_registry_items()] == ["a", "b"]
    assert len(server.calls) == 2


def test_a_short_page_is_not_the_end_and_an_empty_one_is(server: FakeService, channel: Channel) -> None:
    case = CASES["iter_tabular_data"]
    pages = [
        case.answer(list(names), after).SerializeToString() for names, after in (("a", "1"), ("b", "2"), ("", "3"))
    ]
    left = iter(pages)
    server.unary["TabularDataByFilter"] = lambda request, context: next(left)
    assert len(list(DataClient(channel, {}).iter_tabular_data())) == 2


@pytest.mark.parametrize(
    ("text", "how", "sizes"),
    [
        ("short", {}, [100, 100, 200, 200, 400, 400, 800, 800, 1600, 1600, 1600]),
        ("long " * 3000, {}, [100] * 31),
        ("short", {"page_size": 100}, [100] * 31),
        ("short", {"workers": 3, "page_size": None}, [100] * 31),
    ],
    ids=["light pages", "heavy pages", "a size that is named", "workers"],
)
def test_pages_of_readings_grow_where_no_size_is_named_and_they_are_light(
    server: FakeService, channel: Channel, text: str, how: Dict[str, Any], sizes: List[int]
) -> None:
    rows = sum(sizes[:-1])

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        asked = pb.TabularDataByFilterRequest.FromString(request).data_request
        first = int(asked.last or 0)
        data = [pb.TabularData(data={"text": text})] * min(asked.limit, rows - first)
        return pb.TabularDataByFilterResponse(data=data, last=str(first + len(data))).SerializeToString()

    server.unary["TabularDataByFilter"] = answer
    assert sum(1 for _ in DataClient(channel, {}).iter_tabular_data(**how)) == rows
    requests = [pb.TabularDataByFilterRequest.FromString(call.requests[0]).data_request for call in server.calls]
    assert [each.limit for each in requests if each.limit > 1] == sizes


def test_a_row_has_the_metadata_of_its_own_page(server: FakeService, channel: Channel) -> None:
    def page(part: str, after: str) -> bytes:
        metadata = [pb.CaptureMetadata(part_id=part)]
        return pb.TabularDataByFilterResponse(
            metadata=metadata, data=[pb.TabularData()], last=after
        ).SerializeToString()

    left = iter([page("p-1", "1"), page("p-2", "2"), pb.TabularDataByFilterResponse().SerializeToString()])
    server.unary["TabularDataByFilter"] = lambda request, context: next(left)
    assert [row.metadata.part_id for row in DataClient(channel, {}).iter_tabular_data()] == ["p-1", "p-2"]


def test_a_filter_may_be_changed_after_it_was_given(server: FakeService, channel: Channel) -> None:
    case = CASES["iter_tabular_data"]
    serve(server, case)
    given = pb.Filter()
    given.CopyFrom(ALL[0])
    items = begin("iter_tabular_data", channel, filter=given)
    given.robot_id = "r-2"
    list(items)
    assert sent(server, case)[0] == asked_for(case, "", 100)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "INCLUDE_BINARY_TOO_LARGE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "INCLUDE_BINARY_TOO_LARGE"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "Received message larger than max (70 vs. 64)"),
    ],
)
def test_files_that_are_too_large_together_come_in_smaller_pages(
    server: FakeService, channel: Channel, prefetch: bool, status: grpc.StatusCode, text: str
) -> None:
    sizes: List[int] = []

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        asked = pb.BinaryDataByFilterRequest.FromString(request).data_request
        sizes.append(asked.limit)
        if asked.limit > 10:
            refuse(status, text)(request, context)
        numbers = list(range(40))[int(asked.last or 0) :][: asked.limit]
        data = [pb.BinaryData(binary=str(number).encode()) for number in numbers]
        return pb.BinaryDataByFilterResponse(
            data=data, last=str(numbers[-1] + 1) if numbers else ""
        ).SerializeToString()

    server.unary["BinaryDataByFilter"] = answer
    files = DataClient(channel, {}).iter_binary_data(prefetch=prefetch)
    assert [int(file.binary) for file in files] == list(range(40))
    assert sizes[:5] == [100, 50, 25, 12, 6]


def test_a_file_that_is_too_large_alone_is_an_error_that_says_what_to_do(server: FakeService, channel: Channel) -> None:
    server.unary["BinaryDataByFilter"] = refuse(grpc.StatusCode.RESOURCE_EXHAUSTED, "message larger than max")
    text = "A single item is too large for one message. Ask with include_binary_data=False, and download"
    with pytest.raises(ResourceExhaustedError, match=text):
        next(DataClient(channel, {}).iter_binary_data())
    assert len(server.calls) == 7


def test_closing_ends_the_call_under_way(server: FakeService, channel: Channel) -> None:
    begun, gone = threading.Event(), threading.Event()
    first = CASES["iter_tabular_data"].answer(["a"], "p-2").SerializeToString()

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        if len(server.calls) > 1:
            context.add_callback(gone.set)
            begun.set()
            gone.wait(60)
        return first

    server.unary["TabularDataByFilter"] = answer
    with DataClient(channel, {}).iter_tabular_data() as rows:
        assert next(rows).data == {"name": "a"}
        assert begun.wait(60)
    assert gone.wait(60)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal")
def test_ctrl_c_ends_the_call_under_way(server: FakeService, channel: Channel, prefetch: bool) -> None:
    gone = threading.Event()

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(gone.set)
        os.kill(os.getpid(), signal.SIGINT)
        gone.wait(60)
        return b""

    server.unary["TabularDataByFilter"] = answer
    rows = DataClient(channel, {}).iter_tabular_data(prefetch=prefetch)
    with pytest.raises(KeyboardInterrupt):
        next(rows)
    assert gone.wait(60)
    assert list(rows) == []


def test_a_page_that_takes_too_long_is_an_error(server: FakeService, channel: Channel, prefetch: bool) -> None:
    gone = threading.Event()

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(gone.set)
        gone.wait(60)
        return b""

    server.unary["TabularDataByFilter"] = answer
    with pytest.raises(DeadlineExceededError):
        next(DataClient(channel, {}).iter_tabular_data(timeout=0.2, prefetch=prefetch))


def test_a_closed_client_says_so(server: FakeService, prefetch: bool) -> None:
    with Channel(parse_address(server.url), max_reconnect_attempts=0) as opened:
        rows = DataClient(opened, {}).iter_tabular_data(prefetch=prefetch)
    with pytest.raises(ClosedError):
        next(rows)


@pytest.mark.parametrize("page_size", [1, 7, 100])
def test_the_sandbox_gives_each_sample_reading_once_and_in_order(
    client: ViamClient, prefetch: bool, page_size: int
) -> None:
    limit = 100 if page_size == 1 else None
    order = pb.Order.ORDER_ASCENDING
    air = create_filter(component_name="air")
    rows = list(
        client.data_client.iter_tabular_data(air, sort_order=order, page_size=page_size, limit=limit, prefetch=prefetch)
    )
    times = [row.time_requested for row in rows]
    assert len(rows) == limit or len(rows) == 1008
    assert times == sorted(set(times))
    assert rows[:50] == client.data_client.tabular_data_by_filter(air, sort_order=order)[0]


def test_the_sandbox_gives_large_files_in_pages_that_fit(client: ViamClient, sandbox: Sandbox, prefetch: bool) -> None:
    data = client.data_client
    contents = [bytes([number]) * 5_000_000 for number in range(8)]
    for content in contents:
        data.file_upload(sandbox.robot_part_id, content, component_name="large", file_extension=".bin")
    large = create_filter(component_name="large")
    with pytest.raises(InvalidArgumentError, match="INCLUDE_BINARY_TOO_LARGE"):
        data.binary_data_by_filter(large, limit=8)
    order = pb.Order.ORDER_ASCENDING
    files = data.iter_binary_data(large, sort_order=order, prefetch=prefetch)
    assert sorted(file.binary for file in files) == contents
    ids = [file.metadata.binary_data_id for file in data.iter_binary_data(large, include_binary_data=False)]
    assert len(set(ids)) == 8


def test_the_sandbox_gives_all_entries_of_a_log(client: ViamClient, sandbox: Sandbox, prefetch: bool) -> None:
    for number in range(250):
        sandbox.log(sandbox.robot_part_id, f"step {number}")
    logs = client.app_client.iter_robot_part_logs(sandbox.robot_part_id, filter="step ", prefetch=prefetch)
    assert [entry.message for entry in logs] == [f"step {number}" for number in reversed(range(250))]


def test_the_sandbox_gives_all_changes_of_a_part(client: ViamClient, sandbox: Sandbox) -> None:
    app = client.app_client
    part_id = app.new_robot_part(sandbox.robot_id, "arm 0")
    for number in range(1, 8):
        app.update_robot_part(part_id, f"arm {number}")
    names = [change.old.name for change in app.iter_robot_part_history(part_id, page_size=3)]
    assert names == [f"arm {number}" for number in reversed(range(7))]


def test_the_sandbox_gives_all_changes_of_a_fragment(client: ViamClient, sandbox: Sandbox) -> None:
    app = client.app_client
    for number in range(7):
        app.update_fragment(sandbox.fragment_id, f"capture {number}")
    changes = list(app.iter_fragment_history(sandbox.fragment_id, page_size=3))
    assert [change.old.name for change in changes[:6]] == [f"capture {number}" for number in reversed(range(6))]


def test_the_sandbox_gives_all_items_of_the_registry(client: ViamClient, sandbox: Sandbox) -> None:
    app = client.app_client
    kind = packages_pb.PackageType.PACKAGE_TYPE_MODULE
    names = {f"module-{number}" for number in range(120)}
    for name in names:
        app.create_registry_item(sandbox.organization_id, name, kind)
    items = [item.name for item in app.iter_registry_items(sandbox.organization_id, search_term="module-")]
    assert len(items) == 120
    assert set(items) == names


def test_a_part_that_is_not_there_is_an_error_at_the_first_entry(client: ViamClient) -> None:
    logs = client.app_client.iter_robot_part_logs("00000000-0000-4000-8000-000000000000")
    with pytest.raises(NotFoundError):
        next(logs)


@pytest.mark.parametrize("order", [None, pb.Order.ORDER_DESCENDING, pb.Order.ORDER_ASCENDING])
@pytest.mark.parametrize("page_size", [3, 100])
def test_with_several_workers_the_sandbox_gives_the_same_rows_in_the_same_order(
    client: ViamClient, sandbox: Sandbox, order: Any, page_size: int
) -> None:
    data = client.data_client
    chance = random.Random(page_size)
    times, now = [], NOON
    for _ in range(300):
        # Some at the same time, some within a millisecond, some hours apart.
        now += timedelta(microseconds=chance.choice([0, 0, 1, 400, 10**6, 10**9]))
        times.append((now, now))
    name = f"uneven {page_size} {order}"
    data.tabular_data_capture_upload(
        [{"n": n} for n in range(300)], sandbox.robot_part_id, "sensor", name, "Readings", data_request_times=times
    )
    for filter in (
        create_filter(component_name=name),
        create_filter(component_name=name, start_time=times[50][0], end_time=times[250][0]),
        create_filter(component_name=name, start_time=times[50][0] + timedelta(microseconds=1)),
        create_filter(component_name=name, end_time=NOON),
    ):
        one = list(data.iter_tabular_data(filter, sort_order=order, page_size=page_size))
        several = data.iter_tabular_data(filter, sort_order=order, page_size=page_size, workers=4)
        assert list(several) == one
        several = data.iter_tabular_data(filter, sort_order=order, page_size=page_size, workers=3, limit=120)
        assert list(several) == one[:120]


@pytest.mark.parametrize("contents", [True, False])
@pytest.mark.parametrize("page_size", [1, 5])
def test_with_several_workers_the_sandbox_gives_the_same_files_in_the_same_order(
    client: ViamClient, contents: bool, page_size: int
) -> None:
    data = client.data_client
    one = list(data.iter_binary_data(include_binary_data=contents, page_size=page_size))
    assert len(one) >= 24
    assert list(data.iter_binary_data(include_binary_data=contents, page_size=page_size, workers=3)) == one


@pytest.mark.parametrize("method", ["iter_tabular_data", "iter_binary_data"])
def test_workers_ask_for_all_that_the_caller_asks_for_and_for_a_time(
    server: FakeService, channel: Channel, method: str
) -> None:
    case = CASES[method]
    seconds = range(1_800_000_000, 1_800_000_900)

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        asked = type(case.request).FromString(request)
        interval = asked.data_request.filter.interval
        start = interval.start.ToNanoseconds()
        end = interval.end.ToNanoseconds() if interval.HasField("end") else float("inf")
        found = [second for second in seconds if start <= second * 10**9 < end]
        if asked.data_request.sort_order == pb.Order.ORDER_DESCENDING:
            found.reverse()
        found = [second for second in found if second > int(asked.data_request.last or 0)][: asked.data_request.limit]
        names = [str(second) for second in found]
        message: Any = case.answer(names, names[-1] if names else "")
        for item, second in zip(message.data, found):
            (item.metadata if method == "iter_binary_data" else item).time_requested.seconds = second
        return bytes(message.SerializeToString())

    server.unary[case.rpc.rpartition("/")[2]] = answer
    items = begin(method, channel, workers=3, page_size=10)
    assert [case.name(item) for item in items] == [str(second) for second in seconds]
    requests: List[Any] = sent(server, case)
    last = [request for request in requests if request.data_request.sort_order == pb.Order.ORDER_DESCENDING]
    assert [request.data_request.limit for request in last] == [1]
    assert len({request.data_request.filter.interval.SerializeToString() for request in requests}) > 3
    for request in requests:
        interval = request.data_request.filter.interval
        assert interval.start.ToNanoseconds() >= ALL[0].interval.start.ToNanoseconds()
        if method == "iter_binary_data":
            assert request.include_binary is not (request in last)
            request.include_binary = True
        request.data_request.filter.interval.CopyFrom(ALL[0].interval)
        request.data_request.sort_order = ALL[1]
        request.data_request.last, request.data_request.limit = "", 100
        assert request == asked_for(case, "", 100)


@pytest.mark.parametrize("method", ["iter_tabular_data", "iter_binary_data"])
@pytest.mark.parametrize(
    ("arguments", "kind", "text"),
    [
        ({"workers": 0}, ValueError, "workers takes an int from 1 to 64, got 0"),
        ({"workers": 65}, ValueError, "workers takes an int from 1 to 64, got 65"),
        ({"workers": True}, TypeError, "workers takes an int from 1 to 64, got True"),
        ({"workers": 2, "prefetch": False}, ValueError, "prefetch is False, but workers is 2, and they fetch ahead"),
    ],
)
def test_workers_that_do_not_fit_are_named_and_nothing_is_sent(
    server: FakeService, channel: Channel, method: str, arguments: Any, kind: Type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        begin(method, channel, **arguments)
    assert server.calls == []


def test_closing_ends_the_calls_of_all_workers(server: FakeService, channel: Channel) -> None:
    begun, gone = threading.Semaphore(0), threading.Semaphore(0)

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        ended = threading.Event()
        context.add_callback(ended.set)
        begun.release()
        ended.wait(60)
        gone.release()
        return b""

    server.unary["TabularDataByFilter"] = answer
    rows = DataClient(channel, {}).iter_tabular_data(workers=4)
    waiting = threading.Thread(target=lambda: list(rows))
    waiting.start()
    # Two of them are at work until it is known where the data begins and ends.
    assert begun.acquire(timeout=60)
    assert begun.acquire(timeout=60)
    rows.close()
    waiting.join(60)
    assert gone.acquire(timeout=60)
    assert gone.acquire(timeout=60)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no such signal")
def test_ctrl_c_ends_the_calls_of_all_workers(server: FakeService, channel: Channel) -> None:
    gone = threading.Event()
    both = threading.Barrier(2)

    def answer(request: bytes, context: grpc.ServicerContext) -> bytes:
        context.add_callback(gone.set)
        if both.wait(60) == 0:
            os.kill(os.getpid(), signal.SIGINT)
        gone.wait(60)
        return b""

    server.unary["TabularDataByFilter"] = answer
    rows = DataClient(channel, {}).iter_tabular_data(workers=2)
    with pytest.raises(KeyboardInterrupt):
        next(rows)
    assert gone.wait(60)
    assert list(rows) == []
