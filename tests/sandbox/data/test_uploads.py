import contextlib
import threading

import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.wrappers_pb2 import StringValue

from sandbox.calls import Caller, entered, refused
from sandbox.commands import Printed, data_of, process
from sandbox.data_calls import (
    BINARY,
    FILE,
    JPEG,
    NO_OBJECT,
    NO_UUID,
    PNG,
    SYNC,
    TABULAR,
    Data,
    blob_names,
)
from viam_sync.messages.pool import message, pool
from viam_sync.sandbox import Sandbox

STREAMS = ("FileUpload", "StreamingDataCaptureUpload")


def opening(data, rpc, sensor=None, **fields):
    """Return the first message of a stream."""
    if rpc == "FileUpload":
        return {"metadata": data.metadata(**{"type": FILE, **fields})}
    return {"metadata": {"upload_metadata": data.metadata(**fields), "sensor_metadata": sensor or {}}}


def piece(rpc, contents):
    return {"file_contents": {"data": contents}} if rpc == "FileUpload" else {"data": contents}


def stream(data, rpc, *pieces, sensor=None, **fields):
    """Upload a file as a stream, and return its ID."""
    sent = [opening(data, rpc, sensor, **fields), *(piece(rpc, each) for each in pieces)]
    return data.send(rpc, iter(sent)).binary_data_id


def contents(data, id):
    return data.get(id, include_binary=True)[0].binary


def test_a_captured_file_is_kept_with_all_that_its_upload_says(sandbox, data):
    parameter = Any()
    parameter.Pack(StringValue(value="left"))
    sensor = {"time_requested": {"seconds": 100, "nanos": 5000}, "time_received": {"seconds": 101}}
    upload = data.DataCaptureUpload(
        metadata=data.metadata(
            component_type="rdk:component:camera",
            method_parameters={"side": parameter},
            tags=["b", "a", "b"],
            file_extension=".jpeg",
            file_name="shelf",
        ),
        sensor_contents=[{"metadata": sensor, "binary": b"contents"}],
    )
    (file,) = data.get(upload.binary_data_id, include_binary=True)
    about, capture = file.metadata, file.metadata.capture_metadata
    assert file.binary == b"contents"
    assert upload.binary_data_id == f"{sandbox.organization_id}/{sandbox.location_id}/{upload.file_id}"
    assert (about.id, about.binary_data_id) == (upload.file_id, upload.binary_data_id)
    assert (len(about.id), about.id.isalnum(), about.file_size_bytes) == (64, True, 8)
    assert (capture.organization_id, capture.location_id) == (sandbox.organization_id, sandbox.location_id)
    assert (capture.robot_id, capture.robot_name) == (sandbox.robot_id, "rover")
    assert (capture.part_id, capture.part_name) == (sandbox.robot_part_id, "rover-main")
    assert (capture.component_type, capture.component_name) == ("rdk:component:camera", "cam")
    assert (capture.method_name, capture.mime_type, list(capture.tags)) == ("GetImages", "image/jpeg", ["b", "a"])
    assert capture.method_parameters["side"].value == parameter.value
    assert (about.file_name, about.file_ext) == ("shelf", ".jpeg")
    assert about.time_requested.ToMicroseconds() == 100_000_005
    assert about.time_received.seconds == 101


@pytest.mark.parametrize("rpc", STREAMS)
def test_a_stream_is_put_together_and_known_by_both_kinds_of_ids(data, rpc):
    sent = [
        opening(data, rpc, file_extension="txt", tags=["t"]),
        piece(rpc, b"one "),
        piece(rpc, b""),
        piece(rpc, b"2"),
    ]
    upload = data.send(rpc, iter(sent))
    (file,) = data.get(upload.binary_data_id, include_binary=True)
    assert file.binary == b"one 2"
    assert upload.binary_data_id.endswith("/" + upload.file_id)
    assert (file.metadata.id, file.metadata.file_size_bytes) == (upload.file_id, 5)
    assert (file.metadata.file_ext, list(file.metadata.capture_metadata.tags)) == (".txt", ["t"])


@pytest.mark.parametrize("rpc", STREAMS)
def test_a_stream_without_contents_is_an_empty_file(data, rpc):
    for pieces in ((), (b"",)):
        id = stream(data, rpc, *pieces)
        assert data.about(id).file_size_bytes == 0
        assert contents(data, id) == b""


def test_a_file_that_is_uploaded_twice_exists_twice(data):
    assert data.put() != data.put()
    assert len(data.ids(component_name="cam")) == 2


