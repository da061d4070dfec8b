import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.struct_pb2 import Value
from servers import FakeService, answering

from viam_sync.app.data_client import DataClient
from viam_sync.errors import NotFoundError
from viam_sync.proto.app import datasync as pb

NOON = datetime(2024, 5, 1, 12)
NOON_IN_ROME = datetime(2024, 5, 1, 14, tzinfo=timezone(timedelta(hours=2)))
ONE = datetime(2024, 5, 1, 13)
TOO_LATE = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2)))
CHUNK = 256 * 1024
CAMERA = ("camera", "eye", "GetImages")
SOURCE = dict(zip(("component_type", "component_name", "method_name"), CAMERA))
BINARY, TABULAR, FILE = 1, 2, 3


@pytest.fixture
def server(server: FakeService) -> FakeService:
    def take(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        for _ in requests:
            pass
        return pb.FileUploadResponse(file_id="f", binary_data_id="o/l/f").SerializeToString()

    server.unary["DataCaptureUpload"] = answering(pb.DataCaptureUploadResponse(file_id="f", binary_data_id="o/l/f"))
    server.upload.update(FileUpload=take, StreamingDataCaptureUpload=take)
    return server


def one(server: FakeService) -> pb.DataCaptureUploadRequest:
    (call,) = server.named("DataCaptureUpload")
    return pb.DataCaptureUploadRequest.FromString(call.requests[0])


def captured(server: FakeService) -> List[pb.StreamingDataCaptureUploadRequest]:
    (call,) = server.named("StreamingDataCaptureUpload")
    return [pb.StreamingDataCaptureUploadRequest.FromString(request) for request in call.requests]


def uploaded(server: FakeService) -> List[pb.FileUploadRequest]:
    (call,) = server.named("FileUpload")
    return [pb.FileUploadRequest.FromString(request) for request in call.requests]


def metadata(kind: int, **fields: Any) -> pb.UploadMetadata:
    return pb.UploadMetadata(part_id="p", type=kind, **fields)  # type: ignore[arg-type]


def test_captured_bytes_go_in_one_message(server: FakeService, data: DataClient) -> None:
    assert data.binary_data_capture_upload(b"\x89PNG", "p", "camera", "eye", "GetImages", "png") == "f"
    described = metadata(BINARY, file_extension=".png", **SOURCE)
    assert one(server) == pb.DataCaptureUploadRequest(
        metadata=described, sensor_contents=[pb.SensorData(binary=b"\x89PNG")]
    )
    assert not one(server).sensor_contents[0].HasField("metadata")


def test_all_that_is_known_of_captured_bytes_is_sent(server: FakeService, data: DataClient) -> None:
    data.binary_data_capture_upload(
        bytearray(b"x"),
        "p",
        *CAMERA,
        ".png",
        None,
        ["red"],
        (NOON_IN_ROME, ONE),
        dataset_ids=["d"],
        mime_type="image/png",
        timeout=9,
    )
    described = metadata(
        BINARY, file_extension=".png", tags=["red"], dataset_ids=["d"], mime_type="image/png", **SOURCE
    )
    times = pb.SensorMetadata(time_requested=NOON, time_received=ONE)
    reading = pb.SensorData(metadata=times, binary=b"x")
    assert one(server) == pb.DataCaptureUploadRequest(metadata=described, sensor_contents=[reading])
    seconds = server.calls[0].seconds
    assert seconds is not None
    assert seconds < 10


def test_many_captured_bytes_go_as_a_stream(server: FakeService, data: DataClient) -> None:
    contents = os.urandom(1_000_001)
    assert data.binary_data_capture_upload(contents, "p", *CAMERA, ".png") == "f"
    first, *rest = captured(server)
    assert first.metadata.upload_metadata == metadata(BINARY, file_extension=".png", **SOURCE)
    assert [len(request.data) for request in rest] == [CHUNK, CHUNK, CHUNK, 1_000_001 - 3 * CHUNK]
    assert b"".join(request.data for request in rest) == contents


def test_readings_go_with_their_times(server: FakeService, data: DataClient) -> None:
    rows: Any = [{"speed": 1, "gone": None}, {"name": "é", "list": [True, {"deep": 1.5}]}]
    times = [(NOON_IN_ROME, ONE), (ONE, ONE)]
    assert data.tabular_data_capture_upload(rows, "p", *CAMERA, {"fast": True}, ["red"], times) == "f"
    request = one(server)
    assert request.metadata.type == TABULAR
    assert list(request.metadata.tags) == ["red"]
    assert [each.metadata.time_requested.ToDatetime() for each in request.sensor_contents] == [NOON, ONE]
    assert request.sensor_contents[0].struct.fields["gone"].HasField("null_value")
    assert request.sensor_contents[0].struct["speed"] == 1
    assert request.sensor_contents[1].struct["name"] == "é"


def test_readings_may_have_no_times(server: FakeService, data: DataClient) -> None:
    data.tabular_data_capture_upload([{"speed": 1}], "p", *CAMERA)
    expected = pb.SensorData(struct={"speed": 1})
    request = pb.DataCaptureUploadRequest(metadata=metadata(TABULAR, **SOURCE), sensor_contents=[expected])
    assert one(server) == request


def test_a_capture_is_streamed_in_chunks(server: FakeService, data: DataClient) -> None:
    contents = os.urandom(2 * CHUNK + 1)
    assert data.streaming_data_capture_upload(contents, "p", "png") == "f"
    first, *rest = captured(server)
    described = pb.DataCaptureUploadMetadata(
        upload_metadata=metadata(BINARY, file_extension=".png"), sensor_metadata=pb.SensorMetadata()
    )
    assert first == pb.StreamingDataCaptureUploadRequest(metadata=described)
    assert [len(request.data) for request in rest] == [CHUNK, CHUNK, 1]
    assert b"".join(request.data for request in rest) == contents
    assert server.calls[0].seconds is None or server.calls[0].seconds > 3600


def test_all_that_is_known_of_a_streamed_capture_is_sent(server: FakeService, data: DataClient) -> None:
    data.streaming_data_capture_upload(
        memoryview(b"x"), "p", ".png", *CAMERA, None, (NOON, ONE), ["red"], dataset_ids=["d"], mime_type="m/m"
    )
    first, second = captured(server)
    fields: Any = {"file_extension": ".png", "tags": ["red"], "dataset_ids": ["d"], "mime_type": "m/m"}
    assert first.metadata.upload_metadata == metadata(BINARY, **SOURCE, **fields)
    assert first.metadata.sensor_metadata == pb.SensorMetadata(time_requested=NOON, time_received=ONE)
    assert second.data == b"x"


def test_a_file_is_uploaded_in_chunks(server: FakeService, data: DataClient) -> None:
    contents = os.urandom(2 * CHUNK)
    assert data.file_upload("p", contents) == "f"
    first, *rest = uploaded(server)
    assert first == pb.FileUploadRequest(metadata=metadata(FILE))
    assert [len(request.file_contents.data) for request in rest] == [CHUNK, CHUNK]
    assert b"".join(request.file_contents.data for request in rest) == contents


def test_all_that_is_known_of_a_file_is_sent(server: FakeService, data: DataClient) -> None:
    data.file_upload("p", b"x", *CAMERA, "notes", None, ".txt", ["red"], dataset_ids=["d"], mime_type="text/plain")
    fields: Any = {"file_name": "notes", "file_extension": ".txt", "tags": ["red"], "dataset_ids": ["d"]}
    assert uploaded(server)[0].metadata == metadata(FILE, mime_type="text/plain", **SOURCE, **fields)


def test_an_empty_upload_has_one_empty_chunk(server: FakeService, data: DataClient, tmp_path: Path) -> None:
    data.file_upload("p", b"")
    (tmp_path / "empty.txt").write_bytes(b"")
    data.file_upload_from_path(str(tmp_path / "empty.txt"), "p")
    for call in server.calls:
        second = pb.FileUploadRequest.FromString(call.requests[1])
        assert (len(call.requests), second.HasField("file_contents")) == (2, True)


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [("notes.txt", "notes", ".txt"), ("a.tar.gz", "a.tar", ".gz"), ("bare", "bare", ""), (".hidden", ".hidden", "")],
)
def test_a_file_from_a_path_has_its_name(
    server: FakeService, data: DataClient, tmp_path: Path, name: str, stem: str, suffix: str
) -> None:
    contents = os.urandom(CHUNK + 1)
    (tmp_path / name).write_bytes(contents)
    assert data.file_upload_from_path(str(tmp_path / name), "p") == "f"
    first, *rest = uploaded(server)
    assert first.metadata == metadata(FILE, file_name=stem, file_extension=suffix)
    assert [len(request.file_contents.data) for request in rest] == [CHUNK, 1]
    assert b"".join(request.file_contents.data for request in rest) == contents


