"""The methods of DataClient that list datasets, put binary data into them and take it out."""

from __future__ import annotations

from typing import List, Optional, Sequence

from viam_sync.app._data.arguments import BinaryIDLike, id_fields
from viam_sync.checks import parameter_names, require, text
from viam_sync.proto.app import data as pb
from viam_sync.proto.app import dataset as dataset_pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class DatasetsMixin(Service):
    """Methods for datasets and the files in them."""

    def list_datasets_by_organization_id(
        self,
        organization_id: str,
        dataset_type: Optional[dataset_pb.DatasetType.ValueType] = None,
        *,
        timeout: Optional[float] = None,
    ) -> List[dataset_pb.Dataset]:
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
            request = dataset_pb.ListDatasetsByOrganizationIDRequest(organization_id=organization_id, type=dataset_type)
        response: dataset_pb.ListDatasetsByOrganizationIDResponse = self._unary_unary(
            methods.LIST_DATASETS_BY_ORGANIZATION_ID, request, timeout
        )
        return list(response.datasets)

    def add_binary_data_to_dataset_by_ids(
        self, binary_ids: Sequence[BinaryIDLike], dataset_id: str, *, timeout: Optional[float] = None
    ) -> None:
        """Put files into a dataset; those that are in it already stay.

        Each gets the tag ``VIAM_DATASET_<dataset_id>``.

        Args:
            binary_ids: Their IDs, at least one: ``"organization/location/file"``, what uploads returned, or BinaryID
                messages.
            dataset_id: ID of the dataset, 24 hexadecimal digits.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            NotFoundError: If there is no such file or dataset.
            TypeError: If ``binary_ids`` is no list of IDs.
            ValueError: If there are none, or ``dataset_id`` is empty.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> dataset_id = client.data_client.create_dataset("best", sandbox.organization_id)
            >>> (file,), _, _ = client.data_client.binary_data_by_filter(limit=1)
            >>> client.data_client.add_binary_data_to_dataset_by_ids([file.metadata.binary_data_id], dataset_id)
        """
        request = pb.AddBinaryDataToDatasetByIDsRequest(
            dataset_id=text("dataset_id", dataset_id), **id_fields("binary_ids", binary_ids)
        )
        self._unary_unary(methods.ADD_BINARY_DATA_TO_DATASET_BY_IDS, request, timeout)

    def remove_binary_data_from_dataset_by_ids(
        self, binary_ids: Sequence[BinaryIDLike], dataset_id: str, *, timeout: Optional[float] = None
    ) -> None:
        """Take files out of a dataset; the files themselves are kept.

        Each loses the tag ``VIAM_DATASET_<dataset_id>``.

        Args:
            binary_ids: Their IDs, at least one: ``"organization/location/file"``, what uploads returned, or BinaryID
                messages.
            dataset_id: ID of the dataset, 24 hexadecimal digits.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            NotFoundError: If there is no such file or dataset.
            TypeError: If ``binary_ids`` is no list of IDs.
            ValueError: If there are none, or ``dataset_id`` is empty.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (file,), _, _ = client.data_client.binary_data_by_filter(limit=1)
            >>> id = file.metadata.binary_data_id
            >>> client.data_client.remove_binary_data_from_dataset_by_ids([id], sandbox.dataset_id)
            >>> len(client.data_client.binary_data_by_ids([id])[0].metadata.dataset_ids)
            0
        """
        request = pb.RemoveBinaryDataFromDatasetByIDsRequest(
            dataset_id=text("dataset_id", dataset_id), **id_fields("binary_ids", binary_ids)
        )
        self._unary_unary(methods.REMOVE_BINARY_DATA_FROM_DATASET_BY_IDS, request, timeout)