def test_a_large_stream_arrives_whole(sandbox, data):
    size, chunk = 70, bytes(range(256)) * 4096
    id = stream(data, "FileUpload", *[chunk] * size, file_name="large")
    assert data.about(id).file_size_bytes == size * len(chunk)
    path = sandbox._world.store.blobs.path(id.rpartition("/")[2])
    with path.open("rb") as file:
        assert all(file.read(len(chunk)) == chunk for _ in range(size))
        assert not file.read()


def test_one_message_has_at_most_32_mib(data):
    with refused("RESOURCE_EXHAUSTED"):
        data.put(bytes(32 * 1024 * 1024))
    assert data.about(data.put(bytes(31 * 1024 * 1024))).file_size_bytes == 31 * 1024 * 1024


def test_without_times_of_the_sensor_it_is_now():
    with Sandbox(clock=lambda: 1_700_000_000.5) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        still = Data(caller)
        for id in (still.put(), *(stream(still, rpc) for rpc in STREAMS)):
            about = still.about(id)
            assert about.time_requested.ToMilliseconds() == about.time_received.ToMilliseconds() == 1_700_000_000_500
        caller.channel.close()


def test_the_times_of_a_stream_and_of_a_file_are_kept(data):
    times = {"time_requested": {"seconds": 5}, "time_received": {"seconds": 6}}
    about = data.about(stream(data, STREAMS[1], sensor=times))
    assert (about.time_requested.seconds, about.time_received.seconds) == (5, 6)
    about = data.about(stream(data, STREAMS[0], file_create_time={"seconds": -7}, file_modify_time={"seconds": 8}))
    assert (about.time_requested.seconds, about.time_received.seconds) == (-7, 8)


@pytest.mark.parametrize(
    "time", [{"seconds": 2**62}, {"seconds": -(2**62)}, {"nanos": -1}, {"nanos": 10**9}, {"seconds": 253402300800}]
)
def test_a_time_out_of_the_calendar_is_refused(data, time):
    for kind, reading in ((BINARY, {"binary": b""}), (TABULAR, {"struct": {}})):
        with refused("INVALID_ARGUMENT", "time_received is "):
            sensor_contents = [{"metadata": {"time_received": time}, **reading}]
            data.DataCaptureUpload(metadata=data.metadata(kind), sensor_contents=sensor_contents)
    with refused("INVALID_ARGUMENT", "time_requested is "):
        stream(data, STREAMS[1], sensor={"time_requested": time})
    with refused("INVALID_ARGUMENT", "file_modify_time is "):
        stream(data, STREAMS[0], file_modify_time=time)


@pytest.mark.parametrize(
    ("fields", "contents", "kind"),
    [
        ({"mime_type": "text/odd", "file_extension": ".png"}, PNG, "text/odd"),
        ({"file_extension": ".JPG"}, PNG, "image/jpeg"),
        ({"file_extension": "jpeg"}, b"", "image/jpeg"),
        ({"file_extension": ".png"}, b"", "image/png"),
        ({"file_extension": ".pcd"}, b"", "pointcloud/pcd"),
        ({"file_extension": ".mp4"}, b"", "video/mp4"),
        ({"file_extension": ".dep"}, b"", "image/vnd.viam.dep"),
        ({"file_extension": ".rgba"}, b"", "image/vnd.viam.rgba"),
        ({"file_extension": ".wav"}, b"", "audio/wav"),
        ({"file_extension": ".mp3"}, b"", "audio/mpeg"),
        ({"file_name": "photo.png"}, b"", "image/png"),
        ({}, PNG, "image/png"),
        ({}, JPEG, "image/jpeg"),
        ({"file_extension": ".gz", "file_name": "a.tar"}, JPEG, "image/jpeg"),
        ({}, b"text", "application/octet-stream"),
        ({}, b"", "application/octet-stream"),
    ],
)
def test_the_kind_of_a_file_is_told_or_follows_from_its_extension_or_its_contents(data, fields, contents, kind):
    whole = data.put(contents, **fields)
    streamed = stream(data, STREAMS[0], *(contents[i : i + 1] for i in range(len(contents))), **fields)
    assert [data.about(id).capture_metadata.mime_type for id in (whole, streamed)] == [kind, kind]


def test_the_older_list_of_kinds_counts_too(data):
    kinds = [data.about(stream(data, STREAMS[1], sensor={"mime_type": each})) for each in (1, 2, 3, 4, 99)]
    assert [each.capture_metadata.mime_type for each in kinds] == [
        *("image/jpeg", "image/png", "pointcloud/pcd", "video/mp4", "application/octet-stream")
    ]


