"""The methods of DataClient for data pipelines, whose runs come as records."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, List, Mapping, Optional, Sequence, Union

from typing_extensions import Self, TypeAlias

from viam_sync.app._data.arguments import STANDARD_SOURCE
from viam_sync.app._data.pipeline_records import DataPipeline, DataPipelineRun
from viam_sync.checks import require
from viam_sync.messages.acceptance import adopt
from viam_sync.messages.bson_documents import to_documents
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datapipelines as pb
from viam_sync.rpc.service import Service
from viam_sync.rpc.synchronous import Synchronous
from viam_sync.services import methods
from viam_sync.shown import ShortRepr
from viam_sync.transfer.paging.paged_call import PagedCall, items_in
from viam_sync.transfer.paging.pages import Pages

_PIPELINE_RUNS = PagedCall(methods.LIST_DATA_PIPELINE_RUNS, items_in("runs", DataPipelineRun.from_proto), "page_size")


@dataclass(repr=False)
class DataPipelineRunsPage(ShortRepr, Synchronous):
    """One page of the runs of a data pipeline.

    Attributes:
        _client: The client that asks for the next page; it is neither compared nor printed.
        pipeline_id: ID of the pipeline.
        page_size: How many runs were asked for.
        runs: The runs.
        next_page_token: Token of the next page; empty on the last page.
    """

    _client: DataPipelinesMixin = field(repr=False, compare=False)
    pipeline_id: str
    page_size: int
    runs: List[DataPipelineRun]
    next_page_token: str

    @classmethod
    def from_proto(
        cls, data_pipeline_runs_page: pb.ListDataPipelineRunsResponse, client: DataPipelinesMixin, page_size: int
    ) -> Self:
        """Return the page of a message.

        Args:
            data_pipeline_runs_page: The message.
            client: The client that shall ask for the next page, a DataClient.
            page_size: How many runs the next page shall hold at most; 0 leaves it to the service.

        Example:
            >>> from viam_sync.app.data_client import DataClient
            >>> from viam_sync.proto.app.datapipelines import ListDataPipelineRunsResponse
            >>> response = ListDataPipelineRunsResponse(next_page_token="more")
            >>> DataClient.DataPipelineRunsPage.from_proto(response, client.data_client, 10).next_page_token
            'more'
        """
        page = adopt(pb.ListDataPipelineRunsResponse, data_pipeline_runs_page, "data_pipeline_runs_page")
        return cls(
            _client=client,
            pipeline_id=page.pipeline_id,
            page_size=page_size,
            runs=[DataPipelineRun.from_proto(run, tz=client._options.tz) for run in page.runs],
            next_page_token=page.next_page_token,
        )

    def next_page(self, *, timeout: Optional[float] = None) -> DataPipelineRunsPage:
        """Get the page after this one.

        Args:
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The next page. After the last one, a page without runs, and nothing is asked.

        Raises:
            NotFoundError: If the pipeline is gone.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.app.data_client import DataClient
            >>> last = DataClient.DataPipelineRunsPage(client.data_client, "p-1", 10, [], next_page_token="")
            >>> last.next_page().runs
            []
        """
        if not self.next_page_token:
            return DataPipelineRunsPage(self._client, self.pipeline_id, self.page_size, [], "")
        return self._client.list_data_pipeline_runs(
            self.pipeline_id, self.page_size, page_token=self.next_page_token, timeout=timeout
        )


class DataPipelinesMixin(Service):
    """Methods for data pipelines."""

    # Without TypeAlias, mypy takes these names for variables, which cannot be used as types.
    DataPipeline: TypeAlias = DataPipeline
    DataPipelineRun: TypeAlias = DataPipelineRun
    DataPipelineRunsPage: TypeAlias = DataPipelineRunsPage

    def create_data_pipeline(
        self,
        organization_id: str,
        name: str,
        mql_binary: Sequence[Union[bytes, Mapping[str, Any]]],
        schedule: str,
        enable_backfill: bool,
        data_source_type: data_pb.TabularDataSourceType.ValueType = STANDARD_SOURCE,
        *,
        timeout: Optional[float] = None,
    ) -> str:
        """Create a query that runs on a schedule and keeps its results.

        Args:
            organization_id: ID of the organization, a UUID.
            name: Name of the pipeline.
            mql_binary: The stages of the query in their order, each a dict or a BSON document.
            schedule: When it runs, a cron expression in UTC, such as ``0 * * * *`` for every hour.
            enable_backfill: Whether it also runs over data from before its creation.
            data_source_type: The storage that it reads.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            ID of the new pipeline.

        Raises:
            TypeError: If the stages are no list of dicts and BSON documents.
            ValueError: If a stage has no form in BSON.
            InvalidArgumentError: If a stage is not allowed, or the schedule is none.
            AmbiguousResultError: If nobody knows whether it was carried out, as the connection was lost for example.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.
        """
        require(organization_id=organization_id, name=name, schedule=schedule, enable_backfill=enable_backfill)
        request = pb.CreateDataPipelineRequest(
            organization_id=organization_id,
            name=name,
            mql_binary=to_documents("mql_binary", mql_binary),
            schedule=schedule,
            enable_backfill=enable_backfill,
            data_source_type=data_source_type,
        )
        response: pb.CreateDataPipelineResponse = self._unary_unary(methods.CREATE_DATA_PIPELINE, request, timeout)
        return response.id

    def get_data_pipeline(self, id: str, *, timeout: Optional[float] = None) -> DataPipeline:
        """Get a data pipeline.

        Args:
            id: ID of the pipeline.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The pipeline.

        Raises:
            NotFoundError: If there is no such pipeline.
            ValueError: If the service answers with something other than a pipeline.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.
        """
        require(id=id)
        request = pb.GetDataPipelineRequest(id=id)
        response: pb.GetDataPipelineResponse = self._unary_unary(methods.GET_DATA_PIPELINE, request, timeout)
        return DataPipeline.from_proto(response.data_pipeline, tz=self._options.tz)

    def list_data_pipelines(self, organization_id: str, *, timeout: Optional[float] = None) -> List[DataPipeline]:
        """List the data pipelines of an organization.

        Args:
            organization_id: ID of the organization, a UUID.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The pipelines.

        Raises:
            NotFoundError: If there is no such organization.
            ValueError: If the service answers with something other than a pipeline.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.
        """
        require(organization_id=organization_id)
        request = pb.ListDataPipelinesRequest(organization_id=organization_id)
        response: pb.ListDataPipelinesResponse = self._unary_unary(methods.LIST_DATA_PIPELINES, request, timeout)
        return [DataPipeline.from_proto(pipeline, tz=self._options.tz) for pipeline in response.data_pipelines]

    def list_data_pipeline_runs(
        self, id: str, page_size: int = 10, *, page_token: Optional[str] = None, timeout: Optional[float] = None
    ) -> DataPipelineRunsPage:
        """Get one page of the runs of a data pipeline.

        Args:
            id: ID of the pipeline.
            page_size: How many runs at most; 0 leaves it to the service.
            page_token: Token of the page to get, such as one kept from a run before; None for the first page.
            timeout: Seconds that the call may take in all, retries included; None for the limit of its retry class.

        Returns:
            The page; its ``next_page()`` gets the one after it.

        Raises:
            ValueError: If ``page_size`` is negative; nothing was asked.
            NotFoundError: If there is no such pipeline.
            GRPCError: If the service refuses the call or cannot be reached; a subclass says which.
        """
        require(id=id)
        request = pb.ListDataPipelineRunsRequest(id=id, page_size=page_size, page_token=page_token)
        response: pb.ListDataPipelineRunsResponse = self._unary_unary(methods.LIST_DATA_PIPELINE_RUNS, request, timeout)
        return DataPipelineRunsPage.from_proto(response, self, page_size)

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
        request = pb.ListDataPipelineRunsRequest(id=id)
        return _PIPELINE_RUNS.with_times_in(self._options.tz).pages(
            self._unary_unary, request, page_size=page_size, limit=limit, prefetch=prefetch, timeout=timeout
        )
