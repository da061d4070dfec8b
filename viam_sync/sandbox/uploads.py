"""Uploads: readings and files as machines send them, whole or as a stream of any length."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, NamedTuple, Sequence, Tuple

from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as pb
from viam_sync.proto.google import Timestamp
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.boxes import check_box
from viam_sync.sandbox.captures import metadata_for
from viam_sync.sandbox.datasets import dataset_of, require_files
from viam_sync.sandbox.errors import invalid_argument
from viam_sync.sandbox.files import NewFile, add_file
from viam_sync.sandbox.media import HEAD, dotted, kind_of
from viam_sync.sandbox.readings import add_readings
from viam_sync.sandbox.world import World, microseconds_of

_LARGEST_READING = 4_000_000

# The times from the year 1 to 9999, which are all that a message may carry.
_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799

_SECRET = app_pb.AuthenticationType.AUTHENTICATION_TYPE_ROBOT_PART_SECRET
_BINARY = pb.DataType.DATA_TYPE_BINARY_SENSOR
_TABULAR = pb.DataType.DATA_TYPE_TABULAR_SENSOR
_FILE = pb.DataType.DATA_TYPE_FILE


class _Upload(NamedTuple):
    """What an upload of a file says of itself."""

    metadata: pb.UploadMetadata
    sensor: pb.SensorMetadata


class _Contents(NamedTuple):
    """Contents that are kept already."""

    file_id: str
    size: int
    head: bytes


class Uploads:
    """The RPCs of DataSyncService."""

    def __init__(self, world: World) -> None:
        self._world = world

    def DataCaptureUpload(self, request: pb.DataCaptureUploadRequest, caller: Caller) -> pb.DataCaptureUploadResponse:
        """Keep readings, or one file."""
        metadata = request.metadata
        _check_contents(metadata, request.sensor_contents)
        if metadata.type == _TABULAR:
            part = self._part(metadata, caller)
            add_readings(self._world, _capture(self._world, part, metadata, metadata.tags), request.sensor_contents)
            return pb.DataCaptureUploadResponse(file_id=self._world.ids.file())
        (reading,) = request.sensor_contents
        upload = _Upload(metadata, reading.metadata)
        self._part(metadata, caller)
        kept = _Contents(self._world.ids.file(), len(reading.binary), reading.binary[:HEAD])
        self._world.store.blobs.put(kept.file_id, reading.binary)
        try:
            new_id = self._add(upload, kept, caller)
        except BaseException:
            self._world.store.blobs.delete([kept.file_id])
            raise
        return pb.DataCaptureUploadResponse(file_id=kept.file_id, binary_data_id=new_id)

    def FileUpload(self, requests: Iterator[pb.FileUploadRequest], caller: Caller) -> pb.FileUploadResponse:
        """Keep a file that comes as a stream."""
        metadata = _first(requests)
        _check(metadata, _FILE)
        # A file has no times of capture, but may have its own.
        times = {
            name: getattr(metadata, field)
            for name, field in (("time_requested", "file_create_time"), ("time_received", "file_modify_time"))
            if metadata.HasField(field)
        }
        upload = _Upload(metadata, pb.SensorMetadata(**times))
        kept, new_id = self._keep(upload, (each.data for each in _rest(requests, "file_contents")), caller)
        return pb.FileUploadResponse(file_id=kept.file_id, binary_data_id=new_id)

    def StreamingDataCaptureUpload(
        self, requests: Iterator[pb.StreamingDataCaptureUploadRequest], caller: Caller
    ) -> pb.StreamingDataCaptureUploadResponse:
        """Keep a captured file that comes as a stream."""
        first = _first(requests)
        upload = _Upload(first.upload_metadata, first.sensor_metadata)
        _check(upload.metadata, _BINARY)
        _check_sensor(upload.sensor)
        kept, new_id = self._keep(upload, _rest(requests, "data"), caller)
        return pb.StreamingDataCaptureUploadResponse(file_id=kept.file_id, binary_data_id=new_id)

    def _keep(self, upload: _Upload, chunks: Iterable[bytes], caller: Caller) -> Tuple[_Contents, str]:
        """Write contents while they come; only when all are there is there a file."""
        store = self._world.store
        with store.transaction():
            self._part(upload.metadata, caller)
            file_id = self._world.ids.file()
        size, head = 0, b""
        try:
            with store.blobs.writing(file_id) as file:
                for chunk in chunks:
                    file.write(chunk)
                    size += len(chunk)
                    head += chunk[: HEAD - len(head)]
            kept = _Contents(file_id, size, head)
            with store.transaction():
                return kept, self._add(upload, kept, caller)
        except BaseException:
            store.blobs.delete([file_id])
            raise

    def _add(self, upload: _Upload, kept: _Contents, caller: Caller) -> str:
        metadata, sensor = upload
        part = self._part(metadata, caller)  # again, since much may have changed while a stream came
        capture = _capture(self._world, part, metadata)
        capture.mime_type = kind_of(metadata, sensor, kept.head)
        now = self._world.microseconds()
        new = NewFile(
            capture=capture,
            requested=microseconds_of(sensor.time_requested) if sensor.HasField("time_requested") else now,
            received=microseconds_of(sensor.time_received) if sensor.HasField("time_received") else now,
            size=kept.size,
            details=data_pb.BinaryMetadata(
                file_name=metadata.file_name,
                file_ext=dotted(metadata.file_extension),
                annotations=sensor.annotations if sensor.HasField("annotations") else None,
            ),
            tags=metadata.tags,
            dataset_ids=[each.lower() for each in metadata.dataset_ids],
        )
        return add_file(self._world, kept.file_id, new)

    def _part(self, metadata: pb.UploadMetadata, caller: Caller) -> app_pb.RobotPart:
        """Return the part that an upload is for, if the caller may upload for it, and into its datasets."""
        part = self._world.part(metadata.part_id)
        datasets = [dataset_of(self._world, id) for id in metadata.dataset_ids]
        if caller.type != _SECRET or caller.id != part.id:
            caller.require("write_robot_data_management", "robot", part.robot)
        for dataset in datasets:
            caller.require_role_in(dataset.organization_id)
        for dataset in datasets:
            require_files(dataset)
        return part


def _capture(
    world: World, part: app_pb.RobotPart, metadata: pb.UploadMetadata, tags: Sequence[str] = ()
) -> data_pb.CaptureMetadata:
    capture = metadata_for(world, part)
    capture.component_type = metadata.component_type
    capture.component_name = metadata.component_name
    capture.method_name = metadata.method_name
    capture.tags.extend(tags)
    for name, value in metadata.method_parameters.items():
        capture.method_parameters[name].CopyFrom(value)
    return capture


def _first(requests: Iterator[Any]) -> Any:
    """Return the metadata that a stream begins with."""
    first = next(requests, None)
    if first is None or first.WhichOneof("upload_packet") != "metadata":
        had = "ended before it began" if first is None else "began with something else"
        raise invalid_argument(f"A stream begins with the metadata of the upload, and this one {had}; send that first.")
    return first.metadata


def _rest(requests: Iterator[Any], kind: str) -> Iterator[Any]:
    """Yield the contents in a stream after its metadata."""
    for request in requests:
        found = request.WhichOneof("upload_packet")
        if found != kind:
            raise invalid_argument(
                f"After the metadata a stream has nothing but contents ({kind}), "
                f"and this one has {found or 'an empty message'}."
            )
        yield getattr(request, kind)


def _check_contents(metadata: pb.UploadMetadata, contents: Sequence[pb.SensorData]) -> None:
    """Go on only if an upload in one message holds what it says."""
    if metadata.type not in (_BINARY, _TABULAR):
        raise _wrong_type(metadata, "DATA_TYPE_BINARY_SENSOR or DATA_TYPE_TABULAR_SENSOR")
    kind = "binary" if metadata.type == _BINARY else "struct"
    for index, reading in enumerate(contents):
        if reading.WhichOneof("data") != kind:
            raise invalid_argument(
                f"sensor_contents[{index}] holds {reading.WhichOneof('data') or 'nothing'}, and an upload of the type "
                f"{_type_name(metadata)} holds {kind} alone; upload the two in different calls."
            )
        if kind == "struct" and reading.struct.ByteSize() > _LARGEST_READING:
            raise invalid_argument(
                f"sensor_contents[{index}] is {reading.struct.ByteSize()} bytes long, and a reading may have "
                f"{_LARGEST_READING}; make several of it."
            )
        _check_sensor(reading.metadata)
    if not contents or (kind == "binary" and len(contents) != 1):
        raise invalid_argument(
            f"sensor_contents has {len(contents)} entries; give {'just one' if kind == 'binary' else 'at least one'}."
        )
    if kind == "struct" and metadata.dataset_ids:
        raise invalid_argument("Readings cannot be in a dataset; leave out dataset_ids.")


def _check(metadata: pb.UploadMetadata, type: pb.DataType.ValueType) -> None:
    """Go on only if the metadata of a stream fit its RPC."""
    if metadata.type != type:
        raise _wrong_type(metadata, pb.DataType.Name(type))
    for field in ("file_create_time", "file_modify_time"):
        if metadata.HasField(field):
            _check_time(field, getattr(metadata, field))


def _check_sensor(sensor: pb.SensorMetadata) -> None:
    for field in ("time_requested", "time_received"):
        if sensor.HasField(field):
            _check_time(field, getattr(sensor, field))
    for box in sensor.annotations.bboxes:
        check_box(box)


def _check_time(field: str, time: Timestamp) -> None:
    if not _FIRST_SECOND <= time.seconds <= _LAST_SECOND or not 0 <= time.nanos < 1_000_000_000:
        raise invalid_argument(
            f"{field} is {time.seconds} seconds and {time.nanos} nanoseconds; give a time from the year 1 to 9999."
        )


def _type_name(metadata: pb.UploadMetadata) -> str:
    number = metadata.type
    return pb.DataType.Name(number) if number in pb.DataType.values() else str(number)


def _wrong_type(metadata: pb.UploadMetadata, wanted: str) -> Exception:
    return invalid_argument(f"The type of the upload is {_type_name(metadata)}; this call takes {wanted}.")
