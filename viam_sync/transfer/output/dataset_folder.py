"""The folder of a dataset: a Parquet file for each day, and nothing else that a reader would stumble over."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from datetime import date
from pathlib import Path
from typing import BinaryIO, ContextManager, Iterable, Iterator, Optional, Tuple

from viam_sync.transfer.output.exclusive import open_exclusive
from viam_sync.transfer.output.named_errors import NamedFile, errors_of, temporary_file
from viam_sync.transfer.output.remote import Location

_PREFIX, _FILE, _LOCK = "day=", "rows.parquet", "lock"
#: The file beside a dataset in which a mirror keeps its state.
STATE = "mirror.json"


def folder_beside(name: str) -> str:
    """Return the name of the hidden folder beside a dataset, for what no reader of the dataset may find in it.

    Example:
        >>> from viam_sync.transfer.output.dataset_folder import folder_beside
        >>> folder_beside("air")
        '.air.viam-export'
    """
    return f".{name}.viam-export"


class DatasetFolder:
    """A folder on a disk with a file ``day=2024-01-31/rows.parquet`` for each day.

    Polars refuses a folder with files of another ending, also hidden ones, and DuckDB reads hidden files. So the new
    files of a run are in a hidden folder beside it, with its lock, from where they are moved into place.

    Args:
        location: The location of the folder; it is made once there are files for it.

    Attributes:
        given: The beginning of errors: the parameter and its value.

    Raises:
        OSError: If it cannot be written.
        TypeError: If it is no path.

    Example:
        >>> from datetime import date
        >>> from viam_sync.transfer.output.dataset_folder import DatasetFolder
        >>> from viam_sync.transfer.output.remote import Location
        >>> dataset = DatasetFolder(Location("path", folder / "air"))
        >>> with dataset.exclusive():
        ...     with dataset.create(date(2024, 1, 31)) as file:
        ...         _ = file.write(b"PAR1")
        ...     dataset.change([(date(2024, 1, 31), True)])
        >>> [path.relative_to(folder / "air").as_posix() for path in (folder / "air").rglob("*.parquet")]
        ['day=2024-01-31/rows.parquet']
    """

    def __init__(self, location: Location) -> None:
        self.given = location.given
        # A link is followed, as the folder beside it must be on the same disk.
        self._path = Path(os.path.realpath(location.path()))
        self._beside = self._path.with_name(folder_beside(self._path.name))
        parent = self._path.parent
        if self._path.exists() and not self._path.is_dir():
            raise NotADirectoryError(f"{self.given}, a file; a dataset is a folder")
        if not parent.is_dir():
            raise FileNotFoundError(f"{self.given}, but there is no folder {str(parent)!r}")
        beside = "as unfinished files are kept beside the dataset, where no reader finds them"
        if os.path.ismount(self._path):  # the method of Path fails on Windows
            raise PermissionError(f"{self.given}, a disk of its own; name a folder in it, {beside}")
        for needed in filter(Path.exists, (parent, self._path)):
            if not os.access(needed, os.W_OK):
                raise PermissionError(
                    f"{self.given}, but nothing may be written in {str(needed)!r}; it must be, {beside}"
                )

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other exports out for a ``with`` block, in which new files can be made.

        Raises:
            BlockingIOError: If another export is at work in the dataset.
            OSError: If nothing can be written beside the dataset.
        """
        with errors_of(self._path):
            self._beside.mkdir(exist_ok=True)
        lock = open_exclusive(self._beside / _LOCK, f"{self.given}, where another export is at work")
        try:
            self._clear()  # of the files of a run that was killed
            yield
        finally:
            self._clear()
            os.close(lock)

    def _clear(self) -> None:
        for path in self._beside.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in (_LOCK, STATE):
                path.unlink()

    def load_state(self) -> Optional[bytes]:
        """Return the state that was saved beside the dataset; None if there is none."""
        path = self._beside / STATE
        return path.read_bytes() if path.exists() else None

    def save_state(self, state: bytes) -> None:
        """Save a state beside the dataset; it is on the disk then.

        Raises:
            OSError: If it cannot be written.
        """
        unfinished = self._beside / f"{STATE}.new"
        with new_file(unfinished, self._path) as file:
            file.write(state)
        unfinished.replace(self._beside / STATE)

    def days(self) -> Iterator[date]:
        """Yield the days that have a file, in their order.

        Raises:
            FileExistsError: If there is something else in the folder.
        """
        for path in sorted(self._path.iterdir()) if self._path.exists() else ():
            day = None if path.is_symlink() or not path.is_dir() else day_of(path.name)
            names = [inner.name for inner in path.iterdir()] if day else []
            if day is None or names not in ([], [_FILE]):
                raise not_of_dataset(self.given, path.name)
            if names:
                yield day

    def open(self, day: date) -> BinaryIO:
        """Open the file of a day for reading."""
        return (self._path / file_of(day)).open("rb")

    #: A file on a disk is read from where it is needed.
    open_footer = open

    def open_new(self, day: date) -> BinaryIO:
        """Open the new file that was made for a day for reading."""
        return (self._beside / str(day)).open("rb")

    def discard(self, day: date) -> None:
        """Remove the new file that was made for a day."""
        (self._beside / str(day)).unlink()

    def spool(self) -> BinaryIO:
        """Return a file for contents on their way, which is gone when it is closed."""
        return temporary_file(self._beside, self._path)

    def create(self, day: date) -> ContextManager[BinaryIO]:
        """Make a new file for a day, to be written in a ``with`` block, at whose end it is on the disk.

        Raises:
            OSError: If it cannot be written.
        """
        return new_file(self._beside / str(day), self._path)

    def adopt(self, day: date, folder: Location, name: str) -> None:
        """Let a file of another folder on the same disk be the new file of a day.

        Raises:
            OSError: If it cannot be flushed to the disk, or moved.
        """
        path = folder.path() / name
        with errors_of(self._path):
            with path.open("rb") as file:
                os.fsync(file.fileno())
            path.replace(self._beside / str(day))

    def change(self, steps: Iterable[Tuple[date, bool]]) -> None:
        """Change days, one after the other, each at once; a dataset that is not there yet appears as a whole.

        Args:
            steps: The days, and whether each gets the file that was made for it, or loses the one that it has.

        Raises:
            OSError: If that fails.
        """
        is_there = self._path.exists()
        target = self._path if is_there else self._beside / "whole"
        with errors_of(self._path):
            for day, is_new in steps:
                file = target / file_of(day)
                if is_new:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    (self._beside / str(day)).replace(file)
                else:
                    file.unlink()
                    file.parent.rmdir()
            if not is_there:
                target.rename(self._path)


