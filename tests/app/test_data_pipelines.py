from datetime import datetime, timedelta
from typing import Any, Callable, Dict, List, Type

import bson
import grpc
import pytest
from google.protobuf.message import Message
from servers import FakeService, refuse

from viam_sync.app.data_client import DataClient
from viam_sync.errors import GRPCError, NotFoundError
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datapipelines as pb
from viam_sync.rpc.dial import Channel

NOON = datetime(2024, 5, 6, 12, 0, 0, 123456)
HOUR = timedelta(hours=1)
STAGES: List[Dict[str, Any]] = [{"$match": {"time_received": {"$gt": NOON.replace(microsecond=0)}}}, {"$limit": 5}]
HOT = data_pb.TabularDataSourceType.TABULAR_DATA_SOURCE_TYPE_HOT_STORAGE
STANDARD = data_pb.TabularDataSourceType.TABULAR_DATA_SOURCE_TYPE_STANDARD
UNSPECIFIED = data_pb.TabularDataSourceType.TABULAR_DATA_SOURCE_TYPE_UNSPECIFIED
FAILED = pb.DataPipelineRunStatus.DATA_PIPELINE_RUN_STATUS_FAILED
EPOCH = datetime(1970, 1, 1)

HOURLY = pb.DataPipeline(
    id="p-1",
    organization_id="o-1",
    name="hourly",
    mql_binary=[bson.encode(stage) for stage in STAGES],
    schedule="0 * * * *",
    enabled=True,
    created_on=NOON,
    updated_at=NOON + HOUR,
    data_source_type=HOT,
)
RUN = pb.DataPipelineRun(
    id="r-1",
    start_time=NOON,
    end_time=NOON + HOUR,
    data_start_time=NOON - 2 * HOUR,
    data_end_time=NOON - HOUR,
    status=FAILED,
    error_message="too much",
    data_source_type=STANDARD,
)
PAGES = {
    "": pb.ListDataPipelineRunsResponse(pipeline_id="p-1", runs=[RUN], next_page_token="t-2"),
    "t-2": pb.ListDataPipelineRunsResponse(pipeline_id="p-1", runs=[pb.DataPipelineRun(id="r-2")]),
}
ANSWERS = {
    "CreateDataPipeline": pb.CreateDataPipelineResponse(id="p-1"),
    "GetDataPipeline": pb.GetDataPipelineResponse(data_pipeline=HOURLY),
    "ListDataPipelines": pb.ListDataPipelinesResponse(data_pipelines=[HOURLY, pb.DataPipeline(id="p-2")]),
}


def answering(answer: Message) -> Callable[[bytes, grpc.ServicerContext], bytes]:
    return lambda request, context: answer.SerializeToString()


def page(request: bytes, context: grpc.ServicerContext) -> bytes:
    return PAGES[pb.ListDataPipelineRunsRequest.FromString(request).page_token].SerializeToString()


@pytest.fixture
def server(server: FakeService) -> FakeService:
    server.unary.update({name: answering(answer) for name, answer in ANSWERS.items()})
    server.unary["ListDataPipelineRuns"] = page
    return server


@pytest.fixture
def data(channel: Channel) -> DataClient:
    return DataClient(channel, {})


@pytest.mark.parametrize(
    ("call", "request_message"),
    [
        (
            lambda data: data.create_data_pipeline("o-1", "hourly", STAGES, "0 * * * *", False),
            pb.CreateDataPipelineRequest(
                organization_id="o-1",
                name="hourly",
                mql_binary=HOURLY.mql_binary,
                schedule="0 * * * *",
                enable_backfill=False,
                data_source_type=STANDARD,
            ),
        ),
        (
            lambda data: data.create_data_pipeline("o-1", "hourly", list(HOURLY.mql_binary), "0 * * * *", True, HOT),
            pb.CreateDataPipelineRequest(
                organization_id="o-1",
                name="hourly",
                mql_binary=HOURLY.mql_binary,
                schedule="0 * * * *",
                enable_backfill=True,
                data_source_type=HOT,
            ),
        ),
        (lambda data: data.get_data_pipeline("p-1"), pb.GetDataPipelineRequest(id="p-1")),
        (lambda data: data.list_data_pipelines("o-1"), pb.ListDataPipelinesRequest(organization_id="o-1")),
        (lambda data: data.list_data_pipeline_runs("p-1"), pb.ListDataPipelineRunsRequest(id="p-1", page_size=10)),
        (
            lambda data: data.list_data_pipeline_runs("p-1", 0, page_token="t-2"),
            pb.ListDataPipelineRunsRequest(id="p-1", page_token="t-2"),
        ),
    ],
)
def test_what_is_sent(
    server: FakeService, data: DataClient, call: Callable[[DataClient], Any], request_message: Message
) -> None:
    call(data)
    assert [type(request_message).FromString(each.requests[0]) for each in server.calls] == [request_message]


def test_creating_returns_the_id(data: DataClient) -> None:
    assert data.create_data_pipeline("o-1", "hourly", STAGES, "0 * * * *", False) == "p-1"


def test_a_pipeline_becomes_a_record_of_plain_values(data: DataClient) -> None:
    assert data.get_data_pipeline("p-1") == DataClient.DataPipeline(
        id="p-1",
        organization_id="o-1",
        name="hourly",
        mql_binary=STAGES,
        schedule="0 * * * *",
        created_on=NOON,
        updated_at=NOON + HOUR,
        enabled=True,
        data_source_type=HOT,
    )


