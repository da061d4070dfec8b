"""Writing rows as JSON, JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from typing import Any, BinaryIO, Callable, Iterable, List, Mapping, Sequence

from viam_sync.transfer.output.columns import columns_of
from viam_sync.transfer.output.destination import Destination
from viam_sync.transfer.output.kinds import Kind
from viam_sync.transfer.output.rows import NO_JSON, Row, json_value

#: The beginning of a line, or of a formula in a spreadsheet, that of an East Asian keyboard included. Some programs
#: leave out blanks and characters without a form before it, such as the byte order mark at the beginning of a file.
#: Text that looks as if it had got its apostrophe gets another, so that no two texts become one.
_FORMULA = re.compile(
    "'*(?:[\t\r\n]|[\\s\0-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*[-=+@\uff1d\uff0b\uff0d\uff20])"
)

#: The types of values that a cell of CSV holds as they are; of text, only where formulas are left alone.
_NO_FORMULAS = {int, bool, type(None)}
_PLAIN = {str, *_NO_FORMULAS}

#: The form of a row in a line: the keys are sorted, so that the same rows make the same bytes.
_LINE = json.JSONEncoder(sort_keys=True, allow_nan=False, default=json_value)


def write_rows(
    output: Destination,
    items: Iterable[Any],
    to_row: Callable[[Any], Row],
    result: Any,
    *,
    fixed: Mapping[str, Kind] = {},
    escape_formulas: bool = False,
) -> None:
    """Write the rows of a response to a file, in the format that its ending names.

    A file that ends in ``.jsonl`` gets an object in each line, and one that ends in ``.csv`` gets columns, in the order
    of `Columns`, in which nested objects have the names that `flatten` gives them; all others get a JSON list of
    objects. Objects have their keys in the order of the alphabet, so that the same rows make the same bytes.

    Args:
        output: The file.
        items: The rows, or the messages that they are made of.
        to_row: Returns an item as a row.
        result: The response, which the caller would lose if writing failed.
        fixed: The columns that CSV has in any case, and their kinds.
        escape_formulas: Whether text in CSV that a spreadsheet would take for a formula begins with an apostrophe.

    Raises:
        OSError: If writing failed, or something in the response has no form in JSON; the error has the response as its
            attribute ``result``.

    Example:
        >>> from viam_sync.transfer.output.atomic import AtomicOutput
        >>> from viam_sync.transfer.output.writers import write_rows
        >>> write_rows(AtomicOutput(folder / "rows.csv"), [{"speed": 1}, {"at": {"x": 2}}], dict, None)
        >>> (folder / "rows.csv").read_text().split()
        ['at.x,speed', ',1', '2,']
    """
    try:
        rows = [to_row(item) for item in items]
    except NO_JSON as error:
        raise unwritable(error, result) from error
    contents = io.BytesIO()
    if output.suffix == ".jsonl":
        write_jsonl(contents, rows)
    elif output.suffix == ".csv":
        flat, columns = columns_of(rows, fixed)
        write_csv(contents, list(columns.kinds), flat, escape_formulas=escape_formulas)
    else:
        contents.write((json.dumps(json_value(rows), indent=4, sort_keys=True) + "\n").encode())
    output.write(contents.getvalue(), result)


def write_jsonl(file: BinaryIO, rows: Iterable[Row]) -> None:
    """Write rows to a file, each as a line with an object."""
    for row in rows:
        file.write(_line(row).encode() + b"\n")


def _line(value: Any) -> str:
    try:
        return _LINE.encode(value)
    except ValueError:  # a number that JSON does not know
        return _LINE.encode(json_value(value))


def write_csv(
    file: BinaryIO, columns: List[str], rows: Iterable[Mapping[str, Any]], *, escape_formulas: bool = False
) -> None:
    """Write flat rows to a file as CSV; without columns, the file stays empty.

    A number without an end is written as ``inf``, as more readers know that than JSON's name for it.

    Args:
        file: The file.
        columns: The names of the columns.
        rows: The rows; a cell is empty where a row lacks a column, and JSON where it holds a list or an object.
        escape_formulas: Whether text that a spreadsheet would take for a formula begins with an apostrophe.

    Example:
        >>> import io
        >>> from viam_sync.transfer.output.writers import write_csv
        >>> file = io.BytesIO()
        >>> write_csv(file, ["text", "number"], [{"text": "=1+1", "number": -1}], escape_formulas=True)
        >>> file.getvalue().split()
        [b'text,number', b"'=1+1,-1"]
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    if columns:
        writer.writerow(csv_cells(dict(zip(columns, columns)), columns, escape_formulas))
    writer.writerows(csv_cells(row, columns, escape_formulas) for row in rows)
    # The file is the caller's to close, not the wrapper's.
    text.detach()


def unwritable(error: Exception, result: Any) -> OSError:
    """Return the error that says that a response has no form in JSON; its attribute ``result`` is the response."""
    failure = OSError(f"dest is not written, as the response has no form in JSON: {error}")
    failure.result = result  # type: ignore[attr-defined]
    return failure


def csv_cells(row: Mapping[str, Any], columns: Sequence[str], escape_formulas: bool = False) -> List[Any]:
    """Return the cells of a flat row as `csv.writer` takes them: None where it lacks a column, JSON for a list.

    Example:
        >>> from viam_sync.transfer.output.writers import csv_cells
        >>> csv_cells({"speed": float("inf"), "tags": ["a"]}, ["at", "speed", "tags"])
        [None, 'inf', '["a"]']
    """
    cell, plain = (_escaped_cell, _NO_FORMULAS) if escape_formulas else (_cell, _PLAIN)
    return [value if type(value) in plain else cell(value) for value in map(row.get, columns)]


def _cell(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return repr(value)
    plain = json_value(value)
    return _line(plain) if isinstance(plain, (list, dict)) else plain


def _escaped_cell(value: Any) -> Any:
    cell = _cell(value)
    # A number is no formula, also where it is written as -inf.
    if not isinstance(cell, str) or isinstance(value, float):
        return cell
    return f"'{cell}" if _FORMULA.match(cell) else cell
