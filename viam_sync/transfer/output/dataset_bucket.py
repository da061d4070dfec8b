"""The folder of a dataset in a bucket, where an object is replaced as a whole."""

from __future__ import annotations

import contextlib
import io
import tempfile
from datetime import date
from pathlib import Path
from typing import BinaryIO, ContextManager, Dict, Iterable, Iterator, Optional, Tuple

from viam_sync.transfer.output.dataset_folder import (
    STATE,
    day_of,
    file_of,
    folder_beside,
    new_file,
    not_of_dataset,
)
from viam_sync.transfer.output.named_errors import temporary_file
from viam_sync.transfer.output.remote import Location, Remote

#: The bytes at the end of an object that are read first; the footer of most files is in them.
_FOOTER = 64 << 10
#: The end of a Parquet file: the length of its footer, and four bytes that name the format.
_LENGTH, _END = slice(-8, -4), 8


class DatasetBucket:
    """A folder in a bucket, or on a server of files, with the objects that `DatasetFolder` has as files.

    The new ones of a run are in the folder of temporary files of this computer until all are complete. A bucket has no
    locks: two runs at a time into one dataset are not noticed.

    Args:
        location: The location of the folder.
        temporary: The folder for temporary files; None for that of this computer.

    Attributes:
        given: The beginning of errors: the parameter and its value, without credentials.

    Raises:
        ImportError: If a package for it is not installed; the text says which.
        OSError: If there is no such bucket, or it refuses the connection.
    """

    #: The folder for new files, while a run is under way.
    _staging: Path

    def __init__(self, location: Location, temporary: Optional[Path] = None) -> None:
        self.given = location.given
        self._location = location
        self._remote = location.connect()
        self._temporary = temporary
        self._adopted: Dict[date, Tuple[Location, str]] = {}

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Have a folder for new files for a ``with`` block."""
        with tempfile.TemporaryDirectory(prefix="viam-export-", dir=self._temporary) as staging:
            self._staging = Path(staging)
            yield

    def days(self) -> Iterator[date]:
        """Yield the days that have an object, in their order.

        Raises:
            FileExistsError: If there is another object in the folder.
            OSError: If they cannot be listed.
        """
        for name in sorted(self._remote.sizes()):
            day = day_of(name.partition("/")[0])
            if day is None or name != file_of(day):
                raise not_of_dataset(self.given, name)
            yield day

    def open(self, day: date) -> BinaryIO:
        """Return the object of a day for reading.

        Raises:
            OSError: If it cannot be read.
        """
        return io.BytesIO(self._remote.read(file_of(day)))

    def open_footer(self, day: date) -> BinaryIO:
        """Return the end of the object of a day, which has the footer of a Parquet file in it.

        Raises:
            OSError: If it cannot be read.
        """
        end = self._remote.read(file_of(day), -_FOOTER)
        size = int.from_bytes(end[_LENGTH], "little") + _END
        return io.BytesIO(end if size <= len(end) else self._remote.read(file_of(day), -size))

    def open_new(self, day: date) -> BinaryIO:
        """Open the new file that was made for a day for reading."""
        return self.staged(day).open("rb")

    def discard(self, day: date) -> None:
        """Remove the new file that was made for a day."""
        self.staged(day).unlink()

    def load_state(self) -> Optional[bytes]:
        """Return the state that was saved beside the dataset; None if there is none.

        Raises:
            OSError: If it cannot be read.
        """
        try:
            return self._state().read()
        except FileNotFoundError:
            return None

    def save_state(self, state: bytes) -> None:
        """Save a state beside the dataset.

        Raises:
            OSError: If it cannot be written.
        """
        self._state().write(state)

    def _state(self) -> Remote:
        return self._location.beside(f"{folder_beside('{}')}/{STATE}").connect()

    def spool(self) -> BinaryIO:
        """Return a file for contents on their way, which is gone when it is closed."""
        return temporary_file(self._staging, self._staging)

    def create(self, day: date) -> ContextManager[BinaryIO]:
        """Make a new file for a day, to be written in a ``with`` block."""
        return new_file(self.staged(day), self._staging)

    def staged(self, day: date) -> Path:
        """Return the local path of the new file that was made for a day."""
        return self._staging / str(day)

    def adopt(self, day: date, folder: Location, name: str) -> None:
        """Let an object of another folder in the same bucket be the new file of a day."""
        self._adopted[day] = folder, name

    def change(self, steps: Iterable[Tuple[date, bool]]) -> None:
        """Change days, one after the other, each at once.

        Args:
            steps: The days, and whether each gets the file that was made for it, or loses the one that it has.

        Raises:
            OSError: If that fails.
        """
        for day, is_new in steps:
            if is_new and day in self._adopted:
                folder, name = self._adopted.pop(day)
                self._remote.take(folder.connect(), name, file_of(day))
            elif is_new:
                self._remote.write(self.staged(day), file_of(day))
                self.discard(day)
            else:
                self._remote.remove(file_of(day))
