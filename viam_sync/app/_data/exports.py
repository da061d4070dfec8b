"""The methods of DataClient that export data: files to a folder, rows to a file."""

from __future__ import annotations

from typing import Any, Mapping, Optional, Union

from typing_extensions import TypeAlias

from viam_sync.app._data.file_exports import FileExportOptions, FileExportsMixin
from viam_sync.app._data.tabular_datasets import DatasetOptions, dataset_folder, readings_dataset
from viam_sync.app._data.tabular_exports import RowOptions, RowSource, TabularExportsMixin, source_with_columns
from viam_sync.app._data.tabular_records import plain_rows
from viam_sync.checks import parameter_names
from viam_sync.checks.numbers import boolean, worker_count
from viam_sync.proto.app import data as pb
from viam_sync.transfer.export.remote_folder import open_folder
from viam_sync.transfer.export.results import ExportResult
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.dataset import PartitionedDataset
from viam_sync.transfer.output.open_files import FileLike
from viam_sync.transfer.output.progress import Progress, ProgressLike
from viam_sync.transfer.output.remote import Location
from viam_sync.transfer.output.schema import columns_for
from viam_sync.transfer.output.table_file import TableFile


class ExportsMixin(TabularExportsMixin, FileExportsMixin):
    """Methods that write all data that matches a filter to disk, however much it is."""

    # Without TypeAlias, mypy takes the name for a variable, which cannot be used as a type.
    ExportResult: TypeAlias = ExportResult

    def export_binary_data(
        self,
        filter: Optional[pb.Filter],
        folder: StrPath,
        *,
        workers: int = 8,
        include_internal_data: bool = False,
        remove_gone: bool = False,
        durable: bool = True,
        storage_options: Optional[Mapping[str, Any]] = None,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> ExportResult:
        """Download all files that match a filter to a folder, several at a time, and keep the folder up to date.

        Their contents go to ``data/`` and their metadata to ``metadata/``, with the names that the official command
        line gives them; as there, what ends in ``.gz`` is unzipped. No name leads out of the folder; where two are the
        same, or differ only by their case, the later one gets a number. A file appears when it is whole and of the size
        that the service tells, not before.

        A file that cannot be downloaded does not stop the others: its result holds the error. ``manifest.jsonl`` lists
        the files that are whole. With that, a second run downloads only the missing files, each to the name that it
        had, however the first one ended, and those that have another size now. Where tags, boxes or datasets have
        changed, the metadata is written anew, without the contents; another ``uri`` alone is no change.

        Files of earlier runs that do not match the filter any more are in ``gone`` of the result, and stay, unless
        ``remove_gone`` says otherwise: only after a run that has found all that match, and only files that an export
        has written and that have their size still, with metadata that names their ID.

        While the service is overloaded (RESOURCE_EXHAUSTED), fewer calls are made at a time, and then slowly more
        again. Files above 16 MiB are downloaded in pieces; where the connection breaks, the rest is asked for. About 1
        MiB for each worker is in memory at a time, up to 32 if the files are that large.

        Args:
            filter: Filter that the files must match; None for all files that the caller may read.
            folder: The folder, which is made if it is not there; or the URL of one in a bucket, such as
                ``"s3://bucket/folder"``, which takes ``pip install fsspec`` and the package for it, such as ``s3fs``.
            workers: How many calls may be under way at a time, up to 64.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud.
            remove_gone: Whether to remove the files of earlier runs that do not match the filter any more, and their
                metadata.
            durable: Whether each file is on the disk before it gets its name. With False, the system decides when, as
                with other tools: a program that is killed leaves no torn file, but a power failure may. The manifest
                has their checksums until the next run, with either, has read each once and flushed it; what is torn is
                fetched again then. Objects in a bucket are durable in any case.
            storage_options: For a URL: the arguments of its class of ``fsspec``, such as credentials.
            progress: True for a bar on the terminal or in a notebook (``pip install tqdm``); or a
                function that is called with the number of files done, their total, and ``"files"``.
            timeout: Seconds that a call may take before it is made again; None for the limit of its retry class.

        Returns:
            One result for each file: its path, or the error. ``complete`` tells whether all are there. Where the
            folder is a URL, each path is one too, a str, for ``fsspec.open``.

        Raises:
            ImportError: If the folder is a URL, and a package for it is not installed.
            OSError: If the folder cannot be written, another export is at work in it, or the disk is full. The error's
                attribute ``result`` tells which files were done until then.
            TypeError: If an argument is of the wrong type.
            ValueError: If ``workers`` is out of its range, or the folder is a URL that nothing can be written to.
            NotFoundError: If no file matches, and an ID in the filter is that of no organization, location, machine,
                part or dataset that the service knows; with ``result``.
            UnauthenticatedError: If the service no longer knows the caller; with ``result``.
            GRPCError: If the files cannot be listed; a subclass says why. With ``result``, too. So it is if no file
                matches, and those of earlier runs are to be removed, and an ID in the filter cannot be looked up.

        Example:
            >>> result = client.data_client.export_binary_data(None, folder)
            >>> len(result.exported), result.complete, sorted(path.name for path in folder.iterdir())
            (24, True, ['data', 'manifest.jsonl', 'metadata'])
            >>> client.data_client.add_tags_to_binary_data_by_ids(["seen"], [result.files[0].id])
            >>> again = client.data_client.export_binary_data(None, folder, remove_gone=True)
            >>> len(again.already_there), len(again.updated), again.gone
            (24, 1, [])
        """
        place = Location("folder", folder, storage_options)
        del folder, storage_options  # they may hold credentials, and tools show the variables of each frame
        is_durable = boolean("durable", durable)
        options = FileExportOptions(worker_count(workers), include_internal_data, remove_gone, progress, timeout)
        return self._export_files(
            filter,
            lambda told: self._export_into(
                open_folder(place, durable=is_durable), options.workers, told, options.timeout
            ),
            options,
        )

    def export_tabular_data_to(
        self,
        filter_or_query: RowSource,
        path: Union[StrPath, FileLike],
        *,
        format: Optional[str] = None,
        storage_options: Optional[Mapping[str, Any]] = None,
        organization_id: Optional[str] = None,
        sort_order: Optional[pb.Order.ValueType] = None,
        include_internal_data: bool = False,
        schema: Any = None,
        misfits: str = "error",
        partition_by: Optional[str] = None,
        escape_formulas: bool = False,
        workers: int = 1,
        progress: Optional[ProgressLike] = None,
        timeout: Optional[float] = None,
    ) -> int:
        r"""Write all rows that match a filter, or that a query or an iterator gives, to a file or a bucket.

        The ending of the path, or ``format``, names the format: JSON lines (``.jsonl``), CSV (``.csv``), or Parquet
        (``.parquet``), which takes ``pip install pyarrow``. In the latter two, nested objects become
        columns, whose names join the keys with dots; within a key, a dot is written ``\.`` and a backslash ``\\``.
        Readings have the columns of their times and metadata first, also if there are no rows; all others are sorted by
        name. The same rows make the same bytes in every process.

        Without a schema, a column has the type of its values: numbers with a point among whole ones make all of them
        numbers with a point, and values that do not go together otherwise make a column of text; one without any value
        is one of numbers. Files of several days may have other columns and types then; with one ``schema``, they go
        together.

        Rows that match a filter come page by page and are written as they come, so memory stays constant; CSV and
        Parquet need about as much room again for a temporary file beside the target. With ``workers=8``, eight pages
        are fetched at a time, and the file is the same. All readings of one resource come in one stream: give the
        iterator that ``iter_export_tabular_data`` returns. The rows of a query come in one message. The file or object
        appears when all rows are in it; if anything goes wrong, an older one of that name is kept. An open file gets
        nothing before all rows are there.

        With ``partition_by="day"``, the readings of a filter become a dataset: a folder with a Parquet file for each
        day of their capture times in UTC, all with the same columns, which DuckDB, Polars, pyarrow, pandas and Dask
        read as one table. A run replaces the readings in the interval of its filter by those that the service has now,
        and keeps all others; so run it daily over the last days, and what arrived late is there, once. Without a
        schema, the first run that brings a reading finds the columns, and later ones use them. Each day changes at
        once: after a crash, it is as before or as after the run, and the next run does the rest. Unfinished files and
        the lock are in a hidden folder beside the dataset. In a bucket, as ``s3://bucket/folder``, there is no lock.

        Args:
            filter_or_query: Filter that the rows must match, None for all rows that the caller may read; or a query in
                SQL, or one in MQL as a list of stages, each a dict or a BSON document; or an iterator of rows such as
                other methods return, which is closed at the end.
            path: Path of the file. A file of that name is replaced; a link is followed, and a device or a pipe is
                written through. Or a URL such as ``s3://bucket/rows.csv``, which takes
                ``pip install fsspec s3fs``; or an open file of bytes or text, which is written from where
                it stands and left open. With ``partition_by``, the folder, which is made if it is not there; one with
                other files in it, or of another filter, is refused.
            format: ``"jsonl"``, ``"csv"`` or ``"parquet"``, where the path does not end in it.
            storage_options: What the package for the URL needs besides what is in the environment, such as
                ``{"key": …, "secret": …}`` for S3; as in pandas and Dask.
            organization_id: ID of the organization whose data is queried, a UUID; only for a query, which needs it.
            sort_order: Order by time; None for the newest first. Only for a filter.
            include_internal_data: Whether to include what Viam's own services store, such as for SLAM in the cloud;
                only for a filter.
            schema: All columns of the file but those of times and metadata, in their order: for each name its type in
                Python, ``bool``, ``int``, ``float``, ``str``, ``bytes``, ``datetime`` or ``dict``, or a list of one,
                such as ``[str]``; or a ``pyarrow.Schema``. An ``int`` may come as 2.0, a ``datetime`` as text in the
                form of RFC 3339; nothing else is converted. None for the columns that the rows have.
            misfits: What becomes of a value of another type than that in the schema, or without a column there:
                ``"error"``; or ``"null"``, and it is left out; or ``"rescue"``, and it is kept as JSON in a last
                column, ``_rescued_data``.
            partition_by: ``"day"`` for a dataset with a file for each day; only for a filter, since the interval of a
                query is not known. None for one file.
            escape_formulas: Whether text in CSV that a spreadsheet would take for a formula, as it begins with ``=``,
                ``+``, ``-``, ``@``, a tab or the end of a line, gets an apostrophe before it.
            workers: How many pages to fetch at a time, up to 64, each of another time; only for a filter. Up to 16
                pages for each worker are in memory, and some may be fetched in vain.
            progress: True for a bar on the terminal or in a notebook (``pip install tqdm``); or a
                function that is called with the number of rows written, their total, and ``"rows"``.
            timeout: Seconds that each page, or the query, may take, retries included; None for the limit of its retry
                class. Not for an iterator.

        Returns:
            How many rows were written.

        Raises:
            OSError: If the file cannot be written.
            TypeError: If an argument is of the wrong type.
            ValueError: If the path ends in something else, ``workers`` is out of its range, a query has no
                organization, or an argument does not go with a filter, a query or an iterator, whichever it is; or if a
                value does not fit the schema: then the error names the column, the row and both types; or if Parquet is
                for a file of text.
            InternalError: If there are several workers, and the service returns data that is not of the time range that
                was asked for.
            ImportError: If the file is to be Parquet, and pyarrow is not installed; or a package for the URL is not.
            GRPCError: If the service refuses a call or cannot be reached; a subclass says which.

        Example:
            >>> from viam_sync.utils import create_filter
            >>> air = create_filter(component_name="air")
            >>> client.data_client.export_tabular_data_to(air, folder / "air.csv")
            1008
            >>> (folder / "air.csv").read_text().split("\n")[0].split(",")[-3:]
            ['data.readings.co2', 'data.readings.humidity', 'data.readings.temperature']
        """
        location = Location("path", path, storage_options)
        # There may be keys in them, and tools show the variables of each frame of a traceback.
        del path, storage_options
        source, fixed = source_with_columns(filter_or_query)
        output: Union[TableFile, PartitionedDataset]
        if partition_by is None:
            columns = columns_for(fixed, schema, misfits)
            output = TableFile(location, format=format, columns=columns, escape_formulas=escape_formulas)
        else:
            rules = DatasetOptions(partition_by, format, sort_order, include_internal_data, schema, misfits)
            output = readings_dataset(source, rules).in_folder(dataset_folder(location))
            sort_order = pb.Order.ORDER_ASCENDING
        options = RowOptions(organization_id, sort_order, include_internal_data, workers, timeout)
        with Progress(progress, "rows") as told, parameter_names(rows="filter_or_query"), self._rows_of(
            source, options, counted=bool(progress)
        ) as (rows, total):
            told.begin(total)
            return output.write(plain_rows(rows), told)
