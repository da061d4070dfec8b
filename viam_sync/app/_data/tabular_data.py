"""The methods of DataClient that read and delete tabular data."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union, cast

from viam_sync.app._data.records import TabularData, TabularDataPoint, tabular_items, tabular_row
from viam_sync.checks import parameter_names, require
from viam_sync.messages.bson_documents import from_documents, to_documents
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.output.atomic import AtomicOutput
from viam_sync.transfer.output.writers import write_rows
from viam_sync.utils import struct_to_dict, timestamp_to_datetime

#: TABULAR_DATA_SOURCE_TYPE_STANDARD, as a number: naming it would build the schema when this is imported.
_STANDARD = cast("pb.TabularDataSourceType.ValueType", 1)


class TabularQueries(Service):
    """Methods for tabular data."""

    def tabular_data_by_filter(
        self,
        filter: Optional[pb.Filter] = None,
        limit: Optional[int] = None,
        sort_order: Optional[pb.Order.ValueType] = None,
        last: Optional[str] = None,
        count_only: bool = False,
        include_internal_data: bool = False,
        dest: Optional[str] = None,
        *,
        timeout: Optional[float] = None,
    ) -> Tuple[List[TabularData], int, str]:
        """Get one page of the rows that match a filter, and write it to a file where one is named.

        For the next page, give the ``last`` that came with this one; the page after the last one has no rows. A page
        that is short is not necessarily the last.

        Args:
            filter: What the rows must match; None for all that the caller may read.
            limit: Rows in the page, up to 100; None for 50.
            sort_order: Order by time; None for the newest first.
            last: Where the page before ended; None for the first page.
            count_only: Whether to count all that match, and return no rows.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            dest: Path of a file for the page: JSON lines if it ends in ``.jsonl``, CSV if in ``.csv``, else JSON. A
                file of that name is replaced.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The rows, how many there are, and where the page ends.

        Raises:
            OSError: If ``dest`` cannot be written. Found before the call, nothing was asked; found later, what would
                have been returned is the error's attribute ``result``.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``limit`` is negative.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.utils import create_filter
            >>> air = create_filter(component_name="air")
            >>> rows, count, last = client.data_client.tabular_data_by_filter(air, limit=3)
            >>> count, sorted(rows[0].data["readings"])
            (3, ['co2', 'humidity', 'temperature'])
        """
        destination = None if dest is None else AtomicOutput(dest)
        request = pb.TabularDataByFilterRequest(
            data_request=pb.DataRequest(
                filter=pb.Filter() if filter is None else filter, limit=limit, sort_order=sort_order, last=last
            ),
            count_only=count_only,
            include_internal_data=include_internal_data,
        )
        response: pb.TabularDataByFilterResponse = self._unary_unary(methods.TABULAR_DATA_BY_FILTER, request, timeout)
        page = (list(tabular_items(response)), response.count, response.last)
        if destination is not None:
            write_rows(destination, page[0], tabular_row, page)
        return page

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
            The rows. Times are datetimes in UTC without a time zone.

        Raises:
            InvalidArgumentError: If the query is no SELECT, or none that can be read.
            ValueError: If the service answers with what is no row.
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
        return from_documents(response, response.raw_data)

    def tabular_data_by_mql(
        self,
        organization_id: str,
        mql_binary: Sequence[Union[bytes, Mapping[str, Any]]],
        *,
        use_recent_data: Optional[bool] = None,
        tabular_data_source_type: pb.TabularDataSourceType.ValueType = _STANDARD,
        pipeline_id: Optional[str] = None,
        query_prefix_name: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> List[Dict[str, Any]]:
        """Query the tabular data of an organization with an aggregation pipeline of MongoDB.

        Only stages that read are allowed, such as ``$match``, ``$group`` and ``$limit``.

        Args:
            organization_id: ID of the organization, a UUID.
            mql_binary: The stages in their order, each a dict or a BSON document.
            use_recent_data: Deprecated: whether to query the hot storage; name it as the source instead.
            tabular_data_source_type: The storage to query.
            pipeline_id: ID of the data pipeline whose results are queried, where these are the source.
            query_prefix_name: Name of a saved query that runs first and feeds the stages.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The rows. Times are datetimes in UTC without a time zone.

        Raises:
            TypeError: If the stages are no list of dicts and BSON documents.
            ValueError: If a stage has no form in BSON, or the service answers with what is no row.
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
        if not isinstance(use_recent_data, (bool, type(None))):
            raise TypeError(f"use_recent_data takes a bool, got a {type(use_recent_data).__name__}")
        kind = tabular_data_source_type
        if use_recent_data and kind == _STANDARD:
            kind = pb.TabularDataSourceType.TABULAR_DATA_SOURCE_TYPE_HOT_STORAGE
        with parameter_names(type="tabular_data_source_type"):
            source = pb.TabularDataSource(type=kind, pipeline_id=pipeline_id)
        request = pb.TabularDataByMQLRequest(
            organization_id=organization_id,
            mql_binary=to_documents("mql_binary", mql_binary),
            data_source=source,
            query_prefix_name=query_prefix_name,
        )
        response: pb.TabularDataByMQLResponse = self._unary_unary(methods.TABULAR_DATA_BY_MQL, request, timeout)
        return from_documents(response, response.raw_data)

    def get_latest_tabular_data(
        self,
        part_id: str,
        resource_name: str,
        resource_api: str,
        method_name: str,
        additional_params: Optional[Mapping[str, Any]] = None,
        *,
        timeout: Optional[float] = None,
    ) -> Optional[Tuple[datetime, datetime, Dict[str, Any]]]:
        """Get the newest reading of a resource that its machine has captured within the last year.

        Args:
            part_id: ID of the part, a UUID.
            resource_name: Name of the component or service.
            resource_api: Its API, such as ``rdk:component:sensor``.
            method_name: Name of the captured method, such as ``Readings``.
            additional_params: Parameters that the method was captured with, such as the command of a ``DoCommand``.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            When it was captured and when it reached the cloud, both UTC without a time zone, and the reading; None if
            there is none.

        Raises:
            NotFoundError: If there is no such part.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (row,), _, _ = client.data_client.tabular_data_by_filter(limit=1)
            >>> captured, synced, reading = client.data_client.get_latest_tabular_data(
            ...     row.metadata.part_id, "air", "rdk:component:sensor", "Readings")
            >>> captured == row.time_requested, reading == row.data
            (True, True)
        """
        require(part_id=part_id, resource_name=resource_name, resource_api=resource_api, method_name=method_name)
        with parameter_names(resource_subtype="resource_api", additional_parameters="additional_params"):
            request = pb.GetLatestTabularDataRequest(
                part_id=part_id,
                resource_name=resource_name,
                resource_subtype=resource_api,
                method_name=method_name,
                additional_parameters=additional_params,
            )
        response: pb.GetLatestTabularDataResponse = self._unary_unary(methods.GET_LATEST_TABULAR_DATA, request, timeout)
        if not response.HasField("payload"):
            return None
        payload = struct_to_dict(response.payload)
        return (
            timestamp_to_datetime(response.time_captured),
            timestamp_to_datetime(response.time_synced),
            payload,
        )

    def export_tabular_data(
        self,
        part_id: str,
        resource_name: str,
        resource_api: str,
        method_name: str,
        start_time: Optional[datetime] = None,
        end_time: Optional[datetime] = None,
        additional_params: Optional[Mapping[str, Any]] = None,
        *,
        timeout: Optional[float] = None,
    ) -> List[TabularDataPoint]:
        """Get all readings of a resource that its machine has captured in a span of time.

        Args:
            part_id: ID of the part, a UUID.
            resource_name: Name of the component or service.
            resource_api: Its API, such as ``rdk:component:sensor``.
            method_name: Name of the captured method, such as ``Readings``.
            start_time: Only readings from this time on; without a time zone it is UTC.
            end_time: Only readings before this time; without a time zone it is UTC.
            additional_params: Parameters that the method was captured with, such as the command of a ``DoCommand``.
            timeout: Seconds that the call may take in all, until the last reading is there; None for no limit.

        Returns:
            The readings, the oldest first.

        Raises:
            NotFoundError: If there is no such part.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (row,), _, _ = client.data_client.tabular_data_by_filter(limit=1)
            >>> points = client.data_client.export_tabular_data(
            ...     row.metadata.part_id, "air", "rdk:component:sensor", "Readings")
            >>> len(points), points[-1].payload == row.data
            (1008, True)
        """
        require(part_id=part_id, resource_name=resource_name, resource_api=resource_api, method_name=method_name)
        with parameter_names(start="start_time", end="end_time"):
            interval = pb.CaptureInterval(start=start_time, end=end_time)
        with parameter_names(resource_subtype="resource_api", additional_parameters="additional_params"):
            request = pb.ExportTabularDataRequest(
                part_id=part_id,
                resource_name=resource_name,
                resource_subtype=resource_api,
                method_name=method_name,
                interval=interval,
                additional_parameters=additional_params,
            )
        with self._unary_stream(methods.EXPORT_TABULAR_DATA, request, timeout) as stream:
            return [TabularDataPoint.from_proto(message) for message in stream]

    def delete_tabular_data_by_filter(self, filter: Optional[pb.Filter], *, timeout: Optional[float] = None) -> int:
        """Refuse: the service has no such method any more; use ``delete_tabular_data``.

        Args:
            filter: Not looked at.
            timeout: Not looked at.

        Returns:
            Nothing, ever.

        Raises:
            NotImplementedError: Always; nothing is sent.

        Example:
            >>> client.data_client.delete_tabular_data_by_filter(None)
            Traceback (most recent call last):
            NotImplementedError: delete_tabular_data_by_filter is gone from the service; ...
        """
        raise NotImplementedError(
            "delete_tabular_data_by_filter is gone from the service; "
            "use delete_tabular_data(organization_id, delete_older_than_days), which also takes a filter"
        )
