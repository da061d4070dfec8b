"""Writing files that came from the service into a folder, whatever names they came with."""

from __future__ import annotations

import io
import json
import os
from typing import Any, Callable, Dict, Sequence, Tuple

from viam_sync.checks import path_from
from viam_sync.checks.urls import is_url
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.atomic import AtomicOutput, StrPath
from viam_sync.transfer.output.export_paths import ExportPath, ExportPaths
from viam_sync.transfer.output.gzipped import is_unzipped, unzip
from viam_sync.transfer.output.outputs import response_output
from viam_sync.transfer.output.rows import NO_JSON, binary_metadata_row, binary_row
from viam_sync.transfer.output.writers import unwritable, write_rows

#: Writes files; takes them, and the response that the caller would lose if writing failed.
Writer = Callable[[Sequence["pb.BinaryData"], Any], None]


def binary_destination(dest: StrPath, contents: bool) -> Writer:
    """Return a function that writes files to ``dest``, after checking that something can be written there.

    Args:
        dest: A folder that exists; else the path of a file for JSON or JSON lines.
        contents: Whether a folder gets the contents of the files, and not only their metadata.

    Raises:
        OSError: If nothing can be written there.
        ValueError: If it ends in ``.csv``.
    """
    if not is_url(dest) and path_from("dest", dest).is_dir():
        return BinaryFolder(dest, contents).write
    output = response_output(dest, rejected=(".csv",))
    return lambda files, result: write_rows(output, files, binary_row, result)


class BinaryFolder:
    """A folder that gets the contents of files in ``data/`` and their metadata in ``metadata/``.

    A file that was written there before is replaced; another of the same name is kept, and the new one gets a number.

    Args:
        folder: The folder.
        contents: Whether it gets the contents too.

    Raises:
        PermissionError: If nothing may be written in it.
    """

    def __init__(self, folder: StrPath, contents: bool = True) -> None:
        self._folder = path_from("folder", folder)
        self._contents = contents
        self._paths = ExportPaths(self._folder, [])
        #: The paths of the files that this object has written, by their IDs and names.
        self._written: Dict[Tuple[str, str, str], ExportPath] = {}
        if not os.access(self._folder, os.W_OK):
            raise PermissionError(f"dest is the folder {str(folder)!r}, but nothing may be written in it")

    def write(self, files: Sequence[pb.BinaryData], result: Any) -> None:
        """Write files, each whole or not at all.

        Args:
            files: The files.
            result: The response, which the caller would lose if writing failed.

        Raises:
            OSError: If writing failed; the error has the response as its attribute ``result``.
        """
        try:
            for file in files:
                self._write_file(file, result)
        except NO_JSON as error:
            raise unwritable(error, result) from error
        except OSError as error:
            error.result = result  # type: ignore[attr-defined]
            raise

    def _write_file(self, file: pb.BinaryData, result: Any) -> None:
        row = binary_metadata_row(file.metadata)
        path = self._path_of(file.metadata)
        if self._contents:
            self._write(path.data, _contents_of(file, path), result)
        self._write(path.metadata, (json.dumps(row, indent=4) + "\n").encode(), result)

    def _path_of(self, metadata: pb.BinaryMetadata) -> ExportPath:
        """Return the path of a file; a file that a response holds twice has one path."""
        key = (metadata.binary_data_id, metadata.id, metadata.file_name)
        path = self._written.get(key) or self._paths.allocate(metadata)
        if metadata.binary_data_id or metadata.id:
            self._written[key] = path
        return path

    def _write(self, path: str, contents: bytes, result: Any) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        AtomicOutput(target).write(contents, result)


def _contents_of(file: pb.BinaryData, path: ExportPath) -> bytes:
    if not is_unzipped(file.metadata, path.data):
        return file.binary
    unzipped = io.BytesIO()
    unzip(io.BytesIO(file.binary), unzipped)
    return unzipped.getvalue()
