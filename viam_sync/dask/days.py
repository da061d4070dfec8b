"""An export into a dataset with a file for each day, shared out by days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from viam_sync.app._data.filters import partition_filter
from viam_sync.app._data.tabular_datasets import ReadingsDataset, dataset_folder
from viam_sync.dask.cluster import run_tasks, scratch_folder
from viam_sync.dask.fetched_parts import FetchedPart, settled_rows
from viam_sync.dask.staging import Staging, unique_name
from viam_sync.dask.tabular_job import TabularJob, digest_of
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.dataset_bucket import DatasetBucket
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.remote import Location

#: The file of a day in the folder of a run, and the number of its rows.
StagedDay = Tuple[str, int]


class DayGroup(NamedTuple):
    """Whole days of an interval, of which one task writes the files.

    Attributes:
        interval: The time from the first of these days to the last, as far as it is in the whole interval.
        part_count: The number of parts in which their rows are fetched.
    """

    interval: Interval
    part_count: int

    def counts(self, known: Dict[date, int]) -> Dict[date, int]:
        """Return the numbers of rows of its days, of those of all days."""
        return {day: count for day, count in known.items() if self.interval.touches(day)}


def day_groups(start: datetime, end: datetime, partitions: int) -> List[DayGroup]:
    """Return the groups of days of an interval, for so many parts: several days in one, or several parts in a day.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.dask.days import day_groups
        >>> groups = day_groups(datetime(2024, 5, 1), datetime(2024, 5, 3, 12), 2)
        >>> [(group.interval.start.day, group.interval.end.day, group.part_count) for group in groups]
        [(1, 2, 1), (2, 3, 1)]
        >>> [group.part_count for group in day_groups(datetime(2024, 5, 1), datetime(2024, 5, 3), 5)]
        [2, 3]
    """
    edges = [start, *_midnights(start, end), end]
    days = len(edges) - 1
    count = min(days, partitions)
    groups = []
    for number in range(count):
        first, last = edges[number * days // count], edges[(number + 1) * days // count]
        parts = partitions * (number + 1) // count - partitions * number // count
        groups.append(DayGroup(Interval(first, last), min(parts, (last - first) // timedelta(microseconds=1))))
    return groups


def _midnights(start: datetime, end: datetime) -> Iterator[datetime]:
    midnight = datetime.combine(start.date(), time()) + timedelta(1)
    while midnight < end:
        yield midnight
        midnight += timedelta(1)


def export_days(job: TabularJob, filter: pb.Filter, partitions: int) -> int:
    """Replace the readings of an interval in a dataset with a file for each day, and return how many came.

    Args:
        job: The export.
        filter: The filter, with its interval.
        partitions: The number of parts in which the readings are fetched, at least.
    """
    groups = _groups_of(job.readings.interval, partitions)
    filters = [_part_filters(filter, group) for group in groups]
    folder = dataset_folder(job.target)
    dataset = job.readings.in_folder(folder)
    with folder.exclusive():
        state = dataset.state()
        known = "" if state.schema is None else digest_of(str(state.schema.to_string()))
        staging = Staging(job.target)
        run = staging.begin({**job.plan(partitions), "columns": known})
        columns = dataset.columns(state)
        parts = iter(job.fetch([each for group in filters for each in group], columns, run))
        grouped = [[next(parts) for _ in group] for group in filters]
        schema = dataset.file_schema(columns, state)
        counts = [group.counts(state.counts) for group in groups]
        fixed = {"readings": job.readings, "columns": columns, "schema": schema, "target": job.target, "staging": run}
        staged: Dict[date, StagedDay] = {}
        for found in run_tasks(job.cluster, write_days, grouped, counts, **fixed):
            staged.update(found)
        for day, (name, _) in staged.items():
            folder.adopt(day, run, name)
        dataset.change(state, {day: count for day, (_, count) in staged.items()}, schema)
        staging.end()
    return sum(part.rows for group in grouped for part in group)


def _groups_of(interval: Interval, partitions: int) -> List[DayGroup]:
    # A filter that was divided into parts has both edges.
    start, end = interval
    return [] if start is None or end is None else day_groups(start, end, partitions)


def _part_filters(filter: pb.Filter, group: DayGroup) -> List[pb.Filter]:
    """Return the filters of the parts of a group."""
    whole = pb.Filter()
    whole.CopyFrom(filter)
    whole.interval.CopyFrom(pb.CaptureInterval(start=group.interval.start, end=group.interval.end))
    return partition_filter(whole, group.part_count)


def write_days(
    parts: List[FetchedPart],
    counts: Dict[date, int],
    *,
    readings: ReadingsDataset,
    columns: Columns,
    schema: Any,
    target: Location,
    staging: Location,
) -> Dict[date, StagedDay]:
    """Write the new files of a group of days into the folder of the run.

    Args:
        parts: Its parts.
        counts: The numbers of rows that the dataset has of its days until now.
        readings: The readings that the dataset is of.
        columns: The columns, with the findings of all parts.
        schema: The schema of the files.
        target: The folder of the dataset.
        staging: The folder of the run.
    """
    folder = staging.connect()
    found: Dict[date, StagedDay] = {}
    with scratch_folder() as scratch:
        days = DatasetBucket(target, Path(scratch))
        with days.exclusive():
            rows = settled_rows(parts, columns, staging, scratch)
            for day, count in readings.in_folder(days).stage(rows, counts, schema).items():
                name = unique_name(f"{day}", ".parquet")
                folder.write(days.staged(day), name)
                found[day] = name, count
    return found