def file_of(day: date) -> str:
    """Return the path of the file of a day within the folder.

    Example:
        >>> from datetime import date
        >>> from viam_sync.transfer.output.dataset_folder import file_of
        >>> file_of(date(2024, 1, 31))
        'day=2024-01-31/rows.parquet'
    """
    return f"{_PREFIX}{day}/{_FILE}"


def day_of(name: str) -> Optional[date]:
    """Return the day of which a folder has the file; None if the name of the folder is none of a dataset."""
    try:
        day = date.fromisoformat(name[len(_PREFIX) :])
    except ValueError:
        return None
    # Newer Pythons read other forms of a date, too.
    return day if name == f"{_PREFIX}{day}" else None


def not_of_dataset(given: str, name: str) -> FileExistsError:
    """Return the error that says that something in a folder was not written for a dataset."""
    return FileExistsError(
        f"{given}, but {name!r} in it was not written by an export of a dataset; name another folder"
    )


@contextlib.contextmanager
def new_file(path: Path, shown: Path) -> Iterator[BinaryIO]:
    """Make a file for a ``with`` block, at whose end it is on the disk; its errors name another path.

    Raises:
        OSError: If it cannot be written.
    """
    with errors_of(shown):
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0), 0o666)
    with io.BufferedWriter(NamedFile(descriptor, shown)) as file:
        yield file
        file.flush()
        os.fsync(descriptor)
