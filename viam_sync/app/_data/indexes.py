"""The method of DataClient that creates indexes."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Union

from viam_sync.checks import require
from viam_sync.messages.bson_documents import to_document
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods


class Indexes(Service):
    """Methods for indexes on tabular data."""

    def create_index(
        self,
        organization_id: str,
        collection_type: pb.IndexableCollection.ValueType,
        index_spec: Union[bytes, Mapping[str, Any]],
        pipeline_name: Optional[str] = None,
        *,
        timeout: Optional[float] = None,
    ) -> None:
        """Create an index on a collection of an organization's data, which makes queries on its fields faster.

        Args:
            organization_id: ID of the organization, a UUID.
            collection_type: The collection: the hot storage, or what a data pipeline keeps.
            index_spec: The index as MongoDB takes it, such as ``{"keys": {"component_name": 1}}``, or that as BSON.
            pipeline_name: Name of the data pipeline, where the collection is what it keeps.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Raises:
            TypeError: If ``index_spec`` is neither a dict nor BSON.
            ValueError: If it has no form in BSON.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.
        """
        require(organization_id=organization_id, collection_type=collection_type)
        request = pb.CreateIndexRequest(
            organization_id=organization_id,
            collection_type=collection_type,
            pipeline_name=pipeline_name,
            index_spec=[to_document("index_spec", index_spec)],
        )
        self._unary_unary(methods.CREATE_INDEX, request, timeout)
