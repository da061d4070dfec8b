"""The method of DataClient that mirrors readings: a copy at home that each run brings up to date."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any, Mapping, Optional

from typing_extensions import TypeAlias

from viam_sync.app._data.tabular_datasets import source_and_interval
from viam_sync.app._data.tabular_exports import RowOptions, TabularExportsMixin
from viam_sync.app._data.tabular_records import READING_COLUMNS, plain_rows
from viam_sync.checks import parameter_names, wrong_type
from viam_sync.checks.numbers import require_seconds, worker_count
from viam_sync.messages.conversion import datetime_to_timestamp, in_zone
from viam_sync.proto.app import data as pb
from viam_sync.transfer.mirror.mirror_result import MirrorResult
from viam_sync.transfer.mirror.mirror_run import MirrorPlan, MirrorTarget, run_mirror
from viam_sync.transfer.mirror.mirror_state import shifted
from viam_sync.transfer.mirror.open_mirror import TABLE, is_duckdb, open_mirror
from viam_sync.transfer.mirror.timed_rows import TICK
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.dataset_days import Interval
from viam_sync.transfer.output.progress import Progress, ProgressLike
from viam_sync.transfer.output.remote import Location
from viam_sync.transfer.output.rows import in_utc, time_row

_TIME = next(iter(READING_COLUMNS))


class MirrorsMixin(TabularExportsMixin):
    """The method that mirrors readings."""

    # Without TypeAlias, mypy takes the name for a variable, which cannot be used as a type.
    MirrorResult: TypeAlias = MirrorResult

    def mirror_tabular_data(
        self,
        filter: Optional[pb.Filter],
        dest: StrPath,
        *,
        table: str = TABLE,
        look_back: Optional[timedelta] = timedelta(days=7),
        workers: int = 8,
        include_internal_data: bool = False,
        storage_options: Optional[Mapping[str, Any]] = None,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> MirrorResult:
        """Bring a copy of all readings that match a filter up to date, such as each night.

        The copy is a table in a file of DuckDB, or a folder of Parquet files, one for each day. The first run brings
        all readings; each later one those since the newest reading that the run before found, minus ``look_back``.
        From there on, the copy becomes what the service has now: readings that arrived late come in, those that were
        deleted go, and each is there as often as in the service. Rows before that stay as they are.

        Rows come page by page, and go in slice by slice, the oldest first, in memory that does not grow with their
        number. A run that is killed, however that happens, leaves whole slices, and the next run goes on there. In
        DuckDB, a slice is a transaction; other tables of the file are left alone. In a folder, it is the file of a day,
        and the lock and the state are in a hidden folder beside it; a bucket has no lock.

        Columns have the names and types that ``export_tabular_data_to`` gives them; in DuckDB, which takes no heed of
        case, the second of ``Speed`` and ``speed`` is called ``speed_1``. A value in a new column adds it, with NULL in
        earlier rows. A value of another type widens its column, and earlier rows keep their values: whole numbers
        become numbers with a point if that rounds none, and all else becomes text.

        Args:
            filter: Filter that the readings must match; None for all readings that the caller may read. Its start must
                be the same in each run; its end may be another one.
            dest: Path of a file of DuckDB, which ends in ``.duckdb``, ``.ddb`` or ``.db``, and takes
                ``pip install duckdb pyarrow``; or of a folder, which takes ``pip install pyarrow``, or its URL in a
                bucket, such as ``"s3://bucket/readings"``. It is made if it is not there. One that is not of a mirror,
                or of another filter, is refused.
            table: Name of the table in the file of DuckDB; one that no mirror has made is refused.
            look_back: How late readings may arrive, after they were captured; None to compare all anew.
            workers: How many pages to fetch at a time, up to 64, each of another time.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            storage_options: For a URL: the arguments of its class of ``fsspec``, such as credentials.
            progress: True for a bar on the terminal or in a notebook (``pip install tqdm``); or a
                function that is called with the number of rows done, their total, and ``"rows"``.
            timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

        Returns:
            How many rows were added, removed, and are there now; the interval, and the columns that are new.

        Raises:
            OSError: If ``dest`` cannot be written, holds something else, or is in use; the text says by whom.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``dest`` is a mirror of another filter, ``workers`` is out of its range, ``look_back`` is
                negative, or the filter ends before it starts.
            ImportError: If a package for ``dest`` is not installed.
            InternalError: If the service returns data of another time range than was asked for, or in another order.
            GRPCError: If the service refuses a page or cannot be reached; a subclass says which.

        Example:
            >>> client.data_client.mirror_tabular_data(None, folder / "air.duckdb")
            MirrorResult(dest='...air.duckdb', 1008 rows: 1008 added, 0 removed, 3 new columns)
            >>> client.data_client.mirror_tabular_data(None, folder / "air.duckdb")
            MirrorResult(dest='...air.duckdb', 1008 rows: 0 added, 0 removed)
        """
        location = Location("dest", dest, storage_options)
        del dest, storage_options  # they may hold credentials, and tools show the variables of each frame
        look_back, workers, timeout = _span(look_back), worker_count(workers), require_seconds("timeout", timeout)
        with parameter_names(filter_or_query="filter"):
            source, asked = source_and_interval(filter, include_internal_data)
        source["start"] = None if asked.start is None else time_row(asked.start)
        options = RowOptions(None, pb.Order.ORDER_ASCENDING, include_internal_data, workers, timeout)
        result = MirrorResult(location.shown, table if is_duckdb(location) else None)
        with Progress(progress, "rows") as told, open_mirror(location, table, source, _TIME) as target:
            newest = self._newest_reading(filter, asked, options)
            interval = Interval(_begin(target, asked, newest, look_back), asked.end)
            result.start, result.end = (_in_zone(each, self._options.tz) for each in interval)
            if interval.start is None or interval.end is None or interval.start < interval.end:
                plan = MirrorPlan(source, READING_COLUMNS, interval, newest)
                missing = _since(filter, asked, interval)
                with self._rows_of(missing, options, counted=bool(progress)) as (rows, total):
                    told.begin(total)
                    run_mirror(target, plain_rows(rows), plan, told, result)
        return result

    def _newest_reading(self, filter: Optional[pb.Filter], asked: Interval, options: RowOptions) -> Optional[datetime]:
        """Return the time of the newest reading that is not in the future by the clock of this computer."""
        until = _now() if asked.end is None else min(_now(), asked.end)
        if asked.start is not None and until <= asked.start:
            return None
        rows, _, _ = self.tabular_data_by_filter(
            _within(filter, Interval(asked.start, until)),
            limit=1,
            sort_order=pb.Order.ORDER_DESCENDING,
            include_internal_data=options.include_internal_data,
            timeout=options.timeout,
        )
        return in_utc(rows[0].time_requested) if rows else None


def _begin(
    target: MirrorTarget, asked: Interval, newest: Optional[datetime], look_back: Optional[timedelta]
) -> Optional[datetime]:
    """Return the time from which on a run replaces readings; None for all."""
    begin = target.state.begin(newest, look_back) if target.state else None
    if begin is None:
        return asked.start
    begin = target.aligned(begin)
    return begin if asked.start is None else max(begin, asked.start)


def _since(filter: Optional[pb.Filter], asked: Interval, interval: Interval) -> pb.Filter:
    """Return the filter for an interval, and a tick more before it: the service decides how it is rounded."""
    start = None if interval.start is None else shifted(interval.start, -TICK)
    if asked.start is not None:
        start = asked.start if start is None else max(start, asked.start)
    return _within(filter, Interval(start, asked.end))


def _within(filter: Optional[pb.Filter], interval: Interval) -> pb.Filter:
    narrowed = pb.Filter()
    if filter is not None:
        narrowed.CopyFrom(filter)
    narrowed.ClearField("interval")
    for moment, edge in ((interval.start, "start"), (interval.end, "end")):
        if moment is not None:
            getattr(narrowed.interval, edge).CopyFrom(datetime_to_timestamp(moment))
    return narrowed


def _span(look_back: Optional[timedelta]) -> Optional[timedelta]:
    if not isinstance(look_back, (timedelta, type(None))):
        raise wrong_type("look_back", "a timedelta or None", look_back)
    if look_back is not None and look_back < timedelta(0):
        raise ValueError("look_back is negative; it is how late readings may arrive, such as timedelta(days=7)")
    return look_back


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)


def _in_zone(moment: Optional[datetime], tz: Optional[tzinfo]) -> Optional[datetime]:
    return moment if moment is None or tz is None else in_zone(moment.replace(tzinfo=timezone.utc), tz)
