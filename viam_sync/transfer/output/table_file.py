"""Table files: rows that are written to a file as they come, however many they are."""

from __future__ import annotations

from typing import Any, BinaryIO, Callable, Dict, Iterable, Optional, Union

from viam_sync.checks import one_of
from viam_sync.checks.numbers import boolean
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.batches import BatchStore, grouped, record_batches
from viam_sync.transfer.output.chunks import CHUNK_ROWS
from viam_sync.transfer.output.columns import Columns, optional
from viam_sync.transfer.output.csv_spool import CsvSpool
from viam_sync.transfer.output.destination import Destination
from viam_sync.transfer.output.flatten import nest
from viam_sync.transfer.output.open_files import FileLike, OpenFileOutput
from viam_sync.transfer.output.outputs import output_at
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.remote import Location
from viam_sync.transfer.output.rows import Row
from viam_sync.transfer.output.schema import Schema
from viam_sync.transfer.output.writers import write_jsonl

#: The formats, which the endings of files name, too.
_FORMATS = ("jsonl", "csv", "parquet")


class TableFile:
    """A file for rows, in the format that its ending or an argument names.

    In JSON lines, each row is a line with an object, whose keys are sorted. In CSV and Parquet, nested
    objects become columns with the names that `flatten` gives them. A late row may have a column that no row before it
    had, or another kind of value in one; so these two formats are written in a second pass, from a temporary file in
    the same folder that holds all rows. Parquet takes none for what fits in memory, nor with a `Schema`. The same rows
    make the same bytes in every process.

    Args:
        path: The path of the file, whose folder must exist; or a URL, an open file, or the location of any of them.
        format: ``"jsonl"``, ``"csv"`` or ``"parquet"``; None for that of the ending.
        columns: The columns of the file, to which each row is added: `Columns` with those that are there in any case,
            or a `Schema`, to which the rows of JSON lines are fitted too; None for those that the rows have.
        escape_formulas: Whether text in CSV that a spreadsheet would take for a formula begins with an apostrophe.
        group_rows: The number of rows that are in memory at a time when Parquet is written, as one row group.
        group_bytes: The size of these rows in Arrow, in bytes, at which a row group ends.

    Raises:
        OSError: If no file can be written there.
        TypeError: If it is none of these.
        ValueError: If it has another ending, or an ending of another format, or is Parquet for a file of text.
        ImportError: If it is to be Parquet, and pyarrow is not installed; or a package for the URL is not.

    Example:
        >>> from viam_sync.transfer.output.progress import Progress
        >>> from viam_sync.transfer.output.table_file import TableFile
        >>> TableFile(folder / "rows.csv").write([{"speed": 1}, {"at": {"x": 2}}], Progress(None))
        2
        >>> (folder / "rows.csv").read_text().split()
        ['at.x,speed', ',1', '2,']
    """

    def __init__(
        self,
        path: Union[StrPath, FileLike, Location],
        *,
        format: Optional[str] = None,
        columns: Optional[Columns] = None,
        escape_formulas: bool = False,
        group_rows: int = 20_000,
        group_bytes: int = 16 << 20,
    ) -> None:
        self._output = output_at(path if isinstance(path, Location) else Location("path", path))
        format = _format_of(self._output, format)
        writers: Dict[str, Callable[[BinaryIO, Iterable[Row]], None]] = {
            "jsonl": self._write_jsonl,
            "csv": self._write_csv,
            "parquet": self._write_parquet,
        }
        self._escape_formulas = boolean("escape_formulas", escape_formulas)
        self._columns = Columns() if columns is None else columns
        self._group_rows, self._group_bytes = group_rows, group_bytes
        self._arrow: Any = None
        if format == "parquet":
            self._arrow = optional("pyarrow", "writing Parquet")
            self._parquet = optional("pyarrow.parquet", "writing Parquet")
        self._write = writers[format]

    def write(self, rows: Iterable[Row], progress: Progress) -> int:
        """Write rows; a file of that name is replaced once all are there.

        Args:
            rows: The rows.
            progress: Counts the rows.

        Returns:
            The number of rows.

        Raises:
            OSError: If they cannot be written.
            ValueError: If one does not fit the schema.
        """
        with self._output.open() as file:
            self._write(file, progress.counted(rows))
        return progress.done

    def _write_jsonl(self, file: BinaryIO, rows: Iterable[Row]) -> None:
        schema = self._columns
        if isinstance(schema, Schema):
            rows = (nest(schema.add(schema.flat_row(row))) for row in rows)
        write_jsonl(file, rows)

    def _write_csv(self, file: BinaryIO, rows: Iterable[Row]) -> None:
        with self._output.temporary_file() as temporary:
            spool = CsvSpool(temporary, self._columns, escape_formulas=self._escape_formulas)
            spool.fill(rows)
            spool.copy_to(file)

    def _write_parquet(self, file: BinaryIO, rows: Iterable[Row]) -> None:
        most_rows = min(CHUNK_ROWS, self._group_rows)
        with BatchStore(self._arrow, self._output.temporary_file, self._group_bytes) as store:
            schema, batches = record_batches(rows, self._columns, store, self._arrow, most_rows)
            with self._parquet.ParquetWriter(file, schema) as writer:
                for table in grouped(batches, schema, self._arrow, self._group_rows, self._group_bytes):
                    writer.write_table(table)


def _format_of(output: Destination, given: Optional[str]) -> str:
    """Return the format of a file: the one that is given, or that its ending names."""
    named = output.suffix[1:]
    if given is None and named not in _FORMATS:
        endings = ", ".join(f".{format}" for format in _FORMATS)
        raise ValueError(f"{output.given}; rows are written to files that end in {endings}, or give one as format")
    format = named if given is None else one_of("format", given, _FORMATS)
    if named in _FORMATS and named != format:
        raise ValueError(f"format is {format!r}, but {output.given}")
    if format == "parquet" and isinstance(output, OpenFileOutput) and output.is_text:
        raise ValueError(f"{output.given}, of text, and Parquet is none; open it with mode 'wb'")
    return format
