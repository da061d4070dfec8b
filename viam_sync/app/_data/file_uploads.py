"""The methods of DataClient that upload a file."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Iterator, Mapping, Optional, Sequence

from typing_extensions import TypeAlias

from viam_sync.app._data.upload_metadata import as_utf8, upload_metadata
from viam_sync.checks import path_from
from viam_sync.messages.file_id import FileID
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.progress import Progress, ProgressLike
from viam_sync.transfer.upload.source import ProgressChunks, file_source, upload_source
from viam_sync.transfer.upload.uploadable import Uploadable


class FileUploadsMixin(Service):
    """Methods that upload a file; a file that is uploaded twice is stored twice, so none of them tries again."""

    # Without TypeAlias, mypy takes the name for a variable, which cannot be used as a type.
    FileID: TypeAlias = FileID

    def file_upload(
        self,
        part_id: str,
        data: Uploadable,
        component_type: Optional[str] = None,
        component_name: Optional[str] = None,
        method_name: Optional[str] = None,
        file_name: Optional[str] = None,
        method_parameters: Optional[Mapping[str, Any]] = None,
        file_extension: Optional[str] = None,
        tags: Optional[Sequence[str]] = None,
        dataset_ids: Optional[Sequence[str]] = None,
        mime_type: Optional[str] = None,
        *,
        file_create_time: Optional[datetime] = None,
        file_modify_time: Optional[datetime] = None,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> FileID:
        """Upload a file of any kind.

        It is read while it is sent, and never held in memory as a whole.

        Args:
            part_id: ID of the part, a UUID.
            data: The contents: bytes, the path of a file as a ``pathlib.Path``, or a file opened in binary mode,
                which is read from where it stands and left open.
            component_type: Type of the component that it comes from, such as ``movement_sensor``; None for none.
            component_name: Name of that component.
            method_name: Name of the method that it was captured with.
            file_name: Its name, without the extension; None for none.
            method_parameters: Parameters of that method: plain values, or messages.
            file_extension: Its extension with the dot, such as ``.txt``; None for none.
            tags: Tags to store with it.
            dataset_ids: IDs of datasets to put it into, 24 hexadecimal digits each.
            mime_type: Its MIME type, such as ``image/png``; None to leave it to the extension.
            file_create_time: When the file was created; without a time zone it is UTC. None to leave it open.
            file_modify_time: When the file was last changed; without a time zone it is UTC. None to leave it open.
            progress: True for a bar on the terminal or in a notebook; or a function that is called with the number of
                bytes sent, their total (None if that is not known), and ``"bytes"``.
            timeout: Seconds that the upload may take in all; None for no limit.

        Returns:
            ID of the file, a `FileID`: a ``str``, with ``binary_data_id`` as an attribute; methods that take IDs of
            binary data take it as it is.

        Raises:
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type, such as a file that was opened as text.
            OSError: If a file cannot be read, or is changed while it is; nothing is stored then.
            ImportError: If ``progress`` is True, and tqdm is not installed.
            AmbiguousResultError: If nobody knows whether it was stored, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> id = client.data_client.file_upload(
            ...     sandbox.robot_part_id, b"It works.", file_name="notes", file_extension=".txt")
            >>> client.data_client.binary_data_by_ids([id])[0].binary
            b'It works.'
        """
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
            file_create_time=file_create_time,
            file_modify_time=file_modify_time,
        )
        with Progress(progress, label=file_name or "") as shown, upload_source("data", data) as contents:
            shown.begin(contents.size)
            return self._stream_file(metadata, ProgressChunks(contents, shown.advance), timeout)

    def file_upload_from_path(
        self,
        filepath: StrPath,
        part_id: str,
        component_type: Optional[str] = None,
        component_name: Optional[str] = None,
        method_name: Optional[str] = None,
        method_parameters: Optional[Mapping[str, Any]] = None,
        tags: Optional[Sequence[str]] = None,
        dataset_ids: Optional[Sequence[str]] = None,
        mime_type: Optional[str] = None,
        file_name: Optional[str] = None,
        *,
        file_create_time: Optional[datetime] = None,
        file_modify_time: Optional[datetime] = None,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> FileID:
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
            file_create_time: When the file was created; without a time zone it is UTC. None to leave it open.
            file_modify_time: When the file was last changed; without a time zone it is UTC. None to leave it open.
            progress: True for a bar on the terminal or in a notebook; or a function that is called with the number of
                bytes sent, their total (None if that is not known), and ``"bytes"``.
            timeout: Seconds that the upload may take in all; None for no limit.

        Returns:
            ID of the file, a `FileID`: a ``str``, with ``binary_data_id`` as an attribute; methods that take IDs of
            binary data take it as it is.

        Raises:
            FileNotFoundError: If there is no such file; nothing is sent.
            OSError: If it cannot be read, or is changed while it is; nothing is stored then.
            ImportError: If ``progress`` is True, and tqdm is not installed.
            InvalidArgumentError: If the service does not take it.
            NotFoundError: If there is no such part.
            TypeError: If an argument is of the wrong type.
            AmbiguousResultError: If nobody knows whether it was stored, as the connection was lost for example.
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
            file_name=as_utf8(path.stem) if file_name is None else file_name,
            file_extension=as_utf8(path.suffix),
            method_parameters=method_parameters,
            tags=tags,
            dataset_ids=dataset_ids,
            mime_type=mime_type,
            file_create_time=file_create_time,
            file_modify_time=file_modify_time,
        )
        with Progress(progress, label=path.name) as shown, file_source("filepath", path) as contents:
            shown.begin(contents.size)
            return self._stream_file(metadata, ProgressChunks(contents, shown.advance), timeout)

    def _stream_file(
        self,
        metadata: pb.UploadMetadata,
        pieces: ProgressChunks,
        timeout: Optional[float],
        cancellation: Optional[Cancellation] = None,
    ) -> FileID:
        def requests() -> Iterator[pb.FileUploadRequest]:
            yield pb.FileUploadRequest(metadata=metadata)
            for piece in pieces:
                yield pb.FileUploadRequest(file_contents=pb.FileData(data=piece))

        response: pb.FileUploadResponse = self._stream_unary(
            methods.FILE_UPLOAD, requests if pieces.repeatable else requests(), timeout, cancellation
        )
        return FileID(response.file_id, response.binary_data_id)
