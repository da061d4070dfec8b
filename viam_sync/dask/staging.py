"""The folder of unfinished files, which all workers reach and readers of the finished ones do not see."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from typing import Any, Iterator, Mapping, Optional

from viam_sync.transfer.output.dataset_folder import DatasetFolder
from viam_sync.transfer.output.remote import Location, Remote

_BESIDE, _PLAN = ".{}.viam-dask", "plan.json"


def shared_location(url: Any, storage_options: Optional[Mapping[str, Any]]) -> Location:
    """Return the location of a folder that all workers know.

    Raises:
        TypeError: If it is no path.
        ValueError: If nothing can be called so, or there is a query in it.
    """
    location = Location("url", url, storage_options)
    if not location.is_remote:
        # The workers may be in other folders, and what is beside a link must be on the same disk.
        return Location("url", os.path.realpath(location.path()))
    if "?" in location.url:
        raise ValueError(f"{location.given}; the URL of a folder has no query")
    return location


@contextlib.contextmanager
def exclusive_folder(location: Location) -> Iterator[None]:
    """Keep other exports out of a folder for a ``with`` block, as far as its disk knows locks; a bucket knows none.

    Raises:
        BlockingIOError: If another export is at work there.
        OSError: If it cannot be written.
    """
    if location.is_remote:
        yield
    else:
        with DatasetFolder(location).exclusive():
            yield


class Staging:
    """The unfinished files of an export, beside the folder that it writes to.

    Each run has a folder of its own there, and each file a name that no other has. A worker that everybody took for
    dead, and that writes on, changes nothing that others read.

    Args:
        target: The folder that the export writes to.

    Raises:
        ImportError: If a package for its URL is not installed; the text says which.
        OSError: If the store refuses the connection, or has no such bucket.
        ValueError: If there is nothing beside it.
    """

    def __init__(self, target: Location) -> None:
        self._target = target
        self._all = target.beside(_BESIDE).connect()

    def begin(self, plan: Mapping[str, Any]) -> Location:
        """Return the folder of a run: of one that was ended early and had the same plan, or else a new one.

        Args:
            plan: All that the files of a run depend on, in a form that JSON can hold.

        Raises:
            OSError: If it cannot be written.
        """
        known = read_json(self._all, _PLAN)
        if known is None or known["plan"] != plan:
            self._all.clear()
            known = {"run": secrets.token_hex(8), "plan": plan}
            write_json(self._all, _PLAN, known)
        return self._target.beside(f"{_BESIDE}/{known['run']}")

    def end(self) -> None:
        """Remove all unfinished files.

        Raises:
            OSError: If that fails.
        """
        self._all.clear()


def unique_name(begin: str, ending: str) -> str:
    """Return a name for a file that no other file has.

    Example:
        >>> from viam_sync.dask.staging import unique_name
        >>> name = unique_name("part", ".parquet")
        >>> name.startswith("part-"), name.endswith(".parquet"), name == unique_name("part", ".parquet")
        (True, True, False)
    """
    return f"{begin}-{secrets.token_hex(8)}{ending}"


def read_json(folder: Remote, name: str) -> Any:
    """Return what a small file holds; None if it is not there."""
    try:
        return json.loads(folder.read(name))
    except FileNotFoundError:
        return None


def write_json(folder: Remote, name: str, value: Any) -> None:
    """Write a small file."""
    folder.write(json.dumps(value, indent=2).encode(), name)
