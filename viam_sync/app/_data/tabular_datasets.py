"""The readings that match a filter as a dataset: its interval, and the rest of the filter as what the dataset is of."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Dict, Mapping, NamedTuple, Optional, Tuple

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import Literal

from viam_sync.app._data.tabular_records import READING_COLUMNS
from viam_sync.checks import one_of
from viam_sync.checks.numbers import boolean
from viam_sync.messages.acceptance import adopt
from viam_sync.messages.conversion import timestamp_to_datetime
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.dataset import PartitionedDataset
from viam_sync.transfer.output.dataset_bucket import DatasetBucket
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.dataset_folder import DatasetFolder
from viam_sync.transfer.output.dataset_stage import AnyFolder
from viam_sync.transfer.output.remote import Location
from viam_sync.transfer.output.rows import in_utc, message_to_row


class DatasetOptions(NamedTuple):
    """The options of an export that say what the dataset is like."""

    partition_by: str
    format: Optional[str]
    sort_order: Optional[pb.Order.ValueType]
    include_internal_data: bool
    schema: Any
    misfits: str


class ReadingsDataset(NamedTuple):
    """The readings of a dataset, wherever its folder is.

    Attributes:
        source: The readings that the dataset is of: their filter without its interval, as JSON has it.
        interval: The interval of the filter.
        schema: The columns that the caller names.
        misfits: What becomes of a value that does not fit.
    """

    source: Mapping[str, Any]
    interval: Interval
    schema: Any
    misfits: str

    def in_folder(self, folder: AnyFolder) -> PartitionedDataset:
        """Return the dataset in a folder.

        Raises:
            TypeError: If the schema is none.
            ValueError: If there is something wrong with the schema, or ``misfits``.
            ImportError: If pyarrow is not installed.
        """
        return PartitionedDataset(
            folder,
            source=self.source,
            fixed=READING_COLUMNS,
            interval=self.interval,
            schema=self.schema,
            misfits=self.misfits,
        )


def dataset_folder(location: Location) -> AnyFolder:
    """Return the folder of a dataset.

    Raises:
        ImportError: If a package for its URL is not installed; the text says which.
        OSError: If it cannot be written.
        TypeError: If it is no path.
    """
    return DatasetBucket(location) if location.is_remote else DatasetFolder(location)


def readings_dataset(filter: Any, options: DatasetOptions) -> ReadingsDataset:
    """Return the dataset of the readings that match a filter.

    Args:
        filter: The filter; None for all readings.
        options: What the dataset is like.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If there are other rows than those of a filter, its interval is empty or finer than a microsecond,
            or an option is wrong.
    """
    one_of("partition_by", options.partition_by, ("day",))
    if filter is not None and not isinstance(filter, Message):
        raise ValueError(
            "partition_by goes with a filter, whose interval tells which rows of the dataset are replaced; export other"
            " rows to one file"
        )
    if options.format not in (None, "parquet"):
        raise ValueError(f"format is {options.format!r}, but a dataset is one of Parquet files")
    if options.sort_order is not None:
        raise ValueError("sort_order does not go with partition_by, as a dataset has its oldest rows first")
    source, interval = source_and_interval(filter, options.include_internal_data)
    return ReadingsDataset(source, interval, options.schema, options.misfits)


def source_and_interval(filter: Any, include_internal_data: bool) -> Tuple[Dict[str, Any], Interval]:
    """Return what readings are of, in a form that JSON can hold, and their interval.

    Args:
        filter: The filter; None for all readings.
        include_internal_data: Whether what Viam's own services store is among them.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If the interval is empty or finer than a microsecond.
    """
    is_internal = boolean("include_internal_data", include_internal_data)
    rest = _copy_of(filter)
    interval = Interval(_edge(rest, "start"), _edge(rest, "end"))
    if interval.start is not None and interval.end is not None and interval.end <= interval.start:
        raise ValueError("filter_or_query ends before it starts, or at the same time")
    rest.ClearField("interval")
    return {"filter": _in_order(message_to_row(rest)), "include_internal_data": is_internal}, interval


def _copy_of(filter: Any) -> pb.Filter:
    copy = pb.Filter()
    if filter is not None:
        copy.CopyFrom(adopt(pb.Filter, filter, "filter_or_query"))
    if not copy.tags_filter.ListFields():
        # An empty one, as create_filter makes it, is none.
        copy.ClearField("tags_filter")
    return copy


def _in_order(value: Any) -> Any:
    """Return a filter as JSON has it, with its lists in order, as a set of tags has another one in each process."""
    if isinstance(value, dict):
        return {name: _in_order(item) for name, item in value.items()}
    return sorted(value) if isinstance(value, list) else value


def _edge(filter: pb.Filter, name: Literal["start", "end"]) -> Optional[datetime]:
    if not filter.interval.HasField(name):
        return None
    time: Timestamp = getattr(filter.interval, name)
    if time.nanos % 1000:
        raise ValueError(f"filter_or_query has a {name} finer than a microsecond, and times in a table are not")
    return in_utc(timestamp_to_datetime(time))
