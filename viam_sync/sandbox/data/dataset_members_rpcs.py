"""The RPCs about the files in datasets."""

from __future__ import annotations

import json

from viam_sync.proto.app import data as data_pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.data.datasets import add_to_datasets, get_dataset, require_binary_dataset
from viam_sync.sandbox.data.file_ids import file_references
from viam_sync.sandbox.data.files import get_files


class DatasetMembersServicer:
    """The RPCs of DataService that add files to datasets, and remove them."""

    def __init__(self, world: World) -> None:
        self._world = world

    def AddBinaryDataToDatasetByIDs(
        self, request: data_pb.AddBinaryDataToDatasetByIDsRequest, caller: Caller
    ) -> data_pb.AddBinaryDataToDatasetByIDsResponse:
        """Add files to a dataset; those that are in it already stay."""
        references = file_references(request)
        dataset = get_dataset(self._world, request.dataset_id)
        rows = get_files(self._world, caller, references, "write")
        caller.require_role_in(dataset.organization_id)
        require_binary_dataset(dataset)
        add_to_datasets(self._world, [dataset.id], rows)
        return data_pb.AddBinaryDataToDatasetByIDsResponse()

    def RemoveBinaryDataFromDatasetByIDs(
        self, request: data_pb.RemoveBinaryDataFromDatasetByIDsRequest, caller: Caller
    ) -> data_pb.RemoveBinaryDataFromDatasetByIDsResponse:
        """Remove files from a dataset; those that are not in it are ignored."""
        references = file_references(request)
        dataset = get_dataset(self._world, request.dataset_id)
        rows = get_files(self._world, caller, references, "write")
        caller.require_role_in(dataset.organization_id)
        require_binary_dataset(dataset)
        self._world.store.run(
            "DELETE FROM dataset_files WHERE dataset_id = ? AND file IN (SELECT value FROM json_each(?))",
            *(dataset.id, json.dumps([row["id"] for row in rows])),
        )
        return data_pb.RemoveBinaryDataFromDatasetByIDsResponse()
