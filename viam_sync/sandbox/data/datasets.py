"""The model of datasets."""

from __future__ import annotations

import json
import sqlite3
from typing import Iterable

from viam_sync.proto.app import dataset as pb
from viam_sync.sandbox.core.call_errors import already_exists, failed_precondition
from viam_sync.sandbox.core.world import World

#: The prefix of a tag that every file in a dataset has; the ID of the dataset follows.
DATASET_TAG = "VIAM_DATASET_"


def add_to_datasets(world: World, dataset_ids: Iterable[str], rows: Iterable[sqlite3.Row]) -> None:
    """Add files to datasets; those that are in them already stay."""
    files = json.dumps([row["id"] for row in rows])
    for dataset_id in dataset_ids:
        sql = "INSERT OR IGNORE INTO dataset_files SELECT ?, value FROM json_each(?)"
        world.store.run(sql, dataset_id, files)


def get_dataset(world: World, id: str) -> pb.Dataset:
    """Return a dataset.

    Raises:
        CallError: INVALID_ARGUMENT if the ID is malformed, NOT_FOUND if no dataset has it.
    """
    return pb.Dataset.FromString(world.get("dataset", id)["body"])


def require_binary_dataset(dataset: pb.Dataset) -> None:
    """Require that a dataset contains files rather than sequences.

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
    """Create an empty dataset, and return its ID.

    Raises:
        CallError: ALREADY_EXISTS if its organization has one of this name.
    """
    require_new_name(world, organization_id, name)
    dataset = pb.Dataset(
        id=world.ids.object(), name=name, organization_id=organization_id, time_created=world.now(), type=type
    )
    world.store.insert(
        "datasets", id=dataset.id, organization_id=organization_id, name=name, body=dataset.SerializeToString()
    )
    return dataset.id


def require_new_name(world: World, organization_id: str, name: str) -> None:
    """Require that no dataset of an organization has a name.

    Raises:
        CallError: ALREADY_EXISTS.
    """
    if world.store.row("SELECT 1 FROM datasets WHERE organization_id = ? AND name = ?", organization_id, name):
        raise already_exists(f"The organization has a dataset named {name[:64]!r} already; choose another name.")
