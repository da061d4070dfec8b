"""The methods of DataClient that read and delete tabular data."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Any, Dict, List, Mapping, Optional, Tuple, cast, overload

from typing_extensions import TypeAlias

from viam_sync.app._data.tabular_records import (
    READING_COLUMNS,
    TabularData,
    TabularDataPoint,
    plain_rows,
    tabular_items,
)
from viam_sync.checks import either, parameter_names, require
from viam_sync.checks.numbers import boolean, require_seconds
from viam_sync.messages.conversion import struct_to_dict, timestamp_to_datetime
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.rpc.streams import StreamItems
from viam_sync.services import methods
from viam_sync.transfer.output.outputs import response_output
from viam_sync.transfer.output.writers import write_rows
from viam_sync.transfer.paging.paged_call import PagedCall
from viam_sync.transfer.paging.pages import PageItems, Pages


def _read_rows(
    request: pb.TabularDataByFilterRequest, response: pb.TabularDataByFilterResponse, tz: Optional[tzinfo] = None
) -> Tuple[PageItems[TabularData], str]:
    return tabular_items(response, tz), response.last if response.data else ""


_ROWS = PagedCall(
    methods.TABULAR_DATA_BY_FILTER,
    _read_rows,
    "limit",
    "last",
    place="data_request",
    time="time_requested",
    item_type=TabularData,
)


class TabularDataMixin(Service):
    """Methods for tabular data."""

    # Without TypeAlias, mypy takes these names for variables, which cannot be used as types.
    TabularData: TypeAlias = TabularData
    TabularDataPoint: TypeAlias = TabularDataPoint

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
        escape_formulas: bool = False,
        timeout: Optional[float] = None,
    ) -> Tuple[List[TabularData], int, str]:
        """Get one page of the rows that match a filter, and write it to a file where one is named.

        For the next page, give the ``last`` that came with this one; the page after the last one has no rows. A page
        that is short is not necessarily the last.

        Args:
            filter: Filter that the rows must match; None for all rows that the caller may read.
            limit: Rows in the page, up to 100; None for 50.
            sort_order: Order by time; None for the newest first.
            last: Where the page before ended; None for the first page.
            count_only: Whether to count all that match, and return no rows.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            dest: Path or URL of a file for the page: JSON lines if it ends in ``.jsonl``, CSV if in ``.csv``, with
                the columns that ``export_tabular_data_to`` gives it, else JSON. A file of that name is replaced; a link
                is followed, and a device or a pipe is written through.
            escape_formulas: Whether text in CSV that a spreadsheet would take for a formula, as it begins with ``=``,
                ``+``, ``-``, ``@``, a tab or the end of a line, gets an apostrophe before it.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The rows, how many there are, and where the page ends.

        Raises:
            OSError: If ``dest`` cannot be written. Found before the call, nothing was asked; found later, the error's
                attribute ``result`` has the value that would have been returned.
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
        escape_formulas = boolean("escape_formulas", escape_formulas)
        destination = None if dest is None else response_output(dest)
        request = pb.TabularDataByFilterRequest(
            data_request=pb.DataRequest(
                filter=pb.Filter() if filter is None else filter, limit=limit, sort_order=sort_order, last=last
            ),
            count_only=count_only,
            include_internal_data=include_internal_data,
        )
        response: pb.TabularDataByFilterResponse = self._unary_unary(methods.TABULAR_DATA_BY_FILTER, request, timeout)
        page = (list(tabular_items(response, self._options.tz)), response.count, response.last)
        if destination is not None:
            rows = plain_rows(page[0])
            write_rows(destination, rows, dict, page, fixed=READING_COLUMNS, escape_formulas=escape_formulas)
        return page

    def iter_tabular_data(
        self,
        filter: Optional[pb.Filter] = None,
        *,
        sort_order: Optional[pb.Order.ValueType] = None,
        page_size: int = 100,
        limit: Optional[int] = None,
        include_internal_data: bool = False,
        prefetch: bool = True,
        workers: int = 1,
        timeout: Optional[float] = None,
    ) -> Pages[TabularData]:
        """Go through all rows that match a filter.

        Args:
            filter: Filter that the rows must match; None for all rows that the caller may read.
            sort_order: Order by time; None for the newest first.
            page_size: Rows in a page, up to 100.
            limit: How many rows at most; None for all.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            workers: How many pages to fetch at a time, up to 64, each of another time; the rows and their order stay
                the same. Up to 16 pages for each worker are in memory, and some may be fetched in vain.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the rows; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size``, ``limit`` or ``workers`` is out of its range.
            InternalError: While iterating, if the service returns data that is not of the time range that was asked
                for.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> with client.data_client.iter_tabular_data() as rows:
            ...     temperatures = [row.data["readings"]["temperature"] for row in rows]
            >>> len(temperatures)
            1008
        """
        data_request = pb.DataRequest(filter=pb.Filter() if filter is None else filter, sort_order=sort_order)
        request = pb.TabularDataByFilterRequest(include_internal_data=include_internal_data)
        request.data_request.CopyFrom(data_request)
        return _ROWS.with_times_in(self._options.tz).pages(
            self._unary_unary,
            request,
            page_size=page_size,
            limit=limit,
            prefetch=prefetch,
            timeout=timeout,
            workers=workers,
        )

    @overload
    def get_latest_tabular_data(
        self,
        part_id: str,
        resource_name: str,
        resource_api: str,
        method_name: str,
        additional_params: Optional[Mapping[str, Any]] = None,
        *,
        timeout: Optional[float] = None,
    ) -> Optional[Tuple[datetime, datetime, Dict[str, Any]]]: ...

    @overload
    def get_latest_tabular_data(
        self,
        part_id: str,
        resource_name: str,
        *,
        resource_subtype: str,
        method_name: str,
        additional_params: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
    ) -> Optional[Tuple[datetime, datetime, Dict[str, Any]]]: ...

    def get_latest_tabular_data(
        self,
        part_id: str,
        resource_name: str,
        resource_api: Optional[str] = None,
        method_name: Optional[str] = None,
        additional_params: Optional[Mapping[str, Any]] = None,
        *,
        resource_subtype: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> Optional[Tuple[datetime, datetime, Dict[str, Any]]]:
        """Get the newest reading of a resource that its machine has captured within the last year.

        Args:
            part_id: ID of the part, a UUID.
            resource_name: Name of the component or service.
            resource_api: Its API, such as ``rdk:component:sensor``; required, by this name or as ``resource_subtype``.
            method_name: Name of the captured method, such as ``Readings``; required.
            additional_params: Parameters that the method was captured with, such as the command of a ``DoCommand``.
            resource_subtype: Older name of ``resource_api``; give one of them.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            When it was captured and when it reached the cloud, both UTC without a time zone, or in that of the client's
            options, and the reading; None if there is none.

        Raises:
            TypeError: If an argument is of the wrong type, missing, or given by both of its names.
            NotFoundError: If there is no such part.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (row,), _, _ = client.data_client.tabular_data_by_filter(limit=1)
            >>> captured, synced, reading = client.data_client.get_latest_tabular_data(
            ...     row.metadata.part_id, "air", "rdk:component:sensor", "Readings")
            >>> captured == row.time_requested, reading == row.data
            (True, True)
        """
        name, api = either(resource_api=resource_api, resource_subtype=resource_subtype)
        require(part_id=part_id, resource_name=resource_name, method_name=method_name)
        with parameter_names(resource_subtype=name, additional_parameters="additional_params"):
            request = pb.GetLatestTabularDataRequest(
                part_id=part_id,
                resource_name=resource_name,
                resource_subtype=api,
                method_name=method_name,
                additional_parameters=additional_params,
            )
        response: pb.GetLatestTabularDataResponse = self._unary_unary(methods.GET_LATEST_TABULAR_DATA, request, timeout)
        if not response.HasField("payload"):
            return None
        payload = struct_to_dict(response.payload)
        return (
            timestamp_to_datetime(response.time_captured, self._options.tz),
            timestamp_to_datetime(response.time_synced, self._options.tz),
            payload,
        )

    @overload
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
    ) -> List[TabularDataPoint]: ...

    @overload
    def export_tabular_data(
        self,
        part_id: str,
        resource_name: str,
        *,
        resource_subtype: str,
        method_name: str,
        start_time: Optional[datetime] = None,
        end_time: Optional[datetime] = None,
        additional_params: Optional[Mapping[str, Any]] = None,
        timeout: Optional[float] = None,
    ) -> List[TabularDataPoint]: ...

    def export_tabular_data(
        self,
        part_id: str,
        resource_name: str,
        resource_api: Optional[str] = None,
        method_name: Optional[str] = None,
        start_time: Optional[datetime] = None,
        end_time: Optional[datetime] = None,
        additional_params: Optional[Mapping[str, Any]] = None,
        *,
        resource_subtype: Optional[str] = None,
        timeout: Optional[float] = None,
    ) -> List[TabularDataPoint]:
        """Get all readings of a resource that its machine has captured in a span of time.

        Args:
            part_id: ID of the part, a UUID.
            resource_name: Name of the component or service.
            resource_api: Its API, such as ``rdk:component:sensor``; required, by this name or as ``resource_subtype``.
            method_name: Name of the captured method, such as ``Readings``; required.
            start_time: Only readings from this time on; without a time zone it is UTC.
            end_time: Only readings before this time; without a time zone it is UTC.
            additional_params: Parameters that the method was captured with, such as the command of a ``DoCommand``.
            resource_subtype: Older name of ``resource_api``; give one of them.
            timeout: Seconds that the call may take in all, until the last reading is there; None for no limit.

        Returns:
            The readings, the oldest first.

        Raises:
            TypeError: If an argument is of the wrong type, missing, or given by both of its names.
            NotFoundError: If there is no such part.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (row,), _, _ = client.data_client.tabular_data_by_filter(limit=1)
            >>> points = client.data_client.export_tabular_data(
            ...     row.metadata.part_id, "air", "rdk:component:sensor", "Readings")
            >>> len(points), points[-1].payload == row.data
            (1008, True)
        """
        name, api = either(resource_api=resource_api, resource_subtype=resource_subtype)
        with parameter_names(resource_api=name):
            points = self.iter_export_tabular_data(
                part_id,
                resource_name,
                api,
                cast("str", method_name),
                start_time,
                end_time,
                additional_params,
                timeout=timeout,
            )
        with points:
            return list(points)

    def iter_export_tabular_data(
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
    ) -> StreamItems[TabularDataPoint]:
        """Go through all readings of a resource that its machine has captured in a span of time.

        They come in one stream, each when it is asked for, so memory stays constant however many they are. Where the
        stream breaks before the first reading, it is asked for again; where it breaks later, that is an error, and the
        time of the last reading tells from where to go on.

        Args:
            part_id: ID of the part, a UUID.
            resource_name: Name of the component or service.
            resource_api: Its API, such as ``rdk:component:sensor``.
            method_name: Name of the captured method, such as ``Readings``.
            start_time: Only readings from this time on; without a time zone it is UTC.
            end_time: Only readings before this time; without a time zone it is UTC.
            additional_params: Parameters that the method was captured with, such as the command of a ``DoCommand``.
            timeout: Seconds from the first reading that is asked for until the last one is there, the caller's own work
                on them included; None for no limit.

        Returns:
            An iterator over the readings, the oldest first; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If an argument is empty that must not be, or ``timeout`` is more than grpc can count.
            NotFoundError: While iterating, if there is no such part.
            GRPCError: While iterating, if the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> (row,), _, _ = client.data_client.tabular_data_by_filter(limit=1)
            >>> with client.data_client.iter_export_tabular_data(
            ...     row.metadata.part_id, "air", "rdk:component:sensor", "Readings") as points:
            ...     max(point.payload["readings"]["temperature"] for point in points) > 20
            True
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
        timeout = require_seconds("timeout", timeout)
        return StreamItems(
            lambda: self._unary_stream(methods.EXPORT_TABULAR_DATA, request, timeout),
            lambda message: TabularDataPoint.from_proto(message, tz=self._options.tz),
            TabularDataPoint,
        )

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
