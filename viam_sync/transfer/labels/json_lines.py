"""JSON lines of labels, a line for each image, and a file for each part of a split."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, Iterable, Iterator, Tuple

from viam_sync.transfer.labels.json_entries import decode
from viam_sync.transfer.labels.label_checks import WrongLabel, noted, shown
from viam_sync.transfer.labels.label_files import LabelFiles
from viam_sync.transfer.labels.label_problems import LabelProblems


def write_json_lines(files: LabelFiles, path_of: Callable[[str], str], rows: Iterable[Tuple[str, str]]) -> None:
    """Write lines into the files of their splits; without any row, the file of no split is there, and empty.

    Args:
        files: The label files of the folder.
        path_of: The path of a file by the name of the split, which is empty where there is none.
        rows: The split and the JSON of each line, in ASCII: some scripts open it in the encoding of their system.
    """
    with contextlib.ExitStack() as open_files:
        outputs: Dict[str, BinaryIO] = {}
        for split, row in rows:
            if split not in outputs:
                outputs[split] = open_files.enter_context(files.open(path_of(split)))
            outputs[split].write(row.encode("ascii") + b"\n")
        if not outputs:
            files.write_text(path_of(""), "")


def read_json_lines(folder: Path, path: str, problems: LabelProblems) -> Iterator[Tuple[int, Dict[str, Any]]]:
    """Yield the number and the object of each line of a file, and note the lines that hold none.

    Args:
        folder: The folder of the dataset.
        path: The path of the file in it.
        problems: The problems of the folder.
    """
    with (folder / path).open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number == 1 and line.startswith(b"\xef\xbb\xbf"):
                line = line[3:]
            if line.strip():
                with noted(problems, Path(path), number):
                    yield number, _object(line)


def _object(line: bytes) -> Dict[str, Any]:
    try:
        row = decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise WrongLabel(f"this line is not UTF-8: {error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise WrongLabel(f"this line is no JSON: {error}") from None
    if not isinstance(row, dict):
        raise WrongLabel(f"this line is {shown(row)}, and has to be an object")
    return row
