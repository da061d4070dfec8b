import pickle
import threading
from typing import Any, Iterable, Iterator, List

import grpc
import pytest
from google.protobuf.struct_pb2 import Struct
from servers import FakeService, refuse

from viam_sync.app.app_client import AppClient
from viam_sync.app.data_client import DataClient
from viam_sync.app.viam_client import ViamClient
from viam_sync.errors import (
    AmbiguousResultError,
    ClosedError,
    DeadlineExceededError,
    GRPCError,
    InternalError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from viam_sync.messages.pool import pool
from viam_sync.proto import app as pb
from viam_sync.proto import google as google_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as datasync_pb
from viam_sync.rpc.connection import Connection
from viam_sync.rpc.dial import Channel, Credentials, DialOptions
from viam_sync.rpc.policies import Retry
from viam_sync.rpc.streams import Stream
from viam_sync.services import methods

KEY_ID = "9a2b4c6d-0f1e-4a3b-8c5d-7e6f5a4b3c2d"
ROBOT = pb.GetRobotResponse(robot=pb.Robot(id="r-1", name="rover")).SerializeToString()


@pytest.fixture
def server(server: FakeService) -> FakeService:
    server.unary["GetRobot"] = lambda request, context: ROBOT
    return server


def connect(server: FakeService, **settings: Any) -> ViamClient:
    options = DialOptions(auth_entity=KEY_ID, credentials=Credentials("api-key", "secret"), timeout=10, **settings)
    return ViamClient.create_from_dial_options(options, server.url)


def test_a_call_sends_its_request_and_returns_the_field(server: FakeService, channel: Channel) -> None:
    robot = AppClient(channel, {"Authorization": "Bearer abc"}).get_robot("r-1")
    (call,) = server.calls
    assert robot == pb.Robot(id="r-1", name="rover")
    assert call.method == "/viam.app.v1.AppService/GetRobot"
    assert pb.GetRobotRequest.FromString(call.requests[0]).id == "r-1"
    assert call.metadata["authorization"] == "Bearer abc"


def test_a_value_of_the_metadata_that_has_changed_is_sent_with_the_next_call(
    server: FakeService, channel: Channel
) -> None:
    metadata = {"authorization": "Bearer abc"}
    app = AppClient(channel, metadata)
    app.get_robot("r-1")
    app.get_robot("r-1")
    metadata["authorization"] = "Bearer def"
    app.get_robot("r-1")
    sent = [call.metadata["authorization"] for call in server.calls]
    assert sent == ["Bearer abc", "Bearer abc", "Bearer def"]


def test_any_grpc_channel_will_do(server: FakeService) -> None:
    with grpc.insecure_channel(server.address) as plain:
        assert AppClient(plain, {}).get_robot("r-1").name == "rover"


class FirstOfPairs(grpc.UnaryUnaryClientInterceptor):  # type: ignore[misc, unused-ignore]
    """Reads the metadata by the places in its pairs."""

    def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        self.read = {pair[0]: pair[1] for pair in details.metadata}
        return continuation(details, request)


def test_an_interceptor_can_read_the_metadata_as_pairs(server: FakeService) -> None:
    interceptor = FirstOfPairs()
    with grpc.insecure_channel(server.address) as plain:
        AppClient(grpc.intercept_channel(plain, interceptor), {"Authorization": "Bearer abc"}).get_robot("r-1")
    assert interceptor.read == {"authorization": "Bearer abc"}


def test_a_stub_of_a_channel_that_is_abandoned_meanwhile_is_not_kept() -> None:
    channels = iter(["hung", "new"])
    connection = Connection(lambda: next(channels))  # type: ignore[arg-type, return-value]

    def make(channel: Any, _: Any) -> Any:
        if channel == "hung":
            # As a signal handler may raise in another thread, in a call of its own.
            connection.abandon()
        return f"stub on the {channel} channel"

    connection.stub(AppClient, methods.GET_ROBOT, make)
    assert connection.stub(AppClient, methods.GET_ROBOT, make) == "stub on the new channel"


def test_an_argument_that_is_no_channel_is_refused() -> None:
    with pytest.raises(
        TypeError, match=r"^channel takes a grpc.Channel, got a str; ViamClient.create_from_dial_options"
    ):
        AppClient("app.viam.com", {})  # type: ignore[arg-type]


@pytest.mark.parametrize("metadata", [None, "Bearer abc", [("authorization", "Bearer abc")], 3])
def test_an_argument_that_is_no_metadata_is_refused(channel: Channel, metadata: Any) -> None:
    with pytest.raises(TypeError, match="metadata takes a mapping of names to texts"):
        AppClient(channel, metadata)


def test_every_call_has_a_deadline(server: FakeService, channel: Channel) -> None:
    AppClient(channel, {}).get_robot("r-1")
    seconds = server.calls[0].seconds
    assert seconds is not None
    assert seconds < 21


def test_the_callers_timeout_is_the_deadline(server: FakeService, channel: Channel) -> None:
    AppClient(channel, {}).get_robot("r-1", timeout=90)
    seconds = server.calls[0].seconds
    assert seconds is not None
    assert 20 < seconds < 91


def test_a_service_that_does_not_answer_ends_at_the_deadline(server: FakeService, channel: Channel) -> None:
    released = threading.Event()
    server.unary["GetRobot"] = lambda request, context: ROBOT if released.wait(30) else b""
    with pytest.raises(DeadlineExceededError, match="GetRobot"):
        AppClient(channel, {}).get_robot("r-1", timeout=0.2)
    released.set()


def test_a_failure_is_the_exception_of_its_status_and_nothing_of_grpc(server: FakeService, channel: Channel) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.NOT_FOUND, "No such machine.")
    with pytest.raises(NotFoundError) as caught:
        AppClient(channel, {}).get_robot("r-1")
    error = caught.value
    assert isinstance(error, grpc.RpcError)
    assert (error.status, error.code()) == (grpc.StatusCode.NOT_FOUND, grpc.StatusCode.NOT_FOUND)
    assert (error.message, error.details, error.details()) == ("No such machine.", (), "No such machine.")
    assert str(error) == "viam.app.v1.AppService/GetRobot: NOT_FOUND: No such machine."
    assert error.__cause__ is None
    assert error.__context__ is None
    files = [frame.path for frame in caught.traceback]
    assert not [path for path in files if "grpc" in str(path).rpartition("site-packages")[2]]


