"""Datasets: rows in a Parquet file for each day, of which a run replaces those of an interval."""

from __future__ import annotations

from datetime import date
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Tuple

from viam_sync.transfer.output.batches import BatchStore, record_batches
from viam_sync.transfer.output.columns import Columns, optional
from viam_sync.transfer.output.dataset_columns import ColumnRules, require_same_columns
from viam_sync.transfer.output.dataset_days import DayFiles, Interval
from viam_sync.transfer.output.dataset_stage import AnyFolder, DayStage, day_steps, footers
from viam_sync.transfer.output.kinds import Kind
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.rows import Row


class DatasetState(NamedTuple):
    """The files of a dataset.

    Attributes:
        counts: The number of rows of each day that has a file.
        schema: The schema that new files must have, as pyarrow has it; None if they may have another than the old ones.
    """

    counts: Dict[date, int]
    schema: Any


class PartitionedDataset:
    """A dataset of rows with times, in a Parquet file for each day in UTC; all of these have the same columns.

    Args:
        folder: The folder.
        source: The rows that the dataset is of, in a form that JSON can hold; a dataset of others is not touched.
        fixed: The columns that are there in any case, the first of which is the time, and their kinds.
        interval: The interval that the rows are of: those in the dataset are replaced, and all others stay.
        schema: The columns besides the fixed ones, as `Schema` takes them; None for those of the files, or of the rows.
        misfits: What becomes of a value that does not fit, as `Schema` takes it.
        limits: The limits of a row group, as `DayFiles` takes them.

    Raises:
        TypeError: If the schema is none.
        ValueError: If there is something wrong with the schema, or ``misfits``.
        ImportError: If pyarrow is not installed.
    """

    def __init__(
        self,
        folder: AnyFolder,
        *,
        source: Mapping[str, Any],
        fixed: Mapping[str, Kind],
        interval: Interval,
        schema: Any = None,
        misfits: str = "error",
        **limits: int,
    ) -> None:
        self._arrow = optional("pyarrow", "a dataset")
        self._files = DayFiles(next(iter(fixed)), interval, **limits)
        self._rules = ColumnRules(source, fixed, schema, misfits)
        self._days = DayStage(folder, self._files, interval)
        self._folder, self._source = folder, source

    def write(self, rows: Iterable[Row], progress: Progress) -> int:
        """Replace the rows of the interval.

        Nothing is changed before all rows are there; then one day changes after the other, each at once.

        Args:
            rows: The rows of the interval, the oldest first; those of other times among them are left out.
            progress: Counts the rows.

        Returns:
            The number of rows that came.

        Raises:
            OSError: If the folder cannot be written, another export is at work there, or it holds something else.
            ValueError: If the dataset is of other rows or has other columns than the schema, a value does not fit, or
                the rows are not in order.
        """
        with self._folder.exclusive():
            state = self.state()
            columns = self.columns(state)
            with BatchStore(self._arrow, self._folder.spool) as store:
                _, batches = record_batches(progress.counted(rows), columns, store, self._arrow)
                schema = self.file_schema(columns, state)
                self.change(state, self.stage(batches, state.counts, schema), schema)
        return progress.done

    def state(self) -> DatasetState:
        """Return what the dataset has.

        Raises:
            OSError: If the folder holds something else.
            ValueError: If the dataset is of other rows.
        """
        counts, schema = self._known()
        may_change = schema is None or (not any(counts.values()) and self._rules.may_change(schema))
        return DatasetState(counts, None if may_change else schema)

    def columns(self, state: DatasetState) -> Columns:
        """Return the columns, to which all rows are to be added.

        Raises:
            ValueError: If the files have other columns than those given.
        """
        return self._rules.columns(state.schema)

    def file_schema(self, columns: Columns, state: DatasetState) -> Any:
        """Return the schema of the new files, as pyarrow has it, once all rows were added to the columns."""
        return self._rules.file_schema(columns, state.schema)

    def stage(self, batches: Iterable[Any], counts: Mapping[date, int], schema: Any) -> Dict[date, int]:
        """Write the new files of days, none of which appears yet, and return the numbers of their rows.

        Args:
            batches: The rows of the days, the oldest first, as record batches of pyarrow.
            counts: The number of rows that each of the days has until now.
            schema: The schema of the files.

        Raises:
            ValueError: If the rows are not in order.
        """
        return self._days.write(batches, counts, schema)

    def change(self, state: DatasetState, staged: Mapping[date, int], schema: Any) -> None:
        """Let the new files appear, one day after the other, each at once.

        Args:
            state: What the dataset has until now.
            staged: The number of rows of each day that has a new file.
            schema: The schema of the new files.

        Raises:
            OSError: If that fails.
        """
        rest = self._days.write_rest(state.counts, staged, schema)
        self._folder.change(day_steps(state.counts, {**staged, **rest}))

    def _known(self) -> Tuple[Dict[date, int], Any]:
        """Return the number of rows that the dataset has of each day, and its schema; None if it has no file."""
        counts, schema = {}, None
        for day, found, count in footers(self._folder, self._files, self._source):
            counts[day] = count
            schema = found if schema is None else schema
            require_same_columns(found, schema)
        return counts, schema
