"""Exports of readings on a cluster: into files of parts, or into a dataset with a file for each day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Mapping, Optional

from viam_sync.app._data.filters import partition_filter
from viam_sync.app._data.tabular_datasets import DatasetOptions, readings_dataset
from viam_sync.app.viam_client import ViamClient
from viam_sync.checks import parameter_names
from viam_sync.checks.numbers import require_seconds
from viam_sync.dask.cluster import cluster_for, require_client
from viam_sync.dask.days import export_days
from viam_sync.dask.fetched_parts import RowRequest
from viam_sync.dask.part_files import export_parts
from viam_sync.dask.staging import shared_location
from viam_sync.dask.tabular_job import TabularJob
from viam_sync.proto.app import data as pb
from viam_sync.transfer.output.atomic import StrPath

if TYPE_CHECKING:
    from distributed import Client  # type: ignore[import-not-found, import-untyped, unused-ignore]


def export_tabular_data(
    client: ViamClient,
    filter: pb.Filter,
    url: StrPath,
    *,
    partitions: int = 16,
    storage_options: Optional[Mapping[str, Any]] = None,
    partition_by: Optional[str] = None,
    schema: Any = None,
    misfits: str = "error",
    include_internal_data: bool = False,
    cluster: Optional[Client] = None,
    timeout: Optional[float] = None,
) -> int:
    """Write all readings that match a filter to Parquet files in one folder, fetched by many workers at a time.

    Without ``partition_by``, there is a file for each part of the filter's interval, ``part-00000.parquet`` and so on,
    and ``_SUCCESS``, which says that all are there, and how many rows each has. A second run into the same folder does
    what is missing; once ``_SUCCESS`` is there, it does nothing.

    With ``partition_by="day"``, the folder is the dataset that `DataClient.export_tabular_data_to` writes so, and both
    go on with each other's: a run replaces the readings in the interval of its filter by those that the service has
    now, and keeps all others. So run it daily over the last days, and the next day's readings are added.

    All files have the same columns, as those of one export have. Each reading is in one file, once, whichever workers
    die. Files appear whole, when all readings are fetched, and are moved into place by this process alone. Unfinished
    ones are beside the folder, in one whose name ends in ``.viam-dask``; if this process dies, the same call goes on
    with the parts that are there.

    Args:
        client: The client, which is sent to the workers, and with it the API key.
        filter: Filter that the readings must match; it needs a start and an end.
        url: The folder: a path on a disk that all workers have in common, or a URL such as ``s3://bucket/readings``,
            which takes ``pip install s3fs``.
        partitions: How many parts to fetch the interval in; some for each worker, as one may have many more readings
            than another.
        storage_options: For a URL: the arguments of its class of ``fsspec``, such as credentials. They are sent to the
            workers, too.
        partition_by: ``"day"`` for a file for each day of the capture times in UTC; None for one for each part.
        schema: All columns but those of times and metadata, as `DataClient.export_tabular_data_to` takes them; None for
            the columns that the readings have.
        misfits: What becomes of a value that does not fit the schema: ``"error"``, ``"null"`` or ``"rescue"``.
        include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
        cluster: The client of the cluster; None for the one that this program has made.
        timeout: Seconds that each page may take, retries included; None for the limit of its retry class.

    Returns:
        How many rows were written, or are there without ``partition_by``.

    Raises:
        ImportError: If Dask, pyarrow or fsspec is not installed, or a package for the URL.
        OSError: If the folder cannot be written, holds something else, or another export is at work in it.
        TypeError: If an argument is of the wrong type.
        ValueError: If the filter has no start or end, the folder is one of other readings, a value does not fit the
            schema, or there is no cluster.
        GRPCError: If the service refuses a call or cannot be reached; a subclass says which.

    Example:
        >>> import distributed
        >>> from datetime import datetime, timedelta, timezone
        >>> from viam_sync.dask import export_tabular_data
        >>> from viam_sync.utils import create_filter
        >>> now = datetime.now(timezone.utc)
        >>> week = create_filter(component_name="air", start_time=now - timedelta(9), end_time=now)
        >>> with distributed.Client(processes=False, dashboard_address=":0"):
        ...     rows = export_tabular_data(client, week, folder / "readings", partition_by="day")
        >>> rows, {path.name[:7] for path in (folder / "readings").iterdir()}
        (1008, {'day=202'})
    """
    target = shared_location(url, storage_options)
    # There may be keys in them, and tools show the variables of each frame of a traceback.
    del url, storage_options
    request = RowRequest(require_client(client), include_internal_data, require_seconds("timeout", timeout))
    options = DatasetOptions(partition_by or "day", None, None, include_internal_data, schema, misfits)
    with parameter_names(filter_or_query="filter", n="partitions"):
        parts = partition_filter(filter, partitions)
        readings = readings_dataset(filter, options)
    job = TabularJob(cluster_for(cluster, "export_tabular_data"), request, readings, target)
    if partition_by is None:
        return export_parts(job, parts)
    return export_days(job, partition_filter(filter, 1)[0], partitions)
