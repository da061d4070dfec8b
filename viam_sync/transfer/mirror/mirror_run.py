"""A run of a mirror: the readings of an interval are replaced slice by slice, the oldest first."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, Iterable, Mapping, NamedTuple, Optional, Tuple

from typing_extensions import Protocol

from viam_sync.transfer.mirror.mirror_result import MirrorResult
from viam_sync.transfer.mirror.mirror_state import MirrorState
from viam_sync.transfer.mirror.timed_rows import TimedRows
from viam_sync.transfer.output.batches import BatchStore, record_batches
from viam_sync.transfer.output.columns import Columns, optional
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.kinds import Kind, arrow_type
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.rows import Row

#: The size of a slice in memory, in bytes, where its end does not depend on a day.
SLICE_BYTES = 8 << 20


class MirrorTarget(Protocol):
    """The place of a mirror."""

    @property
    def state(self) -> Optional[MirrorState]:
        """The state after the last run, or the last slice; None before the first one."""
        ...

    def aligned(self, begin: datetime) -> datetime:
        """Return the time at or before another one at which a run can begin."""
        ...

    def is_over(self, store: BatchStore, latest: datetime, following: datetime) -> bool:
        """Tell whether a slice whose rows are in a store ends between two times of rows."""
        ...

    def end_of(self, latest: datetime) -> datetime:
        """Return the end of a slice, whose last row has a time."""
        ...

    def spool(self) -> BinaryIO:
        """Return a file for rows on their way, which is gone when it is closed."""
        ...

    def replace(self, interval: Interval, schema: Any, batches: Iterable[Any], state: MirrorState) -> Tuple[int, int]:
        """Replace the rows of an interval, and the state.

        Args:
            interval: The interval.
            schema: The schema, as pyarrow has it; it has all columns of the state.
            batches: The new rows, as record batches.
            state: The state after that.

        Returns:
            The number of rows that were added, and of those that were removed; rows that stay as they are do not count.
        """
        ...

    def names_of(self, columns: Iterable[str]) -> Iterable[str]:
        """Return the names that columns have in this place."""
        ...

    def count_rows(self) -> int:
        """Return the number of rows in all."""
        ...


class MirrorPlan(NamedTuple):
    """The plan of a run.

    Attributes:
        source: The readings that the mirror is of, in a form that JSON can hold.
        fixed: The columns that are there in any case, the first of which is the time, and their kinds.
        interval: The interval whose rows are replaced.
        newest: The newest reading, as the state of the mirror has it.
    """

    source: Mapping[str, Any]
    fixed: Mapping[str, Kind]
    interval: Interval
    newest: Optional[datetime]


def run_mirror(
    target: MirrorTarget, rows: Iterable[Row], plan: MirrorPlan, progress: Progress, result: MirrorResult
) -> None:
    """Replace the rows of an interval by those that the service has now.

    Args:
        target: The mirror.
        rows: The rows of the interval, the oldest first.
        plan: The plan.
        progress: Counts the rows.
        result: The result, which is filled meanwhile.

    Raises:
        OSError: If the mirror cannot be written.
        InternalError: If the rows are not in order.
    """
    arrow = optional("pyarrow", "a mirror")
    timed = TimedRows(rows, next(iter(plan.fixed)), plan.interval)
    begin, end = plan.interval
    before = kinds = target.state.kinds if target.state else plan.fixed
    while timed.has_more:
        columns = Columns(kinds)
        with BatchStore(arrow, target.spool, SLICE_BYTES) as store:
            taken = timed.slice(partial(target.is_over, store))
            schema, batches = record_batches(progress.counted(taken), columns, store, arrow)
            until, kinds = target.end_of(timed.latest), columns.kinds
            until = until if end is None else min(until, end)
            state = MirrorState(plan.source, kinds, until, plan.newest)
            _count(result, target.replace(Interval(begin, until), schema, batches, state))
        begin = until
    # There may be rows behind the last one that the service does not have any more.
    state = MirrorState(plan.source, kinds, None, plan.newest)
    _count(result, target.replace(Interval(begin, end), Columns(kinds).arrow_schema(arrow), (), state))
    result.rows = target.count_rows()
    result.new_columns = [*target.names_of(sorted(kinds.keys() - before.keys() - plan.fixed.keys()))]
    types = {name: arrow_type(kind, arrow) for name, kind in kinds.items()}
    changed = (name for name, kind in before.items() if arrow_type(kind, arrow) != types[name])
    result.changed_columns = [*target.names_of(changed)]


def _count(result: MirrorResult, changes: Tuple[int, int]) -> None:
    result.added += changes[0]
    result.removed += changes[1]