def test_boxes_and_labels_come_with_the_upload(data):
    box = {"id": "own", "label": "cat", "x_max_normalized": 0.5, "y_max_normalized": 1, "confidence": 0.25}
    annotations = {"bboxes": [box, {**box, "label": "dog"}], "classifications": [{"id": "c", "label": "pets"}]}
    ids = [data.put(annotations=annotations), stream(data, STREAMS[1], sensor={"annotations": annotations})]
    for id in ids:
        found = data.about(id).annotations
        assert [(each.label, each.x_max_normalized, each.confidence) for each in found.bboxes] == [
            *(("cat", 0.5, 0.25), ("dog", 0.5, 0.25))
        ]
        assert all(len(each.id) == 24 for each in found.bboxes)
        assert [(each.id, each.label) for each in found.classifications] == [("c", "pets")]
    assert len(data.ids(bbox_labels=["dog"])) == 2
    with refused("INVALID_ARGUMENT", "x_max_normalized is 2.0"):
        data.put(annotations={"bboxes": [{**box, "x_max_normalized": 2}]})


def test_an_upload_goes_into_datasets_at_once(sandbox, data):
    other = data.CreateDataset(name="other", organization_id=sandbox.organization_id).id
    ids = [
        data.put(dataset_ids=[sandbox.dataset_id.upper(), other, other]),
        stream(data, STREAMS[0], dataset_ids=[other]),
    ]
    assert set(data.about(ids[0]).dataset_ids) == {sandbox.dataset_id, other}
    assert set(data.ids(dataset_id=other)) == set(ids)


def test_a_dataset_that_cannot_take_files_is_refused_before_anything_is_kept(sandbox, data, foreign_data):
    sequences = data.CreateDataset(name="s", organization_id=sandbox.organization_id, type=1).id
    foreign = foreign_data.CreateDataset(name="f", organization_id=foreign_data.organization_id).id
    before = blob_names(sandbox)
    for id, code, text in (
        (NO_OBJECT, "NOT_FOUND", "No dataset has the ID"),
        ("tomatoes", "INVALID_ARGUMENT", "is no dataset ID"),
        (sequences, "FAILED_PRECONDITION", "is one of sequences"),
    ):
        with refused(code, text):
            data.put(dataset_ids=[sandbox.dataset_id, id])
        for rpc in STREAMS:
            with refused(code, text):
                stream(data, rpc, b"1", dataset_ids=[id])
    mine = Data(data.caller)
    robot_key = data.caller.CreateKey(authorizations=[data.caller.role("owner", "robot", sandbox.robot_id)])
    mine.caller = Caller(sandbox, robot_key.id, robot_key.key)
    with refused("PERMISSION_DENIED", "You have no role in the organization"):
        mine.put(dataset_ids=[foreign])
    mine.caller.channel.close()
    assert not data.ids(component_name="cam")
    assert blob_names(sandbox) == before


def test_readings_are_uploaded_and_known_by_one_id(sandbox, data):
    upload = data.put_readings({"t": 20}, {"t": 21}, component_name="thermometer", tags=["hot"])
    assert (len(upload.file_id), upload.binary_data_id) == (64, "")
    filter = {"component_name": "thermometer"}
    found = data.TabularDataByFilter(data_request={"filter": filter})
    assert sorted(each.data["t"] for each in found.data) == [20, 21]
    assert [(each.part_id, list(each.tags)) for each in found.metadata] == [(sandbox.robot_part_id, ["hot"])]
    assert not data.ids(**filter)


@pytest.mark.parametrize(
    ("type", "contents", "text"),
    [
        (
            BINARY,
            [{"struct": {}}],
            "sensor_contents[0] holds struct, and an upload of the type DATA_TYPE_BINARY_SENSOR",
        ),
        (TABULAR, [{"struct": {}}, {"binary": b""}], "sensor_contents[1] holds binary"),
        (BINARY, [{}], "sensor_contents[0] holds nothing"),
        (BINARY, [], "sensor_contents has 0 entries; give just one"),
        (BINARY, [{"binary": b"1"}, {"binary": b"2"}], "sensor_contents has 2 entries; give just one"),
        (TABULAR, [], "sensor_contents has 0 entries; give at least one"),
        (TABULAR, [{"struct": {"text": "x" * 4_000_000}}], "and a reading may have 4000000"),
        (FILE, [{"binary": b""}], "The type of the upload is DATA_TYPE_FILE"),
        (0, [{"binary": b""}], "The type of the upload is DATA_TYPE_UNSPECIFIED"),
        (77, [{"binary": b""}], "The type of the upload is 77"),
    ],
)
def test_contents_that_do_not_fit_the_type_are_refused(data, type, contents, text):
    with refused("INVALID_ARGUMENT", text):
        data.DataCaptureUpload(metadata=data.metadata(type), sensor_contents=contents)


