"""A file of an export whose turn has not come."""

from __future__ import annotations

from typing import NamedTuple

from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.export_paths import ExportPath


class PendingFile(NamedTuple):
    """A file that is to be exported.

    Attributes:
        number: Its number among the results.
        id: Its ID.
        metadata: Its metadata.
        path: Its path in the folder.
        is_large: Whether its contents come by HTTP.
        digest: The digest of its metadata.
    """

    number: int
    id: str
    metadata: pb.BinaryMetadata
    path: ExportPath
    is_large: bool
    digest: str = ""
