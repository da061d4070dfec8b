"""The method of DataClient that uploads many files."""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from io import IOBase
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from google.protobuf.struct_pb2 import Value
from typing_extensions import Literal, TypeAlias

from viam_sync.app._data.binary_data import BinaryDataMixin
from viam_sync.app._data.file_uploads import FileUploadsMixin
from viam_sync.app._data.upload_metadata import as_utf8, upload_metadata
from viam_sync.checks import path_from, wrong_type
from viam_sync.checks.numbers import require_seconds, worker_count
from viam_sync.errors import GRPCError
from viam_sync.messages.file_id import FileID
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datasync as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.progress import Progress, ProgressLike
from viam_sync.transfer.upload.batch import BatchUpload, Found, UploadResult, files_in, files_of
from viam_sync.transfer.upload.journal import JOURNAL_NAME, Intent, Journal
from viam_sync.transfer.upload.source import ProgressChunks

#: The name of the method parameter that identifies an upload in doubt.
_MARK = "viam_sync.upload"
#: How far the clocks of two computers of the service may differ, amply.
_CLOCKS = timedelta(days=1)


class BulkUploadsMixin(BinaryDataMixin, FileUploadsMixin):
    """A method that uploads many files."""

    # Without TypeAlias, mypy takes the name for a variable, which cannot be used as a type.
    UploadResult: TypeAlias = UploadResult

    def upload_files(
        self,
        paths: Union[StrPath, Iterable[StrPath]],
        part_id: str,
        *,
        component_type: Optional[str] = None,
        component_name: Optional[str] = None,
        method_name: Optional[str] = None,
        method_parameters: Optional[Mapping[str, Any]] = None,
        tags: Optional[Sequence[str]] = None,
        dataset_ids: Optional[Sequence[str]] = None,
        mime_type: Optional[str] = None,
        pattern: Optional[str] = None,
        workers: int = 4,
        journal: Union[StrPath, Literal[False], None] = None,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> List[UploadResult]:
        """Upload many files, a few at a time; after a crash or Ctrl-C, the same call sends the missing files.

        A file that fails does not stop the others. From a folder come all files in it and below it, but no links, and
        nothing whose name begins with a dot; the service knows each by its path in the folder, such as ``day-1/cat``
        for ``day-1/cat.jpg``.

        The uploads are recorded in a journal, a small file: a line before each upload, and one when the service has
        acknowledged it. A file that was acknowledged is not sent again, unless its size or its modification time has
        changed. If the journal has only the first line, the upload is in doubt: the service is asked for it, by a mark
        that each upload carries among its ``method_parameters``, ``viam_sync.upload``; a file that the service has is
        not sent again. The search goes from the newest upload of the part back to one that was acknowledged before that
        one began, whatever the clock of this computer said. A file is there twice only if the service is still storing
        the upload when it is asked, or if it does not keep the mark.

        Args:
            paths: A folder; or the paths of files, in any iterable, of which the service gets the names alone.
            part_id: ID of the part, a UUID.
            component_type: Type of the component that they come from, such as ``movement_sensor``; None for none.
            component_name: Name of that component.
            method_name: Name of the method that they were captured with.
            method_parameters: Parameters of that method: plain values, or messages.
            tags: Tags to store with each.
            dataset_ids: IDs of datasets to put them into, 24 hexadecimal digits each.
            mime_type: Their MIME type, such as ``image/png``; None to leave it to the extension of each.
            pattern: Pattern that the files of a folder must match, such as ``"*.jpg"`` or ``"day-1/*"``; None for all.
            workers: How many files at a time, 1 to 64.
            journal: Path of the journal; None for ``.viam-upload-journal.jsonl`` in the folder, and none where there is
                no folder; False for none. Without one, every call sends all files.
            progress: True for a bar on the terminal or in a notebook; or a function that is called with the number of
                bytes done, the number to send, and ``"bytes"``.
            timeout: Seconds that each upload may take; None for no limit.

        Returns:
            A result for each file, in the order of ``paths``, by name in a folder: its ID, a `FileID`, or the error;
            whether an earlier call has sent it. A folder that cannot be looked into has one, too, and so has a file in
            doubt if the service cannot be asked: the error, and it is not sent.

        Raises:
            FileNotFoundError: If there is no such folder.
            OSError: If the journal cannot be read or written, or another upload uses it. If that happens amid the
                uploads, they end, and the results until then are the error's attribute ``result``.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``workers`` is out of its range, or the journal is that of another part or no journal.
            ImportError: If ``progress`` is True, and tqdm is not installed.

        Example:
            >>> for name in ("cat.txt", "dog.txt"):
            ...     _ = (folder / name).write_text(name)
            >>> results = client.data_client.upload_files(folder, sandbox.robot_part_id)
            >>> [result.path.name for result in results if result.id]
            ['cat.txt', 'dog.txt']
            >>> [result.already_sent for result in client.data_client.upload_files(folder, sandbox.robot_part_id)]
            [True, True]
        """
        workers = worker_count(workers)
        timeout = require_seconds("timeout", timeout)
        described = upload_metadata(
            pb.DataType.DATA_TYPE_FILE,
            part_id,
            component_type=component_type,
            component_name=component_name,
            method_name=method_name,
            method_parameters=method_parameters,
            tags=tags,
            dataset_ids=dataset_ids,
            mime_type=mime_type,
        )

        def send(file: Found, pieces: ProgressChunks, mark: Optional[str], cancellation: Cancellation) -> FileID:
            return self._send_file(file, described, pieces, mark, timeout, cancellation)

        with Progress(progress, label="uploading") as shown, ExitStack() as stack:
            files, path = _files_and_journal(paths, pattern, journal)
            opened = None if path is None or not files else stack.enter_context(Journal(path, part_id))
            uploads = BatchUpload(files, opened, send, lambda intents: self._stored(part_id, intents), shown)
            return uploads.run(workers)

    def _send_file(
        self,
        file: Found,
        described: pb.UploadMetadata,
        pieces: ProgressChunks,
        mark: Optional[str],
        timeout: Optional[float],
        cancellation: Cancellation,
    ) -> FileID:
        """Upload a file of many under its name, with a mark by which it can be looked up."""
        return self._stream_file(_metadata_of(described, file, mark), pieces, timeout, cancellation)

    def _stored(self, part_id: str, intents: Sequence[Intent]) -> Dict[str, FileID]:
        """Return the IDs of the uploads that the service has, by their marks."""
        wanted = {intent.mark for intent in intents}
        filter = data_pb.Filter(part_id=part_id, interval=data_pb.CaptureInterval(start=self._earliest(intents)))
        found: Dict[str, FileID] = {}
        for file in self.iter_binary_data(filter, include_binary_data=False, prefetch=False):
            mark = _mark_of(file.metadata)
            if mark in wanted:
                found[mark] = FileID(file.metadata.id, file.metadata.binary_data_id)
            if len(found) == len(wanted):
                break
        return found

    def _earliest(self, intents: Sequence[Intent]) -> Optional[datetime]:
        """Return a time before which the service got none of these uploads; None if that is not known.

        The time is that of an upload which the service had acknowledged before, by its own clock: that of this computer
        may have been wrong by any amount, and may have been set right since.
        """
        ids = {intent.after or "" for intent in intents}
        if "" in ids:
            return None
        try:
            found = self.binary_data_by_ids(sorted(ids), include_binary_data=False)
        except GRPCError:  # an ID without its longer form may be unknown to the service; the search goes further back
            return None
        if len(found) < len(ids):
            return None
        return min(file.metadata.time_requested.ToDatetime(timezone.utc) for file in found) - _CLOCKS


def _files_and_journal(
    paths: Union[StrPath, Iterable[StrPath]], pattern: Optional[str], journal: Union[StrPath, Literal[False], None]
) -> Tuple[List[Found], Optional[Path]]:
    """Return the files, and the path of the journal, if there is to be one."""
    if pattern is not None and not isinstance(pattern, str):
        raise wrong_type("pattern", "a str", pattern)
    if pattern == "":
        raise ValueError("pattern is an empty string; leave it out for all files")
    path = None if journal is None or journal is False else path_from("journal", journal)
    if isinstance(paths, (str, os.PathLike)):
        folder = path_from("paths", paths)
        if not folder.is_dir():
            kind = NotADirectoryError if folder.exists() else FileNotFoundError
            raise kind(f"paths is {str(folder)!r}, which is no folder; of single files it takes a list")
        path = folder / JOURNAL_NAME if journal is None else path
        return files_in(folder, None if pattern is None else str(pattern), path), path
    if isinstance(paths, (bytes, bytearray, memoryview, IOBase, Mapping)) or not isinstance(paths, Iterable):
        raise wrong_type("paths", "a folder or an iterable of paths", paths)
    if pattern is not None:
        raise ValueError(f"pattern is {pattern!r}, but it chooses files of a folder, and paths names files")
    return files_of(paths), path


def _metadata_of(described: pb.UploadMetadata, file: Found, mark: Optional[str]) -> pb.UploadMetadata:
    metadata = pb.UploadMetadata()
    metadata.CopyFrom(described)
    metadata.file_name = as_utf8(file.stem)
    metadata.file_extension = as_utf8(file.path.suffix)
    if mark is not None:
        metadata.method_parameters[_MARK].Pack(Value(string_value=mark))
    return metadata


def _mark_of(metadata: data_pb.BinaryMetadata) -> str:
    parameters = metadata.capture_metadata.method_parameters
    value = Value()
    if _MARK in parameters and parameters[_MARK].Unpack(value):
        return value.string_value
    return ""
