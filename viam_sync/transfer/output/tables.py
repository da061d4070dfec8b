"""Writing rows to a file while they come, however many they are."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, List, Mapping

from viam_sync.checks import path_from
from viam_sync.transfer.output.atomic import AtomicOutput, StrPath
from viam_sync.transfer.output.columns import Columns, flattened, optional, to_json
from viam_sync.transfer.output.progress import Progress
from viam_sync.transfer.output.rows import json_value

Rows = Iterable[Mapping[str, Any]]

#: How many rows, and how much of them as JSON, are in memory at a time when Parquet is written.
_GROUP, _GROUP_BYTES = 20_000, 16 << 20


class TableFile:
    """A file for rows, in the format that its ending names.

    In ``.jsonl``, each row is a line with an object. In ``.csv`` and ``.parquet``, nested objects become columns with
    dotted names. Rows that come late may have columns that no row before had, or other kinds of values in them; so
    these two are written in a second go, from a temporary file in the same folder that holds all rows.

    Args:
        path: The path of the file; its folder must exist.

    Raises:
        OSError: If no file can be written there.
        TypeError: If it is no path.
        ValueError: If it has another ending.
        ImportError: If it is to be Parquet, and pyarrow is not installed.

    Example:
        >>> from viam_sync.transfer.output.progress import Progress
        >>> from viam_sync.transfer.output.tables import TableFile
        >>> TableFile(folder / "rows.csv").write([{"speed": 1}, {"at": {"x": 2}}], Progress(None))
        2
        >>> (folder / "rows.csv").read_text().split()
        ['speed,at.x', '1,', ',2']
    """

    def __init__(self, path: StrPath) -> None:
        suffix = path_from("path", path).suffix.lower()
        writers: Dict[str, Callable[[BinaryIO, Rows], None]] = {
            ".jsonl": _write_jsonl,
            ".csv": self._write_csv,
            ".parquet": self._write_parquet,
        }
        if suffix not in writers:
            raise ValueError(f"path is {str(path)!r}; rows are written to files that end in {', '.join(writers)}")
        self._arrow: Any = None
        if suffix == ".parquet":
            self._arrow = optional("pyarrow", "writing Parquet", "viam-sync[arrow]")
            self._parquet = optional("pyarrow.parquet", "writing Parquet", "viam-sync[arrow]")
        self._destination = AtomicOutput(path)
        self._folder = Path(path).parent
        self._write = writers[suffix]

    def write(self, rows: Rows, progress: Progress) -> int:
        """Write rows; a file of that name is replaced once all are there.

        Args:
            rows: The rows.
            progress: Told of each row that has come.

        Returns:
            How many there were.

        Raises:
            OSError: If they cannot be written.
        """
        count = 0

        def counted() -> Iterator[Mapping[str, Any]]:
            nonlocal count
            for row in rows:
                yield row
                count += 1
                progress.advance(1)

        with self._destination.writing() as file:
            self._write(file, counted())
        return count

    def _write_csv(self, file: BinaryIO, rows: Rows) -> None:
        with _Spool(self._folder) as spool:
            spool.fill(rows)
            text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
            writer = csv.DictWriter(text, list(spool.columns.kinds))
            if spool.columns.kinds:
                writer.writeheader()
            for row in spool.rows():
                writer.writerow({name: _cell(value) for name, value in row.items()})
            # The file goes on; it is not this wrapper's to close.
            text.detach()

    def _write_parquet(self, file: BinaryIO, rows: Rows) -> None:
        with _Spool(self._folder) as spool:
            spool.fill(rows)
            with self._parquet.ParquetWriter(file, spool.columns.schema(self._arrow)) as writer:
                for group in spool.groups():
                    writer.write_table(spool.columns.to_arrow(group, self._arrow))


class _Spool:
    """A temporary file of flat rows, which knows their columns."""

    def __init__(self, folder: Path) -> None:
        self.columns = Columns()
        self._file = tempfile.TemporaryFile("w+", encoding="ascii", dir=folder, prefix=".viam-")  # noqa: SIM115

    def fill(self, rows: Rows) -> None:
        for row in rows:
            flat = flattened(row)
            self.columns.add(flat)
            self._file.write(to_json(flat) + "\n")

    def rows(self) -> Iterator[Dict[str, Any]]:
        self._file.seek(0)
        return map(json.loads, self._file)

    def groups(self) -> Iterator[List[Dict[str, Any]]]:
        """Yield the rows, so many at a time as there is room for in memory."""
        self._file.seek(0)
        group: List[Dict[str, Any]] = []
        size = 0
        for line in self._file:
            group.append(json.loads(line))
            size += len(line)
            if len(group) == _GROUP or size > _GROUP_BYTES:
                yield group
                group, size = [], 0
        if group:
            yield group

    def __enter__(self) -> _Spool:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()


def _write_jsonl(file: BinaryIO, rows: Rows) -> None:
    for row in rows:
        file.write(json.dumps(json_value(row)).encode() + b"\n")


def _cell(value: Any) -> Any:
    plain = json_value(value)
    return json.dumps(plain) if isinstance(plain, list) else plain