def test_the_details_of_a_rich_error_are_read(server: FakeService, channel: Channel) -> None:
    detail = google_pb.Any()
    detail.Pack(pb.Robot(name="rover"))
    status = google_pb.Status(code=5, message="No.", details=[detail]).SerializeToString()
    trailing = (("grpc-status-details-bin", status),)
    server.unary["GetRobot"] = refuse(grpc.StatusCode.NOT_FOUND, "No.", trailing)
    with pytest.raises(NotFoundError) as caught:
        AppClient(channel, {}).get_robot("r-1")
    robot = pb.Robot()
    assert caught.value.details[0].Unpack(robot)
    assert robot.name == "rover"
    assert caught.value.details() == "No."
    assert trailing[0] in [(key, value) for key, value in caught.value.trailing_metadata()]
    assert trailing[0] in [(entry.key, entry.value) for entry in caught.value.trailing_metadata()]
    assert pickle.loads(pickle.dumps(caught.value)).details[0].Unpack(robot)


def test_details_that_make_no_sense_do_not_hide_the_error(server: FakeService, channel: Channel) -> None:
    trailing = (("grpc-status-details-bin", b"\xff\xff"),)
    server.unary["GetRobot"] = refuse(grpc.StatusCode.NOT_FOUND, "No.", trailing)
    with pytest.raises(NotFoundError, match=r"No\.") as caught:
        AppClient(channel, {}).get_robot("r-1")
    assert caught.value.details == ()


def test_errors_pickle(server: FakeService, channel: Channel) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.NOT_FOUND, "No such machine.")
    with pytest.raises(NotFoundError) as caught:
        AppClient(channel, {}).get_robot("r-1")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert type(copy) is NotFoundError
    assert str(copy) == str(caught.value)


def test_a_call_that_nobody_knows_the_result_of_says_so_and_where_to_look(
    server: FakeService, channel: Channel
) -> None:
    server.unary["NewRobotPart"] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    with pytest.raises(AmbiguousResultError) as raised:
        AppClient(channel, {}).new_robot_part("r-1", "arm")
    assert str(raised.value) == (
        "viam.app.v1.AppService/NewRobotPart: UNAVAILABLE: NewRobotPart may or may not have been carried out."
        " Look, with get_robot_parts for example, before you call it again. (busy)"
    )
    assert isinstance(raised.value.__cause__, UnavailableError)
    same = pickle.loads(pickle.dumps(raised.value))
    assert (type(same), str(same), same.attempts) == (AmbiguousResultError, str(raised.value), 1)


