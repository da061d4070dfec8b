"""The methods of DataClient that query tabular data, and the index that makes queries faster."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Sequence, Union, overload

from viam_sync.app._data.arguments import STANDARD_SOURCE
from viam_sync.checks import parameter_names, require
from viam_sync.checks.alternatives import either
from viam_sync.checks.numbers import boolean
from viam_sync.messages.bson_documents import from_documents, to_document, to_documents
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods

#: The stages of an aggregation pipeline, each a BSON document or a dict.
Stages = Sequence[Union[bytes, Mapping[str, Any]]]


class QueriesMixin(Service):
    """Methods for queries of tabular data."""

    def tabular_data_by_sql(
        self, organization_id: str, sql_query: str, *, timeout: Optional[float] = None
    ) -> List[Dict[str, Any]]:
        """Query the tabular data of an organization with SQL.

        The table is ``readings``, the dialect that of MongoDB Atlas SQL. Bound ``time_received`` from below in the
        WHERE clause: without it, the live service has been seen to return no rows.

        Args:
            organization_id: ID of the organization, a UUID.
            sql_query: The query, a SELECT.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The rows. Times are datetimes, in UTC without a time zone or in that of the client's options; one outside
            the years 1 to 9999 is a ``bson.datetime_ms.DatetimeMS``.

        Raises:
            InvalidArgumentError: If the query is no SELECT, or none that can be read.
            ValueError: If the service answers with something other than rows.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> query = "SELECT avg(data.readings.temperature) AS mean FROM readings WHERE time_received > '2024-01-01'"
            >>> (row,) = client.data_client.tabular_data_by_sql(sandbox.organization_id, query)
            >>> round(row["mean"])
            21
        """
        require(organization_id=organization_id, sql_query=sql_query)
        request = pb.TabularDataBySQLRequest(organization_id=organization_id, sql_query=sql_query)
        response: pb.TabularDataBySQLResponse = self._unary_unary(methods.TABULAR_DATA_BY_SQL, request, timeout)
        return from_documents(response, response.raw_data, self._options.tz)

    @overload
    def tabular_data_by_mql(
        self,
        organization_id: str,
        mql_binary: Stages,
        use_recent_data: Optional[bool] = None,
        tabular_data_source_type: pb.TabularDataSourceType.ValueType = STANDARD_SOURCE,
        pipeline_id: Optional[str] = None,
        query_prefix_name: Optional[str] = None,
        *,
        timeout: Optional[float] = None,
    ) -> List[Dict[str, Any]]: ...

    @overload
    def tabular_data_by_mql(
        self,
        organization_id: str,
        *,
        query: Stages,
        use_recent_data: Optional[bool] = None,
        tabular_data_source_type: pb.TabularDataSourceType.ValueType = STANDARD_SOURCE,
        pipeline_id: Optional[str] = None,
        query_prefix_name: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> List[Dict[str, Any]]: ...

    def tabular_data_by_mql(
        self,
        organization_id: str,
        mql_binary: Optional[Stages] = None,
        use_recent_data: Optional[bool] = None,
        tabular_data_source_type: pb.TabularDataSourceType.ValueType = STANDARD_SOURCE,
        pipeline_id: Optional[str] = None,
        query_prefix_name: Optional[str] = None,
        *,
        query: Optional[Stages] = None,
        timeout: Optional[float] = None,
    ) -> List[Dict[str, Any]]:
        """Query the tabular data of an organization with an aggregation pipeline of MongoDB.

        Only stages that read are allowed, such as ``$match``, ``$group`` and ``$limit``.

        Args:
            organization_id: ID of the organization, a UUID.
            mql_binary: The stages in their order, each a dict or a BSON document; required, by this name or as
                ``query``.
            use_recent_data: Deprecated: whether to query the hot storage; name it as the source instead.
            tabular_data_source_type: The storage to query.
            pipeline_id: ID of the data pipeline whose results are queried, where these are the source.
            query_prefix_name: Name of a saved query that runs first and feeds the stages.
            query: Newer name of ``mql_binary``; give one of them.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The rows. Times are datetimes, in UTC without a time zone or in that of the client's options; one outside
            the years 1 to 9999 is a ``bson.datetime_ms.DatetimeMS``.

        Raises:
            TypeError: If the stages are no list of dicts and BSON documents, or are given twice or not at all.
            ValueError: If a stage has no form in BSON, or the service answers with something other than rows.
            InvalidArgumentError: If a stage is not allowed.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> warm = {"$match": {"data.readings.temperature": {"$gt": 21}}}
            >>> mean = {"$group": {"_id": "$component_name", "co2": {"$avg": "$data.readings.co2"}}}
            >>> (row,) = client.data_client.tabular_data_by_mql(sandbox.organization_id, [warm, mean])
            >>> row["_id"], row["co2"] < 500
            ('air', True)
        """
        require(organization_id=organization_id)
        name, stages = either(mql_binary=mql_binary, query=query)
        if use_recent_data is not None:
            use_recent_data = boolean("use_recent_data", use_recent_data)
        kind = tabular_data_source_type
        if use_recent_data and kind == STANDARD_SOURCE:
            kind = pb.TabularDataSourceType.TABULAR_DATA_SOURCE_TYPE_HOT_STORAGE
        with parameter_names(type="tabular_data_source_type"):
            source = pb.TabularDataSource(type=kind, pipeline_id=pipeline_id)
        request = pb.TabularDataByMQLRequest(
            organization_id=organization_id,
            mql_binary=to_documents(name, stages),
            data_source=source,
            query_prefix_name=query_prefix_name,
        )
        response: pb.TabularDataByMQLResponse = self._unary_unary(methods.TABULAR_DATA_BY_MQL, request, timeout)
        return from_documents(response, response.raw_data, self._options.tz)

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
            collection_type: The collection: the hot storage, or the results of a data pipeline.
            index_spec: The index as MongoDB takes it, such as ``{"keys": {"component_name": 1}}``, or that as BSON.
            pipeline_name: Name of the data pipeline, if the collection holds its results.
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