def test_readings_cannot_be_in_a_dataset(sandbox, data):
    with refused("INVALID_ARGUMENT", "Readings cannot be in a dataset"):
        data.put_readings({}, dataset_ids=[sandbox.dataset_id])


@pytest.mark.parametrize("rpc", STREAMS)
def test_a_stream_is_its_metadata_and_then_contents_alone(sandbox, data, rpc):
    first, contents = opening(data, rpc), piece(rpc, b"1")
    before = blob_names(sandbox)
    for requests, text in (
        ([], "ended before it began"),
        ([contents], "began with something else"),
        ([{}], "began with something else"),
        ([first, contents, first], "and this one has metadata"),
        ([first, {}, contents], "and this one has an empty message"),
        ([first, b"\xff\xff\xff", contents], "is not a viam.app.datasync.v1."),
    ):
        with refused("INVALID_ARGUMENT", text):
            data.send(rpc, iter(requests))
    wrong = FILE if rpc == STREAMS[1] else BINARY
    with refused("INVALID_ARGUMENT", "The type of the upload is "):
        stream(data, rpc, b"1", type=wrong)
    assert not data.ids(component_name="cam")
    assert blob_names(sandbox) == before


@pytest.mark.parametrize("rpc", STREAMS)
def test_a_refused_stream_says_why_however_much_is_sent(data, rpc):
    with refused("NOT_FOUND", f"No robot part has the ID '{NO_UUID}'"):
        stream(data, rpc, *[bytes(1_000_000)] * 40, part_id=NO_UUID)


class Flood:
    """The requests of an upload of 2 GiB; ``sent`` counts how many were taken."""

    def __init__(self, *first, rest):
        self._first = first
        self._rest = rest
        self.sent = 0

    def __iter__(self):
        yield from self._first
        for _ in range(2048):
            self.sent += 1
            yield self._rest


@pytest.mark.parametrize("rpc", STREAMS)
@pytest.mark.parametrize("late", [False, True])
def test_a_refused_stream_ends_at_once_and_is_not_read_to_its_end(rpc, late):
    with process() as (_, settings), entered(Printed(settings)) as owner:
        data = data_of(owner)
        contents = piece(rpc, bytes(1 << 20))
        for _ in range(5):
            if late:
                flood = Flood(opening(data, rpc), contents, opening(data, rpc), rest=contents)
                expected = refused("INVALID_ARGUMENT", "and this one has metadata")
            else:
                flood = Flood(opening(data, rpc, part_id=NO_UUID), rest=contents)
                expected = refused("NOT_FOUND", f"No robot part has the ID '{NO_UUID}'")
            with expected:
                data.send(rpc, iter(flood))
            assert flood.sent < 200
        assert stream(data, rpc, b"1")


@pytest.mark.parametrize("rpc", STREAMS)
def test_a_client_that_goes_away_leaves_nothing(sandbox, data, rpc):
    before, sent, done = blob_names(sandbox), threading.Event(), threading.Event()

    def requests():
        yield opening(data, rpc)
        yield piece(rpc, bytes(100_000))
        sent.set()
        done.wait(10)

    method = pool().FindMethodByName(f"{SYNC}.{rpc}")
    made = message(method.input_type)
    send = data.caller.channel.stream_unary(
        f"/{SYNC}/{rpc}", request_serializer=lambda each: made(**each).SerializeToString()
    )
    call = send.future(requests(), metadata=data.caller.metadata)
    assert sent.wait(10)
    until(lambda: blob_names(sandbox) != before)
    call.cancel()
    done.set()
    with contextlib.suppress(grpc.FutureCancelledError):
        call.result()
    until(lambda: blob_names(sandbox) == before)
    assert not data.ids(component_name="cam")


def until(condition):
    """Wait for what another thread does."""
    waiting = threading.Event()
    for _ in range(1000):
        if condition():
            return
        waiting.wait(0.01)
    raise AssertionError("it did not come about")


