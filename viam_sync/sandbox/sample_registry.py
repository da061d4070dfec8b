"""What the sample organization has to share: a fragment, and a module that is still being written."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.configs import config_of
from viam_sync.sandbox.fragments import create_fragment
from viam_sync.sandbox.registry import MODULE, create_item, save_item
from viam_sync.sandbox.world import World

_CAPTURE = {
    "services": [
        {
            "name": "data",
            "api": "rdk:service:data_manager",
            "model": "rdk:builtin:builtin",
            "attributes": {"capture_dir": "", "sync_interval_mins": 1, "tags": ["greenhouse"]},
        }
    ],
}


def add_sample_fragment(world: World, organization_id: str) -> str:
    """Make a fragment that lets a machine capture data, and return its ID."""
    return create_fragment(world, organization_id, "data-capture", config_of(_CAPTURE)).id


def add_sample_module(world: World, organization_id: str) -> None:
    """Make a module that no version of was uploaded yet."""
    row = create_item(world, organization_id, "soil-sensor", MODULE)
    item = pb.RegistryItem.FromString(row["body"])
    item.description = "Reads how wet the soil of a plant is."
    item.module_metadata.entrypoint = "run.sh"
    item.module_metadata.models.add(api="rdk:component:sensor", model="lesson-robotics:soil:probe")
    save_item(world, row, item)
