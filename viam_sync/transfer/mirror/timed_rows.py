"""Rows in the order of their times, which a mirror takes slice by slice."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Callable, Iterable, Iterator, Optional, Tuple

import grpc

from viam_sync.errors import grpc_error
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.rows import Row, in_utc

#: The span of times that may be in any order, and are in one slice: the service may store times no finer.
TICK = timedelta(milliseconds=1)


class TimedRows:
    """Rows in the order of their times, of which one is known ahead.

    Args:
        rows: The rows.
        time: The name of their time.
        interval: The interval; rows of other times are left out, as the service decides whether the ends of an
            interval belong to it.

    Attributes:
        latest: The time of the row that was taken last, in UTC without a time zone.

    Raises:
        InternalError: If the rows are not in order; also while they are taken.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.transfer.mirror.timed_rows import TimedRows
        >>> from viam_sync.transfer.output.dataset_days import Interval
        >>> rows = TimedRows([{"at": datetime(2024, 1, day)} for day in (1, 2)], "at", Interval(None, None))
        >>> while rows.has_more:
        ...     print(len(list(rows.slice(lambda latest, following: latest.day < following.day))))
        1
        1
    """

    def __init__(self, rows: Iterable[Row], time: str, interval: Interval) -> None:
        self._rows, self._time, self._interval = iter(rows), time, interval
        self.latest = datetime.min
        self._ahead = self._following()

    @property
    def has_more(self) -> bool:
        """Whether there is another row."""
        return self._ahead is not None

    def slice(self, is_over: Callable[[datetime, datetime], bool]) -> Iterator[Row]:
        """Yield the rows of a slice, which has one at least.

        Args:
            is_over: Tells whether the slice ends between a row and the following one, of whose times it takes.
        """
        is_first = True
        while self._ahead is not None:
            time, row = self._ahead
            if not is_first and is_over(self.latest, time):
                return
            is_first = False
            self.latest = max(time, self.latest)
            yield row
            self._ahead = self._following()

    def _following(self) -> Optional[Tuple[datetime, Row]]:
        start, end = self._interval
        for row in self._rows:
            time = in_utc(row[self._time])
            if (start is None or start <= time) and (end is None or time < end):
                if tick_of(time) < tick_of(self.latest):
                    text = "The service gave rows in another order than that of their times."
                    raise grpc_error(grpc.StatusCode.INTERNAL, text, None, "TabularDataByFilter")
                return time, row
        return None


def tick_of(moment: datetime) -> datetime:
    """Return the beginning of the tick that a time is in.

    Example:
        >>> from datetime import datetime
        >>> from viam_sync.transfer.mirror.timed_rows import tick_of
        >>> tick_of(datetime(2024, 1, 1, 0, 0, 0, 1999)).microsecond
        1000
    """
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
