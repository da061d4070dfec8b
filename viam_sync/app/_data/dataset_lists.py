"""The method of DataClient that lists the datasets of an organization."""

from __future__ import annotations

from typing import List, Optional

from viam_sync.checks import parameter_names, require
from viam_sync.proto.app import dataset as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class DatasetLists(Service):
    """Methods for the datasets of an organization."""

    def list_datasets_by_organization_id(
        self,
        organization_id: str,
        *,
        dataset_type: Optional[pb.DatasetType.ValueType] = None,
        timeout: Optional[float] = None,
    ) -> List[pb.Dataset]:
        """List the datasets of an organization.

        Args:
            organization_id: ID of the organization, a UUID.
            dataset_type: Only datasets of this type; None for all.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The datasets.

        Raises:
            NotFoundError: If there is no such organization.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> [each.name for each in client.data_client.list_datasets_by_organization_id(sandbox.organization_id)]
            ['tomatoes']
        """
        require(organization_id=organization_id)
        with parameter_names(type="dataset_type"):
            request = pb.ListDatasetsByOrganizationIDRequest(organization_id=organization_id, type=dataset_type)
        response: pb.ListDatasetsByOrganizationIDResponse = self._unary_unary(
            methods.LIST_DATASETS_BY_ORGANIZATION_ID, request, timeout
        )
        return list(response.datasets)