def test_a_name_on_disk_that_is_no_utf_8_is_sent_as_what_can_be_read_of_it(
    server: FakeService, data: DataClient, tmp_path: Path
) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.tx\xff")
    try:
        path.write_bytes(b"x")
    except OSError:
        pytest.skip("names on this disk are UTF-8")
    data.file_upload_from_path(path, "p")
    metadata = uploaded(server)[0].metadata
    assert (metadata.file_name, metadata.file_extension) == ("caf\ufffd", ".tx\ufffd")


def test_all_that_is_known_of_a_file_from_a_path_is_sent(server: FakeService, data: DataClient, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"x")
    path = str(tmp_path / "a.txt")
    data.file_upload_from_path(path, "p", *CAMERA, None, ["red"], dataset_ids=["d"], mime_type="m/m", file_name="b")
    fields: Any = {
        "file_name": "b",
        "file_extension": ".txt",
        "tags": ["red"],
        "dataset_ids": ["d"],
        "mime_type": "m/m",
    }
    assert uploaded(server)[0].metadata == metadata(FILE, **SOURCE, **fields)


def test_a_path_that_cannot_be_read_fails_before_anything_is_sent(
    server: FakeService, data: DataClient, tmp_path: Path
) -> None:
    with pytest.raises(FileNotFoundError):
        data.file_upload_from_path(str(tmp_path / "absent.txt"), "p")
    with pytest.raises((IsADirectoryError, PermissionError)):
        data.file_upload_from_path(str(tmp_path), "p")
    assert server.calls == []


