"""The runs of exports of files: what is listed, what is counted, and the calls that fetch contents."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from viam_sync.app._data.binary_data import BinaryDataMixin
from viam_sync.app._data.unknown_ids import UnknownIDsMixin
from viam_sync.checks.numbers import boolean, require_seconds
from viam_sync.proto.app import data as pb
from viam_sync.services import methods
from viam_sync.transfer.export.contents import ContentsFetcher, concurrency_for
from viam_sync.transfer.export.exporter import Export, ExportRun
from viam_sync.transfer.export.folder import ExportFolder
from viam_sync.transfer.export.limits import ExportLimits
from viam_sync.transfer.export.results import ExportedFile, ExportResult
from viam_sync.transfer.output.progress import Progress, ProgressLike

if TYPE_CHECKING:
    from viam_sync.transfer.export.http_download import Downloader


class FileExportOptions(NamedTuple):
    """The options of an export of files.

    Attributes:
        workers: How many batches of files may be fetched at a time.
        include_internal_data: Whether to include what Viam's own services store.
        remove_gone: Whether to remove the files of earlier runs that do not match the filter any more.
        progress: The bar, or the function that is told of files.
        timeout: Seconds that a call may take; None for the limit of its retry class.
    """

    workers: int
    include_internal_data: bool
    remove_gone: bool
    progress: Optional[ProgressLike]
    timeout: Optional[float]


class FileExportsMixin(BinaryDataMixin, UnknownIDsMixin):
    """The runs of exports of files."""

    @contextlib.contextmanager
    def _contents_source(
        self, workers: int, limits: ExportLimits, timeout: Optional[float]
    ) -> Iterator[Tuple[ContentsFetcher, Downloader]]:
        """Within this block, there is something that fetches the contents of files, and of large ones.

        Args:
            workers: The number of requests that may be under way at a time.
            limits: The sizes and times to keep to.
            timeout: Seconds that a call may take; None for the limit of its retry class.
        """
        # The import is delayed, as few scripts need an HTTP client.
        from viam_sync.transfer.export.http_download import Downloader

        timeout = require_seconds("timeout", timeout)
        concurrency = concurrency_for(workers, limits, timeout, self._channel.time.time)
        with Downloader(self._metadata, concurrency, self._channel, self._run) as downloads:
            contents = ContentsFetcher(self._unary_unary, methods.BINARY_DATA_BY_IDS, concurrency, limits, timeout)
            yield contents, downloads

    @contextlib.contextmanager
    def _export_into(
        self, folder: ExportFolder, workers: int, told: Progress, timeout: Optional[float]
    ) -> Iterator[Export]:
        """Make an export for a ``with`` block, which leaves the folder to the next one; errors carry its result."""
        limits = ExportLimits()
        with self._contents_source(workers, limits, timeout) as (contents, downloads), Export(
            folder, contents, downloads, told, limits
        ) as export, result_in_errors(export):
            yield export

    def _export_files(
        self, filter: Optional[pb.Filter], make_run: Callable[[Progress], ExportRun], options: FileExportOptions
    ) -> ExportResult:
        """Export all files that match a filter.

        Args:
            filter: The filter.
            make_run: Returns the run, which counts its files so.
            options: The options.
        """
        remove_gone = boolean("remove_gone", options.remove_gone)
        listed = self.iter_binary_data(
            filter,
            include_binary_data=False,
            include_internal_data=options.include_internal_data,
            timeout=options.timeout,
        )
        with listed, Progress(options.progress, "files") as told, make_run(told) as export, result_in_errors(export):
            if options.progress:
                told.begin(self._count(filter, options.include_internal_data, options.timeout))
            export.run(listed, options.workers)
            if not export.result.files:
                # A caller who has lost access to the data finds nothing, either, and must not lose what is there.
                self._require_known_ids(filter, options.timeout, certain=remove_gone)
            export.finish(options.workers, remove_gone=remove_gone)
        return export.result

    def _count(self, filter: Optional[pb.Filter], include_internal_data: bool, timeout: Optional[float]) -> int:
        _, count, _ = self.binary_data_by_filter(
            filter,
            include_binary_data=False,
            count_only=True,
            include_internal_data=include_internal_data,
            timeout=timeout,
        )
        return count


@contextlib.contextmanager
def result_in_errors(export: ExportRun) -> Iterator[None]:
    """Let errors of a ``with`` block carry the result of an export until then."""
    try:
        yield
    except BaseException as error:
        error.result = export.result  # type: ignore[attr-defined]
        raise


def export_files(
    data: FileExportsMixin,
    filter: Optional[pb.Filter],
    make_run: Callable[[Progress], ExportRun],
    options: FileExportOptions,
) -> ExportResult:
    """Export all files that match a filter, as a run fetches them that is not one of this process alone.

    Args:
        data: The client.
        filter: The filter; None for all files that the caller may read.
        make_run: Returns the run, which counts its files so.
        options: The options.
    """
    return data._export_files(filter, make_run, options)


def fetch_listed(
    data: FileExportsMixin,
    files: Sequence[pb.BinaryMetadata],
    folder: ExportFolder,
    workers: int,
    timeout: Optional[float],
) -> List[ExportedFile]:
    """Fetch files that were listed before, and return a result for each, in their order.

    Args:
        data: The client.
        files: Their metadata.
        folder: The folder, which this closes.
        workers: The number of requests that may be under way at a time.
        timeout: Seconds that a call may take; None for the limit of its retry class.

    Raises:
        OSError: If the disk is full, or fails in another way that does not concern a single file.
        GRPCError: If the service no longer knows the caller.
    """
    limits = ExportLimits()
    with data._contents_source(workers, limits, timeout) as (contents, downloads), Export(
        folder, contents, downloads, Progress(None), limits
    ) as export:
        export.run([pb.BinaryData(metadata=metadata) for metadata in files], workers)
    return export.result.files
