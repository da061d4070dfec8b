"""The methods of DataClient that upload data."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple

from viam_sync.app.arguments import request_times
from viam_sync.app.upload_metadata import dotted, readings, upload_metadata
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.retry import ONCE, UPLOAD
from viam_sync.rpc.service import Service
from viam_sync.transfer.chunks import BytesLike, FileContents, as_view, chunks_of
from viam_sync.transfer.files import path_from

#: Bytes up to which captured data goes in one message.
_ONE_MESSAGE = 1_000_000


class Uploads(Service):
    """Methods that upload data; what is uploaded twice is stored twice, so none of them tries again."""

    _service = "viam.app.datasync.v1.DataSyncService"

    def binary_data_capture_upload(
        self,
        binary_data: BytesLike,
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
        timeout: Optional[float] = None,
    ) -> str:
        """Upload what a component has captured as bytes, such as an image.

        What is larger than 1 MB is sent as a stream.

        Args:
            binary_data: The contents.
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
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            ID of the file.

        Raises:
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``data_request_times`` are not two.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> id = client.data_client.binary_data_capture_upload(
            ...     b"...", sandbox.robot_part_id, "camera", "eye", "GetImages", ".png", tags=["first"])
            >>> client.data_client.binary_data_by_ids([id])[0].metadata.capture_metadata.mime_type
            'image/png'
        """
        contents = as_view("binary_data", binary_data)
        metadata = upload_metadata(
            pb.DataType.DATA_TYPE_BINARY_SENSOR,
            part_id,
            component_type=component_type,
            component_name=component_name,
            method_name=method_name,
            file_extension=dotted(file_extension),
            method_parameters=method_parameters,
            tags=tags,
            dataset_ids=dataset_ids,
            mime_type=mime_type,
        )
        times = request_times("data_request_times", data_request_times)
        if len(contents) > _ONE_MESSAGE:
            return self._stream_capture(contents, metadata, times, timeout)
        reading = pb.SensorData(metadata=pb.SensorMetadata(**times) if times else None, binary=bytes(contents))
        return self._upload_readings(metadata, [reading], timeout)

    def tabular_data_capture_upload(
        self,
        tabular_data: Sequence[Mapping[str, Any]],
        part_id: str,
        component_type: str,
        component_name: str,
        method_name: str,
        method_parameters: Optional[Mapping[str, Any]] = None,
        tags: Optional[Sequence[str]] = None,
        data_request_times: Optional[Sequence[Tuple[datetime, datetime]]] = None,
        *,
        timeout: Optional[float] = None,
    ) -> str:
        """Upload readings that a component has captured.

        Args:
            tabular_data: The readings, each a mapping; it holds what JSON can hold, up to 4 MB.
            part_id: ID of the part, a UUID.
            component_type: Type of the component, such as ``camera``.
            component_name: Name of the component.
            method_name: Name of the method that it was captured with, such as ``GetImages``.
            method_parameters: Parameters of that method: plain values, or messages.
            tags: Tags to store with them.
            data_request_times: For each reading when the machine asked for it, and when it got it; without a time zone
                these are UTC. None for the time of the upload.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            ID of the upload.

        Raises:
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type.
            ValueError: If there are not as many times as readings, or a reading holds what JSON cannot.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> rows = [{"celsius": 20.5}, {"celsius": 21}]
            >>> upload_id = client.data_client.tabular_data_capture_upload(
            ...     rows, sandbox.robot_part_id, "sensor", "thermometer", "Readings")
        """
        metadata = upload_metadata(
            pb.DataType.DATA_TYPE_TABULAR_SENSOR,
            part_id,
            component_type=component_type,
            component_name=component_name,
            method_name=method_name,
            method_parameters=method_parameters,
            tags=tags,
        )
        return self._upload_readings(metadata, readings(tabular_data, data_request_times), timeout)

    def streaming_data_capture_upload(
        self,
        data: BytesLike,
        part_id: str,
        file_ext: str,
        component_type: Optional[str] = None,
        component_name: Optional[str] = None,
        method_name: Optional[str] = None,
        method_parameters: Optional[Mapping[str, Any]] = None,
        data_request_times: Optional[Tuple[datetime, datetime]] = None,
        tags: Optional[Sequence[str]] = None,
        *,
        dataset_ids: Optional[Sequence[str]] = None,
        mime_type: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> str:
        """Upload captured bytes of any size as a stream.

        Args:
            data: The contents.
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
            timeout: Seconds that the upload may take in all; None for no limit.

        Returns:
            ID of the file.

        Raises:
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``file_ext`` is empty, or ``data_request_times`` are not two.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> id = client.data_client.streaming_data_capture_upload(bytes(5_000_000), sandbox.robot_part_id, ".pcd")
            >>> client.data_client.binary_data_by_ids([id])[0].metadata.file_size_bytes
            5000000
        """
        contents = as_view("data", data)
        if not file_ext:
            raise ValueError("file_ext is empty; it takes the extension of the data, such as '.png'")
        metadata = upload_metadata(
            pb.DataType.DATA_TYPE_BINARY_SENSOR,
            part_id,
            component_type=component_type,
            component_name=component_name,
            method_name=method_name,
            file_extension=dotted(file_ext, "file_ext"),
            method_parameters=method_parameters,
            tags=tags,
            dataset_ids=dataset_ids,
            mime_type=mime_type,
        )
        return self._stream_capture(
            contents, metadata, request_times("data_request_times", data_request_times), timeout
        )

    def file_upload(
        self,
        part_id: str,
        data: BytesLike,
        component_type: Optional[str] = None,
        component_name: Optional[str] = None,
        method_name: Optional[str] = None,
        file_name: Optional[str] = None,
        method_parameters: Optional[Mapping[str, Any]] = None,
        file_extension: Optional[str] = None,
        tags: Optional[Sequence[str]] = None,
        *,
        dataset_ids: Optional[Sequence[str]] = None,
        mime_type: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> str:
        """Upload a file of any kind from memory.

        Args:
            part_id: ID of the part, a UUID.
            data: The contents.
            component_type: Type of the component that it comes from, such as ``movement_sensor``; None for none.
            component_name: Name of that component.
            method_name: Name of the method that it was captured with.
            file_name: Its name, without the extension; None for none.
            method_parameters: Parameters of that method: plain values, or messages.
            file_extension: Its extension with the dot, such as ``.txt``; None for none.
            tags: Tags to store with it.
            dataset_ids: IDs of datasets to put it into, 24 hexadecimal digits each.
            mime_type: Its MIME type, such as ``image/png``; None to leave it to the extension.
            timeout: Seconds that the upload may take in all; None for no limit.

        Returns:
            ID of the file.

        Raises:
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> id = client.data_client.file_upload(
            ...     sandbox.robot_part_id, b"It works.", file_name="notes", file_extension=".txt")
            >>> client.data_client.binary_data_by_ids([id])[0].binary
            b'It works.'
        """
        contents = as_view("data", data)
        metadata = upload_metadata(
            pb.DataType.DATA_TYPE_FILE,
            part_id,
            component_type=component_type,
            component_name=component_name,
            method_name=method_name,
            file_name=file_name,
            file_extension=file_extension,
            method_parameters=method_parameters,
            tags=tags,
            dataset_ids=dataset_ids,
            mime_type=mime_type,
        )
        return self._stream_file(metadata, chunks_of(contents), timeout)

    def file_upload_from_path(
        self,
        filepath: str,
        part_id: str,
        component_type: Optional[str] = None,
        component_name: Optional[str] = None,
        method_name: Optional[str] = None,
        method_parameters: Optional[Mapping[str, Any]] = None,
        tags: Optional[Sequence[str]] = None,
        *,
        dataset_ids: Optional[Sequence[str]] = None,
        mime_type: Optional[str] = None,
        file_name: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> str:
        """Upload a file of any kind from disk; it is read while it is sent, and never held in memory as a whole.

        Args:
            filepath: Path of the file.
            part_id: ID of the part, a UUID.
            component_type: Type of the component that it comes from, such as ``movement_sensor``; None for none.
            component_name: Name of that component.
            method_name: Name of the method that it was captured with.
            method_parameters: Parameters of that method: plain values, or messages.
            tags: Tags to store with it.
            dataset_ids: IDs of datasets to put it into, 24 hexadecimal digits each.
            mime_type: Its MIME type, such as ``image/png``; None to leave it to the extension.
            file_name: Another name for it; None for its own without the last extension.
            timeout: Seconds that the upload may take in all; None for no limit.

        Returns:
            ID of the file.

        Raises:
            FileNotFoundError: If there is no such file; nothing is sent.
            OSError: If it cannot be read.
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> path = folder / "map.pcd"
            >>> _ = path.write_bytes(b"VERSION .7")
            >>> id = client.data_client.file_upload_from_path(str(path), sandbox.robot_part_id)
            >>> client.data_client.binary_data_by_ids([id])[0].metadata.file_name
            'map'
        """
        path = path_from("filepath", filepath)
        metadata = upload_metadata(
            pb.DataType.DATA_TYPE_FILE,
            part_id,
            component_type=component_type,
            component_name=component_name,
            method_name=method_name,
            file_name=path.stem if file_name is None else file_name,
            file_extension=path.suffix,
            method_parameters=method_parameters,
            tags=tags,
            dataset_ids=dataset_ids,
            mime_type=mime_type,
        )
        with FileContents(path) as contents:
            return self._stream_file(metadata, contents, timeout)

    def _upload_readings(
        self, metadata: pb.UploadMetadata, sensor_contents: List[pb.SensorData], timeout: Optional[float]
    ) -> str:
        request = pb.DataCaptureUploadRequest(metadata=metadata, sensor_contents=sensor_contents)
        response: pb.DataCaptureUploadResponse = self._call("DataCaptureUpload", request, ONCE, timeout)
        return response.file_id or response.binary_data_id

    def _stream_capture(
        self,
        contents: memoryview,
        metadata: pb.UploadMetadata,
        times: Mapping[str, Any],
        timeout: Optional[float],
    ) -> str:
        sensor_metadata = pb.SensorMetadata(**times)

        def requests() -> Iterator[pb.StreamingDataCaptureUploadRequest]:
            described = pb.DataCaptureUploadMetadata(upload_metadata=metadata, sensor_metadata=sensor_metadata)
            yield pb.StreamingDataCaptureUploadRequest(metadata=described)
            for chunk in chunks_of(contents):
                yield pb.StreamingDataCaptureUploadRequest(data=chunk)

        response: pb.StreamingDataCaptureUploadResponse = self._send(
            "StreamingDataCaptureUpload", requests(), UPLOAD, timeout
        )
        return response.file_id or response.binary_data_id

    def _stream_file(self, metadata: pb.UploadMetadata, chunks: Iterable[bytes], timeout: Optional[float]) -> str:
        def requests() -> Iterator[pb.FileUploadRequest]:
            yield pb.FileUploadRequest(metadata=metadata)
            for chunk in chunks:
                yield pb.FileUploadRequest(file_contents=pb.FileData(data=chunk))

        response: pb.FileUploadResponse = self._send("FileUpload", requests(), UPLOAD, timeout)
        return response.file_id or response.binary_data_id
