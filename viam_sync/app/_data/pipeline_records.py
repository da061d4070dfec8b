"""Data pipelines and their runs as plain records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Dict, List, Optional

from typing_extensions import Self

from viam_sync.app._data.arguments import UNSPECIFIED_SOURCE
from viam_sync.messages.acceptance import adopt
from viam_sync.messages.bson_documents import from_documents
from viam_sync.messages.conversion import timestamp_to_datetime
from viam_sync.proto.app import data as data_pb
from viam_sync.proto.app import datapipelines as pb
from viam_sync.shown import ShortRepr


@dataclass(repr=False)
class DataPipeline(ShortRepr):
    """A query in MQL that runs on a schedule and keeps its results.

    Times are UTC without a time zone, as in the official SDK, or in that of the client's options; one that the service
    did not send is the start of 1970.

    Attributes:
        id: ID of the pipeline.
        organization_id: ID of the organization that owns it, a UUID.
        name: Its name.
        mql_binary: The stages of the query in their order.
        schedule: When it runs, a cron expression in UTC.
        created_on: When it was created.
        updated_at: When it last changed.
        enabled: Whether it runs on its schedule.
        data_source_type: The storage that it reads; TABULAR_DATA_SOURCE_TYPE_UNSPECIFIED if the service did not say.
    """

    id: str
    organization_id: str
    name: str
    mql_binary: List[Dict[str, Any]]
    schedule: str
    created_on: datetime
    updated_at: datetime
    enabled: bool
    data_source_type: data_pb.TabularDataSourceType.ValueType

    @classmethod
    def from_proto(cls, data_pipeline: pb.DataPipeline, *, tz: Optional[tzinfo] = None) -> Self:
        """Return the record of a message; ``tz`` is the time zone of its times, None for UTC without one.

        Raises:
            ValueError: If a stage of it is no BSON, or no calendar has one of its times.

        Example:
            >>> from viam_sync.app.data_client import DataClient
            >>> from viam_sync.proto.app import datapipelines
            >>> DataClient.DataPipeline.from_proto(datapipelines.DataPipeline(name="hourly")).name
            'hourly'
        """
        data_pipeline = adopt(pb.DataPipeline, data_pipeline, "data_pipeline")
        return cls(
            id=data_pipeline.id,
            organization_id=data_pipeline.organization_id,
            name=data_pipeline.name,
            mql_binary=from_documents(data_pipeline, data_pipeline.mql_binary, tz),
            schedule=data_pipeline.schedule,
            created_on=timestamp_to_datetime(data_pipeline.created_on, tz),
            updated_at=timestamp_to_datetime(data_pipeline.updated_at, tz),
            enabled=data_pipeline.enabled,
            data_source_type=data_pipeline.data_source_type,
        )


@dataclass(repr=False)
class DataPipelineRun(ShortRepr):
    """One run of a data pipeline.

    Times are UTC without a time zone, as in the official SDK, or in that of the client's options; one that the service
    did not send, such as the end of a run that goes on, is the start of 1970.

    Attributes:
        id: ID of the run.
        status: How far it is, a value of ``DataPipelineRunStatus``.
        start_time: When it started.
        end_time: When it ended.
        data_start_time: Start of the time span whose data it covers.
        data_end_time: End of that time span.
        error_message: Why it failed; empty if it did not.
        data_source_type: The storage that it reads; an older version of the official SDK does not have it.
    """

    id: str
    status: pb.DataPipelineRunStatus.ValueType
    start_time: datetime
    end_time: datetime
    data_start_time: datetime
    data_end_time: datetime
    error_message: str
    data_source_type: data_pb.TabularDataSourceType.ValueType = UNSPECIFIED_SOURCE

    @classmethod
    def from_proto(cls, data_pipeline_run: pb.DataPipelineRun, *, tz: Optional[tzinfo] = None) -> Self:
        """Return the record of a message; ``tz`` is the time zone of its times, None for UTC without one.

        Raises:
            ValueError: If no calendar has one of its times.

        Example:
            >>> from viam_sync.app.data_client import DataClient
            >>> from viam_sync.proto.app import datapipelines
            >>> DataClient.DataPipelineRun.from_proto(datapipelines.DataPipelineRun(error_message="late")).error_message
            'late'
        """
        data_pipeline_run = adopt(pb.DataPipelineRun, data_pipeline_run, "data_pipeline_run")
        return cls(
            id=data_pipeline_run.id,
            status=data_pipeline_run.status,
            start_time=timestamp_to_datetime(data_pipeline_run.start_time, tz),
            end_time=timestamp_to_datetime(data_pipeline_run.end_time, tz),
            data_start_time=timestamp_to_datetime(data_pipeline_run.data_start_time, tz),
            data_end_time=timestamp_to_datetime(data_pipeline_run.data_end_time, tz),
            error_message=data_pipeline_run.error_message,
            data_source_type=data_pipeline_run.data_source_type,
        )
