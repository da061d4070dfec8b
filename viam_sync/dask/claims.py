"""The paths that workers were given, kept for the next run, as a late worker may still write there."""

from __future__ import annotations

from typing import Dict, Mapping

from viam_sync.dask.staging import read_json, unique_name, write_json
from viam_sync.transfer.output.export_paths import ExportPath
from viam_sync.transfer.output.remote import Location

_FOLDER = ".viam-dask"


class Claims:
    """The paths of the files that are being fetched, in small files in the folder of an export.

    If the process that gave the paths dies, its workers go on for a while. Another run must not give one of these paths
    to another file meanwhile, such as one of the same name that has come since.

    Args:
        target: The folder of the export.

    Example:
        >>> from viam_sync.dask.claims import Claims
        >>> from viam_sync.transfer.output.export_paths import ExportPath
        >>> from viam_sync.transfer.output.remote import Location
        >>> claims = Claims(Location("url", "memory://claims/images"))
        >>> claims.write({"f1": ExportPath("data/cat.png", "metadata/cat.png.json")})
        >>> claims.read()["f1"].data
        'data/cat.png'
        >>> claims.clear()
        >>> claims.read()
        {}
    """

    def __init__(self, target: Location) -> None:
        self._folder = target.within(_FOLDER).connect()

    def write(self, paths: Mapping[str, ExportPath]) -> None:
        """Keep the paths of files, by their IDs.

        Raises:
            OSError: If they cannot be written.
        """
        write_json(self._folder, unique_name("claim", ".json"), dict(paths))

    def read(self) -> Dict[str, ExportPath]:
        """Return all paths, by the IDs of their files.

        Raises:
            OSError: If they cannot be read.
        """
        found: Dict[str, ExportPath] = {}
        for name in self._folder.sizes():
            found.update((id, ExportPath(*path)) for id, path in read_json(self._folder, name).items())
        return found

    def clear(self) -> None:
        """Forget them.

        Raises:
            OSError: If one cannot be removed.
        """
        self._folder.clear()