def failing_once(then: Any, status: grpc.StatusCode = grpc.StatusCode.UNAVAILABLE) -> Any:
    first = [refuse(status, "busy")]
    return lambda request, context: (first.pop() if first else then)(request, context)


def test_a_deletion_whose_first_attempt_may_have_done_it_is_done(server: FakeService, channel: Channel) -> None:
    gone = refuse(grpc.StatusCode.NOT_FOUND, "no such dataset")
    server.unary["DeleteDataset"] = failing_once(gone)
    data = DataClient(channel, {})
    data.delete_dataset("d-1")
    assert len(server.calls) == 2
    with pytest.raises(NotFoundError):
        data.delete_dataset("d-1")


def test_a_count_of_deletions_that_may_be_too_low_says_so(
    server: FakeService, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    counted = data_pb.DeleteBinaryDataByIDsResponse(deleted_count=1).SerializeToString()
    server.unary["DeleteBinaryDataByIDs"] = failing_once(lambda request, context: counted)
    data = DataClient(channel, {})
    assert [data.delete_binary_data_by_ids(["o/l/1", "o/l/2"]) for _ in range(2)] == [1, 1]
    (warning,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warning == (
        "viam.app.data.v1.DataService/DeleteBinaryDataByIDs: an earlier attempt may have deleted some;"
        " the count is a lower bound"
    )


def test_a_read_is_tried_again_when_the_service_is_unavailable(server: FakeService, channel: Channel) -> None:
    failures = [refuse(grpc.StatusCode.UNAVAILABLE, "busy")] * 2
    server.unary["GetRobot"] = lambda request, context: failures.pop()(request, context) if failures else ROBOT
    assert AppClient(channel, {}).get_robot("r-1").name == "rover"
    assert len(server.calls) == 3


def test_max_reconnect_attempts_caps_the_retries_of_a_lost_connection() -> None:
    lost = "recvmsg:Connection reset by peer"
    with FakeService() as server:
        server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAVAILABLE, lost)
        with connect(server, max_reconnect_attempts=1) as client:
            for retry, attempts in ((None, 2), (Retry(attempts=4), 4), (Retry(total_timeout=30), 5)):
                with pytest.raises(UnavailableError, match="was lost during the call") as raised:
                    client.options(retry=retry).app_client.get_robot("r-1")
                assert (raised.value.attempts, raised.value.text) == (attempts, lost)


def test_the_caller_may_turn_the_retries_off_or_ask_for_more(server: FakeService) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    with connect(server) as client:
        for retry, attempts in ((None, 5), (False, 1), (Retry(attempts=2), 2)):
            with pytest.raises(UnavailableError) as raised:
                client.options(retry=retry).app_client.get_robot("r-1")
            assert raised.value.attempts == attempts
        with pytest.raises(UnavailableError) as raised:
            client.options(retry=False).options(timeout=30).app_client.get_robot("r-1")
        assert raised.value.attempts == 1
    assert len(server.named("GetRobot")) == 5 + 1 + 2 + 1


def test_a_client_is_made_with_its_retries(server: FakeService) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    options = DialOptions(auth_entity=KEY_ID, credentials=Credentials("api-key", "secret"))
    with ViamClient.create_from_dial_options(options, server.url, retry=Retry(attempts=3)) as client:
        for made in (client, pickle.loads(pickle.dumps(client))):
            with made, pytest.raises(UnavailableError) as raised:
                made.app_client.get_robot("r-1")
            assert raised.value.attempts == 3


def test_the_timeout_of_a_copy_holds_where_a_call_names_none(server: FakeService) -> None:
    with connect(server) as client:
        hasty = client.options(timeout=7)
        hasty.app_client.get_robot("r-1")
        hasty.app_client.options(timeout=8).get_robot("r-1")
        hasty.app_client.get_robot("r-1", timeout=9)
        client.app_client.get_robot("r-1")
    assert [round(call.seconds or 0) for call in server.named("GetRobot")] == [7, 8, 9, 20]


@pytest.mark.parametrize("wrong", [{"timeout": 0}, {"timeout": "5"}, {"timeout": float("nan")}, {"retry": 5}])
def test_limits_that_are_none_are_refused(server: FakeService, wrong: Any) -> None:
    (name,) = wrong
    with connect(server) as client:
        for given in (client, client.app_client):
            with pytest.raises((TypeError, ValueError), match=f"{name} takes"):
                given.options(**wrong)


def test_a_copy_shares_the_connection_and_is_closed_with_it(server: FakeService) -> None:
    with connect(server) as client:
        client.options(timeout=5).app_client.get_robot("r-1")
        copy = client.options(timeout=5)
        copy.close()
        for each in (client, copy):
            with pytest.raises(ClosedError):
                each.app_client.get_robot("r-1")
    assert len(server.named("Authenticate")) == 1


@pytest.mark.parametrize("status", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED])
def test_a_create_is_never_sent_twice(server: FakeService, channel: Channel, status: grpc.StatusCode) -> None:
    server.unary["CreateOrganization"] = refuse(status, "maybe")
    with pytest.raises(GRPCError):
        AppClient(channel, {}).create_organization("Lessons")
    assert len(server.calls) == 1


