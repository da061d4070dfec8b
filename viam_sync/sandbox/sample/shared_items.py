"""The sample fragment, and a sample module that is in development."""

from __future__ import annotations

from viam_sync.proto import app as pb
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.fleet.configs import make_config
from viam_sync.sandbox.fleet.fragments import create_fragment
from viam_sync.sandbox.registry.items import MODULE, create_item, save_item

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
    """Create a fragment that configures data capture, and return its ID."""
    return create_fragment(world, organization_id, "data-capture", make_config(_CAPTURE)).id


def add_sample_module(world: World, organization_id: str) -> None:
    """Create a module without a version."""
    row = create_item(world, organization_id, "soil-sensor", MODULE)
    item = pb.RegistryItem.FromString(row["body"])
    item.description = "Reads how wet the soil of a plant is."
    item.module_metadata.entrypoint = "run.sh"
    item.module_metadata.models.add(api="rdk:component:sensor", model="lesson-robotics:soil:probe")
    save_item(world, row, item)
