"""A mirror in a partitioned dataset, of which a slice is a day: first its file changes, then the state beside it."""

from __future__ import annotations

import contextlib
from datetime import date, datetime, time, timedelta
from functools import reduce
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from viam_sync.transfer.mirror.mirror_state import MirrorState, shifted
from viam_sync.transfer.mirror.row_difference import has_same_bytes, row_difference
from viam_sync.transfer.output.batches import BatchStore, settled_batch
from viam_sync.transfer.output.columns import optional
from viam_sync.transfer.output.dataset_bucket import DatasetBucket
from viam_sync.transfer.output.dataset_columns import Note
from viam_sync.transfer.output.dataset_days import DayFiles, Interval
from viam_sync.transfer.output.dataset_folder import DatasetFolder
from viam_sync.transfer.output.dataset_stage import AnyFolder, DayStage, day_steps, footers
from viam_sync.transfer.output.kinds import Kind, merged
from viam_sync.transfer.output.remote import Location
from viam_sync.transfer.output.schema import arrow_kinds

_DAY = timedelta(days=1)


@contextlib.contextmanager
def open_parquet_mirror(location: Location, source: Mapping[str, Any], time: str) -> Iterator[ParquetMirror]:
    """Have a mirror in a folder of Parquet files for a ``with`` block.

    Args:
        location: The location of the folder.
        source: The readings that the mirror is of.
        time: The name of the column of times.

    Raises:
        OSError: If the folder cannot be written, another run is at work in it, or it holds something else.
        ValueError: If it is a mirror of other readings.
        ImportError: If pyarrow is not installed.
    """
    optional("pyarrow", "a mirror")
    folder = DatasetBucket(location) if location.is_remote else DatasetFolder(location)
    with folder.exclusive():
        yield ParquetMirror(folder, source, time)


class ParquetMirror:
    """A mirror in a partitioned dataset.

    A file and the state do not change at the same moment. If a run is killed between the two, the next one replaces
    the rows of that day once more.

    Args:
        folder: The folder, to which no other run writes meanwhile.
        source: The readings that the mirror is of.
        time: The name of the column of times.
    """

    def __init__(self, folder: AnyFolder, source: Mapping[str, Any], time: str) -> None:
        self._arrow = optional("pyarrow", "a mirror")
        self._folder, self._source, self._time = folder, source, time
        self._files = DayFiles(time, Interval(None, None))
        self._rows: Dict[date, int] = {}
        self._schemas: Dict[date, Any] = {}
        for day, schema, count in footers(folder, self._files, source):
            self._rows[day], self._schemas[day] = count, schema
        self.state = self._found_state()

    def _found_state(self) -> Optional[MirrorState]:
        if not self._rows:
            return None  # The folder may have been removed, to begin anew.
        saved = self._folder.load_state()
        if saved is not None:
            return MirrorState.from_json(saved.decode())
        # The folder was moved without what is beside it: all is compared anew.
        none: Dict[str, Kind] = {}
        return MirrorState(self._source, reduce(_merged_kinds, map(arrow_kinds, self._schemas.values()), none))

    def aligned(self, begin: datetime) -> datetime:
        """Return the beginning of the day, whose file is written anew in any case."""
        return datetime.combine(begin.date(), time())

    def is_over(self, store: BatchStore, latest: datetime, following: datetime) -> bool:
        """Tell whether two times are of different days."""
        return latest.date() < following.date()

    def end_of(self, latest: datetime) -> datetime:
        """Return the end of the day."""
        return shifted(self.aligned(latest), _DAY)

    def spool(self) -> BinaryIO:
        """Return a file for rows on their way."""
        return self._folder.spool()

    def names_of(self, columns: Iterable[str]) -> List[str]:
        """Return the names of columns as they are."""
        return list(columns)

    def count_rows(self) -> int:
        """Return the number of rows of all days."""
        return sum(self._rows.values())

    def replace(self, interval: Interval, schema: Any, batches: Iterable[Any], state: MirrorState) -> Tuple[int, int]:
        """Replace the rows of an interval, day by day, and then the state."""
        noted = Note(self._source, inferred=True).within(schema)
        if self.state is not None:
            self._change_columns(noted, self.state._replace(kinds=state.kinds))
        stage = DayStage(self._folder, DayFiles(self._time, interval), interval)
        staged = stage.write(batches, self._rows, noted)
        staged.update(stage.write_rest(self._rows, staged, noted))
        changes = [self._difference(day, staged) for day in sorted(staged)]
        self._apply(staged, noted)
        self._save(state)
        return sum(added for added, _ in changes), sum(removed for _, removed in changes)

    def _change_columns(self, schema: Any, state: MirrorState) -> None:
        """Give all files the same columns, one after the other; if that is cut short, the next run does the rest."""
        old = [day for day, found in self._schemas.items() if not found.equals(schema)]
        if old:
            self._save(state)
        for day in old:
            with self._folder.open(day) as file, self._folder.create(day) as new:
                batches = (settled_batch(each, state.kinds, schema, self._arrow) for each in self._files.read(file))
                self._files.write(new, schema, batches)
            self._apply({day: self._rows[day]}, schema)

    def _difference(self, day: date, staged: Dict[date, int]) -> Tuple[int, int]:
        """Return how many rows of a day are added and removed; if there are none, its new file is forgotten."""
        if day not in self._rows:
            return staged[day], 0
        with self._folder.open(day) as old, self._folder.open_new(day) as new:
            changes = (0, 0)
            if not has_same_bytes(old, new):
                changes = row_difference(self._files.read(old), self._files.read(new), self._time, self._arrow)
        if changes == (0, 0):
            del staged[day]
            self._folder.discard(day)
        return changes

    def _apply(self, staged: Mapping[date, int], schema: Any) -> None:
        """Bring the new files of days into place."""
        steps = list(day_steps(self._rows, staged))
        self._folder.change(steps)
        for day, is_new in steps:
            if is_new:
                self._rows[day], self._schemas[day] = staged[day], schema
            else:
                del self._rows[day], self._schemas[day]

    def _save(self, state: MirrorState) -> None:
        self._folder.save_state(state.to_json().encode())
        self.state = state


def _merged_kinds(known: Mapping[str, Kind], found: Mapping[str, Kind]) -> Dict[str, Kind]:
    return {**known, **{name: merged(known.get(name, "null"), kind) for name, kind in found.items()}}
