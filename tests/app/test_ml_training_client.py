from typing import Any, Callable, Dict, NamedTuple

import grpc
import pytest
from servers import FakeService, answering, refuse

from viam_sync.app.ml_training_client import MLTrainingClient
from viam_sync.errors import ViamError
from viam_sync.proto.app import mltraining as pb
from viam_sync.rpc.dial import Channel

JOB = pb.TrainingJobMetadata(id="j-1", model_name="cats", status=pb.TrainingStatus.TRAINING_STATUS_IN_PROGRESS)
CONTAINER = pb.Container(id="c-1", key="tflite", uri="docker.io/tflite")
DETECTION = pb.ModelType.MODEL_TYPE_OBJECT_DETECTION


class Case(NamedTuple):
    """A call, and what it must send, get and return."""

    call: Callable[[MLTrainingClient], Any]
    request: Any
    answer: Any
    result: Any


CASES: Dict[str, Case] = {
    "SubmitTrainingJob": Case(
        lambda ml: ml.submit_training_job("o-1", "d-1", "cats", "v1", DETECTION, ["tabby", "tom"]),
        pb.SubmitTrainingJobRequest(
            organization_id="o-1",
            dataset_id="d-1",
            model_name="cats",
            model_version="v1",
            model_type=DETECTION,
            tags=["tabby", "tom"],
        ),
        pb.SubmitTrainingJobResponse(id="j-1"),
        "j-1",
    ),
    "SubmitCustomTrainingJob": Case(
        lambda ml: ml.submit_custom_training_job("o-1", "d-1", "acme:script", "cats", "v1"),
        pb.SubmitCustomTrainingJobRequest(
            organization_id="o-1",
            dataset_id="d-1",
            registry_item_id="acme:script",
            model_name="cats",
            model_version="v1",
        ),
        pb.SubmitCustomTrainingJobResponse(id="j-2"),
        "j-2",
    ),
    "GetTrainingJob": Case(
        lambda ml: ml.get_training_job("j-1"),
        pb.GetTrainingJobRequest(id="j-1"),
        pb.GetTrainingJobResponse(metadata=JOB),
        JOB,
    ),
    "ListTrainingJobs": Case(
        lambda ml: ml.list_training_jobs("o-1"),
        pb.ListTrainingJobsRequest(organization_id="o-1"),
        pb.ListTrainingJobsResponse(jobs=[JOB, pb.TrainingJobMetadata(id="j-0")]),
        [JOB, pb.TrainingJobMetadata(id="j-0")],
    ),
    "CancelTrainingJob": Case(
        lambda ml: ml.cancel_training_job("j-1"),
        pb.CancelTrainingJobRequest(id="j-1"),
        pb.CancelTrainingJobResponse(),
        None,
    ),
    "DeleteCompletedTrainingJob": Case(
        lambda ml: ml.delete_completed_training_job("j-1"),
        pb.DeleteCompletedTrainingJobRequest(id="j-1"),
        pb.DeleteCompletedTrainingJobResponse(),
        None,
    ),
    "GetTrainingJobLogs": Case(
        lambda ml: ml.get_training_job_logs("j-1", page_token="t-1"),
        pb.GetTrainingJobLogsRequest(id="j-1", page_token="t-1"),
        pb.GetTrainingJobLogsResponse(logs=[pb.TrainingJobLogEntry(message="epoch 1")], next_page_token="t-2"),
        ([pb.TrainingJobLogEntry(message="epoch 1")], "t-2"),
    ),
    "ListSupportedContainers": Case(
        lambda ml: ml.list_supported_containers(),
        pb.ListSupportedContainersRequest(),
        pb.ListSupportedContainersResponse(container_map={"tflite": CONTAINER}),
        {"tflite": CONTAINER},
    ),
    "ListContainers": Case(
        lambda ml: ml.list_containers("o-1"),
        pb.ListContainersRequest(organization_id="o-1"),
        pb.ListContainersResponse(containers=[CONTAINER]),
        [CONTAINER],
    ),
    "GetContainer": Case(
        lambda ml: ml.get_container("c-1"),
        pb.GetContainerRequest(id="c-1"),
        pb.GetContainerResponse(container=CONTAINER),
        CONTAINER,
    ),
    "RegisterCustomTrainingContainer": Case(
        lambda ml: ml.register_custom_training_container("o-1", "docker.io/own", "Mine."),
        pb.RegisterCustomTrainingContainerRequest(
            organization_id="o-1", image_uri="docker.io/own", description="Mine."
        ),
        pb.RegisterCustomTrainingContainerResponse(id="c-2"),
        "c-2",
    ),
    "DeleteCustomTrainingContainer": Case(
        lambda ml: ml.delete_custom_training_container("c-2"),
        pb.DeleteCustomTrainingContainerRequest(id="c-2"),
        pb.DeleteCustomTrainingContainerResponse(),
        None,
    ),
}


