"""The methods of DataClient that get the readings of one resource."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional, Tuple, cast, overload

from viam_sync.app._data.tabular_records import TabularDataPoint, point_converter
from viam_sync.checks import parameter_names, require
from viam_sync.checks.alternatives import either
from viam_sync.checks.numbers import require_seconds
from viam_sync.messages.conversion import struct_to_dict, timestamp_to_datetime
from viam_sync.messages.values import require_in_order
from viam_sync.proto.app import data as pb
from viam_sync.rpc.service import Service
from viam_sync.rpc.streams import StreamItems
from viam_sync.services import methods


class ResourceReadingsMixin(Service):
    """Methods for the readings that a machine has captured from one of its components or services."""

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
        require_in_order(interval, "start_time", "end_time")
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
            point_converter(self._options.tz),
            TabularDataPoint,
        )
