"""The model of ML models in the registry."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.proto.app.mltraining import ModelFramework, ModelType
from viam_sync.sandbox.core.call_errors import already_exists
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.registry.items import ML_MODEL, create_item, save_item


def add_model_version(
    world: World,
    organization_id: str,
    name: str,
    version: str,
    type: ModelType.ValueType = ModelType.MODEL_TYPE_UNSPECIFIED,
    framework: ModelFramework.ValueType = ModelFramework.MODEL_FRAMEWORK_UNSPECIFIED,
) -> str:
    """Add a version of an ML model, which is created if it does not exist.

    Returns:
        The ID of the model in the registry.

    Raises:
        CallError: ALREADY_EXISTS if the model has this version, or if another type of item has its name.
    """
    sql = "SELECT * FROM registry WHERE organization_id = ? AND name = ? AND type = ?"
    row = world.store.row(sql, organization_id, name, ML_MODEL)
    if row is None:
        row = create_item(world, organization_id, name, ML_MODEL)
        item = pb.RegistryItem.FromString(row["body"])
        item.ml_model_metadata.model_type = type
        item.ml_model_metadata.model_framework = framework
        save_item(world, row, item)
    if world.store.row("SELECT 1 FROM item_versions WHERE item = ? AND version = ?", row["id"], version):
        raise already_exists(f"The model {row['item_id']!r} has the version {version!r} already; choose another one.")
    world.store.insert("item_versions", item=row["id"], version=version, created=world.microseconds())
    return str(row["item_id"])
