"""New files of a dataset that are written before any is changed: those of all days whose rows are replaced."""

from __future__ import annotations

import json
from contextlib import ExitStack
from datetime import date
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Dict, Iterable, Iterator, Mapping, Tuple, Union

from viam_sync.transfer.output.dataset_bucket import DatasetBucket
from viam_sync.transfer.output.dataset_columns import Note
from viam_sync.transfer.output.dataset_days import DayFiles, Interval
from viam_sync.transfer.output.dataset_folder import DatasetFolder, not_of_dataset

AnyFolder = Union[DatasetFolder, DatasetBucket]


class DayStage:
    """The new files of the days of an interval.

    Args:
        folder: The folder of the dataset, to which no other run writes meanwhile.
        files: The files of days, which know the interval, too.
        interval: The interval whose rows are replaced.
    """

    def __init__(self, folder: AnyFolder, files: DayFiles, interval: Interval) -> None:
        self._folder, self._files, self._interval = folder, files, interval

    def write(self, batches: Iterable[Any], known: Mapping[date, int], schema: Any) -> Dict[date, int]:
        """Write the new files of the days of the interval, and return the numbers of their rows.

        Args:
            batches: The new rows, the oldest first; those of other times among them are left out.
            known: The number of rows that each day has; all of its files have the schema.
            schema: The schema, as pyarrow has it.

        Raises:
            OSError: If a file cannot be written.
            ValueError: If the rows are not in order.
        """
        staged: Dict[date, int] = {}
        for day, group in groupby(self._files.by_day(batches), itemgetter(0)):
            if day in staged:
                raise ValueError("the service returned rows that are not in the order of their times")
            staged[day] = self._write_day(day, known, schema, (batch for _, batch in group))
        for day in known.keys() - staged.keys():
            if self._interval.touches(day):
                staged[day] = self._write_day(day, known, schema, ())
        return staged

    def write_rest(self, known: Mapping[date, int], staged: Mapping[date, int], schema: Any) -> Dict[date, int]:
        """Write what else a dataset without rows needs, and return the numbers of rows, which are all 0.

        It may get other columns, which all of its files must have; and it has one file at least.

        Args:
            known: The number of rows that each day has.
            staged: The number of rows in each new file.
            schema: The schema, as pyarrow has it.

        Raises:
            OSError: If a file cannot be written.
        """
        rest = set() if any(known.values()) else known.keys() - staged.keys()
        if not known and not staged:
            rest = {self._interval.any_day()}
        return {day: self._write_day(day, known, schema, ()) for day in rest}

    def _write_day(self, day: date, known: Mapping[date, int], schema: Any, new: Iterable[Any]) -> int:
        """Write the new file of a day: its new rows, and around them those that it has outside the interval."""
        with ExitStack() as stack:
            before: Iterable[Any] = ()
            after: Iterable[Any] = ()
            if known.get(day) and not self._interval.covers(day):
                before, after = self._files.around(stack.enter_context(self._folder.open(day)))
            file = stack.enter_context(self._folder.create(day))
            return self._files.write(file, schema, chain(before, new, after))


def day_steps(known: Mapping[date, int], staged: Mapping[date, int]) -> Iterator[Tuple[date, bool]]:
    """Yield the days that change, and whether each gets its new file or loses the one that it has.

    Args:
        known: The number of rows that each day has.
        staged: The number of rows in each new file.

    Example:
        >>> from datetime import date
        >>> from viam_sync.transfer.output.dataset_stage import day_steps
        >>> monday, tuesday = date(2024, 1, 1), date(2024, 1, 2)
        >>> [(day.day, is_new) for day, is_new in day_steps({monday: 5}, {monday: 0, tuesday: 7})]
        [(1, True), (2, True), (1, False)]
    """
    # A dataset without rows gets its new columns first, so that all files have the same at any moment.
    for day in sorted(staged, key=lambda day: (day not in known, day)):
        yield day, True
    counts = {**known, **staged}
    empty = sorted(day for day, count in counts.items() if not count)
    # Of a dataset without rows, one file stays, as no reader reads none.
    for day in empty[len(empty) == len(counts) :]:
        yield day, False


def footers(folder: AnyFolder, files: DayFiles, source: Mapping[str, Any]) -> Iterator[Tuple[date, Any, int]]:
    """Yield the days that a dataset has, with the schema of each, as pyarrow has it, and the number of its rows.

    Args:
        folder: The folder of the dataset.
        files: The files of days.
        source: The rows that the dataset is of.

    Raises:
        FileExistsError: If there is something else in the folder.
        OSError: If a file cannot be read.
        ValueError: If the dataset is of other rows.
    """
    for day in folder.days():
        with folder.open_footer(day) as file:
            schema, count = files.footer(file)
        note = None if schema is None else Note.of(schema)
        if note is None:
            raise not_of_dataset(folder.given, f"the file of {day}")
        if note.source != source:
            raise ValueError(
                f"{folder.given}, a dataset of {json.dumps(note.source)}, but the rows are of {json.dumps(source)};"
                " name another folder"
            )
        yield day, schema, count
