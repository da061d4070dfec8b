"""The servicer classes of each service."""

from __future__ import annotations

from typing import Dict, List, Tuple, Type

from viam_sync.sandbox.billing.rpcs import BillingServicer
from viam_sync.sandbox.core.world import World
from viam_sync.sandbox.data.binary_data_rpcs import BinaryDataServicer
from viam_sync.sandbox.data.boxes_rpcs import BoxesServicer
from viam_sync.sandbox.data.dataset_members_rpcs import DatasetMembersServicer
from viam_sync.sandbox.data.datasets_rpcs import DatasetsServicer
from viam_sync.sandbox.data.readings_rpcs import ReadingsServicer
from viam_sync.sandbox.data.tags_rpcs import TagsServicer
from viam_sync.sandbox.data.uploads_rpcs import UploadsServicer
from viam_sync.sandbox.fleet.config_properties_rpcs import ConfigPropertiesServicer
from viam_sync.sandbox.fleet.fragment_history_rpcs import FragmentHistoryServicer
from viam_sync.sandbox.fleet.fragments_rpcs import FragmentsServicer
from viam_sync.sandbox.fleet.keys_rpcs import KeysServicer
from viam_sync.sandbox.fleet.locations_rpcs import LocationsServicer
from viam_sync.sandbox.fleet.logs_rpcs import LogsServicer
from viam_sync.sandbox.fleet.machines_rpcs import MachinesServicer
from viam_sync.sandbox.fleet.members_rpcs import MembersServicer
from viam_sync.sandbox.fleet.metadata_rpcs import MetadataServicer
from viam_sync.sandbox.fleet.organizations_rpcs import OrganizationsServicer
from viam_sync.sandbox.fleet.part_history_rpcs import PartHistoryServicer
from viam_sync.sandbox.fleet.parts_rpcs import PartsServicer
from viam_sync.sandbox.fleet.roles_rpcs import RolesServicer
from viam_sync.sandbox.provisioning.rpcs import ProvisioningServicer
from viam_sync.sandbox.queries.databases_rpcs import DatabasesServicer
from viam_sync.sandbox.queries.queries_rpcs import QueriesServicer
from viam_sync.sandbox.registry.items_rpcs import RegistryItemsServicer
from viam_sync.sandbox.registry.modules_rpcs import ModulesServicer
from viam_sync.sandbox.training.rpcs import TrainingServicer

#: For the full name of a service, the classes whose methods answer its RPCs; each is constructed with the world.
#:
#: The method of a unary RPC takes the request and the caller, and returns the response, within one transaction of the
#: store. The method of a streaming RPC opens transactions of its own. For a stream of requests it takes an iterator,
#: which raises CallError if the client cancels; for a stream of responses it returns an iterator, and takes the context
#: of the call as a third argument.
SERVICERS: Dict[str, Tuple[Type[object], ...]] = {
    "viam.app.v1.AppService": (
        OrganizationsServicer,
        MembersServicer,
        LocationsServicer,
        MachinesServicer,
        PartsServicer,
        ConfigPropertiesServicer,
        PartHistoryServicer,
        LogsServicer,
        KeysServicer,
        RolesServicer,
        MetadataServicer,
        FragmentsServicer,
        FragmentHistoryServicer,
        RegistryItemsServicer,
        ModulesServicer,
    ),
    "viam.app.data.v1.DataService": (
        ReadingsServicer,
        QueriesServicer,
        DatabasesServicer,
        BinaryDataServicer,
        TagsServicer,
        BoxesServicer,
        DatasetMembersServicer,
    ),
    "viam.app.datasync.v1.DataSyncService": (UploadsServicer,),
    "viam.app.dataset.v1.DatasetService": (DatasetsServicer,),
    "viam.app.mltraining.v1.MLTrainingService": (TrainingServicer,),
    "viam.app.v1.BillingService": (BillingServicer,),
    "viam.provisioning.v1.ProvisioningService": (ProvisioningServicer,),
}


def servicers_of(world: World) -> Dict[str, List[object]]:
    """Return the servicers of each service."""
    return {service: [each(world) for each in classes] for service, classes in SERVICERS.items()}  # type: ignore[call-arg]
