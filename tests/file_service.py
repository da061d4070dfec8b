"""A service that has files, whose contents it may refuse."""

from datetime import datetime
from typing import Any, Dict, List, Tuple

import grpc
from servers import FakeService

from viam_sync.proto.app import data as pb

TIME = datetime(2024, 5, 1, 12)


class FileService:
    """A service with the files that a test adds.

    Attributes:
        listed: The metadata of the files, in the order in which they are listed.
        contents: The files, by their IDs.
        refusals: The failures of requests for some of them, by their IDs.
        asked: The requests for contents.
    """

    def __init__(self, server: FakeService) -> None:
        self.listed: List[pb.BinaryMetadata] = []
        self.contents: Dict[str, pb.BinaryData] = {}
        self.refusals: Dict[str, Tuple[grpc.StatusCode, str]] = {}
        self.asked: List[pb.BinaryDataByIDsRequest] = []
        server.unary["BinaryDataByFilter"] = self.list
        server.unary["BinaryDataByIDs"] = self.give

    def add(self, contents: bytes, **metadata: Any) -> None:
        file = pb.BinaryData(binary=contents, metadata=pb.BinaryMetadata(time_requested=TIME, **metadata))
        self.listed.append(file.metadata)
        self.contents[file.metadata.binary_data_id or file.metadata.id] = file

    def list(self, request: bytes, context: Any) -> bytes:
        asked = pb.BinaryDataByFilterRequest.FromString(request).data_request
        start = int(asked.last or 0)
        page = self.listed[start : start + asked.limit]
        last = str(start + len(page)) if page else ""
        return pb.BinaryDataByFilterResponse(data=[{"metadata": each} for each in page], last=last).SerializeToString()

    def give(self, request: bytes, context: Any) -> bytes:
        asked = pb.BinaryDataByIDsRequest.FromString(request)
        self.asked.append(asked)
        ids = [*asked.binary_data_ids, *(id.file_id for id in asked.binary_ids)]
        for id in ids:
            if id in self.refusals:
                context.abort(*self.refusals[id])
        found = [self.contents[id] for id in ids if id in self.contents]
        return pb.BinaryDataByIDsResponse(data=found).SerializeToString()
