import io
from pathlib import Path
from typing import Any, BinaryIO, Callable, Iterator, List, Type, cast

import grpc
import pytest
from servers import FakeService, refuse

from viam_sync.app.app_client import AppClient
from viam_sync.errors import AlreadyExistsError, AmbiguousResultError, ClosedError, UnavailableError
from viam_sync.proto import app as pb
from viam_sync.rpc.dial import Channel, parse_address

KIB = 1024
INFO = pb.ModuleFileInfo(
    module_id="lessons:arm", version="1.2.3", platform="linux/arm64", platform_tags=["distro:ubuntu"]
)
CONTENTS = bytes(range(256)) * (600 * KIB // 256)


def store(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    for _ in requests:
        pass
    return pb.UploadModuleFileResponse(url="https://example.com/arm").SerializeToString()


@pytest.fixture
def server(server: FakeService) -> FakeService:
    answer = pb.UpdateModuleResponse(url="https://example.com/arm").SerializeToString()
    server.unary["UpdateModule"] = lambda request, context: answer
    server.upload["UploadModuleFile"] = store
    return server


@pytest.fixture
def cloud(channel: Channel) -> AppClient:
    return AppClient(channel, {})


def sent(server: FakeService) -> List[pb.UploadModuleFileRequest]:
    (call,) = server.calls
    return [pb.UploadModuleFileRequest.FromString(request) for request in call.requests]


def test_a_module_is_private_and_has_no_models_unless_told_otherwise(server: FakeService, cloud: AppClient) -> None:
    assert cloud.update_module("lessons:arm", "https://docs", "An arm.", None, "run.sh") == "https://example.com/arm"
    (call,) = server.calls
    assert call.method == "/viam.app.v1.AppService/UpdateModule"
    assert pb.UpdateModuleRequest.FromString(call.requests[0]) == pb.UpdateModuleRequest(
        module_id="lessons:arm",
        visibility=pb.Visibility.VISIBILITY_PRIVATE,
        url="https://docs",
        description="An arm.",
        models=[],
        entrypoint="run.sh",
    )


def test_everything_that_is_said_of_a_module_is_sent(server: FakeService, cloud: AppClient) -> None:
    model = pb.Model(api="rdk:component:arm", model="lessons:arm:big")
    app = pb.App(name="panel")
    cloud.update_module(
        "lessons:arm",
        "https://docs",
        "An arm.",
        [model],
        "run.sh",
        True,
        first_run="setup.sh",
        apps=[app],
        markdown_description="# Arm",
    )
    assert pb.UpdateModuleRequest.FromString(server.calls[0].requests[0]) == pb.UpdateModuleRequest(
        module_id="lessons:arm",
        visibility=pb.Visibility.VISIBILITY_PUBLIC,
        url="https://docs",
        description="An arm.",
        models=[model],
        entrypoint="run.sh",
        first_run="setup.sh",
        apps=[app],
        markdown_description="# Arm",
    )


def test_an_update_of_a_module_is_tried_again(server: FakeService, cloud: AppClient) -> None:
    server.unary["UpdateModule"] = refuse(grpc.StatusCode.UNAVAILABLE, "busy")
    with pytest.raises(UnavailableError):
        cloud.update_module("lessons:arm", "https://docs", "An arm.", None, "run.sh")
    assert len(server.calls) == 5


def given_bytes(path: Path) -> Any:
    return CONTENTS


def given_bytearray(path: Path) -> Any:
    return bytearray(CONTENTS)


def given_memoryview(path: Path) -> Any:
    return memoryview(CONTENTS).cast("I")


def given_path(path: Path) -> Any:
    return path


def given_open_file(path: Path) -> Any:
    return io.BytesIO(CONTENTS)


@pytest.mark.parametrize("given", [given_bytes, given_bytearray, given_memoryview, given_path, given_open_file])
def test_a_file_goes_in_pieces_after_what_it_is(
    server: FakeService, cloud: AppClient, tmp_path: Path, given: Callable[[Path], Any]
) -> None:
    path = tmp_path / "arm.tar.gz"
    path.write_bytes(CONTENTS)
    assert cloud.upload_module_file(INFO, given(path)) == "https://example.com/arm"
    opening, *rest = sent(server)
    assert server.calls[0].method == "/viam.app.v1.AppService/UploadModuleFile"
    assert opening == pb.UploadModuleFileRequest(module_file_info=INFO)
    assert [request.WhichOneof("module_file") for request in rest] == ["file"] * 3
    assert [len(request.file) for request in rest] == [256 * KIB, 256 * KIB, 88 * KIB]
    assert b"".join(request.file for request in rest) == CONTENTS


def test_an_empty_file_is_one_empty_piece(server: FakeService, cloud: AppClient) -> None:
    cloud.upload_module_file(INFO, b"")
    assert sent(server) == [
        pb.UploadModuleFileRequest(module_file_info=INFO),
        pb.UploadModuleFileRequest(file=b""),
    ]


def test_without_information_the_service_gets_the_file_alone(server: FakeService, cloud: AppClient) -> None:
    cloud.upload_module_file(None, b"abc")
    assert sent(server) == [pb.UploadModuleFileRequest(), pb.UploadModuleFileRequest(file=b"abc")]


def test_an_open_file_is_read_from_where_it_stands_and_left_open(server: FakeService, cloud: AppClient) -> None:
    file = io.BytesIO(b"header and contents")
    file.seek(11)
    cloud.upload_module_file(INFO, file)
    assert sent(server)[1].file == b"contents"
    assert not file.closed


@pytest.mark.parametrize(
    ("file", "kind", "text"),
    [
        ("arm.tar.gz", TypeError, "file takes bytes, a path .*, or a file opened in binary mode, got a str"),
        (None, TypeError, "got a NoneType"),
        (io.StringIO("text"), TypeError, "file takes a file opened in binary mode, got one opened as text"),
        (Path("absent.tar.gz"), FileNotFoundError, "absent.tar.gz"),
    ],
)
def test_what_cannot_be_read_is_found_before_anything_is_sent(
    server: FakeService, cloud: AppClient, file: Any, kind: Type[Exception], text: str
) -> None:
    with pytest.raises(kind, match=text):
        cloud.upload_module_file(INFO, file)
    assert server.calls == []


def test_information_of_another_kind_is_found_before_anything_is_sent(server: FakeService, cloud: AppClient) -> None:
    with pytest.raises(TypeError):
        cloud.upload_module_file("lessons:arm", b"abc")  # type: ignore[arg-type]
    assert server.calls == []


class Breaking:
    """A file on a disk that fails after the first piece."""

    def __init__(self) -> None:
        self.failure = OSError(5, "Input/output error")
        self.pieces = [b"first"]

    def read(self, size: int) -> bytes:
        if not self.pieces:
            raise self.failure
        return self.pieces.pop()


def test_an_error_in_reading_says_how_far_it_came(server: FakeService, cloud: AppClient) -> None:
    file = Breaking()
    with pytest.raises(OSError, match="Input/output error, after 5 bytes; nothing was uploaded: 'file'") as caught:
        cloud.upload_module_file(INFO, cast(BinaryIO, file))
    assert caught.value.__cause__ is file.failure


def test_progress_is_told_in_bytes(cloud: AppClient) -> None:
    told: List[Any] = []
    cloud.upload_module_file(INFO, CONTENTS, progress=lambda *each: told.append(each))
    assert told == [(done * KIB, 600 * KIB, "bytes") for done in (0, 256, 512, 600)]


@pytest.mark.parametrize("status", [grpc.StatusCode.ALREADY_EXISTS, grpc.StatusCode.UNAVAILABLE])
def test_an_upload_is_sent_once_whatever_the_service_says(
    server: FakeService, cloud: AppClient, tmp_path: Path, status: grpc.StatusCode
) -> None:
    path = tmp_path / "arm.tar.gz"
    path.write_bytes(CONTENTS)
    server.upload["UploadModuleFile"] = cast(Any, refuse(status, "no reuse"))
    with pytest.raises((AlreadyExistsError, AmbiguousResultError), match=r"UploadModuleFile: .*no reuse"):
        cloud.upload_module_file(INFO, path)
    assert len(server.calls) == 1


def test_a_closed_client_sends_no_file(server: FakeService, tmp_path: Path) -> None:
    path = tmp_path / "arm.tar.gz"
    path.write_bytes(CONTENTS)
    with Channel(parse_address(server.url), max_reconnect_attempts=0) as channel:
        cloud = AppClient(channel, {})
    with pytest.raises(ClosedError):
        cloud.upload_module_file(INFO, path)
    assert server.calls == []
