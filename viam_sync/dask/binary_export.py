"""Exports of files on a cluster: this process lists them, and has the manifest; the workers fetch them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, List, Mapping, NamedTuple, Optional, Sequence, Union

from viam_sync.app._data.file_exports import FileExportOptions, export_files, fetch_listed
from viam_sync.app.viam_client import ViamClient
from viam_sync.checks.numbers import require_seconds, whole
from viam_sync.dask.claims import Claims
from viam_sync.dask.cluster import cluster_for, require_client, scratch_folder, submit_task
from viam_sync.dask.staging import shared_location
from viam_sync.proto.app import data as pb
from viam_sync.rpc.cancellation import Cancellation
from viam_sync.transfer.export.assigned_files import assigned_folder
from viam_sync.transfer.export.exporter import ExportRun
from viam_sync.transfer.export.file_fetcher import FileFetcher
from viam_sync.transfer.export.limits import ExportLimits
from viam_sync.transfer.export.pending import PendingFile
from viam_sync.transfer.export.remote_folder import open_folder
from viam_sync.transfer.export.results import ExportResult
from viam_sync.transfer.export.saving import Fail, SavedFile
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.progress import Progress, ProgressLike
from viam_sync.transfer.output.remote import Location

if TYPE_CHECKING:
    from distributed import Client  # type: ignore[import-not-found, import-untyped, unused-ignore]

#: The size of the contents that a task fetches, in bytes, and the number of files; a task takes some milliseconds, and
#: connects to the cloud.
_TASK_BYTES, _TASK_FILES = 64 << 20, 200
#: The number of requests that a task has under way at a time.
_REQUESTS = 4
#: The most tasks at a time: each has a thread that waits for it.
_MOST_PARTITIONS = 1000


def export_binary_data(
    client: ViamClient,
    filter: Optional[pb.Filter],
    url: StrPath,
    *,
    partitions: int = 16,
    storage_options: Optional[Mapping[str, Any]] = None,
    include_internal_data: bool = False,
    remove_gone: bool = False,
    progress: Optional[ProgressLike] = None,
    cluster: Optional[Client] = None,
    timeout: Optional[float] = None,
) -> ExportResult:
    """Download all files that match a filter to one folder, by many workers at a time.

    The folder is that of `DataClient.export_binary_data`: the files have the same names, there is one manifest, and
    both go on with each other's. This process lists the files, names them and writes the manifest; the workers fetch
    them, up to 200 files or 64 MiB at a time, and write them where they belong. Each file appears once, and whole. If
    a worker dies, another one fetches what it had; if this process dies, the same call fetches what is missing.

    Args:
        client: The client, which is sent to the workers, and with it the API key.
        filter: Filter that the files must match; None for all files that the caller may read.
        url: The folder: a path on a disk that all workers have in common, or a URL such as ``s3://bucket/images``,
            which takes ``pip install s3fs``.
        partitions: How many parts of the files to fetch at a time, up to 1,000; some for each worker.
        storage_options: For a URL: the arguments of its class of ``fsspec``, such as credentials. They are sent to the
            workers, too.
        include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
        remove_gone: Whether to remove the files of earlier runs that do not match the filter any more.
        progress: True for a bar on the terminal or in a notebook (``pip install tqdm``); or a function that is called
            with the number of files done, their total, and ``"files"``.
        cluster: The client of the cluster; None for the one that this program has made.
        timeout: Seconds that a call may take before it is made again; None for the limit of its retry class.

    Returns:
        One result for each file: its path, or the error. ``complete`` tells whether all are there.

    Raises:
        ImportError: If Dask or fsspec is not installed, or a package for the URL.
        OSError: If the folder cannot be written, another export is at work in it, or a disk is full. The error's
            attribute ``result`` tells which files were done until then.
        TypeError: If an argument is of the wrong type.
        ValueError: If ``partitions`` is out of its range, or there is no cluster.
        GRPCError: If the files cannot be listed, or the service no longer knows the caller; with ``result``, too.

    Example:
        >>> import distributed
        >>> from viam_sync.dask import export_binary_data
        >>> with distributed.Client(processes=False, dashboard_address=":0"):
        ...     result = export_binary_data(client, None, folder / "images")
        >>> len(result.exported), result.complete
        (24, True)
    """
    target = shared_location(url, storage_options)
    # There may be keys in them, and tools show the variables of each frame of a traceback.
    del url, storage_options
    partitions = whole("partitions", partitions, 1, _MOST_PARTITIONS)
    timeout = require_seconds("timeout", timeout)
    engine = cluster_for(cluster, "export_binary_data")
    options = FileExportOptions(partitions, include_internal_data, remove_gone, progress, timeout)
    fetcher = _ClusterFetcher(engine, _FileRequest(require_client(client), timeout), target)

    def make_run(told: Progress) -> ExportRun:
        folder = open_folder(target)
        for id, path in fetcher.claims.read().items():
            if id not in folder.manifest.entries:
                folder.paths.reserve(id, path)
        return ExportRun(folder, fetcher, told, ExportLimits(batch_files=_TASK_FILES))

    with copy.copy(client) as own:
        result = export_files(own.data_client, filter, make_run, options)
    fetcher.claims.clear()
    return result


class _FileRequest(NamedTuple):
    """The service that has the files.

    Attributes:
        client: The client.
        timeout: Seconds that a call may take; None for the limit of its retry class.
    """

    client: ViamClient
    timeout: Optional[float]


class _ClusterFetcher(FileFetcher):
    """Has the workers of a cluster fetch files.

    Args:
        cluster: The client of the cluster.
        request: The service that has the files.
        target: The folder.

    Attributes:
        claims: The paths that workers were given.
    """

    def __init__(self, cluster: Client, request: _FileRequest, target: Location) -> None:
        self._cluster, self._request, self._target = cluster, request, target
        self.claims = Claims(target)

    @property
    def batch_bytes(self) -> float:
        """The size of the contents that a task fetches, in bytes."""
        return _TASK_BYTES

    def begin(self, workers: int) -> None:
        """Do nothing, as the workers have files of their own open."""

    def rollback(self) -> None:
        """Do nothing, as the workers tidy up."""

    def fetch(
        self, files: Sequence[PendingFile], cancellation: Cancellation, done: List[SavedFile], fail: Fail
    ) -> None:
        """Have a worker fetch files, and wait for it."""
        self.claims.write({file.id: file.path for file in files})
        future = submit_task(self._cluster, fetch_files, list(files), request=self._request, target=self._target)
        with cancellation.running(future):
            results = future.result()
        for file, result in zip(files, results):
            if isinstance(result, Exception):
                fail(file, result)
            else:
                done.append(SavedFile(file, result))


def fetch_files(
    files: Sequence[PendingFile], *, request: _FileRequest, target: Location
) -> List[Union[int, Exception]]:
    """Fetch files into a folder, and return for each its size there, or the error.

    Args:
        files: The files.
        request: The service that has them.
        target: The folder.
    """
    metadata = [file.metadata for file in files]
    with scratch_folder() as scratch, copy.copy(request.client) as own:
        folder = assigned_folder(target, {file.id: file.path for file in files}, scratch)
        results = fetch_listed(own.data_client, metadata, folder, _REQUESTS, request.timeout)
    return [each.size if each.error is None else each.error for each in results]
