"""Datasets, and which files are in them."""

from __future__ import annotations

import json
from typing import Iterable, List

from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import dataset as pb
from viam_sync.sandbox.access import Caller
from viam_sync.sandbox.checks import checked_id, required
from viam_sync.sandbox.errors import already_exists, failed_precondition, invalid_argument
from viam_sync.sandbox.files import names_in, put_into, require
from viam_sync.sandbox.world import World


class Datasets:
    """The RPCs of DatasetService."""

    def __init__(self, world: World) -> None:
        self._world = world

    def CreateDataset(self, request: pb.CreateDatasetRequest, caller: Caller) -> pb.CreateDatasetResponse:
        """Make an empty dataset."""
        name = required(request.name, "The name of the dataset")
        if request.type not in pb.DatasetType.values():
            raise invalid_argument(f"type is {request.type}; choose one of {', '.join(pb.DatasetType.keys())}.")
        organization = self._world.organization(request.organization_id)
        caller.require("create_dataset", "organization", organization.id)
        return pb.CreateDatasetResponse(id=create_dataset(self._world, organization.id, name, request.type))

    def DeleteDataset(self, request: pb.DeleteDatasetRequest, caller: Caller) -> pb.DeleteDatasetResponse:
        """Delete a dataset; the files in it stay."""
        dataset = dataset_of(self._world, request.id)
        caller.require("delete_dataset", "organization", dataset.organization_id)
        self._world.store.run("DELETE FROM datasets WHERE id = ?", dataset.id)
        return pb.DeleteDatasetResponse()

    def RenameDataset(self, request: pb.RenameDatasetRequest, caller: Caller) -> pb.RenameDatasetResponse:
        """Give a dataset another name."""
        name = required(request.name, "The name of the dataset")
        dataset = dataset_of(self._world, request.id)
        caller.require("rename_dataset", "organization", dataset.organization_id)
        if name != dataset.name:
            _require_free(self._world, dataset.organization_id, name)
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
        """Return datasets in the order of the request, without those that do not exist."""
        ids = _ids(request.ids)
        rows = self._world.store.rows(
            "SELECT id, body FROM datasets WHERE id IN (SELECT value FROM json_each(?))", json.dumps(ids)
        )
        found = {row["id"]: pb.Dataset.FromString(row["body"]) for row in rows}
        for organization_id in dict.fromkeys(each.organization_id for each in found.values()):
            caller.require("list_dataset", "organization", organization_id)
        return pb.ListDatasetsByIDsResponse(datasets=[found[id] for id in ids if id in found])

    def MergeDatasets(self, request: pb.MergeDatasetsRequest, caller: Caller) -> pb.MergeDatasetsResponse:
        """Make a dataset that has the files of several others."""
        name = required(request.name, "The name of the dataset")
        ids = _ids(request.dataset_ids)
        organization = self._world.organization(request.organization_id)
        datasets = [dataset_of(self._world, id) for id in ids]
        caller.require("create_dataset", "organization", organization.id)
        for dataset in datasets:
            caller.require("list_dataset", "organization", dataset.organization_id)
        for dataset in datasets:
            require_files(dataset)
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


class DatasetMembers:
    """The RPCs of DataService that put files into datasets and take them out."""

    def __init__(self, world: World) -> None:
        self._world = world

    def AddBinaryDataToDatasetByIDs(
        self, request: data_pb.AddBinaryDataToDatasetByIDsRequest, caller: Caller
    ) -> data_pb.AddBinaryDataToDatasetByIDsResponse:
        """Put files into a dataset; those that are in it already stay."""
        names = names_in(request)
        dataset = dataset_of(self._world, request.dataset_id)
        rows = require(self._world, caller, names, "write")
        caller.require_role_in(dataset.organization_id)
        require_files(dataset)
        put_into(self._world, [dataset.id], rows)
        return data_pb.AddBinaryDataToDatasetByIDsResponse()

    def RemoveBinaryDataFromDatasetByIDs(
        self, request: data_pb.RemoveBinaryDataFromDatasetByIDsRequest, caller: Caller
    ) -> data_pb.RemoveBinaryDataFromDatasetByIDsResponse:
        """Take files out of a dataset; those that are not in it are passed over."""
        names = names_in(request)
        dataset = dataset_of(self._world, request.dataset_id)
        rows = require(self._world, caller, names, "write")
        caller.require_role_in(dataset.organization_id)
        require_files(dataset)
        self._world.store.run(
            "DELETE FROM dataset_files WHERE dataset_id = ? AND file IN (SELECT value FROM json_each(?))",
            *(dataset.id, json.dumps([row["id"] for row in rows])),
        )
        return data_pb.RemoveBinaryDataFromDatasetByIDsResponse()


def dataset_of(world: World, id: str) -> pb.Dataset:
    """Return a dataset.

    Raises:
        CallError: INVALID_ARGUMENT if the ID is malformed, NOT_FOUND if nothing has it.
    """
    return pb.Dataset.FromString(world.find("dataset", id)["body"])


def require_files(dataset: pb.Dataset) -> None:
    """Go on only if a dataset is one of files.

    Raises:
        CallError: FAILED_PRECONDITION.
    """
    if dataset.type != pb.DatasetType.DATASET_TYPE_BINARY_DATA:
        raise failed_precondition(
            f"The dataset {dataset.name!r} is one of sequences, and takes no single files; choose one of files."
        )


def create_dataset(
    world: World,
    organization_id: str,
    name: str,
    type: pb.DatasetType.ValueType = pb.DatasetType.DATASET_TYPE_BINARY_DATA,
) -> str:
    """Make an empty dataset, and return its ID.

    Raises:
        CallError: ALREADY_EXISTS.
    """
    _require_free(world, organization_id, name)
    dataset = pb.Dataset(
        id=world.ids.object(), name=name, organization_id=organization_id, time_created=world.now(), type=type
    )
    world.store.insert(
        "datasets", id=dataset.id, organization_id=organization_id, name=name, body=dataset.SerializeToString()
    )
    return dataset.id


def _require_free(world: World, organization_id: str, name: str) -> None:
    if world.store.row("SELECT 1 FROM datasets WHERE organization_id = ? AND name = ?", organization_id, name):
        raise already_exists(f"The organization has a dataset named {name[:64]!r} already; choose another name.")


def _ids(given: Iterable[str]) -> List[str]:
    ids = list(dict.fromkeys(checked_id("dataset", id) for id in given))
    if not ids:
        raise invalid_argument("The request names no dataset; give the ID of at least one.")
    return ids