@pytest.fixture
def ml(channel: Channel) -> MLTrainingClient:
    return MLTrainingClient(channel, {"authorization": "Bearer token"})


@pytest.mark.parametrize("rpc", CASES)
def test_a_method_sends_its_arguments_and_returns_what_matters(
    rpc: str, server: FakeService, ml: MLTrainingClient
) -> None:
    case = CASES[rpc]
    server.unary[rpc] = answering(case.answer)
    assert case.call(ml) == case.result
    (call,) = server.calls
    assert call.method == f"/viam.app.mltraining.v1.MLTrainingService/{rpc}"
    assert call.metadata["authorization"] == "Bearer token"
    assert type(case.request).FromString(call.requests[0]) == case.request


def test_jobs_can_be_listed_by_their_status(server: FakeService, ml: MLTrainingClient) -> None:
    server.unary["ListTrainingJobs"] = answering(pb.ListTrainingJobsResponse())
    assert ml.list_training_jobs("o-1", pb.TrainingStatus.TRAINING_STATUS_FAILED) == []
    ml.list_training_jobs("o-1", training_status=pb.TrainingStatus.TRAINING_STATUS_FAILED)
    wanted = pb.ListTrainingJobsRequest(organization_id="o-1", status=pb.TrainingStatus.TRAINING_STATUS_FAILED)
    assert [pb.ListTrainingJobsRequest.FromString(call.requests[0]) for call in server.calls] == [wanted, wanted]


def test_what_newer_services_take_comes_by_keyword(server: FakeService, ml: MLTrainingClient) -> None:
    server.unary["SubmitCustomTrainingJob"] = answering(pb.SubmitCustomTrainingJobResponse(id="j-2"))
    server.unary["SubmitTrainingJob"] = answering(pb.SubmitTrainingJobResponse(id="j-1"))
    ml.submit_custom_training_job(
        "o-1",
        "d-1",
        "acme:script",
        "cats",
        "v1",
        registry_item_version="2024-07-01",
        container_id="c-1",
        arguments={"epochs": "3"},
    )
    framework = pb.ModelFramework.MODEL_FRAMEWORK_ONNX
    ml.submit_training_job("o-1", "d-1", "cats", "v1", DETECTION, ["tom"], model_framework=framework)
    custom, builtin = server.calls
    sent = pb.SubmitCustomTrainingJobRequest.FromString(custom.requests[0])
    assert (sent.registry_item_version, sent.container_id) == ("2024-07-01", "c-1")
    assert sent.arguments == {"epochs": "3"}
    assert pb.SubmitTrainingJobRequest.FromString(builtin.requests[0]).model_framework == framework


@pytest.mark.parametrize(
    "rpc",
    ["SubmitTrainingJob", "SubmitCustomTrainingJob", "RegisterCustomTrainingContainer"],
)
def test_what_would_do_harm_twice_is_sent_once(rpc: str, server: FakeService, ml: MLTrainingClient) -> None:
    server.unary[rpc] = refuse(grpc.StatusCode.UNAVAILABLE, "Gone in the middle.")
    with pytest.raises(ViamError):
        CASES[rpc].call(ml)
    assert len(server.named(rpc)) == 1


@pytest.mark.parametrize(
    "rpc", ["CancelTrainingJob", "DeleteCompletedTrainingJob", "GetTrainingJob", "ListTrainingJobs"]
)
def test_what_does_no_harm_twice_is_sent_again(rpc: str, server: FakeService, ml: MLTrainingClient) -> None:
    def once_busy(request: bytes, context: grpc.ServicerContext) -> bytes:
        if len(server.named(rpc)) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "Busy.")
        return bytes(CASES[rpc].answer.SerializeToString())

    server.unary[rpc] = once_busy
    assert CASES[rpc].call(ml) == CASES[rpc].result
    assert len(server.named(rpc)) == 2


def test_a_text_where_labels_are_meant_is_refused_before_it_is_sent(server: FakeService, ml: MLTrainingClient) -> None:
    with pytest.raises(TypeError, match="tags takes a list of str, got a str"):
        ml.submit_training_job("o-1", "d-1", "cats", "v1", DETECTION, "tabby")
    assert server.calls == []


def test_a_timeout_reaches_the_service(server: FakeService, ml: MLTrainingClient) -> None:
    server.unary["GetTrainingJob"] = answering(pb.GetTrainingJobResponse())
    ml.get_training_job("j-1", timeout=7)
    (call,) = server.calls
    assert call.seconds is not None
    assert 0 < call.seconds <= 7.5
