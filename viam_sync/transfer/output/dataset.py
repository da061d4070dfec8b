"""Datasets: rows in a Parquet file for each day, of which a run replaces those of an interval."""

from __future__ import annotations

from datetime import date
from typing import Any, Dict, Iterable, Mapping, Tuple

from viam_sync.transfer.output.batches import BatchStore, record_batches
from viam_sync.transfer.output.columns import optional
from viam_sync.transfer.output.dataset_columns import ColumnRules, require_same_columns
from viam_sync.transfer.output.dataset_days import DayFiles, Interval
from viam_sync.transfer.output.dataset_stage import AnyFolder, DayStage, day_steps, footers
from viam_sync.transfer.output.kinds import Kind
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.rows import Row


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
        self._folder, self._source, self._interval = folder, source, interval

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
            known, schema = self._known()
            is_empty = not any(known.values())
            kept = None if schema is None or (is_empty and self._rules.may_change(schema)) else schema
            columns = self._rules.columns(kept)
            with BatchStore(self._arrow, self._folder.spool) as store:
                _, batches = record_batches(progress.counted(rows), columns, store, self._arrow)
                stage = DayStage(self._folder, self._files, self._interval)
                staged = stage.write(batches, known, self._rules.file_schema(columns, kept))
                self._folder.change(day_steps(known, staged))
        return progress.done

    def _known(self) -> Tuple[Dict[date, int], Any]:
        """Return the number of rows that the dataset has of each day, and its schema; None if it has no file."""
        counts, schema = {}, None
        for day, found, count in footers(self._folder, self._files, self._source):
            counts[day] = count
            schema = found if schema is None else schema
            require_same_columns(found, schema)
        return counts, schema
