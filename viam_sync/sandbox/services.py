"""Which classes answer the RPCs of which service."""

from __future__ import annotations

from typing import Dict, List, Tuple, Type

from viam_sync.sandbox.billing import Billing
from viam_sync.sandbox.binary_data import BinaryData
from viam_sync.sandbox.boxes import Boxes
from viam_sync.sandbox.config_properties import ConfigProperties
from viam_sync.sandbox.databases import Databases
from viam_sync.sandbox.datasets import DatasetMembers, Datasets
from viam_sync.sandbox.fragment_history import FragmentHistory
from viam_sync.sandbox.fragments import Fragments
from viam_sync.sandbox.history import History
from viam_sync.sandbox.keys import Keys
from viam_sync.sandbox.locations import Locations
from viam_sync.sandbox.logs import Logs
from viam_sync.sandbox.machines import Machines
from viam_sync.sandbox.members import Members
from viam_sync.sandbox.metadata import Metadata
from viam_sync.sandbox.modules import Modules
from viam_sync.sandbox.organizations import Organizations
from viam_sync.sandbox.parts import Parts
from viam_sync.sandbox.provisioning import Provisioning
from viam_sync.sandbox.queries import Queries
from viam_sync.sandbox.readings import Readings
from viam_sync.sandbox.registry_items import RegistryItems
from viam_sync.sandbox.roles import Roles
from viam_sync.sandbox.tags import Tags
from viam_sync.sandbox.training import Training
from viam_sync.sandbox.uploads import Uploads
from viam_sync.sandbox.world import World

#: For the full name of a service, the classes whose methods are its RPCs. Each is made with the world.
#:
#: A unary RPC's method gets the request and the caller and returns the response, all of it in one transaction of the
#: store. A method of a streaming RPC opens transactions of its own, and gets what takes the place of a message: an
#: iterator of requests, which raises if the client goes away before its last one; and it returns an iterator of
#: responses, for which it gets the context of the call as a third argument.
SERVICERS: Dict[str, Tuple[Type[object], ...]] = {
    "viam.app.v1.AppService": (
        Organizations,
        Members,
        Locations,
        Machines,
        Parts,
        ConfigProperties,
        History,
        Logs,
        Keys,
        Roles,
        Metadata,
        Fragments,
        FragmentHistory,
        RegistryItems,
        Modules,
    ),
    "viam.app.data.v1.DataService": (
        Readings,
        Queries,
        Databases,
        BinaryData,
        Tags,
        Boxes,
        DatasetMembers,
    ),
    "viam.app.datasync.v1.DataSyncService": (Uploads,),
    "viam.app.dataset.v1.DatasetService": (Datasets,),
    "viam.app.mltraining.v1.MLTrainingService": (Training,),
    "viam.app.v1.BillingService": (Billing,),
    "viam.provisioning.v1.ProvisioningService": (Provisioning,),
}


def servicers_of(world: World) -> Dict[str, List[object]]:
    """Return what answers the RPCs of each service, on a world."""
    return {service: [each(world) for each in classes] for service, classes in SERVICERS.items()}  # type: ignore[call-arg]
