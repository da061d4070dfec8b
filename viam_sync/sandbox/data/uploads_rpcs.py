"""The RPCs that upload readings and files, unary or as a stream."""

from __future__ import annotations

from typing import Any, Iterable, Iterator, NamedTuple, Sequence, Tuple

from viam_sync.proto import app as app_pb
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.core.transactions import opens_transactions
from viam_sync.sandbox.core.world import World, microseconds_of
from viam_sync.sandbox.data.captures import current_capture_metadata
from viam_sync.sandbox.data.datasets import get_dataset, require_binary_dataset
from viam_sync.sandbox.data.mime_types import HEAD_BYTES, dotted_extension, mime_type_of
from viam_sync.sandbox.data.new_files import NewFile, add_file
from viam_sync.sandbox.data.readings import add_readings
from viam_sync.sandbox.data.upload_checks import (
    BINARY,
    FILE,
    TABULAR,
    check_capture_upload,
    check_sensor_metadata,
    check_stream_metadata,
)

_SECRET = app_pb.AuthenticationType.AUTHENTICATION_TYPE_ROBOT_PART_SECRET


class _Description(NamedTuple):
    """The metadata of the upload of a file."""

    metadata: pb.UploadMetadata
    sensor: pb.SensorMetadata


class _StoredContents(NamedTuple):
    """Contents that are stored as a blob."""

    file_id: str
    size: int
    head: bytes


class UploadsServicer:
    """The RPCs of DataSyncService."""

    def __init__(self, world: World) -> None:
        self._world = world

    @opens_transactions
    def DataCaptureUpload(self, request: pb.DataCaptureUploadRequest, caller: Caller) -> pb.DataCaptureUploadResponse:
        """Add readings, or one file."""
        metadata = request.metadata
        check_capture_upload(metadata, request.sensor_contents)
        if metadata.type == TABULAR:
            with self._world.store.transaction():
                part = self._part(metadata, caller)
                add_readings(self._world, _capture(self._world, part, metadata, metadata.tags), request.sensor_contents)
                return pb.DataCaptureUploadResponse(file_id=self._world.ids.file())
        (reading,) = request.sensor_contents
        stored, new_id = self._store(_Description(metadata, reading.metadata), [reading.binary], caller)
        return pb.DataCaptureUploadResponse(file_id=stored.file_id, binary_data_id=new_id)

    def FileUpload(self, requests: Iterator[pb.FileUploadRequest], caller: Caller) -> pb.FileUploadResponse:
        """Add a file that is streamed."""
        metadata = _first_metadata(requests)
        check_stream_metadata(metadata, FILE)
        # A file has no times of capture, but optional ones of its creation and modification.
        times = {
            name: getattr(metadata, field)
            for name, field in (("time_requested", "file_create_time"), ("time_received", "file_modify_time"))
            if metadata.HasField(field)
        }
        upload = _Description(metadata, pb.SensorMetadata(**times))
        stored, new_id = self._store(
            upload, (each.data for each in _remaining_contents(requests, "file_contents")), caller
        )
        return pb.FileUploadResponse(file_id=stored.file_id, binary_data_id=new_id)

    def StreamingDataCaptureUpload(
        self, requests: Iterator[pb.StreamingDataCaptureUploadRequest], caller: Caller
    ) -> pb.StreamingDataCaptureUploadResponse:
        """Add a captured file that is streamed."""
        first = _first_metadata(requests)
        upload = _Description(first.upload_metadata, first.sensor_metadata)
        check_stream_metadata(upload.metadata, BINARY)
        check_sensor_metadata(upload.sensor)
        stored, new_id = self._store(upload, _remaining_contents(requests, "data"), caller)
        return pb.StreamingDataCaptureUploadResponse(file_id=stored.file_id, binary_data_id=new_id)

    def _store(self, upload: _Description, chunks: Iterable[bytes], caller: Caller) -> Tuple[_StoredContents, str]:
        """Store contents as they arrive, and add the file when they are complete."""
        store = self._world.store
        with store.transaction():
            self._part(upload.metadata, caller)
            file_id = self._world.ids.file()
        size, head = 0, b""
        with store.new_blob(file_id):
            with store.blobs.writing(file_id) as file:
                for chunk in chunks:
                    file.write(chunk)
                    size += len(chunk)
                    head += chunk[: HEAD_BYTES - len(head)]
            stored = _StoredContents(file_id, size, head)
            with store.transaction():
                return stored, self._add(upload, stored, caller)

    def _add(self, upload: _Description, stored: _StoredContents, caller: Caller) -> str:
        metadata, sensor = upload
        part = self._part(metadata, caller)  # checked again, since the state may have changed during the stream
        capture = _capture(self._world, part, metadata)
        capture.mime_type = mime_type_of(metadata, sensor, stored.head)
        now = self._world.microseconds()
        new = NewFile(
            capture=capture,
            requested=microseconds_of(sensor.time_requested) if sensor.HasField("time_requested") else now,
            received=microseconds_of(sensor.time_received) if sensor.HasField("time_received") else now,
            size=stored.size,
            details=data_pb.BinaryMetadata(
                file_name=metadata.file_name,
                file_ext=dotted_extension(metadata.file_extension),
                annotations=sensor.annotations if sensor.HasField("annotations") else None,
            ),
            tags=metadata.tags,
            dataset_ids=[each.lower() for each in metadata.dataset_ids],
        )
        return add_file(self._world, stored.file_id, new)

    def _part(self, metadata: pb.UploadMetadata, caller: Caller) -> app_pb.RobotPart:
        """Return the part of an upload, if the caller may upload for it and add to the datasets."""
        part = self._world.part(metadata.part_id)
        datasets = [get_dataset(self._world, id) for id in metadata.dataset_ids]
        if caller.type != _SECRET or caller.id != part.id:
            caller.require("write_robot_data_management", "robot", part.robot)
        for dataset in datasets:
            caller.require_role_in(dataset.organization_id)
        for dataset in datasets:
            require_binary_dataset(dataset)
        return part


def _capture(
    world: World, part: app_pb.RobotPart, metadata: pb.UploadMetadata, tags: Sequence[str] = ()
) -> data_pb.CaptureMetadata:
    capture = current_capture_metadata(world, part)
    capture.component_type = metadata.component_type
    capture.component_name = metadata.component_name
    capture.method_name = metadata.method_name
    capture.tags.extend(tags)
    for name, value in metadata.method_parameters.items():
        capture.method_parameters[name].CopyFrom(value)
    return capture


def _first_metadata(requests: Iterator[Any]) -> Any:
    """Return the metadata in the first message of a stream."""
    first = next(requests, None)
    if first is None or first.WhichOneof("upload_packet") != "metadata":
        had = "ended before it began" if first is None else "began with something else"
        raise invalid_argument(f"A stream begins with the metadata of the upload, and this one {had}; send that first.")
    return first.metadata


def _remaining_contents(requests: Iterator[Any], kind: str) -> Iterator[Any]:
    """Yield the contents in the other messages of a stream."""
    for request in requests:
        found = request.WhichOneof("upload_packet")
        if found != kind:
            raise invalid_argument(
                f"After the metadata a stream has nothing but contents ({kind}), "
                f"and this one has {found or 'an empty message'}."
            )
        yield getattr(request, kind)
