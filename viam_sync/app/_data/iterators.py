"""The methods of DataClient that go through all pages of a call."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Callable, Optional, Tuple

from google.protobuf.timestamp_pb2 import Timestamp

from viam_sync.app._data.pipeline_records import DataPipelineRun
from viam_sync.app._data.records import TabularData, tabular_items
from viam_sync.checks import parameter_names, require
from viam_sync.proto.app import data as pb
from viam_sync.proto.app import datapipelines as pipelines_pb
from viam_sync.rpc.retry import READ, READ_FILES
from viam_sync.rpc.service import Service
from viam_sync.transfer.paging.paged_call import PagedCall
from viam_sync.transfer.paging.pages import Converted, Items, Pages

_DATA = "viam.app.data.v1.DataService"


class DataIterators(Service):
    """Methods that return iterators over data, sequences and runs."""

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
            filter: What the rows must match; None for all that the caller may read.
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
            InternalError: While iterating, if the service gives what is not of the time that a worker asks for.
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

        def read(response: pb.TabularDataByFilterResponse) -> Tuple[Items[TabularData], str]:
            return tabular_items(response), response.last if response.data else ""

        time: Callable[[Any], Timestamp] = attrgetter("time_requested")
        call = PagedCall(
            f"{_DATA}/TabularDataByFilter", READ, request, request.data_request, "last", "limit", time=time
        )
        return call.pages(
            self._call, read, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout, workers=workers
        )

    def iter_binary_data(
        self,
        filter: Optional[pb.Filter] = None,
        *,
        include_binary_data: bool = True,
        sort_order: Optional[pb.Order.ValueType] = None,
        page_size: int = 100,
        limit: Optional[int] = None,
        include_internal_data: bool = False,
        prefetch: bool = True,
        workers: int = 1,
        timeout: Optional[float] = None,
    ) -> Pages[pb.BinaryData]:
        """Go through all files that match a filter.

        Where a page is too large for one message, smaller ones are asked for.

        Args:
            filter: What the files must match; None for all that the caller may read.
            include_binary_data: Whether to get the contents too; otherwise only the metadata.
            sort_order: Order by time; None for the newest first.
            page_size: Files in a page, up to 100. With their contents, up to two pages are in memory at a time.
            limit: How many files at most; None for all.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            workers: How many pages to fetch at a time, up to 64, each of another time; the files and their order stay
                the same. Up to 4 pages for each worker are in memory, 16 without contents, and some may be fetched in
                vain.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the files; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size``, ``limit`` or ``workers`` is out of its range.
            InvalidArgumentError: While iterating, if a single file is too large for one message.
            InternalError: While iterating, if the service gives what is not of the time that a worker asks for.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> with client.data_client.iter_binary_data(limit=20) as files:
            ...     {file.binary[1:4] for file in files}
            {b'PNG'}
        """
        data_request = pb.DataRequest(filter=filter, sort_order=sort_order)
        with parameter_names(include_binary="include_binary_data"):
            request = pb.BinaryDataByFilterRequest(
                include_binary=include_binary_data, include_internal_data=include_internal_data
            )
        request.data_request.CopyFrom(data_request)

        def read(response: pb.BinaryDataByFilterResponse) -> Tuple[Items[pb.BinaryData], str]:
            return response.data, response.last if response.data else ""

        advice = "Ask with include_binary_data=False, and download the contents by the uri in the metadata."
        time: Callable[[Any], Timestamp] = attrgetter("metadata.time_requested")
        call = PagedCall(
            f"{_DATA}/BinaryDataByFilter", READ_FILES, request, request.data_request, "last", "limit", advice, time
        )
        return call.pages(
            self._call,
            read,
            page_size=page_size,
            limit=limit,
            prefetch=prefetch,
            timeout=timeout,
            workers=workers,
            longest=2 if include_binary_data else 8,
        )

    def iter_sequences(
        self,
        organization_id: str,
        *,
        page_size: int = 100,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[pb.Sequence]:
        """Go through all sequences of an organization.

        Args:
            organization_id: ID of the organization, a UUID.
            page_size: Sequences in a page, up to 100.
            limit: How many sequences at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the sequences; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size`` or ``limit`` is out of its range.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.
        """
        require(organization_id=organization_id)
        request = pb.ListSequencesRequest(organization_id=organization_id)

        def read(response: pb.ListSequencesResponse) -> Tuple[Items[pb.Sequence], str]:
            return response.sequences, response.next_page_token

        call = PagedCall(f"{_DATA}/ListSequences", READ, request, request, size="page_size")
        return call.pages(self._call, read, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout)

    def iter_sequences_by_dataset_id(
        self,
        dataset_id: str,
        *,
        page_size: int = 100,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[pb.Sequence]:
        """Go through all sequences in a dataset.

        Args:
            dataset_id: ID of the dataset, 24 hexadecimal digits.
            page_size: Sequences in a page, up to 100.
            limit: How many sequences at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the sequences; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size`` or ``limit`` is out of its range.
            NotFoundError: While iterating, if there is no such dataset.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.
        """
        require(dataset_id=dataset_id)
        request = pb.SequencesByDatasetIDRequest(dataset_id=dataset_id)

        def read(response: pb.SequencesByDatasetIDResponse) -> Tuple[Items[pb.Sequence], str]:
            return response.sequences, response.next_page_token

        call = PagedCall(f"{_DATA}/SequencesByDatasetID", READ, request, request, size="page_size")
        return call.pages(self._call, read, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout)

    def iter_sequence_binary_data(
        self,
        sequence_id: str,
        *,
        page_size: int = 100,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[pb.BinaryData]:
        """Go through all binary data that lies in a sequence.

        Where a page is too large for one message, smaller ones are asked for.

        Args:
            sequence_id: ID of the sequence.
            page_size: Files in a page, up to 100. Up to two pages are in memory at a time.
            limit: How many files at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the files; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size`` or ``limit`` is out of its range.
            NotFoundError: While iterating, if there is no such sequence.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.
        """
        require(sequence_id=sequence_id)
        request = pb.GetSequenceBinaryDataRequest(sequence_id=sequence_id)

        def read(response: pb.GetSequenceBinaryDataResponse) -> Tuple[Items[pb.BinaryData], str]:
            return response.data, response.next_page_token

        advice = "Go through the files of the same time by iter_binary_data with include_binary_data=False."
        call = PagedCall(
            f"{_DATA}/GetSequenceBinaryData", READ_FILES, request, request, size="page_size", advice=advice
        )
        return call.pages(self._call, read, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout)

    def iter_data_pipeline_runs(
        self,
        id: str,
        *,
        page_size: int = 100,
        limit: Optional[int] = None,
        prefetch: bool = True,
        timeout: Optional[float] = None,
    ) -> Pages[DataPipelineRun]:
        """Go through all runs of a data pipeline.

        Args:
            id: ID of the pipeline.
            page_size: Runs in a page, up to 100.
            limit: How many runs at most; None for all.
            prefetch: Whether to fetch the next page in a thread while the caller works on this one.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            An iterator over the runs; nothing is asked before the first one is.

        Raises:
            TypeError: If an argument is of the wrong type.
            ValueError: If ``page_size`` or ``limit`` is out of its range.
            NotFoundError: While iterating, if there is no such pipeline.
            GRPCError: While iterating, if the service refuses a page or cannot be reached; a subclass says which.
        """
        require(id=id)
        request = pipelines_pb.ListDataPipelineRunsRequest(id=id)

        def read(response: pipelines_pb.ListDataPipelineRunsResponse) -> Tuple[Items[DataPipelineRun], str]:
            return Converted(response.runs, DataPipelineRun.from_proto), response.next_page_token

        method = "viam.app.datapipelines.v1.DataPipelinesService/ListDataPipelineRuns"
        call = PagedCall(method, READ, request, request, size="page_size")
        return call.pages(self._call, read, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout)
