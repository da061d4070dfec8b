"""The folder of a dataset: a Parquet file for each day, and nothing else that a reader would stumble over."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
from datetime import date
from pathlib import Path
from typing import BinaryIO, Iterable, Iterator, Optional, Tuple

from viam_sync.checks import path_from
from viam_sync.transfer.output.atomic import StrPath
from viam_sync.transfer.output.exclusive import open_exclusive
from viam_sync.transfer.output.named_errors import NamedFile, errors_of, temporary_file

_PREFIX, _FILE, _LOCK = "day=", "rows.parquet", "lock"


class DatasetFolder:
    """A folder on a disk with a file ``day=2024-01-31/rows.parquet`` for each day.

    Polars refuses a folder with files of another ending, also hidden ones, and DuckDB reads hidden files. So the new
    files of a run are in a hidden folder beside it, with its lock, from where they are moved into place.

    Args:
        folder: The folder; it is made once there are files for it.

    Attributes:
        given: The path as it was given, for errors.

    Raises:
        OSError: If it cannot be written.
        TypeError: If it is no path.

    Example:
        >>> from datetime import date
        >>> from viam_sync.transfer.output.dataset_folder import DatasetFolder
        >>> dataset = DatasetFolder(folder / "air")
        >>> with dataset.exclusive():
        ...     with dataset.create(date(2024, 1, 31)) as file:
        ...         _ = file.write(b"PAR1")
        ...     dataset.change([(date(2024, 1, 31), True)])
        >>> [path.relative_to(folder / "air").as_posix() for path in (folder / "air").rglob("*.parquet")]
        ['day=2024-01-31/rows.parquet']
    """

    def __init__(self, folder: StrPath) -> None:
        # A link is followed, as the folder beside it must be on the same disk.
        self._path = Path(os.path.realpath(path_from("path", folder)))
        self._beside = self._path.with_name(f".{self._path.name}.viam-export")
        self.given = str(folder)
        parent = self._path.parent
        if self._path.exists() and not self._path.is_dir():
            raise NotADirectoryError(f"path is {self.given!r}, a file; a dataset is a folder")
        if not parent.is_dir():
            raise FileNotFoundError(f"path is {self.given!r}, but there is no folder {str(parent)!r}")
        beside = "as unfinished files are kept beside the dataset, where no reader finds them"
        if os.path.ismount(self._path):  # the method of Path fails on Windows
            raise PermissionError(f"path is {self.given!r}, a disk of its own; name a folder in it, {beside}")
        for needed in filter(Path.exists, (parent, self._path)):
            if not os.access(needed, os.W_OK):
                raise PermissionError(
                    f"path is {self.given!r}, but nothing may be written in {str(needed)!r}; it must be, {beside}"
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
        lock = open_exclusive(self._beside / _LOCK, f"another export is at work in the dataset {self.given!r}")
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
            elif path.name != _LOCK:
                path.unlink()

    def days(self) -> Iterator[date]:
        """Yield the days that have a file, in their order.

        Raises:
            FileExistsError: If there is something else in the folder.
        """
        for path in sorted(self._path.iterdir()) if self._path.exists() else ():
            day = None if path.is_symlink() or not path.is_dir() else _day_of(path.name)
            names = [inner.name for inner in path.iterdir()] if day else []
            if day is None or names not in ([], [_FILE]):
                raise self.foreign(path.name)
            if names:
                yield day

    def foreign(self, name: str) -> FileExistsError:
        """Return the error that says that something in the folder is not part of a dataset."""
        return FileExistsError(
            f"path is {self.given!r}, but {name!r} in it was not written by an export of a dataset; name another folder"
        )

    def open(self, day: date) -> BinaryIO:
        """Open the file of a day for reading."""
        return (self._path / _name_of(day)).open("rb")

    def spool(self) -> BinaryIO:
        """Return a file for contents on their way, which is gone when it is closed."""
        return temporary_file(self._beside, self._path)

    @contextlib.contextmanager
    def create(self, day: date) -> Iterator[BinaryIO]:
        """Make a new file for a day in a ``with`` block, at whose end it is on the disk.

        Raises:
            OSError: If it cannot be written.
        """
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
        with errors_of(self._path):
            descriptor = os.open(self._beside / str(day), flags, 0o666)
        with io.BufferedWriter(NamedFile(descriptor, self._path)) as file:
            yield file
            file.flush()
            os.fsync(descriptor)

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
                file = target / _name_of(day)
                if is_new:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    (self._beside / str(day)).replace(file)
                else:
                    file.unlink()
                    file.parent.rmdir()
            if not is_there:
                target.rename(self._path)


def _name_of(day: date) -> str:
    return f"{_PREFIX}{day}/{_FILE}"


def _day_of(name: str) -> Optional[date]:
    try:
        day = date.fromisoformat(name[len(_PREFIX) :])
    except ValueError:
        return None
    # Newer Pythons read other forms of a date, too.
    return day if name == f"{_PREFIX}{day}" else None