def test_a_refused_read_is_not_tried_again(server: FakeService, channel: Channel) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.INTERNAL, "broken")
    with pytest.raises(InternalError):
        AppClient(channel, {}).get_robot("r-1")
    assert len(server.calls) == 1


def test_an_expired_token_is_replaced_and_the_call_made_again(server: FakeService) -> None:
    def only_the_second_token(request: bytes, context: grpc.ServicerContext) -> bytes:
        if ("authorization", "Bearer token-2") not in context.invocation_metadata():
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
        return ROBOT

    server.unary["GetRobot"] = only_the_second_token
    with connect(server) as client:
        assert client.app_client.get_robot("r-1").name == "rover"
        assert client.app_client.get_robot("r-1").name == "rover"
    assert [call.metadata["authorization"] for call in server.named("GetRobot")] == [
        "Bearer token-1",
        "Bearer token-2",
        "Bearer token-2",
    ]


def test_a_create_refused_for_its_token_is_made_again_with_a_new_one(server: FakeService) -> None:
    answer = pb.CreateOrganizationResponse(organization=pb.Organization(name="Lessons")).SerializeToString()
    refusals = [refuse(grpc.StatusCode.UNAUTHENTICATED, "expired")]
    server.unary["CreateOrganization"] = lambda request, context: (
        refusals.pop()(request, context) if refusals else answer
    )
    with connect(server) as client:
        assert client.app_client.create_organization("Lessons").name == "Lessons"
    assert len(server.named("CreateOrganization")) == 2


def test_a_key_that_stays_refused_is_one_error_and_no_loop(server: FakeService) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "revoked")
    with connect(server) as client, pytest.raises(UnauthenticatedError, match="revoked"):
        client.app_client.get_robot("r-1")
    assert len(server.named("GetRobot")) == 2
    assert len(server.named("Authenticate")) == 2


def test_a_token_of_the_callers_own_is_not_replaced(server: FakeService, channel: Channel) -> None:
    server.unary["GetRobot"] = refuse(grpc.StatusCode.UNAUTHENTICATED, "expired")
    with pytest.raises(UnauthenticatedError):
        AppClient(channel, {"authorization": "Bearer mine"}).get_robot("r-1")
    assert [call.method for call in server.calls] == ["/viam.app.v1.AppService/GetRobot"]