@pytest.mark.parametrize("rpc", STREAMS)
def test_a_part_that_is_deleted_during_its_upload_gets_no_file(sandbox, data, rpc):
    part_id = data.caller.NewRobotPart(robot_id=sandbox.robot_id, part_name="second").part_id
    before = blob_names(sandbox)

    def requests():
        yield opening(data, rpc, part_id=part_id)
        yield piece(rpc, b"1")
        until(lambda: blob_names(sandbox) != before)
        data.caller.DeleteRobotPart(part_id=part_id)
        yield piece(rpc, b"2")

    with refused("NOT_FOUND", "No robot part has the ID"):
        data.send(rpc, requests())
    assert blob_names(sandbox) == before


def everything(data):
    """Yield every way to upload, for the part in ``fields``."""
    yield lambda **fields: data.put(**fields)
    yield lambda **fields: data.put_readings({"a": 1}, **fields)
    for rpc in STREAMS:
        yield lambda rpc=rpc, **fields: stream(data, rpc, b"1", **fields)


def test_the_part_must_be_there(data):
    for upload in everything(data):
        with refused("NOT_FOUND", f"No robot part has the ID '{NO_UUID}'"):
            upload(part_id=NO_UUID)
        with refused("INVALID_ARGUMENT", "The robot part ID is empty"):
            upload(part_id="")
        with refused("INVALID_ARGUMENT", "'rover' is no robot part ID"):
            upload(part_id="rover")


@pytest.mark.parametrize("level", ["organization", "location", "robot"])
def test_owners_upload_and_operators_do_not(sandbox, caller_with, level):
    place = level, getattr(sandbox, f"{level}_id")
    for upload in everything(Data(caller_with("owner", *place))):
        upload()
    for upload in everything(Data(caller_with("operator", *place))):
        with refused("PERMISSION_DENIED", "write_robot_data_management"):
            upload()


def test_strangers_do_not_upload(foreign_data):
    for upload in everything(foreign_data):
        with refused("PERMISSION_DENIED", "write_robot_data_management"):
            upload()


def test_a_machine_uploads_for_its_own_part_with_its_secret(sandbox, owner, callers):
    secret = owner.GetRobotPart(id=sandbox.robot_part_id).part.secret
    machine = Data(callers(sandbox.robot_part_id, secret, "robot-secret"))
    for upload in everything(machine):
        upload()
    assert machine.ids(component_name="cam")
    second = owner.NewRobotPart(robot_id=sandbox.robot_id, part_name="second").part_id
    for upload in everything(machine):
        with refused("PERMISSION_DENIED", "write_robot_data_management"):
            upload(part_id=second)


def test_captured_files_stay_in_their_first_location(sandbox, data):
    id, caller = data.put(), data.caller
    elsewhere = caller.CreateLocation(organization_id=sandbox.organization_id, name="Elsewhere").location.id
    caller.UpdateRobot(id=sandbox.robot_id, name="new name", location=elsewhere)
    later = data.put()
    before, after = data.about(id).capture_metadata, data.about(later).capture_metadata
    assert (before.location_id, before.robot_name) == (sandbox.location_id, "rover")
    assert (after.location_id, after.robot_name) == (elsewhere, "new name")
    caller.DeleteRobot(id=sandbox.robot_id)
    assert data.about(id).capture_metadata == before
    assert set(data.ids(part_id=sandbox.robot_part_id)) == {id, later}


def test_uploads_survive_a_restart(tmp_path):
    with Sandbox(tmp_path) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        data = Data(caller)
        id = data.put(tags=["kept"], dataset_ids=[sandbox.dataset_id])
        before = data.get(id, include_binary=True)[0]
        caller.channel.close()
    with Sandbox(tmp_path) as sandbox:
        caller = Caller(sandbox, sandbox.api_key_id, sandbox.api_key)
        after = Data(caller).get(id, include_binary=True)[0]
        caller.channel.close()
        before.metadata.uri = after.metadata.uri
        assert after == before


@pytest.mark.parametrize(
    "text", ["\0", "a\0b", "\u202e", "\U0001f600" * 1000, "'; DROP TABLE files", "../../x", "\r\n"]
)
def test_odd_texts_are_kept_as_they_are(data, text):
    names = ("component_type", "component_name", "method_name", "file_name", "file_extension", "mime_type")
    id = data.put(**dict.fromkeys(names, text), tags=[text])
    about = data.about(id)
    assert about.capture_metadata.component_name == about.capture_metadata.mime_type == about.file_name == text
    assert list(about.capture_metadata.tags) == [text]
    assert data.ids(component_name=text, method=text) == [id]
