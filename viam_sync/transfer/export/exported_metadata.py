"""The metadata that an export writes beside each file: as JSON, and what of it counts as a change."""

from __future__ import annotations

import hashlib
import json
from typing import Any, Dict, Optional

import grpc

from viam_sync.errors import GRPCError, grpc_error
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.rows import NO_JSON, CaptureCache, binary_metadata_row, capture_metadata_row

#: Writes a text or a number as JSON.
_encode = json.JSONEncoder().encode
#: The hexadecimal digits of a digest.
_DIGITS = 32


class _Written(str):
    """A part of the metadata that is JSON already, indented as it stands in the file."""


class MetadataWriter:
    """Makes the JSON that is written for files; for the metadata of a capture, which many files share, once."""

    def __init__(self) -> None:
        self._captures = CaptureCache(lambda capture: _Written(_indented(capture_metadata_row(capture), "\n    ")))

    def json(self, metadata: pb.BinaryMetadata) -> bytes:
        """Return metadata as it is written.

        Raises:
            GRPCError: If it has no form in JSON.
        """
        try:
            return f"{_indented(binary_metadata_row(metadata, self._captures.of))}\n".encode()
        except NO_JSON as error:
            raise unwritable_metadata(error) from error


def unwritable_metadata(error: Exception) -> GRPCError:
    """Return the error of a file whose metadata has no form in JSON."""
    text = f"The metadata of this file has no form in JSON, so it is not kept: {error}"
    return grpc_error(grpc.StatusCode.INTERNAL, text)


def metadata_digest(metadata: pb.BinaryMetadata) -> str:
    """Return a digest of metadata, which is another one if something of it has changed.

    A service may sign the URI anew for each list, and may list tags and datasets in any order, so neither counts. The
    digest may differ between versions of protobuf: where it does, what is written decides.

    Example:
        >>> from viam_sync.proto.app.data import BinaryMetadata
        >>> from viam_sync.transfer.export.exported_metadata import metadata_digest
        >>> one, two = BinaryMetadata(id="f1", uri="https://old"), BinaryMetadata(id="f1", uri="https://new")
        >>> metadata_digest(one) == metadata_digest(two)
        True
        >>> two.dataset_ids.append("d1")
        >>> metadata_digest(one) == metadata_digest(two)
        False
    """
    counted = _counted(metadata).SerializeToString(deterministic=True)
    return hashlib.sha256(counted).hexdigest()[:_DIGITS]


def read_metadata(contents: Optional[bytes]) -> Dict[str, Any]:
    """Return what was written as metadata; nothing if it is none, as somebody has edited it.

    Example:
        >>> from viam_sync.transfer.export.exported_metadata import read_metadata
        >>> read_metadata(b'{"id": "f1"}'), read_metadata(b'{"id"')
        ({'id': 'f1'}, {})
    """
    try:
        row = json.loads(contents or b"")
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def tells_the_same(row: Dict[str, Any], metadata: pb.BinaryMetadata) -> bool:
    """Tell whether metadata that was written, as JSON has it, is the same in all that counts."""
    written = dict(row)
    written.pop("uri", None)
    _sort(written, "datasetIds")
    if isinstance(written.get("captureMetadata"), dict):
        written["captureMetadata"] = dict(written["captureMetadata"])
        _sort(written["captureMetadata"], "tags")
    try:
        return written == binary_metadata_row(_counted(metadata))
    except NO_JSON:
        return False


def _counted(metadata: pb.BinaryMetadata) -> pb.BinaryMetadata:
    """Return the part of metadata whose change counts."""
    counted = pb.BinaryMetadata()
    counted.CopyFrom(metadata)
    counted.ClearField("uri")
    for names in (counted.dataset_ids, counted.capture_metadata.tags):
        names.sort()
    if not metadata.HasField("capture_metadata"):
        counted.ClearField("capture_metadata")
    return counted


def _indented(value: Any, before: str = "\n") -> str:
    """Return what ``json.dumps(value, indent=4)`` does, in a third of its time, as C writes all texts."""
    inner = f"{before}    "
    if value and isinstance(value, dict):
        entries = ",".join([f"{inner}{_encode(name)}: {_indented(each, inner)}" for name, each in value.items()])
        return f"{{{entries}{before}}}"
    if value and isinstance(value, list):
        return f"[{','.join([inner + _indented(each, inner) for each in value])}{before}]"
    return value if isinstance(value, _Written) else _encode(value)


def _sort(row: Dict[str, Any], name: str) -> None:
    names = row.get(name)
    if isinstance(names, list) and all(isinstance(each, str) for each in names):
        row[name] = sorted(names)