def test_a_refused_upload_is_an_error_and_is_not_sent_again(
    server: FakeService, data: DataClient, tmp_path: Path
) -> None:
    def refuse(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
        next(requests)
        context.abort(grpc.StatusCode.NOT_FOUND, "no such part")
        raise AssertionError("abort raises")

    server.upload["FileUpload"] = refuse
    with (tmp_path / "large.bin").open("wb") as file:
        file.truncate(8 * 1024 * 1024)
    with pytest.raises(NotFoundError, match="no such part"):
        data.file_upload_from_path(str(tmp_path / "large.bin"), "p")
    assert len(server.calls) == 1


def test_parameters_are_plain_values_or_messages(server: FakeService, data: DataClient) -> None:
    packed = AnyMessage(type_url="type.googleapis.com/nobody.Knows", value=b"\xff")
    parameters = {"plain": {"fast": True, "gone": None}, "packed": packed, "message": Value(string_value="x")}
    data.file_upload("p", b"x", method_parameters=parameters)
    got = uploaded(server)[0].metadata.method_parameters
    # The pure-Python runtime cannot compare what it cannot unpack.
    assert (got["packed"].type_url, got["packed"].value) == (packed.type_url, packed.value)
    values: Dict[str, Value] = {}
    for name in ("plain", "message"):
        values[name] = Value()
        assert got[name].Unpack(values[name])
    assert dict(values["plain"].struct_value) == {"fast": True, "gone": None}
    assert values["message"].string_value == "x"


NO_TIME = "takes None, a bool, a number, a str, a list or a dict, got a datetime"

REFUSED: Dict[str, Callable[[DataClient], Any]] = {
    "binary_data takes bytes, a path .*, got a str": lambda data: data.binary_data_capture_upload(
        "text",  # type: ignore[arg-type]
        "p",
        *CAMERA,
        "png",
    ),
    "data takes bytes, a path .*, got a str": lambda data: data.file_upload("p", "text"),  # type: ignore[arg-type]
    "data takes bytes, a path .*, got 5": lambda data: data.streaming_data_capture_upload(5, "p", "png"),  # type: ignore[arg-type]
    "file_ext is empty": lambda data: data.streaming_data_capture_upload(b"x", "p", ""),
    "file_ext takes a str, got 5": lambda data: data.streaming_data_capture_upload(b"x", "p", 5),  # type: ignore[arg-type]
    "tags takes a list of str, got a str": lambda data: data.file_upload("p", b"x", tags="red"),
    "dataset_ids takes a list of str, got a str": lambda data: data.file_upload("p", b"x", dataset_ids="d"),
    "part_id takes a str": lambda data: data.file_upload(5, b"x"),  # type: ignore[arg-type]
    "data_request_times takes two datetimes.*got 1": lambda data: data.streaming_data_capture_upload(
        b"x",
        "p",
        "png",
        data_request_times=(NOON,),  # type: ignore[arg-type]
    ),
    r"data_request_times takes two datetimes.*got a list of \(tuple\)": lambda data: data.streaming_data_capture_upload(
        b"x",
        "p",
        "png",
        data_request_times=[(NOON, ONE)],  # type: ignore[arg-type]
    ),
    "same length, got 0 and 1": lambda data: data.tabular_data_capture_upload(
        [{}], "p", *CAMERA, data_request_times=[]
    ),
    r"data_request_times\[0\] takes two datetimes": lambda data: data.tabular_data_capture_upload(
        [{}],
        "p",
        *CAMERA,
        data_request_times=[NOON],  # type: ignore[list-item]
    ),
    r"^data_request_times\[1\] takes a datetime from the year 1 to 9999 in UTC": lambda data: (
        data.streaming_data_capture_upload(b"x", "p", "png", data_request_times=(NOON, TOO_LATE))
    ),
    r"^data_request_times\[0\]\[0\] takes a datetime from the year 1 to 9999 in UTC": lambda data: (
        data.tabular_data_capture_upload([{}], "p", *CAMERA, data_request_times=[(TOO_LATE, TOO_LATE)])
    ),
    "tabular_data takes an iterable of dicts or a DataFrame, got a dict": lambda data: data.tabular_data_capture_upload(
        {"speed": 1},
        "p",
        *CAMERA,
    ),
    r"tabular_data\[0\] takes a dict, got a str": lambda data: data.tabular_data_capture_upload(
        ["speed"],
        "p",
        *CAMERA,
    ),
    rf"tabular_data\[0\]\['at'\] {NO_TIME}": lambda data: data.tabular_data_capture_upload(
        [{"at": NOON}], "p", *CAMERA
    ),
    "method_parameters takes a dict, got a str": lambda data: data.file_upload(
        "p",
        b"x",
        method_parameters="fast",  # type: ignore[arg-type]
    ),
    rf"method_parameters\['at'\] {NO_TIME}": lambda data: data.file_upload("p", b"x", method_parameters={"at": NOON}),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_uploaded_is_refused(server: FakeService, data: DataClient, text: str) -> None:
    with pytest.raises((TypeError, ValueError), match=text):
        REFUSED[text](data)
    assert server.calls == []
