"""The tables that Hugging Face's image folders have beside images: JSON lines or CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any, Dict, Iterator, Tuple

from viam_sync.transfer.labels.json_entries import decode
from viam_sync.transfer.labels.json_lines import read_json_lines
from viam_sync.transfer.labels.label_checks import WrongLabel, noted, read_text
from viam_sync.transfer.labels.label_problems import LabelProblems

#: The names of the files.
METADATA_NAMES = ("metadata.jsonl", "metadata.csv", "metadata.parquet")


def read_table(folder: Path, path: str, problems: LabelProblems) -> Iterator[Tuple[int, Dict[str, Any]]]:
    """Yield the line and the columns of each row.

    Args:
        folder: The folder of the dataset.
        path: The path of the file in it.
        problems: The problems of the folder.
    """
    if path.endswith(".jsonl"):
        yield from read_json_lines(folder, path, problems)
        return
    with noted(problems, Path(path), None):
        if path.endswith(".parquet"):
            raise WrongLabel("Parquet is not read here; write it as metadata.jsonl, as pandas.DataFrame.to_json does")
        rows = csv.DictReader(io.StringIO(read_text(folder / path), newline=""))
        for row in rows:
            with noted(problems, Path(path), rows.line_num):
                if None in row or None in row.values():
                    raise WrongLabel(f"this row has not the {len(rows.fieldnames or ())} columns of the first line")
                yield rows.line_num, {name: _value(text) for name, text in row.items()}


def _value(text: str) -> Any:
    """Return the list or the object that a text of CSV is, or the text itself; None for an empty one."""
    if text[:1] in ("[", "{"):
        try:
            return decode(text)
        except ValueError:
            return text
    return text or None
