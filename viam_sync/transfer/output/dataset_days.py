"""The days of a dataset: rows by their days, and the Parquet file of each day."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Any, BinaryIO, Iterable, Iterator, NamedTuple, Optional, Tuple

from viam_sync.transfer.output.batches import grouped
from viam_sync.transfer.output.columns import optional

_EPOCH = date(1970, 1, 1)


class Interval(NamedTuple):
    """An interval of times in UTC, without a time zone.

    Attributes:
        start: The first time in it; None if it has no start.
        end: The first time after it; None if it has no end.

    Example:
        >>> from datetime import date, datetime
        >>> from viam_sync.transfer.output.dataset_days import Interval
        >>> interval = Interval(datetime(2024, 1, 30), datetime(2024, 1, 31, 12))
        >>> [(interval.touches(day), interval.covers(day)) for day in (date(2024, 1, 30), date(2024, 1, 31))]
        [(True, True), (True, False)]
    """

    start: Optional[datetime]
    end: Optional[datetime]

    def touches(self, day: date) -> bool:
        """Tell whether some of a day is in it."""
        return (self.start is None or self.start.date() <= day) and (self.end is None or self.end > _midnight(day))

    def covers(self, day: date) -> bool:
        """Tell whether all of a day is in it."""
        return (self.start is None or self.start <= _midnight(day)) and (self.end is None or self.end.date() > day)

    def any_day(self) -> date:
        """Return a day that it touches."""
        if self.start is not None:
            return self.start.date()
        return _EPOCH if self.end is None else (self.end - timedelta(microseconds=1)).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


class DayFiles:
    """The files of days, of whose rows some are in an interval.

    Args:
        time: The name of the column of times.
        interval: The interval.
        group_rows: The number of rows in a row group of a file at most.
        group_bytes: Their size in memory at most, in bytes.

    Raises:
        ImportError: If pyarrow is not installed.
    """

    def __init__(
        self, time: str, interval: Interval, *, group_rows: int = 100_000, group_bytes: int = 32 << 20
    ) -> None:
        self._arrow, self._compute, self._parquet = (
            optional(module, "a dataset") for module in ("pyarrow", "pyarrow.compute", "pyarrow.parquet")
        )
        self._time, self._interval = time, interval
        self._group_rows, self._group_bytes = group_rows, group_bytes

    def by_day(self, batches: Iterable[Any]) -> Iterator[Tuple[date, Any]]:
        """Yield the rows of record batches that are in the interval, in a batch for each day."""
        for batch in batches:
            inner = self._before(self._from(batch, self._interval.start), self._interval.end)
            days = inner.column(self._time).cast(self._arrow.date32(), safe=False)
            for day in days.unique():
                yield day.as_py(), inner.filter(self._compute.equal(days, day))

    def around(self, file: BinaryIO) -> Tuple[Iterator[Any], Iterator[Any]]:
        """Return the rows of a file that are before the interval, and those that are after it, as record batches."""
        start, end = self._interval
        before = () if start is None else (self._before(batch, start) for batch in self.read(file))
        after = () if end is None else (self._from(batch, end) for batch in self.read(file))
        return iter(before), iter(after)

    def read(self, file: BinaryIO) -> Iterator[Any]:
        """Return all rows of a file, as record batches."""
        batches: Iterator[Any] = self._parquet.ParquetFile(file).iter_batches()
        return batches

    def _from(self, batch: Any, start: Optional[datetime]) -> Any:
        return batch if start is None else batch.filter(self._compute.greater_equal(*self._times(batch, start)))

    def _before(self, batch: Any, end: Optional[datetime]) -> Any:
        return batch if end is None else batch.filter(self._compute.less(*self._times(batch, end)))

    def _times(self, batch: Any, moment: datetime) -> Tuple[Any, Any]:
        """Return the times of rows, and one to compare them with."""
        exact = self._arrow.scalar(moment.replace(tzinfo=timezone.utc), self._arrow.timestamp("us", "UTC"))
        return batch.column(self._time), exact

    def write(self, file: BinaryIO, schema: Any, batches: Iterable[Any]) -> int:
        """Write record batches to a file, and return the number of their rows."""
        count = 0
        ordered = (batch.select(schema.names) for batch in batches)
        with self._parquet.ParquetWriter(file, schema) as writer:
            for table in grouped(ordered, schema, self._arrow, self._group_rows, self._group_bytes):
                writer.write_table(table, row_group_size=max(table.num_rows, 1))
                count += table.num_rows
        return count

    def footer(self, file: BinaryIO) -> Tuple[Any, int]:
        """Return the schema of a file, as pyarrow has it, and the number of its rows; None if it is no Parquet."""
        try:
            metadata = self._parquet.read_metadata(file)
        except self._arrow.ArrowInvalid:
            return None, 0
        return metadata.schema.to_arrow_schema(), metadata.num_rows