def test_many_threads_that_meet_an_expired_token_replace_it_once(server: FakeService) -> None:
    everyone = threading.Barrier(8)

    def refuse_the_first_token(request: bytes, context: grpc.ServicerContext) -> bytes:
        if ("authorization", "Bearer token-1") in context.invocation_metadata():
            everyone.wait(30)
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "expired")
        return ROBOT

    server.unary["GetRobot"] = refuse_the_first_token
    names: List[str] = []
    with connect(server) as client:
        threads = [
            threading.Thread(target=lambda: names.append(client.app_client.get_robot("r-1").name)) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert names == ["rover"] * 8
    assert len(server.named("Authenticate")) == 2


def test_a_call_after_close_is_a_clear_error(server: FakeService) -> None:
    client = connect(server)
    app = client.app_client
    app.get_robot("r-1")
    client.close()
    client.close()
    for call in (lambda: app.get_robot("r-1"), app.list_organizations, lambda: client.app_client):
        with pytest.raises(ClosedError, match="The client is closed; make a new one"):
            call()


def test_closing_ends_a_call_of_another_thread(server: FakeService) -> None:
    arrived, released = threading.Event(), threading.Event()
    ends: List[BaseException] = []

    def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
        arrived.set()
        released.wait(30)
        return ROBOT

    server.unary["GetRobot"] = wait
    client = connect(server)

    def call() -> None:
        with pytest.raises(ClosedError, match="The client is closed") as caught:
            client.app_client.get_robot("r-1")
        ends.append(caught.value)

    thread = threading.Thread(target=call)
    thread.start()
    assert arrived.wait(30)
    client.close()
    thread.join(30)
    released.set()
    assert len(ends) == 1


def export(channel: Channel) -> Stream[data_pb.ExportTabularDataResponse]:
    return DataClient(channel, {})._unary_stream(methods.EXPORT_TABULAR_DATA, data_pb.ExportTabularDataRequest(), None)


def upload(channel: Channel, requests: Iterable[datasync_pb.FileUploadRequest]) -> datasync_pb.FileUploadResponse:
    response: datasync_pb.FileUploadResponse = DataClient(channel, {})._stream_unary(
        methods.FILE_UPLOAD, requests, None
    )
    return response


def test_a_stream_gives_its_messages_and_ends(server: FakeService, channel: Channel) -> None:
    answers = [data_pb.ExportTabularDataResponse(part_id=name).SerializeToString() for name in "ab"]
    server.stream["ExportTabularData"] = lambda request, context: iter(answers)
    with export(channel) as stream:
        assert [answer.part_id for answer in stream] == ["a", "b"]


def test_closing_a_stream_from_another_thread_ends_a_waiting_next(server: FakeService, channel: Channel) -> None:
    received, ended = threading.Event(), threading.Event()

    def endless(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        context.add_callback(ended.set)
        yield data_pb.ExportTabularDataResponse(part_id="first").SerializeToString()
        ended.wait(30)

    server.stream["ExportTabularData"] = endless
    stream = export(channel)
    got: List[str] = []

    def read() -> None:
        for answer in stream:
            got.append(answer.part_id)
            received.set()

    reader = threading.Thread(target=read)
    reader.start()
    assert received.wait(30)
    stream.close()
    reader.join(30)
    assert not reader.is_alive()
    assert got == ["first"]
    assert ended.wait(30)


def test_a_stream_that_fails_raises_our_exception(server: FakeService, channel: Channel) -> None:
    def fail(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        yield data_pb.ExportTabularDataResponse(part_id="first").SerializeToString()
        context.abort(grpc.StatusCode.NOT_FOUND, "gone")

    server.stream["ExportTabularData"] = fail
    stream = export(channel)
    assert next(stream).part_id == "first"
    with pytest.raises(NotFoundError, match="ExportTabularData: NOT_FOUND: gone"):
        next(stream)


def uploads(server: FakeService) -> None:
    def count(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        return datasync_pb.FileUploadResponse(file_id=str(len(list(requests)))).SerializeToString()

    server.upload["FileUpload"] = count


def test_an_upload_sends_all_its_messages(server: FakeService, channel: Channel) -> None:
    uploads(server)
    requests = (datasync_pb.FileUploadRequest(file_contents={"data": b"x"}) for _ in range(3))
    assert upload(channel, requests).file_id == "3"


def test_an_exception_of_the_callers_own_iterator_comes_out_as_it_is(server: FakeService, channel: Channel) -> None:
    uploads(server)

    def broken() -> Iterator[Any]:
        yield datasync_pb.FileUploadRequest(file_contents={"data": b"x"})
        raise LookupError("the disk is gone")

    with pytest.raises(LookupError, match="the disk is gone"):
        upload(channel, broken())


def test_a_message_of_another_pool_is_taken_as_an_argument(server: FakeService, channel: Channel) -> None:
    server.unary["UpdateRobotMetadata"] = lambda request, context: b""
    struct = Struct()
    struct["colour"] = "red"
    AppClient(channel, {}).update_robot_metadata("r-1", struct)
    sent = pb.UpdateRobotMetadataRequest.FromString(server.calls[0].requests[0])
    assert dict(sent.data) == {"colour": "red"}


def test_no_client_is_made_of_services_that_share_the_name_of_an_rpc() -> None:
    for client in (AppClient, DataClient):
        services = [vars(cls)["_service"] for cls in client.__mro__ if vars(cls).get("_service")]
        names = [rpc.name for service in services for rpc in pool().FindServiceByName(service).methods]
        assert len(names) == len(set(names))
