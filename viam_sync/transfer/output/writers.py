"""Writing rows as JSON, JSON lines or CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any, BinaryIO, Callable, Iterable, List, Mapping, Sequence

from viam_sync.transfer.output.destination import Destination
from viam_sync.transfer.output.flatten import flatten
from viam_sync.transfer.output.rows import NO_JSON, Row, json_value

#: The beginning of a line, or of a formula in a spreadsheet, that of an East Asian keyboard included. Some programs
#: leave out blanks and characters without a form before it, such as the byte order mark at the beginning of a file.
_FORMULA = re.compile(
    "[\t\r\n]|[\\s\0-\x1f\x7f\xad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*[-=+@\uff1d\uff0b\uff0d\uff20]"
)


def write_rows(
    output: Destination,
    items: Sequence[Any],
    to_row: Callable[[Any], Row],
    result: Any,
    *,
    escape_formulas: bool = False,
) -> None:
    """Write the rows of a response to a file, in the format that its ending names.

    A file that ends in ``.jsonl`` gets an object in each line, and one that ends in ``.csv`` gets columns, in which
    nested objects have dotted names; all others get a JSON list of objects.

    Args:
        output: The file.
        items: The rows, or the messages that they are made of.
        to_row: Returns an item as an object that JSON can hold.
        result: The response, which the caller would lose if writing failed.
        escape_formulas: Whether text in CSV that a spreadsheet would take for a formula begins with an apostrophe.

    Raises:
        OSError: If writing failed, or something in the response has no form in JSON; the error has the response as its
            attribute ``result``.

    Example:
        >>> from viam_sync.transfer.output.atomic import AtomicOutput
        >>> from viam_sync.transfer.output.writers import write_rows
        >>> write_rows(AtomicOutput(folder / "rows.csv"), [{"speed": 1}, {"at": {"x": 2}}], dict, None)
        >>> (folder / "rows.csv").read_text().split()
        ['speed,at.x', '1,', ',2']
    """
    try:
        rows = [to_row(item) for item in items]
    except NO_JSON as error:
        raise unwritable(error, result) from error
    contents = io.BytesIO()
    if output.suffix == ".jsonl":
        write_jsonl(contents, rows)
    elif output.suffix == ".csv":
        flat = [flatten(row) for row in rows]
        write_csv(
            contents, list(dict.fromkeys(name for row in flat for name in row)), flat, escape_formulas=escape_formulas
        )
    else:
        contents.write((json.dumps(rows, indent=4) + "\n").encode())
    output.write(contents.getvalue(), result)


def write_jsonl(file: BinaryIO, rows: Iterable[Row]) -> None:
    """Write rows to a file, each as a line with an object."""
    for row in rows:
        file.write(json.dumps(json_value(row)).encode() + b"\n")


def write_csv(
    file: BinaryIO, columns: List[str], rows: Iterable[Mapping[str, Any]], *, escape_formulas: bool = False
) -> None:
    """Write flat rows to a file as CSV; without columns, the file stays empty.

    Args:
        file: The file.
        columns: The names of the columns.
        rows: The rows; a cell is empty where a row lacks a column, and JSON where it holds a list.
        escape_formulas: Whether text that a spreadsheet would take for a formula begins with an apostrophe.

    Example:
        >>> import io
        >>> from viam_sync.transfer.output.writers import write_csv
        >>> file = io.BytesIO()
        >>> write_csv(file, ["text", "number"], [{"text": "=1+1", "number": -1}], escape_formulas=True)
        >>> file.getvalue().split()
        [b'text,number', b"'=1+1,-1"]
    """
    cell = _escaped_cell if escape_formulas else _cell
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    if columns:
        writer.writerow(map(cell, columns))
    for row in rows:
        writer.writerow([cell(row.get(name)) for name in columns])
    # The file is the caller's to close, not the wrapper's.
    text.detach()


def unwritable(error: Exception, result: Any) -> OSError:
    """Return the error that says that a response has no form in JSON; its attribute ``result`` is the response."""
    failure = OSError(f"dest is not written, as the response has no form in JSON: {error}")
    failure.result = result  # type: ignore[attr-defined]
    return failure


def _cell(value: Any) -> Any:
    plain = json_value(value)
    return json.dumps(plain) if isinstance(plain, list) else plain


def _escaped_cell(value: Any) -> Any:
    cell = _cell(value)
    # A number is no formula, also where it is written as -Infinity.
    if not isinstance(cell, str) or isinstance(value, float):
        return cell
    return f"'{cell}" if _FORMULA.match(cell) else cell
