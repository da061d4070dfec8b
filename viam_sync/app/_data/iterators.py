"""The methods of DataClient that go through all pages of a call."""

from __future__ import annotations

from typing import Optional, Tuple

from viam_sync.app._data.pipeline_records import DataPipelineRun
from viam_sync.app._data.records import TabularData, tabular_items
from viam_sync.checks import parameter_names, require
from viam_sync.proto.app import data as pb
from viam_sync.proto.app import datapipelines as pipelines_pb
from viam_sync.rpc.service import Service
from viam_sync.services import methods
from viam_sync.transfer.paging.paged_call import PagedCall, items_in
from viam_sync.transfer.paging.pages import Page, Pages


def _read_rows(
    request: pb.TabularDataByFilterRequest, response: pb.TabularDataByFilterResponse
) -> Tuple[Page[TabularData], str]:
    return tabular_items(response), response.last if response.data else ""


def _read_files(
    request: pb.BinaryDataByFilterRequest, response: pb.BinaryDataByFilterResponse
) -> Tuple[Page[pb.BinaryData], str]:
    return response.data, response.last if response.data else ""


_ROWS = PagedCall(
    methods.TABULAR_DATA_BY_FILTER, _read_rows, "limit", "last", place="data_request", time="time_requested"
)
_FILES = PagedCall(
    methods.BINARY_DATA_BY_FILTER,
    _read_files,
    "limit",
    "last",
    place="data_request",
    time="metadata.time_requested",
    advice="Ask with include_binary_data=False, and download the contents by the uri in the metadata.",
)
_SEQUENCES = PagedCall(methods.LIST_SEQUENCES, items_in("sequences"), "page_size")
_DATASET_SEQUENCES = PagedCall(methods.SEQUENCES_BY_DATASET_ID, items_in("sequences"), "page_size")
_SEQUENCE_FILES = PagedCall(
    methods.GET_SEQUENCE_BINARY_DATA,
    items_in("data"),
    "page_size",
    advice="Go through the files of the same time by iter_binary_data with include_binary_data=False.",
)
_PIPELINE_RUNS = PagedCall(methods.LIST_DATA_PIPELINE_RUNS, items_in("runs", DataPipelineRun.from_proto), "page_size")


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
        return _ROWS.pages(
            self._unary_unary,
            request,
            page_size=page_size,
            limit=limit,
            prefetch=prefetch,
            timeout=timeout,
            workers=workers,
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
        return _FILES.pages(
            self._unary_unary,
            request,
            page_size=page_size,
            limit=limit,
            prefetch=prefetch,
            timeout=timeout,
            workers=workers,
            segment_pages=2 if include_binary_data else 8,
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
        return _SEQUENCES.pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )

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
        return _DATASET_SEQUENCES.pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )

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
        return _SEQUENCE_FILES.pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )

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
        return _PIPELINE_RUNS.pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )
