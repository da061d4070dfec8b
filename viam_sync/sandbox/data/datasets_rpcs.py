"""The RPCs about datasets."""

from __future__ import annotations

import json
from typing import Iterable, List

from viam_sync.proto.app import dataset as pb
from viam_sync.sandbox.core.access import Caller
from viam_sync.sandbox.core.call_errors import failed_precondition, invalid_argument
from viam_sync.sandbox.core.request_checks import checked_id, required
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.data.datasets import create_dataset, get_dataset, require_binary_dataset, require_new_name


class DatasetsServicer:
    """The RPCs of DatasetService."""

    def __init__(self, world: World) -> None:
        self._world = world

    def CreateDataset(self, request: pb.CreateDatasetRequest, caller: Caller) -> pb.CreateDatasetResponse:
        """Create an empty dataset."""
        name = required(request.name, "The name of the dataset")
        if request.type not in pb.DatasetType.values():
            raise invalid_argument(f"type is {request.type}; choose one of {', '.join(pb.DatasetType.keys())}.")
        organization = self._world.organization(request.organization_id)
        caller.require("create_dataset", "organization", organization.id)
        return pb.CreateDatasetResponse(id=create_dataset(self._world, organization.id, name, request.type))

    def DeleteDataset(self, request: pb.DeleteDatasetRequest, caller: Caller) -> pb.DeleteDatasetResponse:
        """Delete a dataset; the files in it stay."""
        dataset = get_dataset(self._world, request.id)
        caller.require("delete_dataset", "organization", dataset.organization_id)
        self._world.store.run("DELETE FROM datasets WHERE id = ?", dataset.id)
        return pb.DeleteDatasetResponse()

    def RenameDataset(self, request: pb.RenameDatasetRequest, caller: Caller) -> pb.RenameDatasetResponse:
        """Rename a dataset."""
        name = required(request.name, "The name of the dataset")
        dataset = get_dataset(self._world, request.id)
        caller.require("rename_dataset", "organization", dataset.organization_id)
        if name != dataset.name:
            require_new_name(self._world, dataset.organization_id, name)
        dataset.name = name
        self._world.store.update("datasets", dataset.id, name=name, body=dataset.SerializeToString())
        return pb.RenameDatasetResponse()

    def ListDatasetsByOrganizationID(
        self, request: pb.ListDatasetsByOrganizationIDRequest, caller: Caller
    ) -> pb.ListDatasetsByOrganizationIDResponse:
        """List the datasets of an organization, newest first."""
        organization = self._world.organization(request.organization_id)
        caller.require("list_dataset", "organization", organization.id)
        sql = "SELECT body FROM datasets WHERE organization_id = ? ORDER BY rowid DESC"
        datasets = [pb.Dataset.FromString(row["body"]) for row in self._world.store.rows(sql, organization.id)]
        if request.HasField("type"):
            datasets = [each for each in datasets if each.type == request.type]
        return pb.ListDatasetsByOrganizationIDResponse(datasets=datasets)

    def ListDatasetsByIDs(self, request: pb.ListDatasetsByIDsRequest, caller: Caller) -> pb.ListDatasetsByIDsResponse:
        """Return datasets in the order of their IDs in the request; those that do not exist are left out."""
        ids = _dataset_ids(request.ids)
        rows = self._world.store.rows(
            "SELECT id, body FROM datasets WHERE id IN (SELECT value FROM json_each(?))", json.dumps(ids)
        )
        found = {row["id"]: pb.Dataset.FromString(row["body"]) for row in rows}
        for organization_id in dict.fromkeys(each.organization_id for each in found.values()):
            caller.require("list_dataset", "organization", organization_id)
        return pb.ListDatasetsByIDsResponse(datasets=[found[id] for id in ids if id in found])

    def MergeDatasets(self, request: pb.MergeDatasetsRequest, caller: Caller) -> pb.MergeDatasetsResponse:
        """Create a dataset with the files of several others."""
        name = required(request.name, "The name of the dataset")
        ids = _dataset_ids(request.dataset_ids)
        organization = self._world.organization(request.organization_id)
        datasets = [get_dataset(self._world, id) for id in ids]
        caller.require("create_dataset", "organization", organization.id)
        for dataset in datasets:
            caller.require("list_dataset", "organization", dataset.organization_id)
        for dataset in datasets:
            require_binary_dataset(dataset)
            if dataset.organization_id != organization.id:
                raise failed_precondition(
                    f"The dataset {dataset.name!r} belongs to another organization; only its own can be merged."
                )
        new = create_dataset(self._world, organization.id, name)
        self._world.store.run(
            "INSERT OR IGNORE INTO dataset_files SELECT ?, file FROM dataset_files"
            " WHERE dataset_id IN (SELECT value FROM json_each(?))",
            *(new, json.dumps(ids)),
        )
        return pb.MergeDatasetsResponse(dataset_id=new)


def _dataset_ids(given: Iterable[str]) -> List[str]:
    ids = list(dict.fromkeys(checked_id("dataset", id) for id in given))
    if not ids:
        raise invalid_argument("The request names no dataset; give the ID of at least one.")
    return ids
