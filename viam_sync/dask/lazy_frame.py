"""Readings as a data frame of Dask, whose parts are fetched where they are computed."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any, List, NamedTuple, Optional, Sequence, Tuple

from viam_sync.app._data.filters import partition_filter
from viam_sync.app._data.tabular_records import READING_COLUMNS
from viam_sync.app.viam_client import ViamClient
from viam_sync.checks import parameter_names
from viam_sync.checks.numbers import boolean, require_seconds
from viam_sync.dask.cluster import dask_module, require_client
from viam_sync.dask.fetched_parts import RowRequest, of_part
from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.concurrency.workers import for_each
from viam_sync.transfer.output.frames import data_frame
from viam_sync.transfer.output.schema import columns_for

if TYPE_CHECKING:
    from dask.dataframe import DataFrame  # type: ignore[import-not-found, import-untyped, unused-ignore]

#: The rows of a part that are looked at for its columns, the most parts that are, and how many at a time.
_SAMPLE_ROWS, _SAMPLE_PARTS, _SAMPLERS = 100, 64, 8
_ADVICE = "give the names and types of all columns as schema"


def read_tabular_data(
    client: ViamClient,
    filter: pb.Filter,
    *,
    partitions: int = 16,
    schema: Any = None,
    misfits: str = "error",
    include_internal_data: bool = False,
    timeout: Optional[float] = None,
) -> DataFrame:
    """Return all readings that match a filter as a data frame of Dask.

    It is lazy: each part of the filter's interval is fetched when it is computed, by the process that computes it, each
    time anew; ``persist()`` keeps them. Columns have the names and types that `viam_sync.tabular.to_pandas` gives them,
    and rows are in the order of their times. The index of each part counts its rows, so that divisions are not known.

    A data frame has its columns before its rows. Without a schema, this asks for the first hundred rows of each part,
    or of 64 of them, and takes the columns of these. A part that has others, or values of another type, is an error
    when it is computed; so name the columns of all that runs for long.

    Args:
        client: The client. Where processes do the work, it is sent to them, and with it the API key.
        filter: Filter that the readings must match; it needs a start and an end.
        partitions: How many parts to divide the interval into. Each must fit into the memory of its worker.
        schema: All columns but those of times and metadata, as `viam_sync.tabular.to_pandas` takes them; None for those
            of the first rows.
        misfits: What becomes of a value that does not fit the schema: ``"error"``, ``"null"`` or ``"rescue"``.
        include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
        timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

    Returns:
        The data frame, a ``dask.dataframe.DataFrame``.

    Raises:
        ImportError: If Dask or pandas is not installed.
        TypeError: If an argument is of the wrong type.
        ValueError: If the filter has no start or end, ``partitions`` is out of its range, or something is wrong with
            the schema; while it is computed, if a part does not fit the columns.
        GRPCError: If the service refuses a call or cannot be reached; a subclass says which.

    Example:
        >>> from datetime import datetime, timedelta, timezone
        >>> from viam_sync.dask import read_tabular_data
        >>> from viam_sync.utils import create_filter
        >>> now = datetime.now(timezone.utc)
        >>> week = create_filter(component_name="air", start_time=now - timedelta(9), end_time=now)
        >>> frame = read_tabular_data(client, week, partitions=9)
        >>> frame.npartitions, len(frame), bool(frame["data.readings.co2"].mean().compute() > 400)
        (9, 1008, True)
    """
    dask = dask_module("dask", "read_tabular_data")
    frames = dask_module("dask.dataframe", "read_tabular_data")
    with parameter_names(n="partitions"):
        filters = partition_filter(filter, partitions)
    include_internal_data = boolean("include_internal_data", include_internal_data)
    request = RowRequest(require_client(client), include_internal_data, require_seconds("timeout", timeout))
    columns_for(READING_COLUMNS, schema, misfits)
    sample = [] if schema is not None else _sample(request, filters)
    pandas = dask_module("pandas", "read_tabular_data")
    meta = data_frame(sample, columns_for(READING_COLUMNS, schema, misfits), pandas).iloc[:0]
    # Dask would make text of lists.
    with dask.config.set({"dataframe.convert-string": False}):
        fetch = _FetchFrame(request, schema, misfits, meta, secrets.token_hex(16))
        return frames.from_map(fetch, filters, meta=meta, label="read-tabular-data", enforce_metadata=False)


def _sample(request: RowRequest, filters: Sequence[pb.Filter]) -> List[Any]:
    """Return the first rows of parts, in their order."""
    step = -(-len(filters) // _SAMPLE_PARTS)
    chosen = list(enumerate(filters[::step]))
    found: List[List[Any]] = [[] for _ in chosen]

    def look(numbered: Tuple[int, pb.Filter], _: Cancellation) -> None:
        number, filter = numbered
        with request.rows(filter, limit=_SAMPLE_ROWS) as rows:
            found[number] = list(rows)

    for_each(chosen, look, min(len(chosen), _SAMPLERS))
    return [row for rows in found for row in rows]


class _FetchFrame(NamedTuple):
    """Fetches the rows of a filter as a data frame of pandas.

    Attributes:
        request: The service that has the rows.
        schema: The columns that the caller names.
        misfits: What becomes of a value that does not fit the schema.
        meta: The data frame without rows, which has all columns.
        token: The name of this among the tasks of Dask: what is fetched may be something else each time.
    """

    request: RowRequest
    schema: Any
    misfits: str
    meta: Any
    token: str

    def __call__(self, filter: pb.Filter) -> Any:
        """Return the rows of a filter."""
        pandas = dask_module("pandas", "read_tabular_data")
        columns = columns_for(READING_COLUMNS, self.schema, self.misfits)
        with of_part(filter), self.request.rows(filter) as rows:
            return _fitted_frame(data_frame(rows, columns, pandas), self.meta, pandas)

    def __dask_tokenize__(self) -> str:
        """Return its name."""
        return self.token


def _fitted_frame(frame: Any, meta: Any, pandas: Any) -> Any:
    """Return a data frame with the columns of another one.

    Raises:
        ValueError: If it has values that do not fit these.
    """
    for name in frame.columns.difference(meta.columns):
        raise ValueError(f"the first rows lack the column {name!r}; {_ADVICE}")
    fitted = {name: _fitted_column(frame, name, dtype, pandas) for name, dtype in meta.dtypes.items()}
    return pandas.DataFrame(fitted, index=frame.index, copy=False)


def _fitted_column(frame: Any, name: str, dtype: Any, pandas: Any) -> Any:
    column = frame[name] if name in frame.columns else pandas.Series([None] * len(frame), frame.index, object)
    if column.dtype == dtype:
        return column
    if str(dtype) == "object":
        values = [None if missing else value for value, missing in zip(column, column.isna())]
        return pandas.Series(values, frame.index, object)
    # Text may be stored in several ways.
    if str(column.dtype) == str(dtype) or column.isna().all():
        return column.astype(dtype)
    raise ValueError(f"the column {name!r} has {column.dtype} here, and {dtype} in the first rows; {_ADVICE}")