def test_an_empty_pipeline_becomes_a_record_of_nothing(data: DataClient) -> None:
    hourly, empty = data.list_data_pipelines("o-1")
    assert hourly.name == "hourly"
    assert empty == DataClient.DataPipeline("p-2", "", "", [], "", EPOCH, EPOCH, False, UNSPECIFIED)


def test_a_run_becomes_a_record_of_plain_values(data: DataClient) -> None:
    (run,) = data.list_data_pipeline_runs("p-1").runs
    assert run == DataClient.DataPipelineRun(
        id="r-1",
        status=FAILED,
        start_time=NOON,
        end_time=NOON + HOUR,
        data_start_time=NOON - 2 * HOUR,
        data_end_time=NOON - HOUR,
        error_message="too much",
        data_source_type=STANDARD,
    )


def test_a_run_that_goes_on_ends_at_the_start_of_1970(data: DataClient) -> None:
    (run,) = data.list_data_pipeline_runs("p-1", page_token="t-2").runs
    assert (run.id, run.end_time, run.status) == ("r-2", EPOCH, 0)


def test_a_page_asks_for_the_next_one_with_the_same_size(server: FakeService, data: DataClient) -> None:
    first = data.list_data_pipeline_runs("p-1", 1)
    second = first.next_page()
    assert [run.id for run in first.runs + second.runs] == ["r-1", "r-2"]
    assert (first.next_page_token, second.next_page_token) == ("t-2", "")
    assert [pb.ListDataPipelineRunsRequest.FromString(call.requests[0]) for call in server.calls] == [
        pb.ListDataPipelineRunsRequest(id="p-1", page_size=1),
        pb.ListDataPipelineRunsRequest(id="p-1", page_size=1, page_token="t-2"),
    ]


def test_after_the_last_page_comes_an_empty_one_and_nothing_is_asked(server: FakeService, data: DataClient) -> None:
    last = data.list_data_pipeline_runs("p-1", 5, page_token="t-2")
    after = last.next_page()
    assert (after.pipeline_id, after.page_size, after.runs, after.next_page_token) == ("p-1", 5, [], "")
    assert len(server.calls) == 1


def test_the_next_page_has_a_deadline_of_its_own(server: FakeService, data: DataClient) -> None:
    data.list_data_pipeline_runs("p-1").next_page(timeout=7)
    seconds = server.calls[-1].seconds
    assert seconds is not None
    assert seconds < 10


def test_pages_are_compared_and_printed_without_their_client(channel: Channel, data: DataClient) -> None:
    one = DataClient.DataPipelineRunsPage.from_proto(PAGES["t-2"], DataClient(channel, {}), 10)
    assert one == data.list_data_pipeline_runs("p-1", page_token="t-2")
    assert one != data.list_data_pipeline_runs("p-1")
    assert repr(one).startswith("DataPipelineRunsPage(pipeline_id='p-1', page_size=10, runs=[DataPipelineRun(id='r-2'")


@pytest.mark.parametrize(
    ("call", "kind", "text"),
    [
        (
            lambda data: data.create_data_pipeline("o-1", "hourly", "[]", "0 * * * *", False),
            TypeError,
            "mql_binary takes a list of stages, each BSON or a dict, got a str",
        ),
        (
            lambda data: data.create_data_pipeline("o-1", "hourly", [{"$limit": object()}], "0 * * * *", False),
            ValueError,
            r"mql_binary\[0\] has no form in BSON",
        ),
        (lambda data: data.list_data_pipeline_runs("p-1", -1), ValueError, "page_size takes .*, got -1"),
        (lambda data: data.get_data_pipeline(5), TypeError, "id takes a str, got 5"),
    ],
)
def test_what_does_not_fit_is_named_before_anything_is_asked(
    server: FakeService, data: DataClient, call: Callable[[DataClient], Any], kind: Type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        call(data)
    assert server.calls == []


def test_a_stage_that_is_no_bson_is_an_error(server: FakeService, data: DataClient) -> None:
    broken = pb.GetDataPipelineResponse(data_pipeline=pb.DataPipeline(mql_binary=[b"no"]))
    server.unary["GetDataPipeline"] = answering(broken)
    with pytest.raises(ValueError, match="DataPipeline holds a row that cannot be read"):
        data.get_data_pipeline("p-1")


@pytest.mark.parametrize(
    ("rpc", "call", "attempts"),
    [
        ("CreateDataPipeline", lambda data: data.create_data_pipeline("o-1", "hourly", [], "0 * * * *", False), 1),
        ("GetDataPipeline", lambda data: data.get_data_pipeline("p-1"), 5),
        ("ListDataPipelines", lambda data: data.list_data_pipelines("o-1"), 5),
        ("ListDataPipelineRuns", lambda data: data.list_data_pipeline_runs("p-1"), 5),
    ],
)
def test_only_what_does_no_harm_twice_is_tried_again(
    server: FakeService, data: DataClient, rpc: str, call: Callable[[DataClient], Any], attempts: int
) -> None:
    server.unary[rpc] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    with pytest.raises(GRPCError, match=rpc):
        call(data)
    assert len(server.calls) == attempts


def test_a_pipeline_that_does_not_exist_is_not_found(server: FakeService, data: DataClient) -> None:
    server.unary["GetDataPipeline"] = refuse(grpc.StatusCode.NOT_FOUND, "no such pipeline")
    with pytest.raises(NotFoundError, match="GetDataPipeline"):
        data.get_data_pipeline("p-1")
