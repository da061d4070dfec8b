"""A CSV file in the making: rows that are written as they come, and copied once all columns are known."""

from __future__ import annotations

import csv
import io
import re
import shutil
from itertools import islice
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List

from viam_sync.transfer.output.columns import Columns
from viam_sync.transfer.output.rows import Row
from viam_sync.transfer.output.schema import Schema
from viam_sync.transfer.output.writers import csv_cells

#: A cell, with or without quotes, and the comma before it. `csv.reader` takes none that is longer than 128 KiB.
_CELL = re.compile(r'(?:\A|,)(?:"([^"]*(?:""[^"]*)*)"|([^,]*))')
#: The bytes that are copied at a time.
_BLOCK = 1 << 20


class CsvSpool:
    """Rows as lines of CSV in a temporary file.

    A row has a cell for each column that is known when it comes. Where a row brings a new column, a new section of the
    file begins. At the end, the last section has all columns, and is copied as it is; the rows of the others, which are
    few as a rule, get empty cells for the columns that came later.

    Args:
        file: The temporary file.
        columns: The columns, to which each row is added.
        escape_formulas: Whether text that a spreadsheet would take for a formula begins with an apostrophe.

    Example:
        >>> import io
        >>> from viam_sync.transfer.output.columns import Columns
        >>> from viam_sync.transfer.output.csv_spool import CsvSpool
        >>> spool, target = CsvSpool(io.BytesIO(), Columns()), io.BytesIO()
        >>> spool.fill([{"speed": 1}, {"at": {"x": 2}}])
        >>> spool.copy_to(target)
        >>> target.getvalue().split()
        [b'at.x,speed', b',1', b'2,']
    """

    def __init__(self, file: BinaryIO, columns: Columns, *, escape_formulas: bool = False) -> None:
        self._file = file
        self._columns = columns
        self._escape_formulas = escape_formulas
        #: The section that each column has come with.
        self._since: Dict[str, int] = {}
        #: The number of rows in each section, and the place in the file where the last one begins.
        self._counts: List[int] = []
        self._last = 0

    def fill(self, rows: Iterable[Row]) -> None:
        """Write rows to the temporary file."""
        text = _text_of(self._file)
        writer = csv.writer(text)
        names = self._begin_section()
        for row in rows:
            flat: Row = self._columns.flat_row(row)
            if isinstance(self._columns, Schema):
                flat = self._columns.add(flat)
            elif not flat.keys() <= self._since.keys():
                self._columns.add(flat)
                names = self._begin_section()
            writer.writerow(csv_cells(flat, names, self._escape_formulas))
            self._counts[-1] += 1
        text.detach()

    def _begin_section(self) -> List[str]:
        """Begin a section, and return the names of its columns."""
        names = list(self._columns.kinds)
        for name in names:
            self._since.setdefault(name, len(self._counts))
        self._counts.append(0)
        self._last = self._file.tell()
        return names

    def copy_to(self, file: BinaryIO) -> None:
        """Write the names of the columns and all rows to a file."""
        names = list(self._columns.kinds)
        text = _text_of(file)
        writer = csv.writer(text)
        if names:
            writer.writerow(csv_cells(dict(zip(names, names)), names, self._escape_formulas))
        self._file.seek(0)
        writer.writerows(self._filled_up(names))
        text.detach()
        self._file.seek(self._last)
        shutil.copyfileobj(self._file, file, _BLOCK)

    def _filled_up(self, names: List[str]) -> Iterator[List[str]]:
        """Yield the rows of all sections but the last, with a cell for each of these columns."""
        text = _text_of(self._file)
        rows = _rows_in(text)
        for section, count in enumerate(self._counts[:-1]):
            known = [self._since[name] <= section for name in names]
            for cells in islice(rows, count):
                yield [next(cells) if is_known else "" for is_known in known]
        text.detach()


def _text_of(file: BinaryIO) -> io.TextIOWrapper:
    """Return a file as one of text, which is detached when it is no longer needed, and then leaves the file open."""
    return io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)


def _rows_in(lines: Iterable[str]) -> Iterator[Iterator[str]]:
    """Yield the cells of each row in lines of CSV; a quoted cell may go over several lines."""
    row: List[str] = []
    quotes = 0
    for line in lines:
        row.append(line)
        quotes += line.count('"')
        if quotes % 2 == 0:
            yield _cells_in("".join(row).rstrip("\r\n"))
            row, quotes = [], 0


def _cells_in(row: str) -> Iterator[str]:
    for cell in _CELL.finditer(row):
        quoted: Any = cell[1]
        yield cell[2] if quoted is None else quoted.replace('""', '"')
