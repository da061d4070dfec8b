"""The methods of DataClient that put binary data into datasets and take it out."""

from __future__ import annotations

from typing import Optional, Sequence

from viam_sync.app._data.arguments import BinaryIDLike, id_fields
from viam_sync.checks import text
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class DatasetMembers(Service):
    """Methods for what is in a dataset."""

    def add_binary_data_to_dataset_by_ids(
        self, binary_ids: Sequence[BinaryIDLike], dataset_id: str, *, timeout: Optional[float] = None
    ) -> None:
        """Put files into a dataset; those that are in it already stay.

        Each gets the tag ``VIAM_DATASET_<dataset_id>``.

        Args:
            binary_ids: Their IDs, ``"organization/location/file"`` or BinaryID messages, at least one.
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
            binary_ids: Their IDs, ``"organization/location/file"`` or BinaryID messages, at least one.
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
