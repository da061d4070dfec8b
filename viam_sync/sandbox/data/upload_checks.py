"""Checks of the metadata and the contents of uploads."""

from __future__ import annotations

from typing import Sequence

from viam_sync.proto.app import datasync as pb
from viam_sync.proto.google import Timestamp
from viam_sync.sandbox.core.call_errors import invalid_argument
from viam_sync.sandbox.data.boxes import check_box

BINARY = pb.DataType.DATA_TYPE_BINARY_SENSOR
TABULAR = pb.DataType.DATA_TYPE_TABULAR_SENSOR
FILE = pb.DataType.DATA_TYPE_FILE

_LARGEST_READING = 4_000_000

# The times that a Timestamp may have, from the year 1 to 9999.
_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799


def check_capture_upload(metadata: pb.UploadMetadata, contents: Sequence[pb.SensorData]) -> None:
    """Check that the contents of a unary upload are of its type.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    if metadata.type not in (BINARY, TABULAR):
        raise _wrong_type(metadata, "DATA_TYPE_BINARY_SENSOR or DATA_TYPE_TABULAR_SENSOR")
    kind = "binary" if metadata.type == BINARY else "struct"
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
        check_sensor_metadata(reading.metadata)
    if not contents or (kind == "binary" and len(contents) != 1):
        raise invalid_argument(
            f"sensor_contents has {len(contents)} entries; give {'just one' if kind == 'binary' else 'at least one'}."
        )
    if kind == "struct" and metadata.dataset_ids:
        raise invalid_argument("Readings cannot be in a dataset; leave out dataset_ids.")


def check_stream_metadata(metadata: pb.UploadMetadata, type: pb.DataType.ValueType) -> None:
    """Check the metadata of a streamed upload, whose RPC takes one type of data.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
    if metadata.type != type:
        raise _wrong_type(metadata, pb.DataType.Name(type))
    for field in ("file_create_time", "file_modify_time"):
        if metadata.HasField(field):
            _check_time(field, getattr(metadata, field))


def check_sensor_metadata(sensor: pb.SensorMetadata) -> None:
    """Check the times and the annotations of a reading or a file.

    Raises:
        CallError: INVALID_ARGUMENT.
    """
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
