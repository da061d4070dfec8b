"""The methods of DataClient that upload data captured by components."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Iterator, List, Mapping, Optional, Sequence, Tuple

from viam_sync.app._data.arguments import request_time_fields
from viam_sync.app._data.reading_messages import Rows, message_batches, reading_messages
from viam_sync.app._data.upload_metadata import capture_metadata, upload_metadata, with_dot
from viam_sync.checks import parameter_names
from viam_sync.checks.positions import newest_order
from viam_sync.messages.file_id import FileID
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.output.progress import Progress, ProgressLike
from viam_sync.transfer.upload.source import ProgressChunks, upload_source
from viam_sync.transfer.upload.uploadable import Uploadable

#: The most bytes of captured data that go in one message.
_ONE_MESSAGE = 1_000_000


def _has_datasets_before_times(args: Sequence[Any]) -> bool:
    """Tell whether the ninth argument is a list of IDs, where the reference has a tuple of two times."""
    if len(args) < 9:
        return False
    ids = args[8]
    return len(args) > 9 if ids is None else isinstance(ids, list) and all(isinstance(each, str) for each in ids)


def _has_times_before_parameters(args: Sequence[Any]) -> bool:
    """Tell whether the sixth argument is a list, where the reference has a dict."""
    return len(args) > 5 and isinstance(args[5], (list, tuple))


class CaptureUploadsMixin(Service):
    """Methods that upload captured data; data that is uploaded twice is stored twice, so none of them tries again."""

    _service = "viam.app.datasync.v1.DataSyncService"

    @newest_order(
        *("binary_data", "part_id", "component_type", "component_name", "method_name", "file_extension"),
        *("method_parameters", "tags", "dataset_ids", "data_request_times", "mime_type"),
        is_meant=_has_datasets_before_times,
    )
    def binary_data_capture_upload(
        self,
        binary_data: Uploadable,
        part_id: str,
        component_type: str,
        component_name: str,
        method_name: str,
        file_extension: str,
        method_parameters: Optional[Mapping[str, Any]] = None,
        tags: Optional[Sequence[str]] = None,
        data_request_times: Optional[Tuple[datetime, datetime]] = None,
        *,
        dataset_ids: Optional[Sequence[str]] = None,
        mime_type: Optional[str] = None,
        annotations: Optional[data_pb.Annotations] = None,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> FileID:
        """Upload bytes that a component has captured, such as an image.

        Contents larger than 1 MB are sent as a stream, and so are those whose size is not known, as that of a pipe.

        By position, ``dataset_ids`` may stand before ``data_request_times``, and ``mime_type`` after, as the newest
        official SDK has it.

        Args:
            binary_data: The contents: bytes, the path of a file as a ``pathlib.Path``, or a file opened in binary
                mode, which is read from where it stands and left open.
            part_id: ID of the part, a UUID.
            component_type: Type of the component, such as ``camera``.
            component_name: Name of the component.
            method_name: Name of the method that it was captured with, such as ``GetImages``.
            file_extension: Its extension, such as ``.jpg``; the dot may be left out. It decides how the file is shown.
            method_parameters: Parameters of that method: plain values, or messages.
            tags: Tags to store with it.
            data_request_times: When the machine asked for the data, and when it got them; without a time zone these are
                UTC. None for the time of the upload.
            dataset_ids: IDs of datasets to put it into, 24 hexadecimal digits each.
            mime_type: Its MIME type, such as ``image/png``; None to leave it to the extension.
            annotations: Labels and bounding boxes of an image; None for none.
            progress: True for a bar on the terminal or in a notebook; or a function that is called with the number of
                bytes sent, their total (None if that is not known), and ``"bytes"``.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            ID of the file, a `FileID`: a ``str``, with ``binary_data_id`` as an attribute; methods that take IDs of
            binary data take it as it is.

        Raises:
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``data_request_times`` are not two.
            OSError: If a file cannot be read, or is changed while it is; nothing is stored then.
            ImportError: If ``progress`` is True, and tqdm is not installed.
            AmbiguousResultError: If nobody knows whether it was stored, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> id = client.data_client.binary_data_capture_upload(
            ...     b"...", sandbox.robot_part_id, "camera", "eye", "GetImages", ".png", tags=["first"])
            >>> client.data_client.binary_data_by_ids([id])[0].metadata.capture_metadata.mime_type
            'image/png'
        """
        metadata = capture_metadata(
            pb.DataType.DATA_TYPE_BINARY_SENSOR,
            part_id,
            component_type,
            component_name,
            method_name,
            file_extension=with_dot(file_extension),
            method_parameters=method_parameters,
            tags=tags,
            dataset_ids=dataset_ids,
            mime_type=mime_type,
        )
        sensor = _sensor_metadata(data_request_times, annotations)
        with Progress(progress) as shown, upload_source("binary_data", binary_data) as contents:
            shown.begin(contents.size)
            return self._upload_capture(ProgressChunks(contents, shown.advance), metadata, sensor, timeout)

    @newest_order(
        *("tabular_data", "part_id", "component_type", "component_name", "method_name"),
        *("data_request_times", "method_parameters", "tags"),
        is_meant=_has_times_before_parameters,
    )
    def tabular_data_capture_upload(
        self,
        tabular_data: Rows,
        part_id: str,
        component_type: str,
        component_name: str,
        method_name: str,
        method_parameters: Optional[Mapping[str, Any]] = None,
        tags: Optional[Sequence[str]] = None,
        data_request_times: Optional[Sequence[Tuple[datetime, datetime]]] = None,
        *,
        timeout: Optional[float] = None,
    ) -> FileID:
        """Upload readings that a component has captured.

        They go in messages of up to 4 MiB, as the service refuses one above 32 MiB; most uploads are a single message.

        By position, ``data_request_times`` may stand before ``method_parameters``, as the newest official SDK has it.

        Args:
            tabular_data: The readings: mappings in any iterable, a generator among them, or the rows of a
                ``pandas.DataFrame``. A reading holds values that JSON can hold, up to 4 MB. In a DataFrame, missing
                values (NaN, NaT, NA) become None, times become ISO 8601 text, in UTC where they have no time zone, time
                spans become seconds, and numbers and arrays of numpy become plain ones.
            part_id: ID of the part, a UUID.
            component_type: Type of the component, such as ``camera``.
            component_name: Name of the component.
            method_name: Name of the method that it was captured with, such as ``GetImages``.
            method_parameters: Parameters of that method: plain values, or messages.
            tags: Tags to store with them.
            data_request_times: For each reading when the machine asked for it, and when it got it; without a time zone
                these are UTC. None for the time of the upload.
            timeout: Seconds that each message may take; None for the limit of its retry class.

        Returns:
            ID of the upload, a `FileID`, which has no ``binary_data_id``; where there are several messages, of the
            first.

        Raises:
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type.
            ValueError: If there are not as many times as readings, or a reading holds a value that JSON cannot. From a
                list, nothing was sent then; from a generator or a DataFrame, the readings before it may have been.
            AmbiguousResultError: If nobody knows whether it was stored, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which. Every exception
                after the first of several messages has an attribute ``readings_sent``, the number of readings that are
                stored.

        Example:
            >>> rows = [{"celsius": 20.5}, {"celsius": 21}]
            >>> upload_id = client.data_client.tabular_data_capture_upload(
            ...     rows, sandbox.robot_part_id, "sensor", "thermometer", "Readings")
        """
        metadata = capture_metadata(
            pb.DataType.DATA_TYPE_TABULAR_SENSOR,
            part_id,
            component_type,
            component_name,
            method_name,
            method_parameters=method_parameters,
            tags=tags,
        )
        first_id, sent = None, 0
        try:
            for batch in message_batches(reading_messages(tabular_data, data_request_times)):
                id = self._upload_readings(metadata, batch, timeout)
                first_id = id if first_id is None else first_id
                sent += len(batch)
        except Exception as error:
            error.readings_sent = sent  # type: ignore[attr-defined]
            raise
        return first_id or FileID("")

    def streaming_data_capture_upload(
        self,
        data: Uploadable,
        part_id: str,
        file_ext: str,
        component_type: Optional[str] = None,
        component_name: Optional[str] = None,
        method_name: Optional[str] = None,
        method_parameters: Optional[Mapping[str, Any]] = None,
        data_request_times: Optional[Tuple[datetime, datetime]] = None,
        tags: Optional[Sequence[str]] = None,
        dataset_ids: Optional[Sequence[str]] = None,
        mime_type: Optional[str] = None,
        *,
        annotations: Optional[data_pb.Annotations] = None,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> FileID:
        """Upload captured bytes of any size as a stream.

        Args:
            data: The contents: bytes, the path of a file as a ``pathlib.Path``, or a file opened in binary mode,
                which is read from where it stands and left open.
            part_id: ID of the part, a UUID.
            file_ext: Their extension, such as ``.png``; the dot may be left out. It decides how they are shown.
            component_type: Type of the component that it comes from, such as ``movement_sensor``; None for none.
            component_name: Name of that component.
            method_name: Name of the method that it was captured with.
            method_parameters: Parameters of that method: plain values, or messages.
            data_request_times: When the machine asked for the data, and when it got them; without a time zone these are
                UTC. None for the time of the upload.
            tags: Tags to store with it.
            dataset_ids: IDs of datasets to put it into, 24 hexadecimal digits each.
            mime_type: Its MIME type, such as ``image/png``; None to leave it to the extension.
            annotations: Labels and bounding boxes of an image; None for none.
            progress: True for a bar on the terminal or in a notebook; or a function that is called with the number of
                bytes sent, their total (None if that is not known), and ``"bytes"``.
            timeout: Seconds that the upload may take in all; None for no limit.

        Returns:
            ID of the file, a `FileID`: a ``str``, with ``binary_data_id`` as an attribute; methods that take IDs of
            binary data take it as it is.

        Raises:
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``file_ext`` is empty, or ``data_request_times`` are not two.
            OSError: If a file cannot be read, or is changed while it is; nothing is stored then.
            ImportError: If ``progress`` is True, and tqdm is not installed.
            AmbiguousResultError: If nobody knows whether it was stored, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> id = client.data_client.streaming_data_capture_upload(bytes(5_000_000), sandbox.robot_part_id, ".pcd")
            >>> client.data_client.binary_data_by_ids([id])[0].metadata.file_size_bytes
            5000000
        """
        if isinstance(file_ext, str) and not file_ext:
            raise ValueError("file_ext is empty; it takes the extension of the data, such as '.png'")
        with parameter_names(file_extension="file_ext"):
            metadata = upload_metadata(
                pb.DataType.DATA_TYPE_BINARY_SENSOR,
                part_id,
                component_type=component_type,
                component_name=component_name,
                method_name=method_name,
                file_extension=with_dot(file_ext, "file_ext"),
                method_parameters=method_parameters,
                tags=tags,
                dataset_ids=dataset_ids,
                mime_type=mime_type,
            )
        sensor = _sensor_metadata(data_request_times, annotations)
        with Progress(progress) as shown, upload_source("data", data) as contents:
            shown.begin(contents.size)
            return self._stream_capture(ProgressChunks(contents, shown.advance), metadata, sensor, timeout)

    def _upload_capture(
        self,
        pieces: ProgressChunks,
        metadata: pb.UploadMetadata,
        sensor: Optional[pb.SensorMetadata],
        timeout: Optional[float],
    ) -> FileID:
        """Upload contents in one message if they are known to be small."""
        if pieces.size is None or pieces.size > _ONE_MESSAGE:
            return self._stream_capture(pieces, metadata, sensor, timeout)
        reading = pb.SensorData(metadata=sensor, binary=b"".join(pieces))
        return self._upload_readings(metadata, [reading], timeout)

    def _upload_readings(
        self, metadata: pb.UploadMetadata, sensor_contents: List[pb.SensorData], timeout: Optional[float]
    ) -> FileID:
        request = pb.DataCaptureUploadRequest(metadata=metadata, sensor_contents=sensor_contents)
        response: pb.DataCaptureUploadResponse = self._unary_unary(methods.DATA_CAPTURE_UPLOAD, request, timeout)
        return FileID(response.file_id, response.binary_data_id)

    def _stream_capture(
        self,
        pieces: ProgressChunks,
        metadata: pb.UploadMetadata,
        sensor: Optional[pb.SensorMetadata],
        timeout: Optional[float],
    ) -> FileID:
        def requests() -> Iterator[pb.StreamingDataCaptureUploadRequest]:
            described = pb.DataCaptureUploadMetadata(
                upload_metadata=metadata, sensor_metadata=sensor or pb.SensorMetadata()
            )
            yield pb.StreamingDataCaptureUploadRequest(metadata=described)
            for piece in pieces:
                yield pb.StreamingDataCaptureUploadRequest(data=piece)

        response: pb.StreamingDataCaptureUploadResponse = self._stream_unary(
            methods.STREAMING_DATA_CAPTURE_UPLOAD, requests if pieces.repeatable else requests(), timeout
        )
        return FileID(response.file_id, response.binary_data_id)


def _sensor_metadata(
    times: Optional[Tuple[datetime, datetime]], annotations: Optional[data_pb.Annotations]
) -> Optional[pb.SensorMetadata]:
    """Return the times and annotations of a capture; None if there are none."""
    known = request_time_fields("data_request_times", times)
    if not known and annotations is None:
        return None
    return pb.SensorMetadata(annotations=annotations, **known)
